"""Keys of programs: made in a person's name, shown once, and no good when their person is not active."""

import datetime as dt
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import and_, or_, select

from imprimatur import ids
from imprimatur.access.viewer import Viewer, viewer_of
from imprimatur.errors import InputError, NotFound
from imprimatur.store.cursors import read_instant, write_instant
from imprimatur.store.engine import Database
from imprimatur.store.people import active_person
from imprimatur.store.sessions import HAS_TASKS, digest_of
from imprimatur.store.sign_in_record import note
from models.tables import ApiKeyRow, PersonRow
from models.vocabulary import KeyScope, SignInEvent, Strength

_KEY = ApiKeyRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_NO_SECRET = digest_of("")
_ORDER = (_KEY.c.made_at.desc(), _KEY.c.key_id)
PAGE_LENGTH = 25


class KeyEntry(BaseModel):
    key_id: str
    name: str
    email: str
    scopes: list[KeyScope]
    made_at: dt.datetime
    revoked_at: dt.datetime | None = None


@dataclass(frozen=True)
class KeyPage:
    """``cursor`` is where the next page begins; None on the last one."""

    keys: Sequence[KeyEntry]
    cursor: str | None


def make_key(
    database: Database, name: str, email: str, scopes: Sequence[str], now: dt.datetime
) -> tuple[KeyEntry, str]:
    """The key itself is answered here and kept nowhere.

    Raises InputError ``key_scope_unknown``, NotFound ``person_unknown`` or Refused ``person_inactive``.
    """
    unknown = [scope for scope in scopes if scope not in list(KeyScope)]
    if unknown or not scopes:
        raise InputError(
            "key_scope_unknown",
            f"There is no scope {unknown[0]!r}." if unknown else "A key needs a scope.",
            f"Choose some of: {', '.join(KeyScope)}.",
        )
    secret, key_id = secrets.token_urlsafe(32), ids.random_id("k-")
    with database.write() as connection:
        person = active_person(connection, email)
        entry = KeyEntry(
            key_id=key_id,
            name=name.strip(),
            email=person.email,
            scopes=[scope for scope in KeyScope if scope in scopes],
            made_at=now,
        )
        row = entry.model_dump() | {"scopes": list(map(str, entry.scopes)), "secret_digest": digest_of(secret)}
        connection.execute(_KEY.insert(), row)
        note(connection, SignInEvent.KEY_MADE, at=now, email=person.email, detail=key_id)
    return entry, f"{key_id}.{secret}"


def list_keys(database: Database) -> list[KeyEntry]:
    """Revoked ones too, the newest first."""
    with database.read() as connection:
        rows = connection.execute(select(_KEY).order_by(*_ORDER)).mappings()
        return [KeyEntry.model_validate(dict(row)) for row in rows]


def key_page(database: Database, cursor: str | None, length: int = PAGE_LENGTH, of: str | None = None) -> KeyPage:
    """Revoked ones too, the newest first; ``of`` one person alone. Raises InputError ``cursor_malformed``."""
    query = select(_KEY) if of is None else select(_KEY).where(_KEY.c.email == of)
    if cursor:
        made_at, key_id = read_instant(cursor)
        together = and_(_KEY.c.made_at == made_at, _KEY.c.key_id > key_id)
        query = query.where(or_(_KEY.c.made_at < made_at, together))
    with database.read() as connection:
        rows = connection.execute(query.order_by(*_ORDER).limit(length + 1)).mappings()
        found = [KeyEntry.model_validate(dict(row)) for row in rows]
    last = found[length - 1] if len(found) > length else None
    return KeyPage(found[:length], write_instant(last.made_at, last.key_id) if last else None)


def revoke_key(database: Database, key_id: str, now: dt.datetime, of: str | None = None) -> KeyEntry:
    """Revoking again changes nothing. Raises NotFound ``key_unknown``, also when it is none ``of`` that person."""
    chosen = _KEY.c.key_id == key_id if of is None else and_(_KEY.c.key_id == key_id, _KEY.c.email == of)
    with database.write() as connection:
        in_force = and_(chosen, _KEY.c.revoked_at.is_(None))
        revoked = connection.execute(_KEY.update().where(in_force).values(revoked_at=now)).rowcount
        row = connection.execute(select(_KEY).where(chosen)).mappings().first()
        if row is None:
            raise NotFound("key_unknown", f"There is no key {key_id}.", "Look for it among the keys.")
        if revoked:
            note(connection, SignInEvent.KEY_REVOKED, at=now, email=row["email"], detail=key_id)
        return KeyEntry.model_validate(dict(row))


def viewer_by_key(database: Database, key: str) -> Viewer | None:
    """In whose name a key acts, and what it may be used for; None for one that is no good. One query."""
    key_id, _, secret = key.partition(".")
    query = (
        select(_KEY, _PERSON.c.name.label("person_name"), _PERSON.c.roles, _PERSON.c.units, HAS_TASKS.label("asked"))
        .join(_PERSON, _PERSON.c.email == _KEY.c.email)
        .where(_KEY.c.key_id == key_id, _KEY.c.revoked_at.is_(None), _PERSON.c.active)
    )
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    expected = row["secret_digest"] if row else _NO_SECRET
    if not hmac.compare_digest(expected, digest_of(secret)) or row is None:
        return None
    return viewer_of(
        row["email"],
        row["person_name"],
        row["roles"],
        row["units"],
        has_tasks=bool(row["asked"]),
        strength=Strength.API_KEY,
        scopes=[KeyScope(scope) for scope in row["scopes"]],
    )
