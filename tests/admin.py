"""The pages of administration around played cases: forms as a browser sends them."""

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx

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
