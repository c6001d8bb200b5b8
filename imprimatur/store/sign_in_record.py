"""The record of signing in and out, and the limits that are counted from it."""

import datetime as dt

from sqlalchemy import Connection, func, select

from imprimatur.errors import Refused
from models.tables import SignInRecordRow
from models.vocabulary import SignInEvent

_RECORD = SignInRecordRow.__table__  # type: ignore[attr-defined]
WINDOW = dt.timedelta(minutes=15)
LINKS_FOR_AN_ADDRESS = 5
# Behind a proxy that hides who asks, a whole institution is one client.
TRIES_OF_A_CLIENT = 60
_TRIES = [str(event) for event in (SignInEvent.LINK_ASKED, SignInEvent.LINK_WITHHELD, SignInEvent.SIGN_IN_FAILED)]


class TooManyTries(Refused):
    http_status = 429


def note(
    connection: Connection, event: SignInEvent, *, at: dt.datetime, email: str = "", client: str = "", detail: str = ""
) -> None:
    row = {"at": at, "event": str(event), "email": email, "client": client, "detail": detail}
    connection.execute(_RECORD.insert(), row)


def check_client(connection: Connection, client: str, now: dt.datetime) -> None:
    """Raises Refused ``too_many_tries`` when a client has asked for links or failed too often of late."""
    query = select(func.count()).where(
        _RECORD.c.client == client, _RECORD.c.at > now - WINDOW, _RECORD.c.event.in_(_TRIES)
    )
    if (connection.execute(query).scalar() or 0) >= TRIES_OF_A_CLIENT:
        raise TooManyTries(
            "too_many_tries",
            "There were too many tries to sign in from here.",
            f"Wait {WINDOW.total_seconds() / 60:.0f} minutes, then try again.",
        )


def links_sent(connection: Connection, email: str, now: dt.datetime) -> int:
    """How many links an address got of late."""
    query = select(func.count()).where(
        _RECORD.c.email == email, _RECORD.c.at > now - WINDOW, _RECORD.c.event == str(SignInEvent.LINK_ASKED)
    )
    return connection.execute(query).scalar() or 0
