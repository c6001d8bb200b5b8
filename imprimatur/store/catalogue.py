"""What the catalogue is made of: rows of publications with the proposal that each was made from."""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, cast, func, select

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
# What of a publication can change; whatever is added to its row belongs here as well. The reason of a status alone is
# left out: it is free text, and never written without the instant of the status.
_CHANGING = (
    _PUBLICATION.c.slug,
    _PUBLICATION.c.version,
    _PUBLICATION.c.digest,
    _PUBLICATION.c.published_at,
    _PUBLICATION.c.status,
    _PUBLICATION.c.status_at,
    _PUBLICATION.c.replaces,
    _PUBLICATION.c.replaced_by,
)
# ASCII's own separators: no address, digest or instant has them.
_BETWEEN_VALUES, _BETWEEN_ROWS = "\x1f", "\x1e"
# Nothing and a value that is missing joined are missing: it must not take its whole row along.
_VALUES: list[ColumnElement[str]] = [func.coalesce(cast(column, String), "") for column in _CHANGING]
_TOLD = (
    select(reduce(lambda told, value: told + _BETWEEN_VALUES + value, _VALUES).label("told"))
    .where(_PUBLICATION.c.status.in_(_PUBLIC))
    .order_by(_PUBLICATION.c.case_id)
    .subquery()
)
# One text, made by the database: to be handed thousands of rows takes several times as long.
_REVISION = select(func.coalesce(func.aggregate_strings(_TOLD.c.told, _BETWEEN_ROWS), ""))
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


def revision(connection: Connection) -> str:
    """A text that changes whenever anything does that is public, listed or not, whoever writes it."""
    return str(connection.execute(_REVISION).scalar_one())


def changes(before: str, after: str) -> tuple[set[str], set[str]]:
    """Between two revisions, by slug: what is new or not as it was, and what is not public any more."""
    old, new = _rows_of(before), _rows_of(after)
    changed, was = ({row.partition(_BETWEEN_VALUES)[0] for row in rows} for rows in (new - old, old - new))
    return changed, was - changed


def _rows_of(found: str) -> set[str]:
    return set(found.split(_BETWEEN_ROWS)) - {""}


def retracted_slugs(database: Database) -> list[str]:
    """Their addresses are public still: they say so."""
    query = select(_PUBLICATION.c.slug).where(_PUBLICATION.c.status == RecordStatus.RETRACTED)
    with database.read() as connection:
        return list(connection.execute(query.order_by(_PUBLICATION.c.slug)).scalars())


def pathway_titles(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(_PATHWAY.c.pathway_id, _PATHWAY.c.title).order_by(_PATHWAY.c.pathway_id))
    return {row.pathway_id: row.title for row in rows}


def state_of_all(publications: str, pathways: dict[str, str]) -> str:
    """Of a revision and the titles that stand beside it, something shorter."""
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
