"""Frameworks by (id, version), pinned by digest."""

import datetime as dt
import difflib
from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from imprimatur.store.remembering import Memory
from models.framework import Framework, StageDef
from models.tables import CaseRow, FrameworkRow
from models.vocabulary import ABOUT_PUBLISHED, CredentialKind

_TABLE = FrameworkRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_VERSIONS = select(_TABLE.c.version, _TABLE.c.digest).where(_TABLE.c.id == bindparam("id"))
_parsed: Memory[Framework] = Memory(200)


class FrameworkEntry(BaseModel):
    id: str
    version: str
    digest: str
    name: str
    credential_kind: CredentialKind
    added_at: dt.datetime


def add_framework(database: Database, framework: Framework, at: dt.datetime) -> bool:
    """Stores a version; False when exactly this one is stored already.

    Raises Refused ``framework_version_exists`` when the version is taken by a different document.
    """
    row = {
        "id": framework.id,
        "version": framework.version,
        "digest": framework.digest,
        "name": framework.name,
        "credential_kind": str(framework.credential_kind),
        "body": framework.canonical,
        "added_at": at,
    }
    with database.write() as connection:
        if insert_once(connection, _TABLE, row):
            return True
        known = connection.execute(
            select(_TABLE.c.digest).where(_TABLE.c.id == framework.id, _TABLE.c.version == framework.version)
        ).scalar()
    if known != row["digest"]:
        raise Refused(
            "framework_version_exists",
            f"{framework.id} {framework.version} is stored already, with other content.",
            "Raise `version` in the document: a version in use never changes.",
        )
    return False


def list_frameworks(database: Database) -> list[FrameworkEntry]:
    """Every version, newest version of an id first."""
    columns = [_TABLE.c[name] for name in FrameworkEntry.model_fields]
    with database.read() as connection:
        found = [FrameworkEntry.model_validate(dict(row)) for row in connection.execute(select(*columns)).mappings()]
    found.sort(key=lambda entry: (version_key(entry.version), entry.added_at), reverse=True)
    return sorted(found, key=lambda entry: entry.id)


def newest_frameworks(database: Database) -> dict[str, Framework]:
    """The newest version of each, by id."""
    newest = {entry.id: entry for entry in reversed(list_frameworks(database))}
    with database.read() as connection:
        return {name: framework_by_digest(connection, newest[name].digest) for name in sorted(newest)}


def version_key(version: str) -> tuple[int, int, int]:
    """Versions compare by number: 1.10 is newer than 1.9."""
    parts = [int(part) for part in version.split(".")]
    return (*parts, 0, 0, 0)[:3]  # type: ignore[return-value]


def framework(database: Database, framework_id: str, version: str | None = None) -> Framework:
    """A version, the newest when none is named. Raises NotFound ``framework_unknown``."""
    with database.read() as connection:
        known = connection.execute(_VERSIONS, {"id": framework_id}).all()
        found = [row for row in known if version in (None, row.version)]
        if found:
            return framework_by_digest(connection, max(found, key=lambda row: version_key(row.version)).digest)
    raise NotFound(
        "framework_unknown",
        f"There is no framework {framework_id}{f' {version}' if version else ''}.",
        _near(framework_id, list_frameworks(database)),
    )


def _near(framework_id: str, entries: Sequence[FrameworkEntry]) -> str:
    if versions := [entry.version for entry in entries if entry.id == framework_id]:
        return f"Its versions are: {', '.join(versions)}."
    known = sorted({entry.id for entry in entries})
    near = difflib.get_close_matches(framework_id, known, 1)
    return f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known) or 'none'}."


def framework_for_kind(database: Database, kind: CredentialKind | None) -> Framework:
    """The framework for a kind of micro-credential, its newest version; of several, the one that came last.

    A new version of a framework never takes the place of another that came after its first one.
    Raises InputError ``framework_required`` when the kind is not stated or has no framework.
    """
    entries = list_frameworks(database)
    newest = {entry.id: entry for entry in reversed(entries)}
    fitting = [entry for entry in newest.values() if entry.credential_kind == kind]
    # Nothing is proposed under one that is for what is published already.
    others = sorted(entry.id for entry in newest.values() if entry.credential_kind not in ABOUT_PUBLISHED)
    if kind is None or not fitting:
        raise InputError(
            "framework_required",
            "The proposal does not say of which kind it is, so no framework could be chosen."
            if kind is None
            else f"There is no framework for the kind {kind}.",
            f"Name one with --framework: {', '.join(others) or 'none is stored'}.",
        )
    latest = max(fitting, key=lambda entry: min(e.added_at for e in entries if e.id == entry.id))
    with database.read() as connection:
        return framework_by_digest(connection, latest.digest)


def stage_in(connection: Connection, policy: Framework, stage_id: str) -> StageDef:
    """A stage of a framework; one that it no longer has, as the newest version that has it says.

    Raises NotFound ``framework_unknown`` when no version has it.
    """
    known = {stage.id: stage for stage in policy.stages}
    if stage_id in known:
        return known[stage_id]
    versions = connection.execute(_VERSIONS, {"id": policy.id}).all()
    for row in sorted(versions, key=lambda row: version_key(row.version), reverse=True):
        for stage in framework_by_digest(connection, row.digest).stages:
            if stage.id == stage_id:
                return stage
    raise NotFound("framework_unknown", f"No version of {policy.id} has a stage {stage_id}.")


def framework_by_digest(connection: Connection, digest: str) -> Framework:
    """Raises NotFound ``framework_unknown``."""
    found = _parsed.get(digest)
    if found is not None:
        return found
    body = connection.execute(select(_TABLE.c.body).where(_TABLE.c.digest == digest)).scalar()
    if body is None:
        raise NotFound("framework_unknown", f"There is no framework with the digest {digest[:12]}.")
    return _parsed.put(digest, Framework.model_validate(body))


def framework_of_case(connection: Connection, case_id: str) -> Framework:
    """The one that a case goes by now. Raises NotFound ``case_unknown``."""
    digest = connection.execute(select(_CASE.c.framework_digest).where(_CASE.c.case_id == case_id)).scalar()
    if digest is None:
        raise NotFound("case_unknown", f"There is no case {case_id}.", "See `starter.py list`.")
    return framework_by_digest(connection, digest)
