"""What a publication was made of: its row, the proposal's version and the framework."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from imprimatur.errors import NotFound
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from models.framework import Framework
from models.proposal import Proposal
from models.tables import CaseRow, PathwayRow, PublicationRow, StackingRow, VersionRow

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_PATHWAY = PathwayRow.__table__  # type: ignore[attr-defined]
_STACKING = StackingRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_SOURCES = (
    select(
        _PUBLICATION.c.slug,
        _PUBLICATION.c.achievement,
        _PUBLICATION.c.page,
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
class Sources:
    slug: str
    achievement: dict[str, Any]
    page: dict[str, Any]
    proposal: Proposal
    framework: Framework


def sources(database: Database, name: str) -> Sources:
    """Of a slug or a case. Raises NotFound ``publication_unknown``."""
    with database.read() as connection:
        named = (_PUBLICATION.c.slug == name) | (_PUBLICATION.c.case_id == name)
        row = connection.execute(_SOURCES.where(named)).mappings().first()
        if row is None:
            raise NotFound("publication_unknown", "There is no such micro-credential.", "Look for it in the catalogue.")
        return Sources(
            row["slug"],
            row["achievement"],
            row["page"],
            proposal_by_digest(connection, row["proposal"]),
            framework_by_digest(connection, row["framework"]),
        )


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
    published = select(_PUBLICATION.c.slug, _PUBLICATION.c.title).order_by(_PUBLICATION.c.title, _PUBLICATION.c.slug)
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
