"""Two versions of a case's proposal, compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotFound
from imprimatur.rules.delta import FieldChange, delta, unchanged
from imprimatur.store.access import facts_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from models.tables import CaseRow, VersionRow

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Comparison:
    """``old`` and ``new`` are the versions' rows, ``versions`` the numbers of all there are."""

    case_id: str
    title: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    changes: tuple[FieldChange, ...]
    unchanged: tuple[tuple[str, tuple[str, ...]], ...]
    versions: tuple[int, ...]
    time_zone: str


def compared(database: Database, viewer: Viewer, case_id: str, old: int, new: int) -> Comparison:
    """Raises NotFound ``case_unseen`` and ``version_unknown``."""
    with database.read() as connection:
        facts_of(connection, viewer, case_id)
        case = connection.execute(select(_CASE).where(_CASE.c.case_id == case_id)).mappings().one()
        query = select(_VERSION).where(_VERSION.c.case_id == case_id).order_by(_VERSION.c.version)
        rows = {row["version"]: dict(row) for row in connection.execute(query).mappings()}
        if unknown := [number for number in (old, new) if number not in rows]:
            raise NotFound(
                "version_unknown", f"The case has no version {unknown[0]}.", f"It has versions 1 to {max(rows)}."
            )
        before, after = (proposal_by_digest(connection, rows[number]["digest"]) for number in (old, new))
        zone = framework_by_digest(connection, case["framework_digest"]).calendar_of(None).time_zone
        return Comparison(
            case_id,
            case["title"],
            rows[old],
            rows[new],
            delta(before, after),
            unchanged(before, after),
            tuple(rows),
            zone,
        )
