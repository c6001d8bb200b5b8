"""Hand-overs as the office, those who deliver and the case of a micro-credential see them."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, select

from imprimatur.access.viewer import Scope
from imprimatur.errors import NotFound
from imprimatur.store.access import overseen
from imprimatur.store.engine import Database
from models.tables import CaseRow, HandoverRow, HandoverTargetRow
from models.vocabulary import HandoverOutcome, RunStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_HANDOVER = HandoverRow.__table__  # type: ignore[attr-defined]
_TARGET = HandoverTargetRow.__table__  # type: ignore[attr-defined]
_EVERYTHING = Scope("", everything=True)
_FIELDS = [column for column in _HANDOVER.c if column.name != "package"]


class SentTo(BaseModel):
    """A target that has the package, and what it said."""

    target: str
    sent_at: dt.datetime
    detail: str


class HandoverView(BaseModel):
    """One hand-over; ``of`` is the case of the micro-credential, ``handover_case`` its own.

    ``status`` is how far the machine is with it, ``detail`` what failed; ``outcome``, ``concluded_by`` and ``comment``
    are the answer of those who deliver it. ``due_at`` is until when they are asked to answer.
    """

    handover_case: str
    of: str
    title: str
    number: int
    version: int
    reason: str
    called_by: str
    called_at: dt.datetime
    status: RunStatus
    detail: str
    targets: list[str]
    sent: list[SentTo]
    package_digest: str | None
    begun_at: dt.datetime | None
    due_at: dt.datetime | None
    concluded_at: dt.datetime | None
    outcome: HandoverOutcome | None
    concluded_by: str | None
    comment: str

    def without_names(self) -> "HandoverView":
        """For those who see roles in place of names."""
        return self.model_copy(update={"called_by": "", "concluded_by": None})

    @property
    def state(self) -> str:
        """In a word: what is waited for, or what it came to."""
        if self.outcome is not None:
            return str(self.outcome)
        if self.concluded_at is not None:
            return "cancelled"
        return "failed" if self.status is RunStatus.FAILED else "waiting"


def handover_lines(database: Database, scope: Scope = _EVERYTHING) -> list[HandoverView]:
    """Those that wait for an answer first, then the latest; two queries."""
    with database.read() as connection:
        found = _views(connection, overseen(scope))
    return sorted(found, key=lambda view: (view.concluded_at is not None, -view.called_at.timestamp(), view.number))


def handovers_of_case(database: Database, case_id: str) -> list[HandoverView]:
    """Of a micro-credential, or the one that the case itself is; the first one first. Two queries."""
    with database.read() as connection:
        return _views(connection, (_HANDOVER.c.case_id == case_id) | (_HANDOVER.c.handover_case == case_id))


def handover_called(database: Database, handover_case: str) -> HandoverView:
    """Raises NotFound ``handover_unknown``."""
    with database.read() as connection:
        found = _views(connection, _HANDOVER.c.handover_case == handover_case)
    if not found:
        raise _unknown(handover_case)
    return found[0]


def _unknown(named: str) -> NotFound:
    return NotFound("handover_unknown", f"There is no hand-over of {named}.", "See `starter.py handover list`.")


def latest_handover(database: Database, case_id: str) -> HandoverView:
    """Of a micro-credential, or the one that the case itself is. Raises NotFound ``handover_unknown``."""
    found = handovers_of_case(database, case_id)
    if not found:
        raise _unknown(case_id)
    return found[-1]


def packages_of(connection: Connection, handover_cases: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By the case of the hand-over; of those that are hand-overs. One query."""
    columns = _HANDOVER.c.handover_case, _HANDOVER.c.package
    query = select(*columns).where(columns[0].in_(list(handover_cases)), _HANDOVER.c.package_digest.is_not(None))
    return {row.handover_case: row.package for row in connection.execute(query)}


def package_of_handover(database: Database, handover_case: str) -> dict[str, Any] | None:
    """What is, or was, handed over; None where the case is no hand-over, or nothing has been made yet."""
    with database.read() as connection:
        return packages_of(connection, [handover_case]).get(handover_case)


def _views(connection: Connection, chosen: ColumnElement[bool]) -> list[HandoverView]:
    own = _CASE.alias("own")
    query = (
        select(*_FIELDS, _CASE.c.title, own.c.due_at)
        .join(_CASE, _CASE.c.case_id == _HANDOVER.c.case_id)
        .outerjoin(own, own.c.case_id == _HANDOVER.c.handover_case)
        .where(chosen)
        .order_by(_HANDOVER.c.number)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    sent: dict[str, list[dict[str, Any]]] = {}
    wanted = select(_TARGET).where(_TARGET.c.handover_case.in_([row["handover_case"] for row in rows]))
    for row in connection.execute(wanted.order_by(_TARGET.c.sent_at)).mappings():
        sent.setdefault(row["handover_case"], []).append(dict(row))
    return [
        HandoverView.model_validate(row | {"of": row["case_id"], "sent": sent.get(row["handover_case"], [])})
        for row in rows
    ]
