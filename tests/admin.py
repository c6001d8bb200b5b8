"""The pages of administration around played cases: a gateway without Temporal, and forms as a browser sends them."""

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from imprimatur.errors import error_class
from imprimatur.gateway import Gateway
from imprimatur.rules.admission import refusal
from models.case import CaseState
from models.messages import CaseAnswer
from models.plan import Plan
from tests.facts import Play
from tests.web import Site, form_token


@dataclass
class PlayedCases:
    """Brings acts to cases that are played; ``trouble`` is raised instead."""

    plays: Mapping[str, Play]
    trouble: Exception | None = None
    acts: list[Any] = field(default_factory=list)

    async def act(self, case_id: str, event: Any, update_id: str | None = None) -> CaseAnswer:
        if self.trouble is not None:
            raise self.trouble
        play = self.plays[case_id]
        found = refusal(play.state, event, play.plan)
        if found is not None:
            raise error_class(found.kind)(found.code, found.message, found.hint)
        self.acts.append(event)
        play.act(event)
        return cast(CaseAnswer, None)

    async def state(self, case_id: str) -> CaseState:
        return self.plays[case_id].state

    async def plan(self, case_id: str) -> Plan:
        return self.plays[case_id].plan


def gateway_of(*plays: Play, trouble: Exception | None = None) -> Gateway:
    return cast(Gateway, PlayedCases({play.case_id: play for play in plays}, trouble))


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
