"""What a publication was made of: its row, the proposal's version and the framework."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from imprimatur.errors import NotFound
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.pathways import pathway_titles
from models.framework import Framework
from models.proposal import Proposal
from models.tables import CaseRow, PathwayRow, PublicationRow, StackingRow, VersionRow
from models.vocabulary import RecordStatus

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_PATHWAY = PathwayRow.__table__  # type: ignore[attr-defined]
_STACKING = StackingRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_LISTED = [str(status) for status in RecordStatus if status.is_listed]
_SOURCES = (
    select(
        _PUBLICATION.c.slug,
        _PUBLICATION.c.achievement,
        _PUBLICATION.c.page,
        _PUBLICATION.c.status,
        _PUBLICATION.c.status_at,
        _PUBLICATION.c.status_reason,
        _PUBLICATION.c.replaces,
        _PUBLICATION.c.replaced_by,
        _VERSION.c.digest.label("proposal"),
        _CASE.c.framework_digest.label("framework"),
    )
    .join(
        _VERSION,
        (_VERSION.c.case_id == _PUBLICATION.c.case_id) & (_VERSION.c.version == _PUBLICATION.c.version),
    )
    .join(_CASE, _CASE.c.case_id == _PUBLICATION.c.case_id)
)


@dataclass(frozen=True)
class Other:
    """Another published version of the same."""

    slug: str
    case_id: str
    version: int


@dataclass(frozen=True)
class Sources:
    slug: str
    achievement: dict[str, Any]
    page: dict[str, Any]
    proposal: Proposal
    framework: Framework
    status: RecordStatus
    status_at: dt.datetime | None
    status_reason: str
    replaces: Other | None
    replaced_by: Other | None
    pathways: dict[str, str]


def sources(database: Database, name: str) -> Sources:
    """Of a slug or a case. Raises NotFound ``publication_unknown``."""
    with database.read() as connection:
        named = (_PUBLICATION.c.slug == name) | (_PUBLICATION.c.case_id == name)
        row = connection.execute(_SOURCES.where(named)).mappings().first()
        if row is None:
            raise NotFound("publication_unknown", "There is no such micro-credential.", "Look for it in the catalogue.")
        proposal = proposal_by_digest(connection, row["proposal"])
        others = other_versions(connection, row["replaces"], row["replaced_by"])
        return Sources(
            row["slug"],
            row["achievement"],
            row["page"],
            proposal,
            framework_by_digest(connection, row["framework"]),
            RecordStatus(row["status"]),
            row["status_at"],
            row["status_reason"] or "",
            others.get(row["replaces"]),
            others.get(row["replaced_by"]),
            pathway_titles(connection, proposal),
        )


def other_versions(connection: Connection, *slugs: str | None) -> dict[str | None, Other]:
    """By slug; of those that are published."""
    named = [slug for slug in slugs if slug is not None]
    if not named:
        return {}
    columns = (_PUBLICATION.c.slug, _PUBLICATION.c.case_id, _PUBLICATION.c.version)
    query = select(*columns).where(_PUBLICATION.c.slug.in_(named))
    return {row.slug: Other(*row) for row in connection.execute(query)}


@dataclass(frozen=True)
class Neighbours:
    """What a publication stacks with, as far as it is public: titles by the id of a pathway, by the slug of others."""

    pathways: dict[str, str]
    builds_on: dict[str, str]
    leads_to: dict[str, str]


def neighbours(database: Database, found: Sources) -> Neighbours:
    stacking = found.proposal.stackability
    claims = [claim.pathway for claim in stacking.claims] if stacking else []
    before = stacking.builds_on if stacking else ()
    columns = (_PUBLICATION.c.slug, _PUBLICATION.c.title)
    published = select(*columns).where(_PUBLICATION.c.status.in_(_LISTED)).order_by(*reversed(columns))
    after = published.join(
        _STACKING,
        (_STACKING.c.case_id == _PUBLICATION.c.case_id) & (_STACKING.c.version == _PUBLICATION.c.version),
    ).where(_STACKING.c.kind == "case", _STACKING.c.target == found.page["case_id"])
    titles = select(_PATHWAY.c.pathway_id, _PATHWAY.c.title).where(_PATHWAY.c.pathway_id.in_(claims))
    with database.read() as connection:
        return Neighbours(
            {row.pathway_id: row.title for row in connection.execute(titles)},
            {row.slug: row.title for row in connection.execute(published.where(_PUBLICATION.c.case_id.in_(before)))},
            {row.slug: row.title for row in connection.execute(after)},
        )
