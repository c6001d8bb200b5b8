"""The pages of administration around played cases: forms as a browser sends them."""

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx
from sqlalchemy import select

from imprimatur.store.bounced import open_bounce, undelivered
from imprimatur.store.engine import Database
from imprimatur.store.incidents import list_incidents
from imprimatur.store.people import PersonEntry, list_people
from models.tables import OutboxRow
from models.vocabulary import MailStatus
from tests.facts import START
from tests.pages import HERE, PEOPLE, REVIEWER
from tests.web import Site, form_token


def once(page: str) -> str:
    """The one-time value of a page's forms."""
    return html.unescape(re.findall(r'name="once" value="([^"]+)"', page)[0])


def words(page: str) -> str:
    """What a page's main part says."""
    main = page.partition('<main id="content">')[2]
    with suppress(ValueError):
        main = main[: main.index("</main>")]
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", main).split()))


@dataclass
class Desk:
    """Somebody who is signed in and sends forms of pages."""

    visitor: httpx.AsyncClient

    async def page(self, path: str) -> str:
        answer = await self.visitor.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(
        self, page: str, path: str, fields: Mapping[str, str], file: tuple[str, str] | None = None
    ) -> httpx.Response:
        """Sends a form of ``page``, which is its text."""
        data = {"form_token": form_token(page), "once": once(page), **fields}
        files = {"file": file} if file else None
        return await self.visitor.post(path, data=data, files=files)


async def at_desk(site: Site, person: str) -> Desk:
    visitor = httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url=site.links.base_url)
    visitor.cookies.update(site.session(person))
    return Desk(visitor)


ADMIN = PEOPLE["admin"]
MAIL = OutboxRow.__table__  # type: ignore[attr-defined]


def bounced(site: Site) -> str:
    """The mail of an open task did not arrive; the id of the incident."""
    database = site.play.database
    with database.write() as connection:
        row = connection.execute(
            select(MAIL).where(MAIL.c.case_id == HERE, MAIL.c.kind == "task", MAIL.c.recipient == REVIEWER)
        )
        mail = dict(row.mappings().one())
        values = {"status": str(MailStatus.BOUNCED), "last_reply": "550 no such user"}
        connection.execute(MAIL.update().where(MAIL.c.mail_id == mail["mail_id"]).values(values))
        open_bounce(connection, undelivered(mail), "550 no such user", START)
    [found] = list_incidents(database, case_id=HERE)
    return found.incident_id


def person(database: Database, email: str) -> PersonEntry:
    return next(one for one in list_people(database) if one.email == email)
