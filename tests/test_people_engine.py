"""People on a real Temporal server: claims, advice, duties, interests, leave, leaving, and the daily sweep."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from activities.sweeper import Sweeper
from imprimatur.desk import Desk
from imprimatur.errors import ImprimaturError
from imprimatur.leaving import Leaving
from imprimatur.mail.links import Links
from imprimatur.office import Office
from imprimatur.rules.standing import Interest
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from imprimatur.store.leave import Scope
from imprimatur.store.reading import TaskView
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.vocabulary import EventType, InterestKind, OfficeAct, StageOutcome, TaskStatus
from tests.engine import Engine, engine, temporal_server
from tests.facts import OFFICE, PROPOSER, add_people, amended, event_types, everything, example, furnish
from worker import start_sweeper
from workflows.sweeper import EVERY, SweeperWorkflow

LENA, DIRECTOR, ADVISER = "lena.office@example.edu", "dora.director@example.edu", "ivo.adviser@example.org"
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
ONE: dict[str, Any] = {"quorum": 1, "threshold": 1}


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@asynccontextmanager
async def running(temporal: str, database: Database, folder: Path) -> AsyncIterator[Engine]:
    """A worker of this test alone: the server is shared."""
    furnish(database)
    async with engine(temporal, database, folder, queue=folder.name) as found:
        yield found


async def submitted(found: Engine, framework: str = "industry-credit") -> str:
    answer = await found.gateway.submit(example("industry-credit"), proposer=PROPOSER, framework_id=framework)
    return answer.case_id


async def in_quality(found: Engine, framework: str = "industry-credit") -> str:
    case_id = await submitted(found, framework)
    await found.decide(case_id, "proposal")
    return case_id


async def refused(act: Any) -> str:
    with pytest.raises(ImprimaturError) as raised:
        await act
    return raised.value.code


def task_of(found: Engine, case_id: str, person: str) -> TaskView:
    return next(task for task in found.tasks(case_id) if task.assignee == person)


def asked(found: Engine, case_id: str, stage: str = "quality") -> list[str]:
    return sorted(task.assignee for task in found.tasks(case_id, stage))


def refusals(database: Database) -> list[tuple[str, str]]:
    return [(row["act"], row["code"]) for row in everything(database)["refusal"]]


# --- A: assignment ------------------------------------------------------------------------------------------------


async def test_of_all_who_claim_at_once_one_has_it(temporal: str, database: Database, tmp_path: Path) -> None:
    async with running(temporal, database, tmp_path) as found:
        reviewers = [{"role": "quality_reviewer", "claim": True}]
        amended(database, "industry-credit", "proposal", reviewers=reviewers, voting=ONE)
        case_id = await submitted(found)
        desk = Desk(found.gateway, database)
        offers = found.tasks(case_id)
        assert {offer.status for offer in offers} == {TaskStatus.OFFERED}
        claims = await asyncio.gather(
            *(desk.claim(offer.task_id, actor=offer.assignee) for offer in offers), return_exceptions=True
        )
        lost = [claim.code for claim in claims if isinstance(claim, ImprimaturError)]
        assert (len(claims), lost) == (3, ["task_closed"] * 2)
        [holder] = found.tasks(case_id)
        await desk.ask_advice(holder.task_id, ADVISER, actor=holder.assignee, question="Fair?")
        await desk.advise(holder.task_id, actor=ADVISER.upper(), text="Fair enough.")
        await desk.give_back(holder.task_id, actor=holder.assignee, reason="no time")
        offers = found.tasks(case_id)
        assert {offer.assignee for offer in offers} == {QUINN, ROSA, SAM} - {holder.assignee}
        await desk.claim(offers[0].task_id, actor=offers[0].assignee)
        await found.decide(case_id, "proposal")
        assert found.outcomes(case_id)["proposal"] == "approved"
        assert await refused(desk.claim(offers[1].task_id, actor=offers[1].assignee)) == "task_closed"
        assert ("claimed", "task_closed") in refusals(database)
        found.assert_whole(case_id)


async def test_turns_and_draws_are_taken_by_real_cases(
    temporal: str, sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(temporal, sqlite_database, tmp_path) as found:
        turn = {"role": "quality_reviewer", "count": 1, "pick": "round_robin"}
        lot = {"role": "quality_reviewer", "count": 2, "pick": "lottery"}
        amended(sqlite_database, "industry-credit", "proposal", reviewers=[turn], voting=ONE)
        amended(sqlite_database, "coursework-credit", "proposal", reviewers=[lot], voting=ONE)
        cases = [await submitted(found) for _ in range(3)]
        assert [asked(found, case_id, "proposal") for case_id in cases] == [[QUINN], [ROSA], [SAM]]
        answer = await found.gateway.submit(example("coursework-credit"), proposer=PROPOSER)
        assert EventType.REVIEWERS_DRAWN in event_types(sqlite_database, answer.case_id)
        assert len(asked(found, answer.case_id, "proposal")) == 2
        found.assert_whole(*cases, answer.case_id)


async def test_a_reviewer_claims_and_an_adviser_answers_on_their_pages(
    temporal: str, sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(temporal, sqlite_database, tmp_path) as found:
        reviewers = [{"role": "quality_reviewer", "claim": True}]
        amended(sqlite_database, "industry-credit", "proposal", reviewers=reviewers, voting=ONE)
        case_id = await submitted(found)
        links = Links(["k" * 40], "http://pages")
        app = create_app(House(sqlite_database, links, found.gateway), ready=lambda: asyncio.sleep(0, {}))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as browser:
            task = task_of(found, case_id, ROSA).task_id
            mine, advisers = (f"/t/{links.token(task, person)}" for person in (ROSA, ADVISER))
            assert "Claim this task" in (await browser.get(mine)).text
            assert [t.status for t in found.tasks(case_id)] == [TaskStatus.OFFERED] * 3, "opening changes nothing"
            assert (await browser.post(mine, data={"verdict": "approve"})).status_code == 409
            assert (await browser.post(mine, data={"act": "claim"})).status_code == 303
            page = (await browser.get(mine)).text
            assert "Record my decision" in page and "Give the task back" in page
            assert (await browser.get(advisers)).status_code == 404
            question = {"act": "ask-advice", "adviser": ADVISER, "question": "Is it <fair>?"}
            assert (await browser.post(mine, data=question)).status_code == 303
            assert "Is it &lt;fair&gt;?" in (await browser.get(advisers)).text
            assert (await browser.post(advisers, data={"verdict": "abstain"})).status_code == 403
            assert (await browser.post(advisers, data={"act": "advise", "text": ""})).status_code == 409
            assert (await browser.post(advisers, data={"act": "advise", "text": "Quite."})).status_code == 303
            assert "You have given your advice" in (await browser.get(advisers)).text
            assert "Quite." in (await browser.get(mine)).text
            assert (await browser.post(mine, data={"act": "dance"})).status_code == 422
            assert (await browser.post(mine, data={"act": "return"})).status_code == 303
            assert "Nothing is asked of you any more" in (await browser.get(mine)).text
            [other, _] = found.tasks(case_id)
            add_interest(sqlite_database, other.assignee, Interest(InterestKind.PERSON, PROPOSER), "", _now())
            theirs = f"/t/{links.token(other.task_id, other.assignee)}"
            barred = await browser.post(theirs, data={"act": "claim"})
            assert barred.status_code == 403 and "conflict_of_interest" in barred.text
        found.assert_whole(case_id)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# --- B: duties ----------------------------------------------------------------------------------------------------


async def test_nobody_decides_under_two_roles_unless_the_framework_says_so(
    temporal: str, database: Database, tmp_path: Path
) -> None:
    async with running(temporal, database, tmp_path) as found:
        add_people(database, tmp_path, f"{OFFICE},Omar,,no")
        strict = await in_quality(found)
        office = Office(found.gateway, database)
        task = task_of(found, strict, QUINN)
        add_people(database, tmp_path, f"{OFFICE},Omar,governance_office,yes")
        for to, code in ((LENA, "two_hats"), (PROPOSER, "own_proposal")):
            assert await refused(office.pass_on(task.task_id, to, actor=QUINN, reason="")) == code
            assert await refused(office.pass_on(task.task_id, to, actor=OFFICE, reason="x")) == code
        assert sorted(refusals(database)) == sorted([("passed_on", "two_hats"), ("passed_on", "own_proposal")] * 2)
        amended(database, "industry-credit", two_hats=True)
        add_people(database, tmp_path, f"{OFFICE},Omar,,no")
        relaxed = await in_quality(found)
        task = task_of(found, relaxed, QUINN)
        await office.pass_on(task.task_id, LENA, actor=QUINN, reason="")
        await found.answer(task_of(found, relaxed, LENA))
        found.assert_whole(strict, relaxed)


# --- C: interests -------------------------------------------------------------------------------------------------


async def test_an_interest_declared_late_leaves_only_standing_aside(
    temporal: str, database: Database, tmp_path: Path
) -> None:
    async with running(temporal, database, tmp_path) as found:
        case_id = await in_quality(found)
        task = task_of(found, case_id, QUINN)
        add_interest(database, QUINN, Interest(InterestKind.PERSON, PROPOSER), "a cousin", _now())
        for _ in range(2):
            assert await refused(found.answer(task)) == "conflict_of_interest"
        [incident] = found.show(case_id).incidents
        assert (incident.kind, incident.detail.split()[0]) == ("conflict_of_interest", QUINN)
        office = Office(found.gateway, database)
        other = task_of(found, case_id, ROSA)
        assert await refused(office.pass_on(other.task_id, QUINN, actor=ROSA, reason="")) == "conflict_of_interest"
        receipt = await found.gateway.decide(task_id=task.task_id, verdict="recuse", actor=QUINN)
        assert receipt.verdict == "recuse"
        assert found.show(case_id).incidents == []
        assert asked(found, case_id) == [ROSA, SAM]
        codes = [row["code"] for row in everything(database)["refusal"]]
        assert codes.count("conflict_of_interest") == 3
        found.assert_whole(case_id)


async def test_a_decision_that_was_recorded_before_is_answered_again(
    temporal: str, sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(temporal, sqlite_database, tmp_path) as found:
        case_id = await in_quality(found)
        task = task_of(found, case_id, QUINN)
        first = await found.answer(task)
        add_interest(sqlite_database, QUINN, Interest(InterestKind.PERSON, PROPOSER), "", _now())
        assert await found.answer(task) == first
        add_people(sqlite_database, tmp_path, f"{QUINN},Quinn,,no")
        assert await found.answer(task) == first
        assert found.show(case_id).incidents == []
        assert await refused(found.answer(task, "abstain")) == "person_inactive"


async def test_the_office_with_an_interest_overrides_nothing(
    temporal: str, sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(temporal, sqlite_database, tmp_path) as found:
        case_id = await in_quality(found)
        add_interest(sqlite_database, LENA, Interest(InterestKind.PERSON, PROPOSER), "", _now())
        office = Office(found.gateway, sqlite_database)
        facts = (case_id, OfficeAct.OVERRIDE, "quality", StageOutcome.APPROVED)
        assert await refused(office.propose(*facts, actor=LENA, reason="x")) == "conflict_of_interest"
        act, _ = await office.propose(*facts, actor=OFFICE, reason="x")
        assert await refused(office.confirm(case_id, act, actor=LENA)) == "conflict_of_interest"


# --- D: leave and leaving -----------------------------------------------------------------------------------------


async def test_a_deputy_stands_in_and_decides(temporal: str, database: Database, tmp_path: Path) -> None:
    async with running(temporal, database, tmp_path) as found:
        today = _now().date()
        days = (today - dt.timedelta(days=2), today + dt.timedelta(days=2))
        leave.add_delegation(database, QUINN, ADVISER, *days, Scope(stage="quality"), _now())
        leave.add_delegation(database, ADVISER, DIRECTOR, *days, Scope(), _now())
        leave.add_absence(database, SAM, *days, "")
        case_id = await in_quality(found)
        assert asked(found, case_id) == [ADVISER, ROSA]
        task = task_of(found, case_id, ADVISER)
        assert task.on_behalf_of == QUINN
        answer = found.gateway.decide(task_id=task.task_id, verdict="abstain", actor=QUINN)
        assert await refused(answer) == "not_your_task"
        await found.answer(task)
        found.assert_whole(case_id)


async def test_whoever_leaves_hands_everything_over_with_a_report(
    temporal: str, database: Database, tmp_path: Path
) -> None:
    async with running(temporal, database, tmp_path) as found:
        cases = [await in_quality(found) for _ in range(2)]
        add_interest(database, DIRECTOR, Interest(InterestKind.PERSON, PROPOSER), "", _now())
        leaving = Leaving(found.gateway, database)
        report = await leaving.leave(QUINN, to=ADVISER, actor=OFFICE)
        assert [(task.case_id, task.to, task.problem) for task in report.tasks] == [
            (case_id, [ADVISER], "") for case_id in sorted(cases)
        ]
        assert asked(found, cases[0]) == [ADVISER, ROSA, SAM]
        # The person named has an interest, and nobody else holds the role: told, and an incident.
        report = await leaving.leave(SAM, to=DIRECTOR)
        assert [task.to for task in report.tasks] == [[], []]
        assert all("has declared an interest" in task.problem for task in report.tasks)
        assert {incident.kind for incident in found.show(cases[0]).incidents} == {"no_successor"}
        again = await leaving.leave(SAM)
        assert (again.person, again.tasks, again.proposals) == (SAM, [], [])
        assert (await leaving.leave(PROPOSER)).proposals == sorted(cases)
        assert await refused(leaving.leave(ROSA, to=ROSA)) == "own_deputy"
        assert await refused(leaving.leave(ROSA, actor=ADVISER)) == "not_the_office"
        assert await refused(leaving.leave("nobody@example.edu")) == "person_unknown"
        assert await refused(leaving.leave(ROSA, to=SAM)) == "person_inactive"
        assert asked(found, cases[0]) == [ADVISER, ROSA], "nothing of it came to pass"
        found.assert_whole(*cases)


async def test_the_sweep_finds_work_of_people_whom_an_import_set_inactive(
    temporal: str, database: Database, tmp_path: Path
) -> None:
    async with running(temporal, database, tmp_path) as found:
        amended(database, "industry-credit", "quality", reviewers=[{"role": "quality_reviewer", "count": 2}])
        case_id = await in_quality(found)
        held = await in_quality(found)
        office = Office(found.gateway, database)
        await office.hold(held, actor=OFFICE, reason="x")
        leaving = Leaving(found.gateway, database)
        runs: list[int] = []

        async def sweep() -> int:
            runs.append(len(await leaving.sweep()))
            return runs[-1]

        queue, name = f"sweep-{tmp_path.name}", f"sweeper-{tmp_path.name}"
        [first, second] = asked(found, case_id)
        add_people(database, tmp_path, f"{first},Gone,,no")
        work = len(leave.abandoned_work(database))
        async with Worker(
            found.client,
            task_queue=queue,
            workflows=[SweeperWorkflow],
            activities=[Sweeper(sweep).sweep_abandoned_work],
            graceful_shutdown_timeout=dt.timedelta(seconds=1),
        ):
            handle = await found.client.start_workflow(SweeperWorkflow.run, id=name, task_queue=queue)
            await _until(lambda: len(runs) == 1)
            assert runs == [work]
            assert asked(found, case_id) == sorted({QUINN, ROSA, SAM} - {first})
            assert leave.abandoned_work(database) == []
            add_people(database, tmp_path, f"{second},Gone,,no")
            skipper = TimeSkipper(found.client, config=TimeSkippingConfig(enabled=False))
            await skipper.fast_forward(handle, EVERY)
            await _until(lambda: len(runs) == 2)
            assert runs[1] > 0 and leave.abandoned_work(database) == []
            status = (await found.client.get_workflow_handle(name).describe()).status
            assert status is WorkflowExecutionStatus.RUNNING, "and waits for the next day"
            await found.client.get_workflow_handle(name).terminate()
        found.assert_whole(case_id, held)


async def _until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  (what happens in another process gives no signal)
            await asyncio.sleep(0.02)


async def test_one_sweeper_is_started_however_many_workers_start_it(temporal: str) -> None:
    client = await Client.connect(temporal)
    await start_sweeper(client)
    first = await client.get_workflow_handle("sweeper").describe()
    await start_sweeper(client)
    second = await client.get_workflow_handle("sweeper").describe()
    assert (first.run_id, second.status) == (second.run_id, WorkflowExecutionStatus.RUNNING)
    await client.get_workflow_handle("sweeper").terminate()
