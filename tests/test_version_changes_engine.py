"""Moving live cases to another version of their framework, on a real Temporal server."""

import pytest

from imprimatur.errors import ImprimaturError
from imprimatur.store.frameworks import framework
from models.vocabulary import Boundary, BulkResult, CaseStatus, EventType, StageFate
from tests.engine import Engine
from tests.facts import OFFICE, ledger_rows
from tests.frozen import read_frozen
from tests.governed import review
from tests.governed_stories import answers_in, begin, office
from tests.version_stories import ETHICS, GATE, PROPOSAL, QUALITY, VERSION_CHANGES, moved
from tests.versions import version_of

E = EventType


@pytest.mark.parametrize("name", VERSION_CHANGES)
async def test_a_story_comes_out_as_it_is_told(live: Engine, name: str) -> None:
    case_id = await VERSION_CHANGES[name](live)
    await live.assert_agrees(case_id)


def test_a_case_that_waits_for_its_boundary_was_frozen_over_a_cut_of_its_history() -> None:
    runs = read_frozen("moved_to_another_version")
    assert len(runs) > 1
    changes = [[step["event"] for step in run.steps].count("framework_changed") for run in runs]
    assert sum(changes) == 2 and changes[-1] >= 1


async def several(live: Engine) -> tuple[str, list[str]]:
    """Cases of one framework: two open, one approved by half, one revising, one on hold, one closed; and version 2."""
    first = await begin(live, "several", PROPOSAL, QUALITY)
    policy = framework(live.database, "several")
    cases = [first, *[live.case_id(f"several_{number}") for number in range(2, 7)]]
    for case_id in cases[1:]:
        await live.submit("industry-credit", policy.id, case_id)
    await answers_in(live, cases[2], "proposal", "approve", 2)
    await answers_in(live, cases[3], "proposal", "request_changes", 2)
    await office(live).hold(cases[4], actor=OFFICE, reason="Wait.")
    await live.gateway.withdraw(cases[5], actor=OFFICE, reason="Enough.")
    version_of(live.database, policy.id, PROPOSAL, GATE, ETHICS)
    return policy.id, cases


async def test_a_preview_tells_every_live_case_and_changes_nothing(live: Engine) -> None:
    framework_id, cases = await several(live)
    before = [ledger_rows(live.database, case_id) for case_id in cases]
    report = await moved(live, framework_id, "2", preview=True)
    assert report.preview and report.bulk_id == ""
    told = {result.case_id: result for result in report.results}
    assert list(told) == cases[:5], "in the order in which they came, without the closed one"
    possible, refused = BulkResult.POSSIBLE, BulkResult.REFUSED
    assert [told[case].result for case in cases[:5]] == [possible, possible, possible, possible, refused]
    assert told[cases[4]].code == "case_on_hold"
    assert told[cases[2]].stages == {
        "proposal": StageFate.KEPT,
        "quality": StageFate.REPEATED,
        "ethics": StageFate.ADDED,
        "publication": StageFate.WAITS,
    }
    assert [ledger_rows(live.database, case_id) for case_id in cases] == before
    assert live.refusals() == []


async def test_one_refused_case_does_not_stop_the_others(live: Engine) -> None:
    framework_id, cases = await several(live)
    report = await moved(live, framework_id, "2")
    assert [result.code for result in report.results] == [None, None, None, None, "case_on_hold"]
    assert not report.is_whole and report.number(BulkResult.DONE) == 4
    for case_id in cases[:4]:
        assert live.show(case_id).framework == f"{framework_id}@2"
        await live.assert_agrees(case_id)
        [change] = [row["data"] for row in ledger_rows(live.database, case_id) if row["type"] == E.FRAMEWORK_CHANGED]
        assert change["bulk"] == report.bulk_id
    assert live.show(cases[4]).framework == f"{framework_id}@1"
    assert (await moved(live, framework_id, "2", Boundary.NEXT_STAGE)).number(BulkResult.DONE) == 1
    again = await moved(live, framework_id, "2", Boundary.NOW, cases[0])
    assert [result.code for result in again.results] == ["framework_unchanged"]


async def test_a_case_that_moved_is_decided_by_its_new_version(live: Engine) -> None:
    case_id = await begin(live, "by_its_new_version", PROPOSAL, QUALITY)
    name = "by-its-new-version"
    version_of(live.database, name, PROPOSAL, review("quality", "proposal", voting={"quorum": 1, "threshold": 1}))
    await answers_in(live, case_id, "proposal", "approve", 2)
    await moved(live, name, "2")
    await answers_in(live, case_id, "quality", "approve", 1)
    assert live.show(case_id).status is CaseStatus.PUBLISHED
    await live.assert_agrees(case_id)


async def test_whoever_decides_last_in_a_stage_that_then_is_gone_learns_its_outcome(live: Engine) -> None:
    case_id = await begin(live, "gone_when_decided", PROPOSAL, QUALITY)
    version_of(live.database, "gone-when-decided", review())
    await moved(live, "gone-when-decided", "2", Boundary.NEXT_STAGE)
    await live.decide(case_id, "proposal")
    receipt = await live.decide(case_id, "proposal")
    assert receipt.stage_outcome == "approved"
    assert "proposal" not in live.outcomes(case_id)
    await live.assert_agrees(case_id)


async def test_what_a_proposal_does_not_say_keeps_a_case_from_moving_before_its_next_round(live: Engine) -> None:
    case_id = await begin(live, "asks_for_more", PROPOSAL)
    fields = [{"field": "title"}, {"field": "learning_outcomes", "min_items": 50}]
    version_of(live.database, "asks-for-more", PROPOSAL, proposal={"fields": fields})
    refused = await moved(live, "asks-for-more", "2", Boundary.NEXT_STAGE)
    assert [result.code for result in refused.results] == ["incomplete_under_version"]
    assert "learning_outcomes" in refused.results[0].message
    waits = await moved(live, "asks-for-more", "2", Boundary.NEXT_ROUND)
    assert [result.result for result in waits.results] == [BulkResult.DONE]
    await answers_in(live, case_id, "proposal", "request_changes", 2)
    view = live.show(case_id)
    assert (view.status, view.framework) == (CaseStatus.REVISING, "asks-for-more@2")


async def test_a_case_of_another_framework_does_not_move(live: Engine) -> None:
    case_id = await begin(live, "one_policy", PROPOSAL)
    await begin(live, "other_policy", PROPOSAL)
    version_of(live.database, "other-policy", PROPOSAL)
    report = await moved(live, "other-policy", "2", Boundary.NOW, case_id, "mc-nothing")
    assert [result.code for result in report.results] == ["framework_differs", "case_unknown"]
    with pytest.raises(ImprimaturError) as unknown:
        await moved(live, "other-policy", "9")
    assert unknown.value.code == "framework_unknown"


async def test_a_stage_that_did_not_apply_and_does_now_is_decided(live: Engine) -> None:
    tracks = [{"id": "short", "why": "Short courses need no quality review.", "without": ["quality"]}]
    case_id = await begin(live, "tracked", PROPOSAL, QUALITY, ETHICS, tracks=tracks)
    await answers_in(live, case_id, "proposal", "approve", 2)
    assert live.outcomes(case_id)["quality"] == "skipped"
    assert live.tasks(case_id, "ethics")
    version_of(live.database, "tracked", PROPOSAL, QUALITY, ETHICS)
    preview = await moved(live, "tracked", "2", preview=True)
    assert preview.results[0].stages == {
        "proposal": StageFate.KEPT,
        "quality": StageFate.REPEATED,
        "ethics": StageFate.GOES_ON,
        "publication": StageFate.WAITS,
    }
    await moved(live, "tracked", "2")
    assert live.tasks(case_id, "quality")
    await answers_in(live, case_id, "quality", "approve", 2)
    await answers_in(live, case_id, "ethics", "approve", 2)
    assert live.show(case_id).status is CaseStatus.PUBLISHED
    await live.assert_agrees(case_id)


async def test_a_move_tells_which_track_the_case_takes_now(live: Engine) -> None:
    case_id = await begin(live, "untracked", PROPOSAL, QUALITY)
    tracks = [{"id": "short", "why": "Short courses need no quality review.", "without": ["quality"]}]
    version_of(live.database, "untracked", PROPOSAL, QUALITY, tracks=tracks)
    await moved(live, "untracked", "2")
    assert live.show(case_id).track == "short"
    assert E.TRACK_SELECTED in live.types(case_id)
    await answers_in(live, case_id, "proposal", "approve", 2)
    assert live.show(case_id).status is CaseStatus.PUBLISHED
    live.assert_whole(case_id)
