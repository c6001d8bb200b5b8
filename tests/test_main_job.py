"""The main job on a real Temporal server: from submission to what becomes of a case."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imprimatur.errors import Gone, ProposalIncomplete
from imprimatur.frameworks.loader import shipped
from imprimatur.rules.completeness import missing
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus, EventType, TaskClosure
from tests.engine import Engine, engine, new_queue
from tests.facts import OFFICE, PROPOSER, example, furnish, ledger_rows
from tests.stories import DIRECTOR, REASON, STORIES, WHY

APPROVED = {"proposal": "approved", "quality": "approved", "industry": "approved", "publication": "published"}


@pytest.mark.parametrize("name", ["industry_published", "coursework_published", "noncredit_published"])
async def test_each_shipped_framework_leads_to_publication(live: Engine, name: str) -> None:
    case_id = await STORIES[name](live)
    view = live.show(case_id)
    assert (view.status, live.outcomes(case_id)) == (CaseStatus.PUBLISHED, APPROVED)
    assert await live.handle(case_id).result() == "published", "the workflow has ended too"
    assert live.tasks(case_id) == []
    assert (live.folder / "published" / str(view.slug) / "achievement.json").is_file()
    assert ("outcome", PROPOSER) in live.mail(case_id)
    assert live.refusals() == []
    live.assert_whole(case_id)


async def test_remaining_tasks_close_early_with_the_reason_and_by_whom(live: Engine) -> None:
    case_id = await STORIES["industry_published"](live)
    rows = {(row["stage"], row["status"]): row for row in live.task_rows(case_id)}
    left = rows["quality", "closed"]
    last = [row["actor"] for row in ledger_rows(live.database, case_id) if row["type"] == EventType.DECISION_RECORDED]
    assert (left["closure"], left["closed_by"]) == (TaskClosure.OUTCOME_CERTAIN, last[-1])
    assert ("task_closed", left["assignee"]) in live.mail(case_id)


async def test_a_revision_keeps_one_approval_and_lets_the_other_lapse(live: Engine) -> None:
    case_id = await STORIES["revised_then_published"](live)
    events = ledger_rows(live.database, case_id)
    kept, lapsed = (
        [row["data"]["stage"] for row in events if row["type"] == kind]
        for kind in (EventType.STAGE_KEPT, EventType.STAGE_LAPSED)
    )
    assert (kept, lapsed) == (["proposal"], ["industry"])
    view = live.show(case_id)
    assert (view.status, view.version, view.round) == (CaseStatus.PUBLISHED, 2, 2)
    assert {stage.stage: stage.round for stage in view.stages} == {
        "proposal": 1,
        "quality": 2,
        "industry": 2,
        "publication": 2,
    }
    assert ("revision", PROPOSER) in live.mail(case_id)
    live.assert_whole(case_id)


async def test_a_revision_says_what_it_changed_kept_and_let_lapse(live: Engine) -> None:
    answer = await live.submit("industry-credit")
    await live.decide(answer.case_id, "proposal")
    await live.decide(answer.case_id, "industry")
    for _ in range(2):
        await live.decide(answer.case_id, "quality", "request_changes", WHY)
    revised = example("industry-credit.revised")
    answer, changed = await live.gateway.revise(answer.case_id, revised, actor=f" {PROPOSER.upper()} ")
    assert (answer.status, answer.version, answer.round) == (CaseStatus.IN_REVIEW, 2, 2)
    assert (answer.kept, answer.lapsed) == (("proposal",), ("industry",))
    assert changed == ["learning_outcomes", "assessment.description"]
    assert {task.stage for task in live.tasks(answer.case_id)} == {"quality", "industry"}


async def test_a_rejection_carries_its_reasons_to_the_proposer(live: Engine) -> None:
    case_id = await STORIES["rejected"](live)
    view = live.show(case_id)
    assert (view.status, view.stages[1].outcome) == (CaseStatus.REJECTED, "rejected")
    assert view.closing_reason == "0 approved (2 needed), 2 rejected, 0 requested changes"
    comments = [
        row["data"]["comment"]
        for row in ledger_rows(live.database, case_id)
        if row["type"] == EventType.DECISION_RECORDED and row["data"]["verdict"] == "reject"
    ]
    assert comments == [WHY, WHY]
    assert ("outcome", PROPOSER) in live.mail(case_id)
    assert await live.handle(case_id).result() == "rejected"
    live.assert_whole(case_id)


@pytest.mark.parametrize(("name", "by"), [("withdrawn_by_proposer", PROPOSER), ("withdrawn_by_office", OFFICE)])
async def test_a_withdrawal_ends_everything(live: Engine, name: str, by: str) -> None:
    case_id = await STORIES[name](live)
    view = live.show(case_id)
    assert (view.status, view.closing_reason, view.tasks) == (CaseStatus.WITHDRAWN, REASON, [])
    assert ledger_rows(live.database, case_id)[-1]["actor"] == by
    closures = {(row["closure"], row["closed_by"]) for row in live.task_rows(case_id) if row["status"] == "closed"}
    assert closures <= {(TaskClosure.CASE_WITHDRAWN, by)}
    assert await live.handle(case_id).result() == "withdrawn"
    live.assert_whole(case_id)


async def test_an_incomplete_proposal_comes_back_with_everything_at_once_and_is_completed_later(live: Engine) -> None:
    whole = example("industry-credit")
    lacking = whole.model_copy(update={"summary": None, "level": None, "partners": ()})
    with pytest.raises(ProposalIncomplete) as returned:
        await live.submit(lacking)
    assert [problem["field"] for problem in returned.value.details["problems"]] == ["summary", "level", "partners"]
    case_id = returned.value.details["case_id"]
    assert (live.show(case_id).status, live.tasks(case_id)) == (CaseStatus.INCOMPLETE, [])
    assert live.show(case_id).due_at is None, "the clock starts with a complete proposal"
    assert live.mail(case_id) == [("returned", PROPOSER)]
    with pytest.raises(ProposalIncomplete) as again:
        await live.gateway.revise(case_id, whole.model_copy(update={"level": None}), actor=PROPOSER)
    assert [problem["field"] for problem in again.value.details["problems"]] == ["level"]
    answer, changed = await live.gateway.revise(case_id, whole, actor=PROPOSER)
    assert (answer.status, answer.version, answer.round) == (CaseStatus.IN_REVIEW, 3, 1)
    assert changed == ["summary", "level", "partners"], "nobody has reviewed a version yet, so all count"
    assert live.show(case_id).due_at is not None
    assert live.refusals() == [], "a returned proposal is kept, not refused"
    live.assert_whole(case_id)


async def test_an_optional_stage_without_anyone_to_ask_is_skipped_on_the_record(live: Engine) -> None:
    case_id = await STORIES["optional_stage_skipped"](live)
    assert live.outcomes(case_id) == APPROVED | {"industry": "skipped"}
    assert EventType.STAGE_SKIPPED in live.types(case_id)
    live.assert_whole(case_id)


async def test_a_veto_rejects_whatever_the_others_say(live: Engine) -> None:
    case_id = await STORIES["vetoed"](live)
    view = live.show(case_id)
    assert (view.status, view.closing_reason) == (CaseStatus.REJECTED, "a reviewer with a veto rejected")
    assert live.outcomes(case_id) == {
        "proposal": "approved",
        "quality": "rejected",
        "industry": "cancelled",
        "publication": None,
    }
    live.assert_whole(case_id)


async def test_abstentions_hand_the_decision_to_the_escalation(live: Engine) -> None:
    case_id = await STORIES["deadlocked_then_cast"](live)
    assert live.outcomes(case_id) == APPROVED
    quality = live.show(case_id).stages[1]
    assert quality.reason == "decided by the casting vote of the escalation"
    assert [row["reason"] for row in live.task_rows(case_id) if row["assignee"] == DIRECTOR] == ["escalation"]
    live.assert_whole(case_id)


async def test_a_closed_case_takes_nothing_more(live: Engine) -> None:
    case_id = await STORIES["rejected"](live)
    for act in (
        live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON),
        live.gateway.revise(case_id, example("coursework-credit"), actor=PROPOSER),
    ):
        with pytest.raises(Gone) as refused:
            await act
        assert (refused.value.code, refused.value.message) == ("case_closed", "The case is closed: it was rejected.")
    assert live.refusals(case_id) == ["case_closed", "case_closed"]


@pytest.fixture
async def anywhere(temporal_address: str, database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    """The engine over a database of either kind."""
    furnish(database)
    async with engine(temporal_address, database, tmp_path, new_queue()) as running:
        yield running


async def test_stories_told_side_by_side_do_not_disturb_each_other(anywhere: Engine) -> None:
    # The one left out empties roles for everyone.
    names = [name for name in STORIES if name != "role_filled_later"]
    cases = await asyncio.gather(*(STORIES[name](anywhere) for name in names))
    status = {name: anywhere.show(case_id).status for name, case_id in zip(names, cases, strict=True)}
    assert {name: value for name, value in status.items() if "published" in name} == {
        name: CaseStatus.PUBLISHED for name in names if "published" in name
    }
    anywhere.assert_whole(*cases)
    assert anywhere.refusals() == []


def test_every_example_says_all_that_its_framework_asks_for() -> None:
    frameworks = {policy.credential_kind: policy for policy in shipped().values()}
    for name in ("industry-credit", "industry-credit.revised", "coursework-credit", "non-credit"):
        proposal = example(name)
        assert proposal.credential_kind is not None
        assert missing(proposal, frameworks[proposal.credential_kind]).required == (), name
