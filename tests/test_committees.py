"""Items before a committee, as the commit writes them: agenda, cut-off, sitting, decision, minutes."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.committees.agenda import Agenda, agenda
from imprimatur.committees.bodies import committee as committee_called
from imprimatur.committees.bodies import committees, next_with_items
from imprimatur.committees.paper import html, pdf
from imprimatur.errors import InputError, NotFound
from imprimatur.rules.admission import refusal
from imprimatur.rules.due_words import why_then
from imprimatur.store.engine import Database
from imprimatur.store.minutes import keep_minutes
from models.events import Decided, Held, Placed, Resumed
from models.vocabulary import CaseStatus, EventType, StageStatus, Verdict
from tests.facts import PROPOSER, START, Play, event_types, example
from tests.governed import QUINN, ROSA, review, stage, submitted, told, window
from tests.meetings import BOARD, SECRETARY, boards, sitting

E = EventType
DAY = dt.timedelta(days=1)
# The next sittings after START, which is 2 March 2026 in Auckland as well.
MARCH, APRIL, MAY = dt.date(2026, 3, 11), dt.date(2026, 4, 8), dt.date(2026, 5, 13)
APRIL_AT = dt.datetime(2026, 4, 8, 2, 0, tzinfo=dt.UTC)
MARCH_AT = dt.datetime(2026, 3, 11, 1, 0, tzinfo=dt.UTC)


def before_the_board(database: Database, folder: Path, *stages: dict[str, Any], **change: Any) -> Play:
    """A case whose item is on the agenda of the sitting of 11 March."""
    return submitted(database, folder, *(stages or (sitting(),)), committees=boards(**change))


def decision(play: Play, verdict: Verdict = Verdict.APPROVE) -> Decided:
    [task] = play.state.open_tasks("board")
    return Decided(decision_id="d-1", task_id=task.id, actor=task.assignee, verdict=verdict, comment="Said.")


def refused(play: Play, event: Any) -> str | None:
    found = refusal(play.state, event, play.plan)
    return found.code if found else None


def placed(on: dt.date, actor: str = SECRETARY, **facts: Any) -> Placed:
    return Placed(actor=actor, stage="board", on=on, reason="Not reached.", **facts)


def test_what_is_due_follows_the_sitting(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    found = stage(play, "board")
    assert (found.committee, found.sits_at) == (BOARD, MARCH_AT)
    assert found.due_at == MARCH_AT + 2 * DAY
    assert found.due_reason is not None
    words = "2 business days from 11 March 2026, 14:00 (the sitting of Curriculum Board) in calendar campus"
    assert why_then(found.due_reason) == words
    [item] = told(play, E.AGENDA_ITEM_PLACED)
    assert (item["committee"], item["sits_at"]) == (BOARD, "2026-03-11T01:00:00.000000Z")


def test_nothing_is_decided_before_the_sitting_and_everything_after_it(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    assert refused(play, decision(play)) == "sitting_to_come"
    assert refused(play, decision(play, Verdict.RECUSE)) is None, "whoever is biased can say so before"
    play.pass_time(MARCH_AT - play.now - DAY)
    assert refused(play, decision(play)) == "sitting_to_come"
    play.pass_time(DAY)
    assert [row["sits_at"] for row in told(play, E.SITTING_BEGUN)] == ["2026-03-11T01:00:00.000000Z"]
    play.act(decision(play))
    assert play.state.status is CaseStatus.PUBLISHED
    assert stage(play, "board").outcome == "approved"


def test_a_decision_that_is_not_recorded_is_late_after_its_time_and_not_before(
    database: Database, tmp_path: Path
) -> None:
    play = before_the_board(database, tmp_path)
    due_at = stage(play, "board").due_at
    assert due_at is not None
    play.pass_time(due_at - play.now - dt.timedelta(seconds=1))
    assert stage(play, "board").breached_at is None
    play.pass_time(dt.timedelta(seconds=2))
    assert stage(play, "board").breached_at == due_at
    assert E.STAGE_ESCALATED in play_types(play)


def play_types(play: Play) -> list[EventType]:
    return event_types(play.database, play.case_id)


def test_what_comes_after_the_cut_off_waits_for_the_next_sitting(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path, cut_off={"business_days": 10})
    assert stage(play, "board").sits_at == APRIL_AT


def test_an_item_can_be_put_off_by_whoever_records_it(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    play.pass_time(MARCH_AT - play.now)
    assert refused(play, placed(APRIL, QUINN)) is None
    assert refused(play, placed(APRIL, ROSA)) == "not_the_office"
    play.act(placed(APRIL))
    found = stage(play, "board")
    assert (found.sits_at, found.due_at) == (APRIL_AT, APRIL_AT + 2 * DAY)
    assert refused(play, decision(play)) == "sitting_to_come", "it is to be decided there"
    assert told(play, E.AGENDA_ITEM_PLACED)[-1] == {
        "by": SECRETARY,
        "stage": "board",
        "round": 1,
        "committee": BOARD,
        "sits_at": "2026-04-08T02:00:00.000000Z",
        "left": "2026-03-11T01:00:00.000000Z",
        "reason": "Not reached.",
    }
    assert agenda(database, BOARD, MARCH).items == []
    [moved] = agenda(database, BOARD, MARCH).moved
    assert (moved.case_id, moved.to) == (play.case_id, APRIL_AT)
    play.pass_time(APRIL_AT - play.now)
    play.act(decision(play))
    assert play.state.status is CaseStatus.PUBLISHED


def test_only_an_item_of_an_agenda_can_be_moved(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, review())
    event = Placed(actor=QUINN, stage="quality", on=APRIL, reason="Late.", by_office=True)
    assert refused(play, event) == "no_committee"
    assert refused(play, event.model_copy(update={"stage": "nowhere"})) == "stage_unknown"
    assert refused(play, event.model_copy(update={"reason": " "})) == "reason_required"


def test_an_item_that_was_admitted_late_is_marked_so(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path, cut_off={"business_days": 10}, late_items="office_admits")
    play.act(placed(MARCH, late=True, by_office=True))
    [item] = agenda(database, BOARD, MARCH).items
    assert item.late
    assert stage(play, "board").sits_at == MARCH_AT


def test_only_the_office_admits_what_comes_late(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path, cut_off={"business_days": 10}, late_items="office_admits")
    assert refused(play, placed(MARCH, late=True)) == "not_the_office", "though the secretary may put it off"
    assert refused(play, placed(MAY)) is None


def test_an_objection_before_takes_an_item_off_consent(database: Database, tmp_path: Path) -> None:
    notice = window("notice", reviewers=[{"addresses": [ROSA]}])
    stages = (notice, sitting("board", "notice"))
    play = submitted(database, tmp_path, *stages, committees=boards(consent="undisputed"))
    play.decide("notice", Verdict.OBJECT, "It overlaps with ours.")
    play.decide("notice")
    [item] = agenda(database, BOARD, MARCH).items
    assert not item.consent


def test_a_hold_over_the_sitting_brings_the_item_to_the_next_one(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    play.office(Held)
    play.pass_time(20 * DAY)
    play.office(Resumed)
    assert stage(play, "board").sits_at == APRIL_AT
    assert E.SITTING_BEGUN not in play_types(play)
    play.pass_time(APRIL_AT - play.now)
    play.act(decision(play))
    assert play.state.status is CaseStatus.PUBLISHED


def test_a_hold_that_ends_before_the_sitting_keeps_the_item_where_it_was(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    play.office(Held)
    play.pass_time(5 * DAY)
    play.office(Resumed)
    found = stage(play, "board")
    assert (found.sits_at, found.due_at) == (MARCH_AT, MARCH_AT + 2 * DAY), "the cut-off is behind, its place is not"


def test_a_hold_after_the_sitting_leaves_the_time_that_was_left(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    play.pass_time(MARCH_AT + DAY - play.now)
    play.office(Held)
    play.pass_time(20 * DAY)
    play.office(Resumed)
    assert stage(play, "board").due_at is not None
    assert refused(play, decision(play)) is None


def test_a_revision_brings_the_item_back_to_a_later_sitting(database: Database, tmp_path: Path) -> None:
    play = before_the_board(database, tmp_path)
    play.pass_time(MARCH_AT - play.now)
    play.act(decision(play, Verdict.REQUEST_CHANGES))
    assert play.state.status is CaseStatus.REVISING
    play.revise(example("industry-credit.revised"))
    found = stage(play, "board")
    assert (found.round, found.sits_at) == (2, APRIL_AT)
    assert [item.round for item in agenda(database, BOARD, APRIL).items] == [2]
    assert [item.outcome for item in agenda(database, BOARD, MARCH).items] == ["changes_requested"]


def test_without_a_sitting_to_come_the_stage_waits_and_the_office_knows(database: Database, tmp_path: Path) -> None:
    past = {"dates": ["2026-01-14"], "at": "14:00"}
    play = before_the_board(database, tmp_path, sittings=past)
    found = stage(play, "board")
    assert (found.status, found.reason) == (StageStatus.WAITING, "it waits for Curriculum Board")
    assert found.opens_at is not None and found.opens_at > play.now
    [incident] = told(play, E.INCIDENT_OPENED)
    assert incident["kind"] == "no_sitting"
    play.pass_time(10 * DAY)
    assert len(told(play, E.INCIDENT_OPENED)) == 1, "one incident, however often it is looked"
    assert [row["opens_at"] for row in told(play, E.STAGE_AWAITED)] == [None, None], "it is looked once a week"


def test_the_agenda_has_consent_items_first(database: Database, tmp_path: Path) -> None:
    check = review("check", voting={"quorum": 1, "threshold": 1}, reviewers=[{"addresses": [ROSA]}])
    for letter, verdict in (("a", None), ("b", Verdict.APPROVE)):
        case_id = f"mc-{letter * 12}"
        body = boards(consent="undisputed")
        stages = (sitting(),) if verdict is None else (check, sitting("board", "check"))
        play = submitted(database, tmp_path, *stages, case_id=case_id, committees=body)
        if verdict is not None:
            play.decide("check", verdict)
    found = agenda(database, BOARD, MARCH)
    assert [(item.number, item.case_id[-1], item.consent) for item in found.items] == [(1, "b", True), (2, "a", False)]
    assert found.items[0].earlier == {"check": "approved"}
    assert [holder.person for holder in found.items[0].holders] == [SECRETARY]


def test_committees_tell_when_they_meet_and_what_waits(database: Database, tmp_path: Path) -> None:
    before_the_board(database, tmp_path)
    [found] = committees(database, START + DAY)
    assert (found.committee, found.name, found.time_zone) == (BOARD, "Curriculum Board", "Pacific/Auckland")
    assert [(sitting.on, sitting.items) for sitting in found.sittings] == [(MARCH, 1), (APRIL, 0), (MAY, 0)]
    later = committees(database, START + 40 * DAY)[0].sittings
    assert (later[0].on, later[0].items) == (MARCH, 1), "what is undecided is not forgotten"
    assert next_with_items(database, committee_called(database, BOARD), START + 40 * DAY) == MARCH


def test_what_nobody_has_is_told(database: Database, tmp_path: Path) -> None:
    before_the_board(database, tmp_path)
    with pytest.raises(NotFound, match="no committee senate") as unknown:
        agenda(database, "senate", MARCH)
    assert (unknown.value.code, unknown.value.hint) == ("committee_not_found", "Known are: curriculum_board.")
    with pytest.raises(InputError, match="does not meet on 2026-03-12") as elsewhere:
        agenda(database, BOARD, dt.date(2026, 3, 12))
    assert (elsewhere.value.code, elsewhere.value.hint) == (
        "sitting_unknown",
        "It meets on 2026-04-08, 2026-05-13, 2026-06-10.",
    )


def minuted(database: Database, folder: Path) -> Agenda:
    play = before_the_board(database, folder)
    play.pass_time(MARCH_AT - play.now)
    play.act(decision(play))
    facts = {"present": ["Āwhina Parata", "*B*"], "apologies": ["#C"], "remarks": "<b>It was</b> $short$."}
    keep_minutes(database, BOARD, MARCH, recorded_by=SECRETARY, **facts)
    return agenda(database, BOARD, MARCH)


def test_minutes_say_who_was_there_and_what_was_decided(database: Database, tmp_path: Path) -> None:
    found = minuted(database, tmp_path)
    assert found.present == ["Āwhina Parata", "*B*"]
    [item] = found.items
    assert (item.outcome, [(answer.actor, answer.verdict) for answer in item.answers]) == (
        "approved",
        [(SECRETARY, "approve")],
    )
    page = html(found, "minutes")
    assert "Āwhina Parata, *B*" in page and "&lt;b&gt;It was&lt;/b&gt;" in page and "<b>It was" not in page
    assert "Minutes: Curriculum Board" in page and "Wednesday 11 March 2026, 14:00 (NZDT)" in page


def test_the_paper_is_a_pdf_whatever_people_wrote(sqlite_database: Database, tmp_path: Path) -> None:
    found = minuted(sqlite_database, tmp_path)
    for kind in ("agenda", "minutes"):
        made = pdf(found, kind)  # type: ignore[arg-type]
        assert made.startswith(b"%PDF-1.") and b"pdfuaid" in made
        assert made == pdf(found, kind), "the same facts, the same bytes"  # type: ignore[arg-type]
    assert pdf(found, "agenda") != pdf(found, "minutes")


def test_signs_that_no_font_has_cost_the_standard_and_not_the_paper(sqlite_database: Database, tmp_path: Path) -> None:
    found = minuted(sqlite_database, tmp_path).model_copy(update={"remarks": "Aegean: 𐄀; Vai: ꔀ; Deseret: 𐐀"})
    made = pdf(found, "minutes")
    assert made.startswith(b"%PDF-1.") and b"pdfuaid" not in made


def test_minutes_recorded_again_take_the_place_of_the_first(database: Database, tmp_path: Path) -> None:
    minuted(database, tmp_path)
    keep_minutes(database, BOARD, MARCH, present=["D"], apologies=[], remarks="", recorded_by=PROPOSER)
    found = agenda(database, BOARD, MARCH)
    assert (found.present, found.apologies, found.recorded_by) == (["D"], [], PROPOSER)
