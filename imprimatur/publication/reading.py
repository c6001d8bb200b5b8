"""The record of what is published, made anew from what is kept."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from imprimatur.publication.endorsements import OPEN_BADGES_CONTEXT
from imprimatur.publication.page import CataloguePage
from imprimatur.publication.record import PublishedCredential, Standing, Version, credential_record, towards
from imprimatur.publication.records import standard_record
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.published import Other, Sources, sources


def published_record(database: Database, name: str) -> PublishedCredential:
    """Of a slug or a case; under the address it was published at. Raises NotFound ``publication_unknown``."""
    return record_of(sources(database, name))


def record_of(found: Sources) -> PublishedCredential:
    base_url = str(found.achievement["id"]).removesuffix(f"/catalogue/{found.slug}")
    page = CataloguePage.model_validate(found.page)
    standing = Standing(
        pathways=towards(found.proposal, found.pathways),
        status=found.status,
        status_at=found.status_at,
        status_reason=found.status_reason,
        replaces=_version(found.replaces),
        replaced_by=_version(found.replaced_by),
    )
    return credential_record(
        found.proposal, found.framework, page, slug=found.slug, base_url=base_url, standing=standing
    )


def _version(other: Other | None) -> Version | None:
    return Version(**asdict(other)) if other is not None else None


def served_record(database: Database, name: str, form: str) -> dict[str, Any]:
    """A record as it is served: the Achievement is the very one that the ledger binds, with what endorses it.

    Raises NotFound ``publication_unknown``, InputError ``format_unknown``.
    """
    if form != "openbadges":
        return standard_record(published_record(database, name), form)
    found = sources(database, name)
    return achievement_of(found, [item.token for item in endorsements_of(database, found.slug)])


def achievement_of(found: Sources, tokens: Sequence[str]) -> dict[str, Any]:
    endorsed: dict[str, Any] = {"endorsementJwt": list(tokens)} if tokens else {}
    if found.replaced_by is not None:
        later = {"id": _address(found, found.replaced_by.slug), "type": ["Related"]}
        endorsed["related"] = [*found.achievement.get("related", []), later]
    return {"@context": OPEN_BADGES_CONTEXT} | found.achievement | endorsed


def _address(found: Sources, slug: str) -> str:
    return f"{str(found.achievement['id']).removesuffix(found.slug)}{slug}"
