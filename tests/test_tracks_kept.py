"""Cases on a track, and stages that depend on scores: what is written, over both kinds of database."""

from pathlib import Path
from typing import Any

import pytest

from imprimatur.history.export import history
from imprimatur.history.sentences import sentence
from imprimatur.history.verify import verify_all
from imprimatur.store.engine import Database
from imprimatur.store.reading import CaseView, show_case
from models.effects import KeepStage
from models.events import Annulled
from models.vocabulary import CaseStatus, EventType, StageOutcome, StageStatus, Verdict
from tests.facts import OFFICE, Play, amended, everything, example, furnish, ledger_rows
from tests.tracks import FAST, SMALL, USUAL, proposal


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    policy_document = amended(database, "industry-credit", tracks=[FAST, USUAL])
    return Play(database, tmp_path, policy_document)


def shown(play: Play) -> CaseView:
    return show_case(play.database, play.case_id)


def stages(play: Play) -> dict[str, str | None]:
    return {view.stage: view.outcome or str(view.status) for view in shown(play).stages}


def answer(play: Play, stage_id: str, verdict: Verdict = Verdict.APPROVE, score: int = 4) -> None:
    task = play.state.open_tasks(stage_id)[0]
    criteria = play.framework.stage(task.stage).criteria
    comment = "" if verdict is Verdict.APPROVE else "because"
    scores: dict[str, Any] = {criterion.id: score for criterion in criteria}
    play.decide(stage_id, verdict, comment, **scores)


def send_back(play: Play, stage_id: str) -> None:
    while play.state.status is CaseStatus.IN_REVIEW:
        answer(play, stage_id, Verdict.REQUEST_CHANGES)


def finish(play: Play) -> None:
    while play.state.open_tasks():
        answer(play, play.state.open_tasks()[0].stage)
    assert play.state.status is CaseStatus.PUBLISHED
    assert verify_all(play.database).ok


def test_a_fast_track_leaves_out_what_it_may_and_promises_more(play: Play) -> None:
    play.submit(proposal(4))
    assert stages(play) == {
        "proposal": "open",
        "quality": "skipped",
        "industry": "waiting",
        "publication": "waiting",
    }
    view = shown(play)
    assert view.track == "fast" and view.due_reason is not None
    assert view.due_reason["amount"] == "10 business days"
    [quality] = [found for found in view.stages if found.stage == "quality"]
    assert quality.reason == "the track fast does without it: five credits or less"
    answer(play, "proposal")
    [industry] = [found for found in shown(play).stages if found.stage == "industry"]
    assert industry.due_reason is not None and industry.due_reason["amount"] == "5 business days"
    finish(play)


def test_the_ledger_says_which_rule_fired_and_what_it_saw(play: Play) -> None:
    play.submit(proposal(4))
    [event] = [row for row in ledger_rows(play.database, play.case_id) if row["type"] == EventType.TRACK_SELECTED]
    assert event["data"] == {
        "track": "fast",
        "why": "five credits or less",
        "rules": [{"rule": "track fast", "when": SMALL, "holds": True, "values": {"proposal.workload.credits": 4.0}}],
        "skipped": {"quality": "the track fast does without it: five credits or less"},
    }
    stories = [sentence(found) for found in history(play.database, play.case_id) if found.type == "track_selected"]
    assert stories == ["Took the track fast, five credits or less; quality left out (proposal.workload.credits 4)"]
    play.withdraw("enough")
    assert verify_all(play.database).ok


def test_a_bigger_proposal_opens_what_was_left_out(play: Play) -> None:
    play.submit(proposal(4))
    answer(play, "proposal")
    send_back(play, "industry")
    play.revise(proposal(15))
    assert stages(play) == {
        "proposal": "approved",
        "quality": "open",
        "industry": "open",
        "publication": "waiting",
    }, "its first approval still stands"
    assert shown(play).track == "usual"
    finish(play)


def test_a_smaller_proposal_leaves_out_what_is_no_longer_needed(play: Play) -> None:
    play.submit(proposal(15))
    assert shown(play).track == "usual"
    answer(play, "proposal")
    answer(play, "industry")
    send_back(play, "quality")
    play.revise(proposal(4))
    assert stages(play) == {
        "proposal": "approved",
        "quality": "skipped",
        "industry": "approved",
        "publication": "published",
    }
    assert any(isinstance(effect, KeepStage) for effect in play.steps[-1].effects)
    assert [e.data["track"] for e in history(play.database, play.case_id) if e.type == "track_selected"] == [
        "usual",
        "fast",
    ]
    finish(play)


def test_an_approval_stands_though_its_stage_is_no_longer_needed(database: Database, tmp_path: Path) -> None:
    furnish(database)
    wanted = {"id": "wanted", "when": 'proposal.demand_evidence.contains("sixty")', "why": "x", "without": ["quality"]}
    play = Play(database, tmp_path, amended(database, "industry-credit", tracks=[wanted]))
    play.submit(proposal(15))
    for stage_id in ("proposal", "quality", "quality"):
        answer(play, stage_id)
    send_back(play, "industry")
    play.revise(proposal(15).model_copy(update={"demand_evidence": "A petition of sixty."}))
    assert (shown(play).track, stages(play)["quality"]) == ("wanted", "approved"), "nothing material to it changed"
    finish(play)


def test_an_incomplete_proposal_gets_its_track_when_it_is_complete(play: Play) -> None:
    play.submit(proposal(4).model_copy(update={"summary": None}))
    assert (shown(play).status, shown(play).track) == (CaseStatus.INCOMPLETE, None)
    play.revise(proposal(15))
    assert (shown(play).track, stages(play)["quality"]) == ("usual", "waiting")
    finish(play)


def test_a_step_written_again_changes_nothing(play: Play) -> None:
    play.submit(proposal(4))
    before = everything(play.database)
    play.committer.write_step(play.steps[0])
    assert everything(play.database) == before


# --- scores that route ---------------------------------------------------------------------------------------------


@pytest.fixture
def routed(database: Database, tmp_path: Path) -> Play:
    """Industry is asked only when quality is in doubt."""
    furnish(database)
    when = "lowest.quality.outcomes <= 2"
    change = {"needs": ["proposal", "quality"], "when": when}
    case = Play(database, tmp_path, amended(database, "industry-credit", "industry", **change))
    case.submit(example("industry-credit"))
    answer(case, "proposal")
    return case


@pytest.mark.parametrize(("scores", "applies"), [((4, 2), True), ((4, 3), False), ((2, 4), True)])
def test_scores_decide_whether_the_next_stage_applies(routed: Play, scores: tuple[int, int], applies: bool) -> None:
    for score in scores:
        answer(routed, "quality", score=score)
    assert stages(routed)["industry"] == ("open" if applies else "skipped")
    skipped = [row for row in ledger_rows(routed.database, routed.case_id) if row["type"] == EventType.STAGE_SKIPPED]
    assert [row["data"].get("values") for row in skipped] == (
        [] if applies else [{"lowest.quality.outcomes": min(scores)}]
    )
    assert routed.state.stages["industry"].status is (StageStatus.OPEN if applies else StageStatus.CLOSED)
    finish(routed)


def test_an_annulled_answer_routes_nothing(routed: Play) -> None:
    task = routed.state.open_tasks("quality")[0]
    answer(routed, "quality", score=1)
    routed.act(Annulled(actor=OFFICE, task_id=task.id, reason="by mistake", by_office=True))
    for _ in range(2):
        answer(routed, "quality", score=4)
    assert stages(routed)["industry"] == "skipped"
    finish(routed)


def test_in_a_new_round_the_scores_of_the_standing_result_count(routed: Play) -> None:
    for _ in range(2):
        answer(routed, "quality", score=1)
    assert stages(routed)["industry"] == "open"
    send_back(routed, "industry")
    routed.revise(example("industry-credit.revised"))
    assert stages(routed)["quality"] == "open", "what changed is material to it"
    for _ in range(2):
        answer(routed, "quality", score=4)
    assert stages(routed)["industry"] == "skipped"
    finish(routed)


def test_a_stage_for_information_that_does_not_apply_informs_nobody(database: Database, tmp_path: Path) -> None:
    furnish(database)
    change: dict[str, Any] = {
        "kind": "information",
        "needs": ["proposal", "quality"],
        "when": "lowest.quality.outcomes <= 2",
        "voting": None,
        "sla": None,
        "criteria": [],
    }
    case = Play(database, tmp_path, amended(database, "industry-credit", "industry", **change))
    case.submit(example("industry-credit"))
    for stage_id in ("proposal", "quality", "quality"):
        answer(case, stage_id)
    assert stages(case)["industry"] == "skipped"
    assert case.state.stages["industry"].outcome is StageOutcome.SKIPPED
    told = [row["type"] for row in ledger_rows(database, case.case_id) if row["data"].get("stage") == "industry"]
    assert told == ["stage_skipped"]
    finish(case)
