"""Badges in public: their pages, pictures and lists, and the page where anybody verifies one."""

import datetime as dt
import re
from pathlib import Path

import pytest

from imprimatur.publication.awarding import Award, Awarder
from imprimatur.publication.badges import Learner
from imprimatur.publication.baking import unbaked
from imprimatur.publication.signing import read_token
from imprimatur.store.badges import badge
from imprimatur.store.engine import Database
from tests.facts import Play, everything
from tests.test_badges import published
from tests.web import Site

NAMED = Learner("ana.learner@example.org", "Ana <b> Learner")
NAMELESS = Learner("bo@example.org")


class Public:
    """The pages around two badges: one with a name in it, one without."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.awarder: Awarder = published(database, folder)
        self.named, self.nameless = self.awarder.award([NAMED, NAMELESS], dt.datetime.now(dt.UTC))
        self.site = Site(Play(database, folder))

    def token(self, award: Award) -> str:
        return badge(self.database, award.badge_id).token


@pytest.fixture
def public(sqlite_database: Database, tmp_path: Path) -> Public:
    return Public(sqlite_database, tmp_path)


async def test_a_badge_has_a_page_that_names_whom_it_names(public: Public) -> None:
    async with public.site.visitor() as visitor:
        named = await visitor.get(f"/badges/{public.named.badge_id}")
        nameless = await visitor.get(f"/badges/{public.nameless.badge_id}")
        catalogue = await visitor.get("/catalogue")
        credential = await visitor.get(f"/catalogue/{public.awarder.record.slug}")
    assert "Valid: it is ours" in named.text and "Ana &lt;b&gt; Learner" in named.text
    assert "Learner</dt>" not in nameless.text
    assert named.headers["x-robots-tag"] == "noindex"
    for page in (named, nameless, catalogue, credential):
        assert "example.org" not in page.text
    assert "Ana &lt;b&gt;" not in catalogue.text + credential.text


async def test_a_badge_is_had_in_every_form(public: Public) -> None:
    address, token = f"/badges/{public.named.badge_id}", public.token(public.named)
    async with public.site.visitor() as visitor:
        picture, drawing = await visitor.get(f"{address}.png"), await visitor.get(f"{address}.svg")
        compact, content = await visitor.get(f"{address}.jwt"), await visitor.get(f"{address}.json")
        asked = await visitor.get(address, headers={"Accept": "application/jwt"})
        machine = await visitor.get(address, headers={"Accept": "application/json"})
        again = await visitor.get(f"{address}.png", headers={"If-None-Match": picture.headers["etag"]})
    assert (picture.headers["content-type"], drawing.headers["content-type"]) == ("image/png", "image/svg+xml")
    assert unbaked(picture.content) == unbaked(drawing.content) == compact.text == asked.text == token
    assert content.json() == machine.json() == read_token(token).payload
    assert again.status_code == 304


async def test_the_addresses_in_a_badge_lead_somewhere(public: Public) -> None:
    content = read_token(public.token(public.named))
    status = content.payload["credentialStatus"]["statusListCredential"]
    image = content.payload["credentialSubject"]["achievement"]["image"]["id"]
    async with public.site.visitor() as visitor:
        answers = [
            await visitor.get(address)
            for address in (content.payload["id"], status, image, content.header["kid"], image.replace("png", "svg"))
        ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert read_token(answers[1].text).payload["id"] == status
    assert answers[3].json()["x"] == content.header["jwk"]["x"]


@pytest.mark.parametrize("path", ["/badges/ob-unknown", "/badges/ob-unknown.png", "/verify?id=ob-unknown"])
async def test_an_unknown_badge_is_told(public: Public, path: str) -> None:
    async with public.site.visitor() as visitor:
        shown = await visitor.get(path)
        machine = await visitor.get(path, headers={"Accept": "application/json"})
    assert (shown.status_code, machine.status_code) == (404, 404)
    assert machine.json()["error"]["code"] == "badge_unknown"


async def test_anybody_verifies_a_badge_in_any_form(public: Public) -> None:
    token = public.token(public.named)
    json = {"Accept": "application/json"}
    async with public.site.visitor() as visitor:
        picture = (await visitor.get(f"/badges/{public.named.badge_id}.png")).content
        answers = [
            await visitor.post("/verify", files={"file": ("badge.png", picture, "image/png")}, headers=json),
            await visitor.post("/verify", data={"badge": f" {token}\n"}, headers=json),
            await visitor.post("/verify", data={"id": public.named.url}, headers=json),
            await visitor.get("/verify", params={"id": public.named.badge_id}, headers=json),
        ]
        page = await visitor.post("/verify", data={"badge": token, "email": "ana.learner@example.org"})
        wrong = await visitor.post("/verify", data={"badge": token, "email": "bo@example.org"})
    assert [answer.json()["status"] for answer in answers] == ["valid"] * 4
    assert "It is the badge of this address." in page.text and "Ana &lt;b&gt; Learner" in page.text
    assert "It is not the badge of this address." in wrong.text


async def test_a_revoked_badge_is_told_without_the_reason(public: Public) -> None:
    public.awarder.revoke(public.named.badge_id, "Copied from a friend.", dt.datetime.now(dt.UTC))
    async with public.site.visitor() as visitor:
        page = await visitor.get(f"/badges/{public.named.badge_id}")
        answer = await visitor.get(
            "/verify", params={"id": public.named.badge_id}, headers={"Accept": "application/json"}
        )
    assert "Revoked: it is ours" in page.text
    assert (answer.json()["status"], "Copied" in page.text + answer.text) == ("revoked", False)


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"badge": "nonsense"}, 422, "token_unreadable"),
        ({"badge": "", "id": ""}, 404, "badge_unknown"),
        ({"badge": "x" * 5_000_000}, 413, "form_too_large"),
    ],
)
async def test_what_cannot_be_verified_is_told(public: Public, form: dict[str, str], status: int, code: str) -> None:
    async with public.site.visitor() as visitor:
        answer = await visitor.post("/verify", data=form, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("application/x-www-form-urlencoded", b"badge=\xff"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(50))),
    ],
)
async def test_a_broken_form_is_told(public: Public, kind: str, body: bytes) -> None:
    headers = {"Accept": "application/json", "Content-Type": kind}
    async with public.site.visitor() as visitor:
        answer = await visitor.post("/verify", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) in [(422, "form_unreadable"), (404, "badge_unknown")]


async def test_verifying_changes_nothing(public: Public) -> None:
    before = everything(public.database)
    async with public.site.visitor() as visitor:
        await visitor.post("/verify", data={"badge": public.token(public.named), "email": "ana.learner@example.org"})
        await visitor.get("/verify", params={"id": public.named.badge_id})
        await visitor.get(f"/badges/{public.named.badge_id}.png")
    assert everything(public.database) == before


async def test_the_page_labels_every_field(public: Public) -> None:
    async with public.site.visitor() as visitor:
        page = (await visitor.get("/verify")).text
    fields = re.findall(r"<(?:input|textarea)[^>]* id=\"(\w+)\"", page)
    assert sorted(fields) == sorted(re.findall(r"<label for=\"(\w+)\"", page)) == ["badge", "email", "file", "id"]
