"""A worker dies after a commit and before Temporal knows: the ledger stands, and the case catches up with it."""

import asyncio
import datetime as dt
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from imprimatur import ids
from imprimatur.errors import Gone
from imprimatur.frameworks.loader import shipped
from imprimatur.gateway import Gateway
from imprimatur.rules.plan import plan_of
from imprimatur.rules.transition import next_deadline
from imprimatur.store.documents import put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.reading import TaskView
from models.case import Revised, Submitted, Withdrawn
from models.messages import CaseInput
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine, connected, new_queue, worker, writer
from tests.facts import PROPOSER, example, furnish
from tests.lost_worker import Lost, approval
from tests.stories import REASON, WHY
from workflows.case import CaseWorkflow

E = EventType
ROOT = Path(__file__).resolve().parents[1]


async def in_quality(engine: Engine) -> tuple[str, list[TaskView]]:
    case_id = (await engine.submit("coursework-credit")).case_id
    await engine.decide(case_id, "proposal")
    return case_id, engine.tasks(case_id, "quality")


async def test_a_decision_after_a_reminder_that_temporal_does_not_know_is_recorded(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    reminded = (await Lost.worker(live, case_id)).remind()
    receipt = await live.decide(case_id, "proposal")
    assert receipt.position == reminded.position + 1
    assert live.types(case_id)[reminded.position - 1 :][:2] == [E.REMINDER_SENT, E.DECISION_RECORDED]
    state = await live.assert_agrees(case_id)
    assert (state.seq, state.stages["proposal"].remind_at) == (3, ())


async def test_a_reminder_that_temporal_does_not_know_is_sent_once(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    (await Lost.worker(live, case_id)).remind()
    due_at = live.show(case_id).stages[0].due_at
    assert due_at is not None
    await live.until(case_id, due_at)
    types = live.types(case_id)
    assert (types.count(E.REMINDER_SENT), types.count(E.SLA_BREACHED)) == (1, 1)
    await live.assert_agrees(case_id)


async def test_a_decision_that_temporal_does_not_know_gets_its_receipt(live: Engine) -> None:
    case_id, tasks = await in_quality(live)
    first = (await Lost.worker(live, case_id)).commit(approval(live, tasks[0]))
    receipt = await live.answer(tasks[0])
    assert (receipt.position, receipt.digest) == (first.position, first.ledger_digest)
    assert live.types(case_id).count(E.DECISION_RECORDED) == 2
    await live.assert_agrees(case_id)
    assert (await live.answer(tasks[1])).stage_outcome == "approved", "both votes count"


async def test_the_next_decision_follows_one_that_temporal_does_not_know(live: Engine) -> None:
    case_id, tasks = await in_quality(live)
    first = (await Lost.worker(live, case_id)).commit(approval(live, tasks[0]))
    second = await live.answer(tasks[1])
    assert (second.stage_outcome, second.position) == ("approved", first.position + 1), "both votes count"
    assert (await live.answer(tasks[0])).position == first.position
    with pytest.raises(Gone) as refused:
        await live.answer(tasks[0], "reject", WHY)
    assert refused.value.code == "already_decided"
    await live.assert_agrees(case_id)


async def test_a_case_catches_up_with_all_that_it_missed(live: Engine) -> None:
    case_id = (await live.submit("coursework-credit")).case_id
    lost = await Lost.worker(live, case_id)
    lost.commit(approval(live, live.tasks(case_id)[0]))
    for task in live.tasks(case_id, "quality")[:2]:
        lost.commit(approval(live, task))
    [last] = live.tasks(case_id)
    assert last.task_id not in (await live.gateway.state(case_id)).tasks, "the case has not heard of the stage"
    receipt = await live.answer(last)
    assert receipt.case_status is CaseStatus.PUBLISHED
    assert (await live.assert_agrees(case_id)).seq == 5


async def test_a_case_that_the_ledger_has_ended_ends(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id)
    (await Lost.worker(live, case_id)).commit(Withdrawn(actor=PROPOSER, reason=REASON))
    with pytest.raises(Gone) as refused:
        await live.answer(task)
    assert refused.value.code == "task_closed"
    assert refused.value.message.endswith(f"withdrawn by {PROPOSER}.")
    assert await live.handle(case_id).result() == "withdrawn"
    assert live.refusals(case_id) == ["task_closed"]
    await live.assert_agrees(case_id)


async def test_a_withdrawal_that_temporal_does_not_know_is_answered(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    (await Lost.worker(live, case_id)).commit(Withdrawn(actor=PROPOSER, reason=REASON))
    answer = await live.gateway.withdraw(case_id, actor=PROPOSER, reason="In other words.")
    assert answer.status is CaseStatus.WITHDRAWN
    assert live.types(case_id).count(E.CASE_CLOSED) == 1
    await live.assert_agrees(case_id)


async def test_a_revision_that_temporal_does_not_know_is_one_version(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    await live.decide(case_id, "proposal", "request_changes", WHY)
    better = example("non-credit").model_copy(update={"summary": "Better."})
    with live.database.write() as connection:
        digest = put_proposal(connection, better)
    revised = Revised(actor=PROPOSER, digest=digest, complete=True, changed=("summary",))
    first = (await Lost.worker(live, case_id)).commit(revised)
    answer, _ = await live.gateway.revise(case_id, better, actor=PROPOSER)
    assert (answer.version, answer.round, answer.position) == (2, 2, first.position)
    await live.decide(case_id, "proposal")
    assert live.types(case_id).count(E.PROPOSAL_VERSION_ADDED) == 2
    await live.assert_agrees(case_id)


async def test_a_worker_that_is_killed_after_a_commit_loses_nothing(
    temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    """A process dies with the reminder it has written; the decision of that hour comes before its successor."""
    furnish(sqlite_database)
    client, queue, committer = await connected(temporal_address), new_queue(), writer(sqlite_database, tmp_path)
    live = Engine(client, Gateway(client, sqlite_database, queue), sqlite_database, committer, queue, tmp_path, "")
    async with mortal_worker(temporal_address, sqlite_database.url, str(tmp_path), queue, E.REMINDER_SENT) as mortal:
        case_id = await started_with_short_tasks(live)
        reminder = next_deadline(await live.gateway.state(case_id))
        assert reminder is not None
        skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        await skipper.fast_forward(live.handle(case_id), reminder - await live.now(case_id))
        assert await asyncio.wait_for(mortal.wait(), 120) == 137
    assert live.types(case_id)[-1] is E.REMINDER_SENT
    deciding = asyncio.create_task(live.decide(case_id, "proposal"))
    async with worker(client, committer, queue):
        receipt = await deciding
        assert live.types(case_id)[receipt.position - 1] is E.DECISION_RECORDED
        assert live.types(case_id).count(E.REMINDER_SENT) == 1
        await live.assert_agrees(case_id)


@asynccontextmanager
async def mortal_worker(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.mortal_worker", *arguments, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def started_with_short_tasks(engine: Engine) -> str:
    """A case whose next worker need not wait ten seconds until Temporal gives up the first one."""
    with engine.database.write() as connection:
        digest = put_proposal(connection, example("industry-credit"))
    case_id = ids.new_case_id()
    start = WithStartWorkflowOperation(
        CaseWorkflow.run,
        CaseInput(case_id=case_id, plan=plan_of(shipped()["industry-credit"])),
        id=ids.workflow_id(case_id),
        task_queue=engine.queue,
        task_timeout=dt.timedelta(seconds=4),
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    submitted = Submitted(actor=PROPOSER, digest=digest, complete=True)
    await engine.client.execute_update_with_start_workflow(
        CaseWorkflow.submit, submitted, start_workflow_operation=start
    )
    return case_id
