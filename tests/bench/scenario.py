"""The bench case: proposal (1 reviewer), quality (3 reviewers, quorum 2), industry (1), publication."""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from imprimatur import ids
from imprimatur.gateway import Gateway
from imprimatur.rules.plan import plan_of
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.people import import_people
from models.framework import Framework
from models.proposal import Proposal
from tests.bench.floor import FLOOR_QUEUE, UPDATES, Ask, FloorWorkflow

PROPOSER = "proposer@example.org"
REVIEWERS = {
    "proposal": ["office@example.org"],
    "quality": ["q1@example.org", "q2@example.org", "q3@example.org"],
    "industry": ["partner@example.org"],
}
# Who decides, in this order: the third quality reviewer is not needed.
DECISIONS = [("proposal", 0), ("quality", 0), ("quality", 1), ("industry", 0)]


def bench_framework() -> Framework:
    def stage(name: str, quorum: int, *needs: str) -> dict[str, object]:
        return {
            "id": name,
            "name": name.capitalize(),
            "asks": f"Decide the stage {name}.",
            "needs": list(needs),
            "reviewers": [{"addresses": REVIEWERS[name]}],
            "voting": {"quorum": quorum, "threshold": quorum},
            "sla": {
                "within": {"business_days": 10},
                "calendar": "campus",
                "remind_before": [{"business_days": 2}],
                "escalate_to": "academic_director",
            },
        }

    publication = {"id": "publication", "name": "Publication", "asks": "Publish.", "kind": "publication"}
    return Framework.model_validate(
        {
            "format": 1,
            "id": "bench",
            "version": "1",
            "name": "Bench",
            "summary": "The case that is measured.",
            "credential_kind": "non_credit",
            "calendars": {
                "campus": {
                    "country": "NZ",
                    "time_zone": "Pacific/Auckland",
                    "hours": {"start": "09:00", "end": "17:00"},
                }
            },
            "proposal": {"fields": [{"field": "title"}, {"field": "learning_outcomes"}]},
            "stages": [
                stage("proposal", 1),
                stage("quality", 2, "proposal"),
                stage("industry", 1, "proposal"),
                publication | {"needs": ["quality", "industry"]},
            ],
            "speed_to_market": {
                "within": {"business_days": 60},
                "calendar": "campus",
                "escalate_to": "academic_director",
            },
            "publication": {"issuer_name": "Bench University", "quality_statement": "Measured."},
        }
    )


def prepare(database: Database, folder: Path) -> None:
    add_framework(database, bench_framework(), dt.datetime.now(dt.UTC))
    people = folder / "people.csv"
    people.write_text(f"email,name,roles\n{PROPOSER},Proposer,proposer\n", encoding="utf-8")
    import_people(database, people)


def bench_proposal(number: int) -> Proposal:
    return Proposal(
        title=f"Bench micro-credential {number}",
        summary="A proposal of the usual length, so that reading and writing it costs what it costs in life. " * 3,
        provider="Bench University",
        learning_outcomes=tuple(f"Outcome {n} of proposal {number}, stated in one line." for n in range(4)),
        language="en",
    )


@dataclass
class Run:
    """``seconds`` for all cases; ``answers`` holds the seconds each caller waited for each act."""

    cases: int
    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.cases / self.seconds

    @property
    def p95_ms(self) -> float:
        return sorted(self.answers)[int(len(self.answers) * 0.95)] * 1000


async def timed(run: Run, act: Awaitable[object]) -> None:
    began = time.perf_counter()
    await act
    run.answers.append(time.perf_counter() - began)


async def many(cases: int, callers: int, one: Callable[[int, Run], Awaitable[None]]) -> Run:
    run, numbers = Run(cases), iter(range(cases))

    async def caller() -> None:
        for number in numbers:
            await one(number, run)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    run.seconds = time.perf_counter() - began
    return run


async def floor_run(client: Client, cases: int, callers: int) -> Run:
    async def one(number: int, run: Run) -> None:
        workflow_id = f"floor:{ids.new_case_id()}"

        def ask(act: int) -> Ask:
            return Ask(
                decision_id=f"d-{number:016d}", task_id=f"t-{act:016d}", actor=PROPOSER, verdict="approve", comment=""
            )

        start = WithStartWorkflowOperation(
            FloorWorkflow.run,
            workflow_id,
            id=workflow_id,
            task_queue=FLOOR_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        await timed(
            run,
            client.execute_update_with_start_workflow(FloorWorkflow.act, ask(0), start_workflow_operation=start),
        )
        handle = client.get_workflow_handle(workflow_id)
        for act in range(1, UPDATES + 1):
            await timed(run, handle.execute_update(FloorWorkflow.act, ask(act)))

    return await many(cases, callers, one)


async def submit(gateway: Gateway, number: int) -> str:
    answer = await gateway.submit(bench_proposal(number), proposer=PROPOSER, framework_id="bench")
    return answer.case_id


async def decide(gateway: Gateway, case_id: str, stage: str, reviewer: int) -> None:
    person = REVIEWERS[stage][reviewer]
    task = ids.task_id(case_id, stage, 1, person)
    await gateway.decide(task_id=task, verdict="approve", actor=person, comment="Agreed.")


async def engine_run(gateway: Gateway, database: Database, cases: int, callers: int) -> Run:
    """Ends when every mail has been handed to the relay, not before."""
    finished: list[str] = []

    async def one(number: int, run: Run) -> None:
        began = time.perf_counter()
        case_id = await submit(gateway, number)
        run.answers.append(time.perf_counter() - began)
        for stage, reviewer in DECISIONS:
            await timed(run, decide(gateway, case_id, stage, reviewer))
        finished.append(case_id)

    began = time.perf_counter()
    run = await many(cases, callers, one)
    while await asyncio.to_thread(mail_waiting, database):  # noqa: ASYNC110  (another process sends)
        await asyncio.sleep(0.02)
    run.seconds = time.perf_counter() - began
    return run


def mail_waiting(database: Database) -> int:
    counts = outbox.counts(database)
    return counts.get("queued", 0) + counts.get("sending", 0) + counts.get("deferred", 0)


def plan_bytes() -> int:
    return len(plan_of(bench_framework()).model_dump_json(exclude_unset=True))
