"""How long what has ended in a case took, and who held the case meanwhile: folds over its ledger. Pure.

All times are business seconds. Instants are cut to whole seconds first, so that the parts of a span add up to it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from imprimatur.rules.business_time import WorkCalendar, business_seconds_between
from imprimatur.rules.turns import Turns
from models.vocabulary import EventType, Party, StageOutcome

Row = Mapping[str, Any]
# What ends something that is measured.
ENDINGS = frozenset(
    {EventType.STAGE_CLOSED, EventType.STAGE_SKIPPED, EventType.DECISION_RECORDED, EventType.CASE_CLOSED}
)
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)


class Calendars(Protocol):
    """The calendars of the frameworks that a case has been under, by the digest of each."""

    def of_case(self, digest: str) -> WorkCalendar: ...

    def of_stage(self, digest: str, stage: str) -> WorkCalendar: ...


@dataclass(frozen=True)
class StageTime:
    """One passage of a stage, from its opening to its closing; ``position`` is that of the event that closed it.

    ``seconds`` leave out the time on hold; None where the stage never opened: it was left out, or did itself.
    ``on_time`` is None where nothing was promised. ``first``: the case came to an end of this stage for the first time;
    ``first_pass``: it passed it for the first time.
    """

    position: int
    stage: str
    round: int
    outcome: StageOutcome
    opened_at: dt.datetime | None
    closed_at: dt.datetime
    seconds: int | None
    on_time: bool | None
    first: bool
    first_pass: bool


@dataclass(frozen=True)
class AnswerTime:
    """One decision: how long its reviewer had the task, without the time on hold."""

    position: int
    stage: str
    reviewer: str
    asked_at: dt.datetime
    answered_at: dt.datetime
    seconds: int


@dataclass(frozen=True)
class CaseTime:
    """``held`` has the seconds of each holder, which together are all ``seconds`` from submission to the end."""

    status: str
    submitted_at: dt.datetime
    closed_at: dt.datetime
    seconds: int
    held: dict[Party, int]
    on_time: bool | None
    rounds: int
    changes_requested: int
    lapsed: int


@dataclass
class Measures:
    stages: list[StageTime] = field(default_factory=list)
    answers: list[AnswerTime] = field(default_factory=list)
    case: CaseTime | None = None
    submitted_at: dt.datetime | None = None


@dataclass
class _Passage:
    opened_at: dt.datetime
    promised: bool
    breached: bool = False


class _Course:
    """What is open after some events: passages, tasks in somebody's hands, spans on hold."""

    def __init__(self, calendars: Calendars, after: int) -> None:
        self.measures = Measures()
        self._calendars = calendars
        self._after = after
        self._digest = ""
        self._open: dict[str, _Passage] = {}
        self._asked: dict[str, dt.datetime] = {}
        self._holds: list[tuple[dt.datetime, dt.datetime]] = []
        self._held_since: dt.datetime | None = None
        self._ended: set[str] = set()
        self._passed: set[str] = set()
        self.round = 0

    def take(self, row: Row) -> None:
        at, data = whole_second(row["at"]), row["data"]
        match row["type"]:
            case EventType.CASE_SUBMITTED:
                self._digest, self.measures.submitted_at = data["digest"], at
            case EventType.FRAMEWORK_CHANGED:
                self._digest, self.round = data["to"]["digest"], data["round"]
                for stage in (*data["repeated"], *data["removed"]):
                    self._open.pop(stage, None)
            case EventType.PROPOSAL_VERSION_ADDED:
                self.round += 1
            case EventType.CASE_RETURNED:
                self.round -= 1
            case EventType.STAGE_SENT_BACK | EventType.APPROVAL_EXPIRED:
                self.round = data["round"]
            case EventType.STAGE_OPENED | EventType.CONFIRMATION_SOUGHT:
                # What was to be confirmed, and is then decided anew, goes on.
                passage = self._open.setdefault(data["stage"], _Passage(at, False))
                passage.promised = data.get("due_at") is not None
            case EventType.SLA_BREACHED if data["stage"] in self._open:
                self._open[data["stage"]].breached = True
            case EventType.TASK_ASSIGNED | EventType.TASK_CLAIMED:
                self._asked[data["task_id"]] = at
            case EventType.DECISION_RECORDED:
                self._answer(row, at)
            case EventType.STAGE_CLOSED:
                self._close(row, data["round"], StageOutcome(data["outcome"]), at)
            case EventType.STAGE_SKIPPED:
                self._close(row, self.round, StageOutcome.SKIPPED, at)
            case EventType.CASE_HELD:
                self._held_since = at
            case EventType.CASE_RESUMED if self._held_since is not None:
                self._holds.append((self._held_since, at))
                self._held_since = None

    def _answer(self, row: Row, at: dt.datetime) -> None:
        data = row["data"]
        asked_at = self._asked.pop(data["task_id"], at)
        if row["position"] > self._after:
            seconds = self._worked(asked_at, at, data["stage"])
            answer = AnswerTime(row["position"], data["stage"], row["actor"], asked_at, at, seconds)
            self.measures.answers.append(answer)

    def _close(self, row: Row, round_number: int, outcome: StageOutcome, at: dt.datetime) -> None:
        stage = row["data"]["stage"]
        passage = self._open.pop(stage, None)
        first, passes = stage not in self._ended, outcome.lets_pass
        first_pass = passes and stage not in self._passed
        self._ended.add(stage)
        self._passed |= {stage} if passes else set()
        if row["position"] <= self._after:
            return
        self.measures.stages.append(
            StageTime(
                position=row["position"],
                stage=stage,
                round=round_number,
                outcome=outcome,
                opened_at=passage.opened_at if passage else None,
                closed_at=at,
                seconds=self._worked(passage.opened_at, at, stage) if passage else None,
                on_time=not passage.breached if passage and passage.promised else None,
                first=first,
                first_pass=first_pass,
            )
        )

    def _worked(self, start: dt.datetime, end: dt.datetime, stage: str) -> int:
        calendar = self._calendars.of_stage(self._digest, stage)
        holds = [*self._holds, *([(self._held_since, end)] if self._held_since is not None else [])]
        held = (business_seconds_between(max(since, start), min(until, end), calendar) for since, until in holds)
        return business_seconds_between(start, end, calendar) - sum(held)


def whole_second(at: dt.datetime) -> dt.datetime:
    return at.replace(microsecond=0)


def measure(rows: Sequence[Row], calendars: Calendars, after: int = 0) -> Measures:
    """What ended behind the position ``after``, by all rows of a case's ledger in order; unreadable ones tell nothing.

    A row has type, at, actor, data and position.
    """
    course = _Course(calendars, after)
    for row in rows:
        try:
            course.take(row)
        except UNREADABLE:
            # Somebody has tampered with it; `verify` is the place to judge that.
            continue
    found = course.measures
    closing = next((row for row in reversed(rows) if row["type"] == EventType.CASE_CLOSED), None)
    if closing is not None and closing["position"] > after and found.submitted_at is not None:
        found.case = _case_time(rows, closing, found.submitted_at, course.round, calendars)
    return found


def _case_time(
    rows: Sequence[Row], closing: Row, submitted_at: dt.datetime, rounds: int, calendars: Calendars
) -> CaseTime:
    held = held_seconds(rows, calendars)
    types = [row["type"] for row in rows]
    breached = EventType.CASE_SLA_BREACHED in types
    data = closing["data"] if isinstance(closing["data"], dict) else {}
    return CaseTime(
        status=str(data.get("status", "")),
        submitted_at=submitted_at,
        closed_at=whole_second(closing["at"]),
        seconds=sum(held.values()),
        held=held,
        on_time=not breached if EventType.CLOCK_STARTED in types else None,
        rounds=rounds,
        changes_requested=types.count(EventType.REVISION_REQUESTED),
        lapsed=types.count(EventType.STAGE_LAPSED),
    )


def held_seconds(rows: Iterable[Row], calendars: Calendars) -> dict[Party, int]:
    """Business seconds of each holder, by the calendar of the whole case under the framework that it had just then."""
    found = dict.fromkeys(Party, 0)
    for seconds, parties in held_spans(rows, calendars):
        for party, part in shared(seconds, parties):
            found[party] += part
    return found


def held_spans(
    rows: Iterable[Row], calendars: Calendars, until: dt.datetime | None = None
) -> Iterator[tuple[int, tuple[Party, ...]]]:
    """For each row the business seconds since the row before, and who held the case meanwhile.

    With ``until``, one more for the time since the last row.
    """
    turns, calendar = Turns(), None
    before: dt.datetime | None = None
    for row in rows:
        at = whole_second(row["at"])
        yield _span(before, at, calendar, turns)
        before = at
        turns.pass_time(row["at"])
        try:
            calendar = _calendar_after(row, calendar, calendars)
            turns.take(row["type"], row["actor"], row["data"])
        except UNREADABLE:
            continue
    if until is not None:
        yield _span(before, whole_second(until), calendar, turns)


def _span(
    before: dt.datetime | None, at: dt.datetime, calendar: WorkCalendar | None, turns: Turns
) -> tuple[int, tuple[Party, ...]]:
    if calendar is None or before is None or at <= before:
        return 0, ()
    return business_seconds_between(before, at, calendar), tuple(turns.running)


def _calendar_after(row: Row, calendar: WorkCalendar | None, calendars: Calendars) -> WorkCalendar | None:
    if row["type"] == EventType.CASE_SUBMITTED:
        return calendars.of_case(row["data"]["digest"])
    if row["type"] == EventType.FRAMEWORK_CHANGED:
        return calendars.of_case(row["data"]["to"]["digest"])
    return calendar


def shared(seconds: int, parties: Sequence[Party]) -> Iterator[tuple[Party, int]]:
    """Equal parts of whole seconds; what is left over goes to those named first."""
    if not parties:
        return
    each, left = divmod(seconds, len(parties))
    for index, party in enumerate(parties):
        yield party, each + (index < left)
