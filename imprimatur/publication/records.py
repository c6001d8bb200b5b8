"""All records of a published micro-credential, by the names of their formats."""

from collections.abc import Callable
from typing import Any

from imprimatur.errors import InputError
from imprimatur.publication.ctdl import build_ctdl
from imprimatur.publication.elm import build_elm
from imprimatur.publication.endorsements import OPEN_BADGES_CONTEXT, endorsement
from imprimatur.publication.openbadges import build_achievement, profile
from imprimatur.publication.record import PublishedCredential
from imprimatur.publication.schema_org import build_schema_org


def _open_badges(record: PublishedCredential) -> dict[str, Any]:
    return {"@context": OPEN_BADGES_CONTEXT} | build_achievement(record)


def _issuer(record: PublishedCredential) -> dict[str, Any]:
    return {"@context": OPEN_BADGES_CONTEXT} | profile(record)


FORMATS: dict[str, Callable[[PublishedCredential], dict[str, Any]]] = {
    "openbadges": _open_badges,
    "ctdl": build_ctdl,
    "elm": build_elm,
    "schema-org": build_schema_org,
    "issuer": _issuer,
}


def standard_record(record: PublishedCredential, name: str) -> dict[str, Any]:
    """Raises InputError ``format_unknown``."""
    if name not in FORMATS:
        raise InputError("format_unknown", f"There is no format {name!r}.", f"Choose one of: {', '.join(FORMATS)}.")
    return FORMATS[name](record)


def check_records(record: PublishedCredential) -> None:
    """Whether every record could be published. Raises ``record_invalid`` for the first that could not."""
    for build in FORMATS.values():
        build(record)
    for sign_off in record.sign_offs:
        endorsement(record, sign_off)
