"""The story of a case: every word of every vocabulary can be told, and the whole story reads as one."""

import asyncio
import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pytest

from imprimatur.history.export import LedgerEvent, history
from imprimatur.history.sentences import sentence
from imprimatur.store import handovers as store
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.ledger import append_event
from imprimatur.store.record_status import write_status
from models.effects import Escalate
from models.messages import HandoverEnd
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    EventType,
    IncidentKind,
    RecordStatus,
    StageOutcome,
    TaskClosure,
    Verdict,
)
from tests import handover
from tests.facts import Play, add_people, example, furnish, whole_story
from tests.handover import FIRST, Handing, handing_framework, with_team
from tests.improvement import Reviews, published
from tests.office_stories import STORIES, tell

DAY = dt.timedelta(days=1)
WORDS: dict[tuple[EventType, str], Iterable[str]] = {
    (EventType.TASK_ASSIGNED, "reason"): AssignmentReason,
    (EventType.TASK_CLOSED, "closure"): TaskClosure,
    (EventType.DECISION_RECORDED, "verdict"): Verdict,
    (EventType.STAGE_CLOSED, "outcome"): StageOutcome,
    (EventType.STAGE_ESCALATED, "cause"): get_args(Escalate.model_fields["cause"].annotation),
    (EventType.INCIDENT_OPENED, "kind"): IncidentKind,
    (EventType.CASE_CLOSED, "status"): [status for status in CaseStatus if status.is_final],
    (EventType.RECORD_STATUS_CHANGED, "status"): RecordStatus,
}


@pytest.fixture(scope="module")
def told(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[LedgerEvent]:
    """Events of cases that together know every kind there is, the whole story first."""
    folder = tmp_path_factory.mktemp("stories")
    file = folder / "imprimatur.db"
    file.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{file}")
    furnish(database)
    whole_story(database, folder)
    incomplete_then_withdrawn(database, folder)
    skipped_and_late(database, folder)
    lapsed(database, folder)
    retracted(database, folder)
    reviewed(database, folder)
    handed_over(database, folder)
    unstaffed(database, folder)
    for name in STORIES:
        furnish(database)
        tell(name, database, folder)
    names = [
        "abcdefghijkl",
        "withdrawn",
        "skipped",
        "lapsed",
        "retracted",
        "reviewed",
        "reviewed-r1",
        "unstaffed",
        "handedover",
        "handedover-h1",
        *STORIES,
    ]
    events = [event for name in names for event in history(database, f"mc-{name}")]
    database.close()
    return events


def incomplete_then_withdrawn(database: Database, folder: Path) -> None:
    play = Play(database, folder, case_id="mc-withdrawn")
    play.submit(example("industry-credit").model_copy(update={"summary": None, "partners": ()}))
    play.withdraw("no longer needed")


def skipped_and_late(database: Database, folder: Path) -> None:
    play = Play(database, folder, "non-credit", case_id="mc-skipped")
    play.submit(example("non-credit").model_copy(update={"partners": ()}))
    play.decide("proposal")
    play.pass_time(40 * DAY)


def lapsed(database: Database, folder: Path) -> None:
    play = Play(database, folder, case_id="mc-lapsed")
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.decide("industry")
    while play.state.open_tasks():
        play.decide("quality", Verdict.REQUEST_CHANGES, "unclear")
    play.revise(example("industry-credit.revised"))


def retracted(database: Database, folder: Path) -> None:
    """Published at a target, where it did not stay, and taken back."""
    play = Play(database, folder, "non-credit", case_id="mc-retracted")
    play.submit(example("non-credit").model_copy(update={"partners": ()}))
    play.decide("proposal")
    told: list[tuple[EventType, dict[str, str]]] = [
        (EventType.PUBLICATION_SCHEDULED, {"publish_on": "2026-09-01", "reason": "the brochure comes out"}),
        (EventType.TARGET_PUBLISHED, {"target": "campus-lms", "detail": "200 OK"}),
        (EventType.TARGET_FAILED, {"target": "registry", "reason": "503 Service Unavailable"}),
        (EventType.TARGET_WITHDRAWN, {"target": "campus-lms", "reason": "another target failed"}),
    ]
    kept = {"kind": "publication_failed", "stage": "publication", "detail": "registry: 503", "incident_id": "i-one"}
    told.append((EventType.INCIDENT_RESOLVED, kept | {"reason": "the registry was told by hand"}))
    told.append((EventType.PROPOSER_READDRESSED, {"from": "nora@example.edu", "to": "nora@example.org"}))
    told.append((EventType.MAIL_RESENT, {"mail_id": "m-one", "incident_id": "i-two", "to": "nora@example.edu"}))
    with database.write() as connection:
        for type_, data in told:
            append_event(connection, play.case_id, type_, "system", play.now, **data)
        write_status(connection, play.case_id, RecordStatus.RETRACTED, actor="x@y.example", reason="a mistake")


def reviewed(database: Database, folder: Path) -> None:
    """Figures call a review, the framework has a newer version as well, and it comes to another version."""
    play = published(database, folder, case_id="mc-reviewed")
    reviews = Reviews(play)

    async def held() -> None:
        await reviews.take("mc-reviewed,completion_rate,2026,30,")
        add_framework(database, play.framework.model_copy(update={"version": "100"}), play.now)
        await reviews.sweep()
        reviews.conclude(Verdict.REVISE, "mc-reviewed-r1")
        await reviews.sweep()

    asyncio.run(held())


def handed_over(database: Database, folder: Path) -> None:
    """A system has the package, another one has not, and people send it back."""
    with_team(database, folder)
    handing = Handing(handover.published(database, folder, handing_framework(database)))
    asyncio.run(handing.begin())
    store.record_sent(database, store.handing(database, FIRST), "lms", "204")
    store.end(database, HandoverEnd(handover=FIRST, failed="timetable", reason="timetable: 410 Gone"))
    handing.answer(Verdict.SEND_BACK, "There is no room in March.", handover=FIRST)


def unstaffed(database: Database, folder: Path) -> None:
    people = ("lena.office@example.edu", "omar.office@example.edu", "dora.director@example.edu")
    add_people(database, folder, *(f"{person},Gone,,no" for person in people))
    Play(database, folder, case_id="mc-unstaffed").submit(example("industry-credit"))


def test_what_a_committee_does_reads_well(told: list[LedgerEvent]) -> None:
    kinds = (EventType.STAGE_AWAITED, EventType.AGENDA_ITEM_PLACED, EventType.SITTING_BEGUN)
    assert [sentence(event) for event in told if event.case_id == "mc-met" and event.type in kinds] == [
        "Put off quality (round 1) until the autumn review window, which opens at 2026-04-12 20:30 UTC",
        "Put board (round 1) on the agenda of curriculum board for 2026-05-13 02:00 UTC",
        "Began the sitting of curriculum board on board (round 1)",
        "Moved board (round 1) to the agenda of curriculum board for 2026-06-10 02:00 UTC: Not reached.",
    ]


def assert_readable(text: str) -> None:
    assert "cannot be read" not in text and "_" not in text.replace("learning_outcomes", ""), text
    assert text[0].isupper() and text == " ".join(text.split()) and len(text) > 15


def test_every_kind_of_event_happens_in_these_stories(told: list[LedgerEvent]) -> None:
    assert {event.type for event in told} == set(EventType)


def test_every_event_has_a_sentence(told: list[LedgerEvent]) -> None:
    for event in told:
        assert_readable(sentence(event))


@pytest.mark.parametrize(("type_", "field"), WORDS)
def test_every_word_of_the_vocabularies_has_a_sentence_of_its_own(
    told: list[LedgerEvent], type_: EventType, field: str
) -> None:
    event = next(event for event in told if event.type is type_)
    words = [str(word) for word in WORDS[(type_, field)]]
    sentences = [sentence(event.model_copy(update={"data": event.data | {field: word}})) for word in words]
    for text in sentences:
        assert_readable(text)
    assert len(set(sentences)) == len(words) > 1


@pytest.mark.parametrize("data", [{}, {"stage": None, "round": []}])
@pytest.mark.parametrize("type_", EventType)
def test_an_event_that_somebody_has_damaged_ends_no_story(type_: EventType, data: dict[str, Any]) -> None:
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    event = LedgerEvent(case_id="mc-1", position=1, at=at, type=type_, actor="x", data=data, previous="", digest="")
    assert sentence(event) == f"An event ({type_}) whose data cannot be read"


def test_a_comment_stays_on_its_line_and_keeps_its_signs(told: list[LedgerEvent]) -> None:
    event = next(event for event in told if event.type is EventType.DECISION_RECORDED)
    comment = "first\r\n{stage}\u2028 second %s 研究倫理 🎓"
    text = sentence(event.model_copy(update={"data": event.data | {"comment": comment}}))
    assert text.endswith(": first {stage} second %s 研究倫理 🎓")


TOLD_OF_ACTS = {
    EventType.CASE_HELD: "Put the case on hold: The partner is being sold.",
    EventType.CASE_RESUMED: "Resumed the case: The partner has been sold.",
    EventType.STAGE_EXTENDED: "Extended quality (round 1) to 2026-04-07 20:30 UTC: it has to be",
    EventType.TASK_PASSED_ON: "Passed on the task in quality (round 1) from rosa.reviewer@example.edu to "
    "vera.deputy@example.edu",
    EventType.DECISION_ANNULLED: "Annulled the answer of quinn.reviewer@example.edu in quality (round 1): it has to be",
    EventType.ACT_PROPOSED: "Proposed to set to rejected quality (round 2), for a second person to confirm: The board "
    "met and said so.",
    EventType.STAGE_OVERRIDDEN: "Skipped quality (round 2) in the reviewers' place, proposed by "
    "omar.office@example.edu: The board met and said so.",
    EventType.STAGE_SENT_BACK: "Sent the case back to quality, to be decided anew with notice, last and "
    "publication: The wrong file was judged.",
}


@pytest.mark.parametrize(("type_", "story"), TOLD_OF_ACTS.items())
def test_an_act_of_the_office_reads_well(told: list[LedgerEvent], type_: EventType, story: str) -> None:
    assert sentence(next(event for event in told if event.type is type_)) == story


REPEATED = {EventType.TASK_ASSIGNED, EventType.TASK_CLOSED, EventType.REMINDER_SENT, EventType.DECISION_RECORDED}


def test_the_whole_story_reads_as_one(told: list[LedgerEvent]) -> None:
    story = [sentence(event) for event in told if event.case_id == "mc-abcdefghijkl" and event.type not in REPEATED]
    assert story == [
        "Submitted “Product Discovery and Prototyping with AI” under industry-credit 1.1",
        "Handed in version 1 of the proposal",
        "Set the clock going, to be published by 2026-06-07 20:30 UTC",
        "Opened proposal (round 1), due 2026-03-05 19:30 UTC by the calendar campus",
        "Closed proposal (round 1) as approved: 1 approved (1 needed), 1 took part (1 needed)",
        "Opened quality (round 1), due 2026-03-16 19:30 UTC by the calendar campus",
        "Opened industry (round 1), due 2026-03-30 20:00 UTC by the calendar partner",
        "Missed the due time of quality (round 1), 2026-03-16 19:30 UTC, waiting for quinn.reviewer@example.edu, "
        "rosa.reviewer@example.edu and sam.reviewer@example.edu",
        "Escalated quality (round 1) to dora.director@example.edu: its time ran out",
        "Missed the due time of industry (round 1), 2026-03-30 20:00 UTC, waiting for "
        "mere.tane@harbour-software.example and jonas.weber@fieldnote.example",
        "Escalated industry (round 1) to lena.office@example.edu: its time ran out",
        "Closed quality (round 1) as changes requested: 0 approved (2 needed), 0 rejected, 3 requested changes",
        "Closed industry (round 1) as cancelled: a revision was requested",
        "Asked the proposer for a revision, after quality (round 1)",
        "Stopped the clock with 289.0 business hours left",
        "Handed in version 2 of the proposal, changing learning_outcomes and assessment.description",
        "Set the clock going again, to 2026-06-05 05:00 UTC",
        "The approval of proposal stays valid: nothing material to it changed (event 6)",
        "Opened quality (round 2), due 2026-05-03 20:30 UTC by the calendar campus",
        "Opened industry (round 2), due 2026-05-17 21:00 UTC by the calendar partner",
        "Closed quality (round 2) as approved: 2 approved (2 needed), 2 took part (2 needed)",
        "Closed industry (round 2) as approved: 1 approved (1 needed), 1 took part (1 needed)",
        "Published version 2 as product-discovery-and-prototyping-with-ai-abcdefghijkl",
        "Set the next review for 2028-04-16",
        "Closed publication (round 2) as published: nobody's review is needed",
        "Closed the case as published: every stage passed",
    ]


def test_what_is_asked_and_answered_reads_well(told: list[LedgerEvent]) -> None:
    first = {type_: sentence(next(event for event in told if event.type is type_)) for type_ in EventType}
    assert first[EventType.TASK_ASSIGNED] == (
        "Asked lena.office@example.edu to review proposal (round 1), as holder of the role governance office"
    )
    assert first[EventType.DECISION_RECORDED] == ("Approved proposal (round 1) with the scores fit 4, no duplication 3")
    assert first[EventType.TASK_CLOSED] == (
        "Closed the task of dora.director@example.edu in quality: "
        "the stage was decided, by the decision of sam.reviewer@example.edu"
    )
    assert first[EventType.REMINDER_SENT] == "Reminded quinn.reviewer@example.edu of quality (round 1)"
    assert first[EventType.CASE_RETURNED] == (
        "Returned to the proposer as incomplete: summary is missing; partners is missing"
    )
    assert first[EventType.STAGE_SKIPPED] == "Skipped industry: the proposal names nobody to ask"
    assert first[EventType.STAGE_LAPSED] == (
        "The approval of industry lapsed: learning_outcomes and assessment.description changed"
    )
    assert first[EventType.CASE_SLA_BREACHED].startswith("Missed the due time of the whole case, 2026-03-")
    assert first[EventType.INCIDENT_OPENED] == (
        "Opened an incident (no reviewer) in proposal: nobody can review this stage"
    )
    assert first[EventType.REVIEWERS_SOUGHT] == (
        "Found nobody to decide proposal (round 1); the search goes on 2026-03-03 19:30 UTC"
    )
