"""Hand-overs of what is published, over both databases: called once, answered once, and told at the published case."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from imprimatur import ids
from imprimatur.errors import DocumentInvalid, Gone, NotAllowed, Refused
from imprimatur.frameworks.loader import handovers
from imprimatur.handover import Handovers
from imprimatur.history.verify import verify_all
from imprimatur.lost import Lost
from imprimatur.publishing import Publishing
from imprimatur.rules.answers import check_answer
from imprimatur.store import handovers as store
from imprimatur.store import publishing as runs
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import handover_lines, handovers_of_case, package_of_handover
from imprimatur.store.incidents import list_incidents
from models.conditions import Condition
from models.messages import HandoverEnd, RunEnd
from models.tables import OutboxRow
from models.vocabulary import (
    CaseStatus,
    EventType,
    HandoverOutcome,
    IncidentKind,
    MailKind,
    RunStatus,
    StageOutcome,
    TaskClosure,
    Verdict,
)
from tests.facts import BASE_URL, OFFICE, PROPOSER, Play, event_types, ledger_rows
from tests.handover import (
    CREDENTIAL,
    FIRST,
    SECOND_OF_TEAM,
    TEAM,
    Handing,
    handing_framework,
    published,
    with_team,
)
from tests.published import proposal

E = EventType
SECOND = f"{CREDENTIAL}-h2"
WEEK = dt.timedelta(days=7)


@pytest.fixture
def handing(database: Database, tmp_path: Path) -> Iterable[Handing]:
    """A micro-credential that has just been published; in the end every ledger has to be whole."""
    with_team(database, tmp_path)
    yield Handing(published(database, tmp_path, handing_framework(database)))
    assert verify_all(database).problems == []


def told(handing: Handing, type_: EventType, case_id: str = CREDENTIAL) -> list[dict[str, Any]]:
    return [row["data"] for row in ledger_rows(handing.database, case_id) if row["type"] == type_]


def mails(handing: Handing, kind: MailKind) -> list[str]:
    table = OutboxRow.__table__  # type: ignore[attr-defined]
    with handing.database.read() as connection:
        return list(connection.execute(select(table.c.recipient).where(table.c.kind == kind)).scalars())


async def test_what_becomes_public_is_handed_over_and_both_of_the_team_are_asked(handing: Handing) -> None:
    assert await handing.begin() == [FIRST]
    assert await handing.begin() == []
    play = handing.case()
    assert {task.assignee for task in play.state.open_tasks()} == {TEAM, SECOND_OF_TEAM}
    assert play.state.stages["taking_up"].due_at is not None
    [called] = told(handing, E.HANDOVER_CALLED)
    assert (called["handover"], called["number"], called["version"]) == (FIRST, 1, 1)
    [begun] = told(handing, E.HANDOVER_BEGUN, FIRST)
    [view] = handovers_of_case(handing.database, CREDENTIAL)
    assert (begun["of"], begun["package"]) == (CREDENTIAL, view.package_digest)
    assert (view.state, view.status) == ("waiting", RunStatus.RUNNING)


async def test_the_first_answer_decides_and_stands_at_the_published_case(handing: Handing) -> None:
    await handing.begin()
    play = handing.answer(Verdict.TAKE_UP, "It is course DES-214.")
    assert play.state.status is CaseStatus.CONCLUDED
    assert play.state.stages["taking_up"].outcome is StageOutcome.TAKEN_UP
    assert [task.closure for task in play.state.tasks.values()].count(TaskClosure.OUTCOME_CERTAIN) == 1
    [concluded] = told(handing, E.HANDOVER_CONCLUDED)
    assert (concluded["outcome"], concluded["comment"]) == ("taken_up", "It is course DES-214.")
    [view] = handovers_of_case(handing.database, CREDENTIAL)
    assert (view.outcome, view.concluded_by) == (HandoverOutcome.TAKEN_UP, ledger_actor(handing))
    assert list_incidents(handing.database) == []
    assert mails(handing, MailKind.OUTCOME) == [PROPOSER], "that of the publication, and none of the hand-over"


def ledger_actor(handing: Handing) -> str:
    return str(ledger_rows(handing.database, CREDENTIAL)[-1]["actor"])


async def test_what_is_sent_back_is_an_incident_of_the_office_and_is_handed_over_anew(handing: Handing) -> None:
    await handing.begin()
    play = handing.answer(Verdict.SEND_BACK, "There is no room in March.")
    assert (play.state.status, play.state.stages["taking_up"].outcome) == (CaseStatus.CONCLUDED, StageOutcome.SENT_BACK)
    [incident] = list_incidents(handing.database)
    assert (incident.kind, incident.case_id) == (IncidentKind.HANDOVER_SENT_BACK, CREDENTIAL)
    assert "There is no room in March." in incident.detail
    assert len(mails(handing, MailKind.INCIDENT)) == 2
    again = Handovers(handing.database).again(CREDENTIAL, actor=OFFICE, reason="There is one now.")
    assert (again.handover_case, again.number) == (SECOND, 2)
    assert list_incidents(handing.database) == []
    assert await handing.begin() == [SECOND]
    package = package_of_handover(handing.database, SECOND)
    assert package is not None
    assert [item["comment"] for item in package["sent_back"]] == ["There is no room in March."]
    handing.answer(Verdict.TAKE_UP, handover=SECOND)
    assert [view.state for view in handover_lines(handing.database)] == ["taken_up", "sent_back"]


def test_sending_back_says_why() -> None:
    policy = handovers()["delivery-handover"]
    with pytest.raises(DocumentInvalid) as silent:
        check_answer(policy.stages[0], "send_back", " ", {})
    assert silent.value.code == "comment_required"
    assert check_answer(policy.stages[0], "take_up", "", {}) is Verdict.TAKE_UP


async def test_whoever_is_late_is_reminded_and_the_office_is_called_in(handing: Handing) -> None:
    await handing.begin()
    play = handing.case()
    play.pass_time(2 * WEEK)
    types = event_types(handing.database, FIRST)
    assert types.count(E.REMINDER_SENT) == 4
    assert E.SLA_BREACHED in types and E.STAGE_ESCALATED in types
    brought_in = [task for task in play.state.open_tasks() if task.assignee not in (TEAM, SECOND_OF_TEAM)]
    assert len(brought_in) == 1
    handing.answer(Verdict.TAKE_UP)
    assert play.state.status is CaseStatus.CONCLUDED


async def test_the_package_holds_what_is_needed_to_deliver(database: Database, tmp_path: Path) -> None:
    with_team(database, tmp_path)
    play = Play(database, tmp_path, handing_framework(database, conditions="quality"), case_id=CREDENTIAL)
    play.submit(proposal())
    play.decide("proposal")
    due = Condition(id="", text="Name a second examiner.", owner=PROPOSER)
    play.decide("quality", Verdict.APPROVE, conditions=[due])
    assert play.state.status is CaseStatus.PUBLISHED
    handing = Handing(play)
    head = ledger_rows(database, CREDENTIAL)[-1]
    await handing.begin()
    package = package_of_handover(database, FIRST)
    assert package is not None
    assert package["taught"]["learning_outcomes"] and package["taught"]["workload"]["hours"]
    assert package["taught"]["assessment"]["description"] and "delivery" in package["taught"]
    [condition] = package["conditions"]
    assert (condition["text"], condition["owner"], condition["status"]) == (due.text, PROPOSER, "open")
    assert package["record"]["address"].startswith(f"{BASE_URL}/catalogue/")
    assert set(package["record"]["documents"]) == {"openbadges", "ctdl", "elm", "schema-org", "issuer"}
    assert package["ledger"] == {"events": head["position"], "head": head["digest"]}
    assert verify_all(database).problems == []


def test_a_dated_publication_is_handed_over_when_it_becomes_public(database: Database, tmp_path: Path) -> None:
    with_team(database, tmp_path)
    play = published(database, tmp_path, handing_framework(database), publish_on=dt.date(2099, 1, 1))
    assert (play.state.status, store.due(database)) == (CaseStatus.PUBLISHED, [])
    runs.begin_run(database, Publishing(database).show(CREDENTIAL).runs[0].run_id)
    run_id = Publishing(database).show(CREDENTIAL).runs[0].run_id
    assert runs.end_run(database, RunEnd(run_id=run_id)) is not None
    runs.end_run(database, RunEnd(run_id=run_id))
    assert [item.handover_case for item in store.due(database)] == [FIRST]
    assert event_types(database, CREDENTIAL)[-1] is E.HANDOVER_CALLED
    assert verify_all(database).problems == []


def test_a_framework_without_the_key_hands_nothing_over(database: Database, tmp_path: Path) -> None:
    with_team(database, tmp_path)
    play = Play(database, tmp_path, "non-credit", case_id=CREDENTIAL)
    play.submit(proposal())
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    assert (play.state.status, handover_lines(database)) == (CaseStatus.PUBLISHED, [])
    with pytest.raises(Refused) as refused:
        Handovers(database).again(CREDENTIAL, actor=OFFICE, reason="They ask for it.")
    assert refused.value.code == "handover_not_asked"


async def test_the_office_hands_over_one_at_a_time_and_says_why(handing: Handing) -> None:
    acts = Handovers(handing.database)
    with pytest.raises(Refused) as open_already:
        acts.again(CREDENTIAL, actor=OFFICE, reason="Again.")
    assert open_already.value.code == "handover_open"
    with pytest.raises(Refused) as silent:
        acts.again(CREDENTIAL, actor=OFFICE, reason=" ")
    assert silent.value.code == "reason_required"
    with pytest.raises(NotAllowed):
        acts.again(CREDENTIAL, actor=PROPOSER, reason="I want it.")
    await handing.begin()
    handing.answer(Verdict.TAKE_UP)
    Publishing(handing.database).retract(CREDENTIAL, actor=OFFICE, reason="A mistake.")
    with pytest.raises(Gone) as over:
        acts.again(CREDENTIAL, actor=OFFICE, reason="Again.")
    assert over.value.code == "record_not_handed_over"


async def test_a_hand_over_that_is_given_up_has_no_outcome(handing: Handing) -> None:
    await handing.begin()
    handing.case().withdraw("It is another team.")
    [view] = handovers_of_case(handing.database, CREDENTIAL)
    assert (view.state, view.outcome) == ("cancelled", None)
    assert told(handing, E.HANDOVER_CONCLUDED)[0]["outcome"] is None
    assert Handovers(handing.database).again(CREDENTIAL, actor=OFFICE, reason="To the other team.").number == 2


def test_what_failed_is_an_incident_and_is_done_once_more(handing: Handing) -> None:
    acts = Handovers(handing.database)
    with pytest.raises(Refused) as unfailed:
        acts.retry(CREDENTIAL, actor=OFFICE)
    assert unfailed.value.code == "handover_not_failed"
    store.mark_running(handing.database, FIRST)
    failed = HandoverEnd(handover=FIRST, failed="lms", reason="lms: 410 Gone")
    assert store.end(handing.database, failed) and not store.end(handing.database, failed)
    [incident] = list_incidents(handing.database)
    assert (incident.kind, incident.detail) == (IncidentKind.HANDOVER_FAILED, "lms: 410 Gone")
    assert acts.retry(CREDENTIAL, actor=OFFICE).status is RunStatus.QUEUED
    assert [item.attempt for item in store.due(handing.database)] == [2]
    store.end(handing.database, HandoverEnd(handover=FIRST))
    assert list_incidents(handing.database) == []


class Forgetful:
    """A workflow service that knows no workflow any more; before it says so, something happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = meanwhile

    def get_workflow_handle(self, workflow_id: str) -> "Forgetful":
        assert workflow_id == ids.handover_workflow_id(FIRST, 1)
        return self

    async def describe(self) -> None:
        await asyncio.to_thread(self._meanwhile)
        raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")


async def test_the_search_for_what_is_lost_ends_no_later_attempt(handing: Handing) -> None:
    """The first attempt fails and is begun anew between the look into the database and the answer of the engine."""
    failed = HandoverEnd(handover=FIRST, failed="lms", reason="lms: 410 Gone", attempt=1)

    def meanwhile() -> None:
        assert store.end(handing.database, failed)
        Handovers(handing.database).retry(CREDENTIAL, actor=OFFICE)
        store.mark_running(handing.database, FIRST)

    store.mark_running(handing.database, FIRST)
    await Lost(cast(Client, Forgetful(meanwhile)), handing.database).mend()
    [item] = store.at_work(handing.database)
    assert (item.attempt, item.status) == (2, RunStatus.RUNNING)
    assert [data["reason"] for data in told(handing, E.HANDOVER_FAILED)] == ["lms: 410 Gone"]


@pytest.mark.parametrize(("attempt", "ends"), [(1, False), (2, True), (3, False), (None, True)])
def test_an_end_is_that_of_its_own_attempt(handing: Handing, attempt: int | None, ends: bool) -> None:
    """None is in what a worker wrote that named no attempt."""
    store.end(handing.database, HandoverEnd(handover=FIRST, failed="lms", reason="lms: 410 Gone", attempt=1))
    Handovers(handing.database).retry(CREDENTIAL, actor=OFFICE)
    later = HandoverEnd(handover=FIRST, failed="lms", reason="lms: 403 Forbidden", attempt=attempt)
    assert store.end(handing.database, later) == ends
    assert len(store.at_work(handing.database)) == (not ends)
