"""Asks for links to sign in, reads them in the mails, and looks into what is recorded; for tests."""

import datetime as dt
import re
from typing import Any

import httpx
from sqlalchemy import select

from imprimatur.mail.context import Readable, Unready, load
from imprimatur.mail.message import Message, Sender
from imprimatur.mail.rendering import render
from imprimatur.store import outbox
from models.tables import SessionRow, SignInLinkRow, SignInRecordRow
from models.vocabulary import MailKind
from tests.facts import BASE_URL, OFFICE
from tests.web import Site

LINKS = SignInLinkRow.__table__  # type: ignore[attr-defined]
SESSIONS = SessionRow.__table__  # type: ignore[attr-defined]
RECORDS = SignInRecordRow.__table__  # type: ignore[attr-defined]
COOKIE = "__Host-imprimatur"


def rows(site: Site, table: Any) -> list[dict[str, Any]]:
    with site.play.database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def events(site: Site) -> list[tuple[str, str, str]]:
    return [(row["event"], row["email"], row["detail"]) for row in rows(site, RECORDS)]


def age_everything(site: Site, by: dt.timedelta) -> None:
    """As if that much time had passed since."""
    with site.play.database.write() as connection:
        for table, names in (
            (LINKS, ("asked_at", "expires_at")),
            (SESSIONS, ("began_at", "expires_at")),
            (RECORDS, ("at",)),
        ):
            [key] = table.primary_key.columns
            for row in connection.execute(select(table)).mappings().all():
                connection.execute(table.update().where(key == row[key.name]).values({n: row[n] - by for n in names}))


def contexts(site: Site, now: dt.datetime) -> list[Readable | Unready]:
    claimed = outbox.claim(site.play.database, 100, now)
    return load(site.play.database, [mail for mail in claimed if mail.kind is MailKind.SIGN_IN], now=now)


def mails(site: Site) -> list[Message]:
    """What the mailer would hand over."""
    now = dt.datetime.now(dt.UTC)
    sender = Sender("Credentials <credentials@example.edu>", "example.edu")
    return [
        render(context, site.links, sender, now) for context in contexts(site, now) if not isinstance(context, Unready)
    ]


def link_in(message: Message) -> str:
    text = message.content.decode().replace("=\r\n", "")
    found: str = re.findall(rf"{BASE_URL}(/sign-in/\S+)", text)[0]
    return found


async def asked(site: Site, visitor: httpx.AsyncClient, email: str = OFFICE, next_page: str = "/tasks") -> str:
    """A link, asked for and read in the mail."""
    answer = await visitor.post("/sign-in", data={"email": email, "next": next_page})
    assert answer.status_code == 200
    return link_in(mails(site)[-1])
