"""What the catalogue is made of: rows of publications with the proposal that each was made from."""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, func, literal, select

from imprimatur.store.engine import Database
from models.tables import DocumentRow, PathwayRow, PublicationRow, VersionRow
from models.vocabulary import RecordStatus

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_DOCUMENT = DocumentRow.__table__  # type: ignore[attr-defined]
_PATHWAY = PathwayRow.__table__  # type: ignore[attr-defined]
_LISTED = [str(status) for status in RecordStatus if status.is_listed]
_PUBLIC = [str(status) for status in RecordStatus if status.is_public]
_ROWS = (
    select(
        _PUBLICATION.c.slug,
        _PUBLICATION.c.case_id,
        _PUBLICATION.c.version,
        _PUBLICATION.c.digest,
        _PUBLICATION.c.page,
        _PUBLICATION.c.published_at,
        _PUBLICATION.c.status,
        _DOCUMENT.c.body,
    )
    .join(
        _VERSION,
        (_VERSION.c.case_id == _PUBLICATION.c.case_id) & (_VERSION.c.version == _PUBLICATION.c.version),
    )
    .join(_DOCUMENT, _DOCUMENT.c.digest == _VERSION.c.digest)
    .where(_PUBLICATION.c.status.in_(_LISTED))
    .order_by(_PUBLICATION.c.slug)
)
# What of a publication can change; whatever is added to its row belongs here as well.
_CHANGING = (
    _PUBLICATION.c.slug,
    _PUBLICATION.c.version,
    _PUBLICATION.c.digest,
    _PUBLICATION.c.published_at,
    _PUBLICATION.c.status,
    _PUBLICATION.c.status_at,
    _PUBLICATION.c.status_reason,
    _PUBLICATION.c.replaces,
    _PUBLICATION.c.replaced_by,
)
_STATES = select(*_CHANGING).where(_PUBLICATION.c.status.in_(_PUBLIC)).order_by(_PUBLICATION.c.slug)
# The database puts it into one text: to take thousands of rows from it takes several times as long.
_STATE: ColumnElement[str] = literal("")
for _column in _CHANGING:
    _STATE = _STATE + func.coalesce(cast(_column, Text), "-") + literal("|")
_EACH = select(_STATE.label("state")).where(_PUBLICATION.c.status.in_(_PUBLIC))
_ALL = _EACH.order_by(_PUBLICATION.c.slug).subquery()
_MARK = select(func.aggregate_strings(_ALL.c.state, "\n"))
AT_ONCE = 200


@dataclass(frozen=True)
class Listed:
    """``proposal`` is the document as it is kept, with more in it than may be shown."""

    slug: str
    case_id: str
    version: int
    digest: str
    page: dict[str, Any]
    published_at: Any
    status: RecordStatus
    proposal: dict[str, Any]


def states(connection: Connection) -> dict[str, str]:
    """Of every publication that is public, listed or not, a text that changes whenever it does."""
    return {row.slug: " ".join(map(str, row[1:])) for row in connection.execute(_STATES)}


def mark_of_states(connection: Connection) -> str:
    """A text that changes whenever one of the states does, much sooner read than they are."""
    return connection.execute(_MARK).scalar() or ""


def retracted_slugs(database: Database) -> list[str]:
    """Their addresses are public still: they say so."""
    query = select(_PUBLICATION.c.slug).where(_PUBLICATION.c.status == RecordStatus.RETRACTED)
    with database.read() as connection:
        return list(connection.execute(query.order_by(_PUBLICATION.c.slug)).scalars())


def pathway_titles(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(_PATHWAY.c.pathway_id, _PATHWAY.c.title).order_by(_PATHWAY.c.pathway_id))
    return {row.pathway_id: row.title for row in rows}


def state_of_all(publications: dict[str, str], pathways: dict[str, str]) -> str:
    return hashlib.sha256(repr((publications, pathways)).encode()).hexdigest()[:32]


def listed(connection: Connection, slugs: Collection[str]) -> list[Listed]:
    """These; of so many that asking for each would be no less than all, all are read."""
    few = len(slugs) <= AT_ONCE
    query = _ROWS.where(_PUBLICATION.c.slug.in_(slugs)) if few else _ROWS
    return [_listed(row) for row in connection.execute(query) if few or row.slug in slugs]


def every_listed(database: Database) -> Iterator[Listed]:
    """All by slug, so many at once that memory stays flat."""
    after = ""
    while True:
        with database.read() as connection:
            rows = connection.execute(_ROWS.where(_PUBLICATION.c.slug > after).limit(AT_ONCE)).all()
        if not rows:
            return
        yield from map(_listed, rows)
        after = rows[-1].slug


def _listed(row: Any) -> Listed:
    return Listed(
        slug=row.slug,
        case_id=row.case_id,
        version=row.version,
        digest=row.digest,
        page=row.page,
        published_at=row.published_at,
        status=RecordStatus(row.status),
        proposal=json.loads(row.body),
    )
