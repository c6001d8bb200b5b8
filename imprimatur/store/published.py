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
from models.tables import CaseRow, PublicationRow, VersionRow

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
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
