"""Whether somebody may look over all, or act for the office, in what belongs to no single case and in one of theirs."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select

from imprimatur.access.acts import NOT_YOUR_UNIT
from imprimatur.access.viewer import Scope, Viewer
from imprimatur.errors import NotAllowed
from imprimatur.store.access import facts_of, overseen, within
from imprimatur.store.engine import Database
from models.tables import CaseRow

_CASE = CaseRow.__table__  # type: ignore[attr-defined]


def oversee(viewer: Viewer) -> None:
    """Raises NotAllowed ``oversight_only``."""
    if not viewer.oversees:
        raise NotAllowed(
            "oversight_only", "This is for the governance office and for auditors.", "Use a key of one of them."
        )


def run_office(viewer: Viewer) -> None:
    """Raises NotAllowed ``not_the_office``."""
    if not viewer.is_office:
        raise NotAllowed(
            "not_the_office", "Only the governance office can do this.", "Use a key of somebody who belongs to it."
        )


def run_all(viewer: Viewer) -> None:
    """For what concerns every unit. Raises NotAllowed ``not_the_office`` or ``whole_office_only``."""
    run_office(viewer)
    if not viewer.scope.everything:
        raise NotAllowed(
            "whole_office_only",
            "This concerns all units, and you act for the office in your own units only.",
            "Ask somebody of the office who is bound to no unit.",
        )


def run_case(database: Database, viewer: Viewer, case_id: str) -> None:
    """For an act of the office about a case. Raises NotFound ``case_unseen``, NotAllowed as said of the case."""
    with database.read() as connection:
        case = facts_of(connection, viewer, case_id)
    run_office(viewer)
    if not viewer.scope.everything and case.unit not in viewer.scope.units:
        denied = NOT_YOUR_UNIT
        raise NotAllowed(denied.code, denied.sentence, "Ask somebody of that unit.")


def oversee_case(database: Database, viewer: Viewer, case_id: str) -> None:
    """Raises NotFound ``case_unseen``, NotAllowed ``oversight_only``, also where only a task lets the viewer in."""
    with database.read() as connection:
        case = facts_of(connection, viewer, case_id)
    oversee(viewer)
    if not viewer.scope.everything and case.unit not in viewer.scope.units:
        raise NotAllowed(
            "oversight_only", "You oversee the cases of your own units only.", "Ask somebody of that unit."
        )


def seen_of(database: Database, scope: Scope, case_ids: Iterable[str]) -> set[str]:
    """Of some cases those in a scope."""
    return _some(database, case_ids, within(scope))


def overseen_of(database: Database, scope: Scope, case_ids: Iterable[str]) -> set[str]:
    """Of some cases those that a scope oversees."""
    return _some(database, case_ids, overseen(scope))


def _some(database: Database, case_ids: Iterable[str], condition: ColumnElement[bool]) -> set[str]:
    wanted, found = sorted(set(case_ids)), set[str]()
    with database.read() as connection:
        for start in range(0, len(wanted), 500):
            some = _CASE.c.case_id.in_(wanted[start : start + 500])
            found |= set(connection.execute(select(_CASE.c.case_id).where(some, condition)).scalars())
    return found
