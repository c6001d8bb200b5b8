"""What people write, as it is kept; stored instants; and the closed vocabularies."""

import datetime as dt
import re
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Column, Integer, MetaData, Table, select

from imprimatur.store.engine import Database
from models import vocabulary
from models.case import CaseState, StageState, TaskState
from models.commit import Step
from models.effects import Breach
from models.events import Decided, Ticked
from models.proposal import Prose
from models.tables import UtcDateTime
from models.texts import Day, Number, OneLine, TimeOfDay, WebAddress, WholeNumber
from models.vocabulary import AssignmentReason, CaseStatus, StageOutcome, TaskStatus, Verdict


def kept(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def is_refused(kind: Any, value: object) -> bool:
    try:
        kept(kind, value)
    except ValidationError:
        return True
    return False


# --- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (OneLine, "  two \n\t words\u2028here ", "two words here"),
        (Prose, "\n one\n\n two \n", "one\n\n two"),
        (Prose, "tab\tand\r\nreturn", "tab\tand\r\nreturn"),
        (OneLine, "Ünïcödé 字 🎓", "Ünïcödé 字 🎓"),
        (TimeOfDay, "9:00", dt.time(9)),
        (TimeOfDay, "9:05:30", dt.time(9, 5, 30)),
        (TimeOfDay, "23:59", dt.time(23, 59)),
        (TimeOfDay, dt.time(9), dt.time(9)),
        (Day, "2026-12-24", dt.date(2026, 12, 24)),
        (Day, "2028-02-29", dt.date(2028, 2, 29)),
        (WebAddress, "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        (Number, "1_000", 1000.0),
        (WholeNumber, "010", 10),
        (WholeNumber, 3.0, 3),
    ],
)
def test_what_is_written_is_kept_as_it_was_meant(kind: Any, written: object, meant: object) -> None:
    assert kept(kind, written) == meant


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        *[(kind, f"a{chr(code)}b") for kind in (OneLine, Prose) for code in (0, 7, 0x1B, 0x7F, 0xD800, 0xDFFF)],
        *[(TimeOfDay, value) for value in (540, 9.5, True, None)],
        *[(TimeOfDay, value) for value in ("24:00", "09:60", "9", "09:00Z", "09:00+01:00", "9 am")],
        *[(Day, value) for value in (20261224, 0, True, None)],
        *[(Day, value) for value in ("24.12.2026", "2026-2-3", "2026-02-29", "2026-12-24T09:00")],
        *[(WebAddress, value) for value in ("example.org", "ftp://x", "https://", "https://a b", "http://a\0")],
        *[(kind, value) for kind in (Number, WholeNumber) for value in (True, False, None, "x", "")],
        (WholeNumber, 1.5),
        (WholeNumber, float("inf")),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(kind: Any, written: object) -> None:
    assert is_refused(kind, written)


@given(st.text(st.characters(codec=None)))
def test_a_line_is_one_line_that_can_be_stored(text: str) -> None:
    if is_refused(OneLine, text):
        assert re.search(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]", text)
        return
    line = kept(OneLine, text)
    assert line == kept(OneLine, line)
    assert len(line.splitlines()) <= 1
    assert line.encode("utf-8").decode("utf-8") == line
    assert line.split() == text.split()


# --- instants ---------------------------------------------------------------------------------------------------

# Temporary: it goes with the transaction's connection, and the database can be used again.
INSTANTS = Table(
    "instants", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcDateTime), prefixes=["TEMPORARY"]
)


@pytest.mark.parametrize(
    "at",
    [
        dt.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=13))),
        dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
        None,
    ],
)
def test_an_instant_comes_back_as_it_was_in_utc(database: Database, at: dt.datetime | None) -> None:
    with database.write() as connection:
        INSTANTS.create(connection)
        connection.execute(INSTANTS.insert(), {"id": 1, "at": at})
    with database.read() as connection:
        found = connection.execute(select(INSTANTS.c.at)).scalar()
    with database.write() as connection:
        # The database is used again.
        INSTANTS.drop(connection)
    assert found == at
    assert found is None or found.tzinfo is dt.UTC or found.utcoffset() == dt.timedelta(0)


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        UtcDateTime().process_bind_param(dt.datetime(2026, 3, 2), dialect=None)  # type: ignore[arg-type]


# --- vocabularies -----------------------------------------------------------------------------------------------

VOCABULARIES = [
    value
    for value in vars(vocabulary).values()
    if isinstance(value, type) and issubclass(value, StrEnum) and list(value)
]


@pytest.mark.parametrize("words", VOCABULARIES)
def test_words_are_lowercase_and_told_apart(words: type[StrEnum]) -> None:
    values = [member.value for member in words]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", value) for value in values)
    assert [member.name.lower() for member in words] == values


def test_a_case_is_over_waits_is_on_hold_or_is_in_review() -> None:
    for status in CaseStatus:
        moving = status in (CaseStatus.IN_REVIEW, CaseStatus.ON_HOLD)
        assert [status.is_final, status.waits_for_proposer, moving].count(True) == 1


def test_which_outcomes_let_pass() -> None:
    passing = {outcome for outcome in StageOutcome if outcome.lets_pass}
    stopping = {
        StageOutcome.REJECTED,
        StageOutcome.CHANGES_REQUESTED,
        StageOutcome.CANCELLED,
        StageOutcome.SENT_BACK,
    }
    assert passing == set(StageOutcome) - stopping
    assert {outcome for outcome in StageOutcome if outcome.stays_valid} == passing - {
        StageOutcome.SKIPPED, StageOutcome.PUBLISHED, StageOutcome.REFUSED,
    }  # fmt: skip


# --- what travels -----------------------------------------------------------------------------------------------


def test_what_is_not_said_is_not_written_and_comes_back() -> None:
    event = Decided(decision_id="d-1", task_id="t-1", actor="a@example.org", verdict=Verdict.APPROVE)
    written = event.model_dump(mode="json", exclude_unset=True)
    assert "comment" not in written
    assert written["kind"] == "decided"
    assert Decided.model_validate(written) == event
    assert Ticked().model_dump(exclude_unset=True) == {"kind": "ticked"}


def test_effects_are_told_apart_by_their_kind() -> None:
    breach = Breach(stage="quality", round=1, due_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), tasks=("t-1",))
    step = Step(
        event=Ticked(), at=breach.due_at, case_id="mc-1", seq=1, framework_digest="f", digest="d",
        status=CaseStatus.IN_REVIEW, round=1, version=1, effects=(breach,),
    )  # fmt: skip
    found = Step.model_validate_json(step.model_dump_json(exclude_unset=True))
    assert found == step
    assert isinstance(found.effects[0], Breach)


def test_open_tasks_are_those_still_open_in_a_stage() -> None:
    def task(name: str, stage: str, status: TaskStatus = TaskStatus.OPEN) -> TaskState:
        reason = AssignmentReason.ROLE
        return TaskState(id=name, stage=stage, round=1, assignee="a@x.org", reason=reason, status=status)

    tasks = [task("t-1", "quality"), task("t-2", "quality", TaskStatus.CLOSED), task("t-3", "industry")]
    state = CaseState(case_id="mc-1", stages={"quality": StageState(id="quality")}, tasks={t.id: t for t in tasks})
    assert [t.id for t in state.open_tasks()] == ["t-1", "t-3"]
    assert [t.id for t in state.open_tasks("quality")] == ["t-1"]
    assert CaseState.model_validate_json(state.model_dump_json(exclude_unset=True)) == state
