"""What a committee has on its table: sittings to come, the agenda of one, and what came of it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping, select

from imprimatur.committees.bodies import Committee, committee
from imprimatur.rules.voting import AGAINST
from imprimatur.store.engine import Database
from models.meetings import CommitteeDef
from models.tables import CaseRow, DecisionRow, LedgerRow, MinutesRow, StageRow, TaskRow
from models.vocabulary import ConsentItems, EventType, StageOutcome, TaskStatus, Verdict

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
_MINUTES = MinutesRow.__table__  # type: ignore[attr-defined]
ANNOUNCED = 3


class Answer(BaseModel):
    """A decision on an item; in a committee's own stage, what was recorded of its sitting."""

    actor: str
    verdict: Verdict
    comment: str = ""


class Holder(BaseModel):
    """Who records the committee's decision, and the task by which."""

    task_id: str
    person: str


class AgendaItem(BaseModel):
    """``consent``: taken without debate. ``earlier`` has the stages that were decided before, with their outcome."""

    number: int = 0
    case_id: str
    title: str
    unit: str | None
    proposer: str
    framework: str
    stage: str
    stage_name: str
    round: int
    consent: bool = False
    late: bool = False
    earlier: dict[str, StageOutcome] = {}
    holders: list[Holder] = []
    outcome: StageOutcome | None = None
    answers: list[Answer] = []


class Moved(BaseModel):
    """An item that was on the agenda and went to another sitting."""

    case_id: str
    title: str
    to: dt.datetime
    reason: str


class Agenda(BaseModel):
    """Of one sitting; ``present`` and what follows it is known once its minutes are recorded."""

    committee: str
    name: str
    on: dt.date
    at: dt.datetime
    cut_off: dt.datetime
    time_zone: str
    items: list[AgendaItem]
    moved: list[Moved] = []
    present: list[str] = []
    apologies: list[str] = []
    remarks: str = ""
    recorded_by: str | None = None
    recorded_at: dt.datetime | None = None

    @property
    def undecided(self) -> list[AgendaItem]:
        return [item for item in self.items if item.outcome is None]


def agenda(database: Database, name: str, on: dt.date) -> Agenda:
    """Raises NotFound ``committee_not_found`` and InputError ``sitting_unknown``."""
    body = committee(database, name)
    sitting = body.sitting(on)
    with database.read() as connection:
        rows = [row for row in _rows(connection, name) if body.calendar.date(row["sits_at"]) == on]
        items = _items(connection, body, rows)
        minutes = connection.execute(
            select(_MINUTES).where(_MINUTES.c.committee == name, _MINUTES.c.held_on == on)
        ).mappings()
        recorded = next((dict(row) for row in minutes), {})
        moved = _moved(connection, body, on)
    told = {key: recorded[key] for key in Agenda.model_fields if key in recorded and key != "committee"}
    return Agenda(
        committee=name,
        name=body.definition.name,
        on=on,
        at=sitting.at,
        cut_off=sitting.cut_off,
        time_zone=body.calendar.zone.key,
        items=items,
        moved=moved,
        **told,
    )


def _rows(connection: Connection, name: str) -> Sequence[RowMapping]:
    """Latest rounds that were put on an agenda; what was cancelled with its round was not decided there."""
    query = (
        select(_STAGE, _CASE.c.title, _CASE.c.unit, _CASE.c.proposer, _CASE.c.framework_id, _CASE.c.framework_version)
        .join(_CASE, _CASE.c.case_id == _STAGE.c.case_id)
        .where(_STAGE.c.committee == name, _STAGE.c.sits_at.is_not(None))
        .order_by(_STAGE.c.opened_at, _STAGE.c.case_id)
    )
    left_out = (StageOutcome.CANCELLED, StageOutcome.SKIPPED)
    return [row for row in connection.execute(query).mappings() if row["outcome"] not in left_out]


def _items(connection: Connection, body: Committee, rows: Sequence[RowMapping]) -> list[AgendaItem]:
    cases = {row["case_id"] for row in rows}
    earlier = _grouped(connection.execute(select(_STAGE).where(_STAGE.c.case_id.in_(cases))).mappings())
    tasks = _grouped(connection.execute(select(_TASK).where(_TASK.c.case_id.in_(cases))).mappings())
    answers = _grouped(
        connection.execute(
            select(_DECISION)
            .where(_DECISION.c.case_id.in_(cases), _DECISION.c.annulled_at.is_(None))
            .order_by(_DECISION.c.position)
        ).mappings()
    )
    late = _late(connection, cases)
    found = []
    for row in rows:
        case_id, place = row["case_id"], (row["stage"], row["round"])
        before = [answer for answer in answers.get(case_id, ()) if (answer["stage"], answer["round"]) != place]
        item = AgendaItem(
            case_id=case_id,
            title=row["title"],
            unit=row["unit"],
            proposer=row["proposer"],
            framework=f"{row['framework_id']}@{row['framework_version']}",
            stage=row["stage"],
            stage_name=row["name"],
            round=row["round"],
            consent=_needs_no_debate(body.definition, before),
            late=(case_id, *place) in late,
            earlier={
                other["stage"]: StageOutcome(other["outcome"])
                for other in earlier.get(case_id, ())
                if other["stage"] != row["stage"] and other["outcome"]
            },
            holders=[
                Holder(task_id=task["task_id"], person=task["assignee"])
                for task in tasks.get(case_id, ())
                if (task["stage"], task["round"]) == place and task["status"] == TaskStatus.OPEN
            ],
            outcome=row["outcome"],
            answers=[
                Answer(actor=answer["actor"], verdict=answer["verdict"], comment=answer["comment"])
                for answer in answers.get(case_id, ())
                if (answer["stage"], answer["round"]) == place
            ],
        )
        found.append(item)
    found.sort(key=lambda item: not item.consent)
    return [item.model_copy(update={"number": number}) for number, item in enumerate(found, 1)]


def _grouped(rows: Iterable[RowMapping]) -> dict[str, list[RowMapping]]:
    found: dict[str, list[RowMapping]] = {}
    for row in rows:
        found.setdefault(row["case_id"], []).append(row)
    return found


def _needs_no_debate(definition: CommitteeDef, answers: Sequence[RowMapping]) -> bool:
    against = AGAINST | {Verdict.OBJECT}
    undisputed = bool(answers) and not any(answer["verdict"] in against for answer in answers)
    return definition.consent is ConsentItems.UNDISPUTED and undisputed


def _placings(connection: Connection, cases: set[str] | None = None) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Case, its title, and what the ledger says of an item that was placed; in the order of each case's ledger."""
    query = (
        select(_LEDGER.c.case_id, _LEDGER.c.data, _CASE.c.title)
        .join(_CASE, _CASE.c.case_id == _LEDGER.c.case_id)
        .where(_LEDGER.c.type == str(EventType.AGENDA_ITEM_PLACED))
    )
    if cases is not None:
        query = query.where(_LEDGER.c.case_id.in_(cases))
    for row in connection.execute(query.order_by(_LEDGER.c.case_id, _LEDGER.c.position)):
        yield row.case_id, row.title, row.data


def _late(connection: Connection, cases: set[str]) -> set[tuple[str, str, int]]:
    """Items whose last placing admitted them after the cut-off."""
    last: dict[tuple[str, str, int], bool] = {}
    for case_id, _, data in _placings(connection, cases):
        last[case_id, data["stage"], data["round"]] = data.get("late", False)
    return {place for place, late in last.items() if late}


def _moved(connection: Connection, body: Committee, on: dt.date) -> list[Moved]:
    """Items that were on the agenda of the day ``on``, and are on another one now."""
    found = []
    for case_id, title, data in _placings(connection):
        if data["committee"] != body.id or not data.get("left"):
            continue
        if body.calendar.date(dt.datetime.fromisoformat(data["left"])) == on:
            to = dt.datetime.fromisoformat(data["sits_at"])
            found.append(Moved(case_id=case_id, title=title, to=to, reason=data["reason"]))
    return found
