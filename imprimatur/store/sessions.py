"""Sessions of the pages: begun, looked up, ended. What a browser holds is known here by its digest only."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, exists, select

from imprimatur import ids
from imprimatur.access.viewer import Viewer, viewer_of
from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from imprimatur.store.sign_in_record import note
from models.tables import ApiKeyRow, PersonRow, SessionRow, TaskRow
from models.vocabulary import SignInEvent, Strength

_SESSION = SessionRow.__table__  # type: ignore[attr-defined]
_KEY = ApiKeyRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
LASTS = dt.timedelta(hours=12)
# A browser that is left alone; the browser's cookie keeps the time, so that looking at a page writes nothing.
IDLE = dt.timedelta(hours=2)
HAS_TASKS: ColumnElement[bool] = exists().where(_TASK.c.assignee == _PERSON.c.email)
LONGEST_BROWSER_NAME = 200


@dataclass(frozen=True)
class Client:
    """Where a request comes from: a network address, and what the browser calls itself."""

    address: str = ""
    browser: str = ""


@dataclass(frozen=True)
class Signed:
    """A session in force."""

    viewer: Viewer
    session_id: str
    expires_at: dt.datetime


class SessionView(BaseModel):
    session_id: str
    strength: Strength
    client: str
    browser: str
    began_at: dt.datetime
    expires_at: dt.datetime


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def begin(connection: Connection, email: str, strength: Strength, client: Client, now: dt.datetime) -> str:
    """Begins a session and notes it; answers the secret that its browser is to hold."""
    secret = secrets.token_urlsafe(32)
    row = {
        "session_id": ids.random_id("s-"),
        "token_digest": digest_of(secret),
        "email": email,
        "strength": str(strength),
        "client": client.address,
        "browser": client.browser[:LONGEST_BROWSER_NAME],
        "began_at": now,
        "expires_at": now + LASTS,
    }
    connection.execute(_SESSION.insert(), row)
    note(connection, SignInEvent.SIGNED_IN, at=now, email=email, client=client.address, detail=str(strength))
    return secret


def signed_in_by(database: Database, secret: str, now: dt.datetime) -> Signed | None:
    """The session that a browser holds; None when it ended, or its person is no longer active. One query."""
    query = (
        select(_SESSION, _PERSON.c.name, _PERSON.c.roles, _PERSON.c.units, HAS_TASKS.label("has_tasks"))
        .join(_PERSON, _PERSON.c.email == _SESSION.c.email)
        .where(_SESSION.c.token_digest == digest_of(secret), _in_force(now), _PERSON.c.active)
    )
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    viewer = viewer_of(
        row["email"],
        row["name"],
        row["roles"],
        row["units"],
        has_tasks=bool(row["has_tasks"]),
        strength=Strength(row["strength"]),
    )
    return Signed(viewer, row["session_id"], row["expires_at"])


def _in_force(now: dt.datetime) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _SESSION.c.ended_at.is_(None) & (_SESSION.c.expires_at > now)
    return found


def sessions_of(database: Database, email: str, now: dt.datetime) -> list[SessionView]:
    """Those in force, the newest first."""
    query = select(_SESSION).where(_SESSION.c.email == email, _in_force(now)).order_by(_SESSION.c.began_at.desc())
    with database.read() as connection:
        return [SessionView.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def sign_out(database: Database, email: str, session_id: str, now: dt.datetime) -> None:
    """Ends one session of a person; one that has ended already stays as it is. Raises NotFound ``session_unknown``."""
    theirs = (_SESSION.c.session_id == session_id) & (_SESSION.c.email == email)
    with database.write() as connection:
        if connection.execute(select(_SESSION.c.session_id).where(theirs)).first() is None:
            raise NotFound("session_unknown", "You have no such session.", "See the list of your sessions.")
        ended = connection.execute(_SESSION.update().where(theirs, _SESSION.c.ended_at.is_(None)).values(ended_at=now))
        if ended.rowcount:
            note(connection, SignInEvent.SIGNED_OUT, at=now, email=email, detail=session_id)


def sign_out_everywhere(database: Database, email: str, now: dt.datetime, by: str) -> int:
    """Ends all sessions of a person; answers how many."""
    with database.write() as connection:
        return _end(connection, _SESSION.c.email == email, now, by)


def shut_out_inactive(connection: Connection, now: dt.datetime) -> None:
    """Whoever is no longer active has neither sessions nor keys, also when they are set active again."""
    inactive = select(_PERSON.c.email).where(_PERSON.c.active.is_(False))
    _end(connection, _SESSION.c.email.in_(inactive), now, "inactive")
    of_theirs = _KEY.c.email.in_(inactive) & _KEY.c.revoked_at.is_(None)
    keys = connection.execute(select(_KEY.c.key_id, _KEY.c.email).where(of_theirs)).all()
    for key_id, email in keys:
        note(connection, SignInEvent.KEY_REVOKED, at=now, email=email, detail=key_id)
    if keys:
        connection.execute(_KEY.update().where(of_theirs).values(revoked_at=now))


def _end(connection: Connection, whose: ColumnElement[bool], now: dt.datetime, by: str) -> int:
    theirs = list(connection.execute(select(_SESSION.c.email).where(whose, _in_force(now))).scalars())
    if theirs:
        connection.execute(_SESSION.update().where(whose, _in_force(now)).values(ended_at=now))
    for email in sorted(set(theirs)):
        note(connection, SignInEvent.SESSIONS_ENDED, at=now, email=email, detail=by)
    return len(theirs)
