"""Conditions, tracks and kept approvals on a real Temporal server: what the rules say survives the engine."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from imprimatur.errors import Gone, Refused
from imprimatur.rules.condition_words import condition
from imprimatur.settling import Settling
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus, ConditionAct, Conditions, ConditionStatus
from tests.engine import Engine, engine, temporal_server
from tests.facts import PROPOSER, amended, example, furnish


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


async def approve(running: Engine, case_id: str, *stages: str) -> None:
    for stage in stages:
        while any(view.stage == stage and view.outcome is None for view in running.show(case_id).stages):
            await running.decide(case_id, stage)


async def test_what_was_agreed_on_is_seen_to_before_and_after_the_publication(
    temporal: str, database: Database, tmp_path: Path
) -> None:
    furnish(database)
    policy = amended(database, "industry-credit", "quality", conditions=Conditions.ALLOWED)
    async with engine(temporal, database, tmp_path, queue=f"conditions-{tmp_path.name}") as running:
        settling = Settling(running.gateway, database)
        answer = await running.gateway.submit(
            example("industry-credit"), proposer=PROPOSER, framework_id=f"{policy.id}@{policy.version}"
        )
        case_id = answer.case_id
        await running.decide(case_id, "proposal")
        task = running.tasks(case_id, "quality")[0]
        given = [condition("Name the assessor.", due="3d", blocking=True), condition("Print a flyer.", due="5d")]
        asked = {"task_id": task.task_id, "verdict": "approve", "actor": task.assignee, "conditions": given}
        scores = {"outcomes": 4, "assessment": 4}
        receipt = await running.gateway.decide(**asked, scores=scores)  # type: ignore[arg-type]
        assert await running.gateway.decide(**asked, scores=scores) == receipt, "once, however often"  # type: ignore[arg-type]
        await approve(running, case_id, "quality", "industry")
        first, second = running.show(case_id).conditions
        assert (running.show(case_id).status, running.tasks(case_id)) == (CaseStatus.IN_REVIEW, [])
        await settling.fulfil(first.condition_id, actor=PROPOSER, evidence="Version 2, page 3.")
        accepted = await settling.judge(first.condition_id, ConditionAct.ACCEPT, actor=task.assignee)
        assert accepted.status is CaseStatus.PUBLISHED
        with pytest.raises(Gone) as refused:
            await running.gateway.withdraw(case_id, actor=PROPOSER, reason="too late")
        assert refused.value.code == "case_closed"
        await running.gateway.forward(case_id, dt.timedelta(days=14))
        assert running.show(case_id).conditions[1].breached_at is not None, "the case's timer goes on for it"
        with pytest.raises(Refused) as denied:
            await settling.judge(second.condition_id, ConditionAct.ACCEPT, actor=task.assignee)
        assert denied.value.code == "condition_not_fulfilled"
        await settling.judge(second.condition_id, ConditionAct.WAIVE, actor=task.assignee, reason="out of print")
        assert await running.client.get_workflow_handle(f"case:{case_id}").result() == "published"
        assert [c.status for c in running.show(case_id).conditions] == [
            ConditionStatus.ACCEPTED,
            ConditionStatus.WAIVED,
        ]
        running.assert_whole(case_id)


async def test_a_case_changes_its_track_with_its_proposal(temporal: str, database: Database, tmp_path: Path) -> None:
    furnish(database)
    small = "has(proposal.workload.credits) && proposal.workload.credits <= 5"
    tracks = [{"id": "fast", "when": small, "why": "five credits or less", "without": ["quality"]}]
    policy = amended(database, "industry-credit", tracks=tracks)
    whole = example("industry-credit")
    assert whole.workload is not None
    little = whole.model_copy(update={"workload": whole.workload.model_copy(update={"credits": 4})})
    # Without a cache every step replays the case from its history: the plan must come out of that alone.
    async with engine(temporal, database, tmp_path, queue=f"tracks-{tmp_path.name}", cached=0) as running:
        name = f"{policy.id}@{policy.version}"
        answer = await running.gateway.submit(little, proposer=PROPOSER, framework_id=name)
        case_id = answer.case_id
        assert running.outcomes(case_id)["quality"] == "skipped"
        assert running.show(case_id).track == "fast"
        await running.decide(case_id, "proposal")
        for _ in running.tasks(case_id, "industry"):
            if running.show(case_id).status is CaseStatus.IN_REVIEW:
                await running.decide(case_id, "industry", "request_changes", "More of it.")
        revised, _ = await running.gateway.revise(case_id, whole, actor=PROPOSER)
        assert revised.kept == ("proposal",)
        assert running.show(case_id).track is None
        assert {task.stage for task in running.tasks(case_id)} == {"quality", "industry"}
        await approve(running, case_id, "quality", "industry")
        assert running.show(case_id).status is CaseStatus.PUBLISHED
        running.assert_whole(case_id)


async def test_an_approval_is_confirmed_for_the_new_version_or_lapses(
    temporal: str, database: Database, tmp_path: Path
) -> None:
    furnish(database)
    policy = amended(database, "industry-credit", "proposal", carry="confirm")
    async with engine(temporal, database, tmp_path, queue=f"carry-{tmp_path.name}", cached=0) as running:
        name = f"{policy.id}@{policy.version}"
        cases = []
        for _ in range(2):
            answer = await running.gateway.submit(example("industry-credit"), proposer=PROPOSER, framework_id=name)
            cases.append(answer.case_id)
            await running.decide(answer.case_id, "proposal")
            while running.show(answer.case_id).status is CaseStatus.IN_REVIEW:
                await running.decide(answer.case_id, "quality", "request_changes", "Unclear.")
            await running.gateway.revise(answer.case_id, example("industry-credit.revised"), actor=PROPOSER)
        confirmed, silent = cases
        await running.decide(confirmed, "proposal")
        assert running.outcomes(confirmed)["proposal"] == "approved"
        assert {task.stage for task in running.tasks(confirmed)} == {"quality", "industry"}
        await running.gateway.forward(silent, dt.timedelta(days=7))
        [lapsed] = [stage for stage in running.show(silent).stages if stage.stage == "proposal"]
        assert (lapsed.outcome, lapsed.breached_at, lapsed.due_at is not None) == (None, None, True)
        for case_id in cases:
            await approve(running, case_id, "proposal", "quality", "industry")
            assert running.show(case_id).status is CaseStatus.PUBLISHED
        running.assert_whole(*cases)
