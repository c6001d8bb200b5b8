"""Drafts and saved views by programs: written, guarded against what was saved elsewhere, and handed in once."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from imprimatur.mail.links import Links
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.store import drafts
from imprimatur.store.api_keys import make_key
from imprimatur.store.attachments import kept_files
from imprimatur.store.engine import Database
from imprimatur.store.skills import skill_frameworks
from imprimatur.web.api.app import create_api
from imprimatur.web.house import House
from models.proposal import Attachment, Proposal
from models.vocabulary import KeyScope
from tests.api import ALL, UNTIRING, code_of, proposal
from tests.facts import BASE_URL, OFFICE, PROPOSER, START
from tests.pages import ELSEWHERE, HERE, PEOPLE, REVIEWER, populated
from tests.web import KEY, Played, Site

BYTES = {"Content-Type": "application/octet-stream"}
PDF = b"%PDF-1.7 a syllabus"


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


@pytest.fixture
def api(site: Site) -> FastAPI:
    database, links = site.play.database, Links([KEY], BASE_URL)
    house = House(database, links, Played(site.play), proposals=site.cases)
    return create_api(house, Keyring(database, Vault([KEY]), BASE_URL), UNTIRING)


@asynccontextmanager
async def program(
    api: FastAPI, person: str = PROPOSER, scopes: tuple[str, ...] = ALL
) -> AsyncIterator[httpx.AsyncClient]:
    key = make_key(api.state.database, "x", person, scopes, START)[1]
    transport, headers = httpx.ASGITransport(api), {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        yield client


async def begun(client: httpx.AsyncClient, **given: object) -> str:
    answer = await client.post("/drafts", json={"framework": "non-credit"} | given)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/drafts/{answer.json()['draft_id']}"
    return str(answer.json()["draft_id"])


async def test_a_draft_is_written_and_becomes_one_case(api: FastAPI) -> None:
    async with program(api) as client:
        draft = await begun(client)
        empty = (await client.get(f"/drafts/{draft}")).json()
        assert empty["proposal"]["credential_kind"] == "non_credit" and empty["lacking"] and empty["percent"] < 100
        said = await client.put(f"/drafts/{draft}", json=proposal("non-credit"))
        assert said.json()["lacking"] == [] and said.json()["percent"] == 100, said.text
        answers = [await client.post(f"/drafts/{draft}/submit", json={}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
        [case_id] = {answer.json()["case_id"] for answer in answers}
        assert answers[0].headers["location"] == f"/api/v1/cases/{case_id}"
        assert code_of(await client.get(f"/drafts/{draft}")) == (404, "draft_unknown")
        assert (await client.get(f"/cases/{case_id}")).json()["proposer"] == PROPOSER


async def test_what_was_saved_elsewhere_is_not_overwritten_unseen(api: FastAPI, site: Site) -> None:
    async with program(api) as client:
        draft = await begun(client, proposal=proposal("non-credit"))
        seen = (await client.get(f"/drafts/{draft}")).headers["etag"]
        found = drafts.draft(site.play.database, PROPOSER, draft)
        now = dt.datetime.now(dt.UTC)
        body = found.body | {"title": "Said on a page"}
        drafts.save(site.play.database, found, body, now, revision=found.revision, tab="", anyway=False)
        late = await client.put(f"/drafts/{draft}", json=proposal("non-credit"), headers={"If-Match": seen})
        assert code_of(late) == (412, "draft_changed")
        looked = await client.get(f"/drafts/{draft}")
        assert looked.json()["proposal"]["title"] == "Said on a page"
        fresh = await client.put(
            f"/drafts/{draft}", json=proposal("non-credit"), headers={"If-Match": looked.headers["etag"]}
        )
        assert fresh.status_code == 200 and fresh.headers["etag"] != looked.headers["etag"]


async def test_a_draft_begins_as_a_copy_or_with_one_thing_only(api: FastAPI) -> None:
    async with program(api) as client:
        copied = await client.post("/drafts", json={"copy_of": HERE})
        assert copied.json()["framework"] == "industry-credit" and copied.json()["title"] == "Prototyping"
        for wrong in ({}, {"copy_of": HERE, "revises": HERE}):
            assert code_of(await client.post("/drafts", json=wrong)) == (422, "request_invalid")
        assert code_of(await client.post("/drafts", json={"revises": HERE})) == (403, "revision_not_possible")
    async with program(api, REVIEWER) as another:
        assert code_of(await another.post("/drafts", json={"copy_of": ELSEWHERE})) == (404, "case_unseen")


async def test_files_of_a_draft_are_attached_read_and_forgotten(api: FastAPI, site: Site) -> None:
    async with program(api) as client:
        draft = await begun(client, proposal=proposal("non-credit"))
        path = f"/drafts/{draft}/files"
        octets = {"Content-Type": "application/octet-stream"}
        attached = await client.post(path, params={"name": "syllabus.pdf"}, content=PDF, headers=octets)
        assert attached.status_code == 201, attached.text
        digest = attached.json()["sha256"]
        await client.put(f"/drafts/{draft}", json=proposal("non-credit") | {"title": "Another"})
        assert (await client.get(f"{path}/{digest}")).content == PDF, "a PUT leaves the files"
        wrong = await client.post(path, params={"name": "run.exe"}, content=PDF, headers=octets)
        assert code_of(wrong) == (422, "attachment_type")
        large = await client.post(path, params={"name": "a.pdf"}, content=b"x" * (3 * 1024 * 1024), headers=octets)
        assert large.status_code == 201, "as large as on the pages"
        too_large = await client.post(path, params={"name": "b.pdf"}, content=b"x" * (11 * 1024 * 1024), headers=octets)
        assert code_of(too_large) == (413, "request_too_large")
        assert (await client.delete(f"{path}/{digest}")).status_code == 204
        assert code_of(await client.get(f"{path}/{digest}")) == (404, "attachment_unknown")
        assert (await client.delete(f"/drafts/{draft}")).status_code == 204
    file = Attachment(name="syllabus.pdf", sha256=digest, media_type="application/pdf")
    assert kept_files(site.play.database, Proposal(attachments=(file,)), PROPOSER) == frozenset()
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as stranger:
        refused = await stranger.post(path, params={"name": "a.pdf"}, content=b"x" * (3 * 1024 * 1024), headers=octets)
        assert code_of(refused) == (413, "request_too_large"), "who has no key is read no further than usual"


async def test_a_draft_is_its_owners_and_no_auditors(api: FastAPI) -> None:
    async with program(api) as client:
        draft = await begun(client)
    async with program(api, OFFICE) as office:
        asked = [
            await office.get(f"/drafts/{draft}"),
            await office.put(f"/drafts/{draft}", json={}),
            await office.delete(f"/drafts/{draft}"),
            await office.post(f"/drafts/{draft}/submit", json={}),
        ]
        assert {code_of(answer) for answer in asked} == {(404, "draft_unknown")}
        assert (await office.get("/drafts")).json()["items"] == []
    async with program(api, PEOPLE["auditor"]) as auditor:
        assert code_of(await auditor.get("/drafts")) == (403, "proposing_not_allowed")


# --- saved views, and the machine -------------------------------------------------------------------------------------


async def test_views_are_kept_and_shared_by_the_office_only(api: FastAPI) -> None:
    async with program(api, OFFICE) as client:
        saved = await client.post("/views", json={"name": "Late", "filters": {"need": "overdue"}, "shared": True})
        assert saved.status_code == 201, saved.text
        view = saved.json()["view_id"]
        assert (
            await client.post("/views", json={"name": "Late", "filters": {"need": "overdue"}})
        ).json() == saved.json()
        assert code_of(await client.post("/views", json={"name": "Late"})) == (409, "view_name_taken")
        changed = await client.put(f"/views/{view}", json={"name": "Very late", "shared": True})
        assert (changed.json()["name"], changed.json()["filters"]) == ("Very late", {"need": "overdue"})
    async with program(api, PEOPLE["admin"]) as admin:
        assert [item["name"] for item in (await admin.get("/views")).json()["items"]] == ["Very late"]
        assert code_of(await admin.delete(f"/views/{view}")) == (403, "not_your_view")
    async with program(api, OFFICE, (KeyScope.READ,)) as reader:
        shared = await reader.put(f"/views/{view}", json={"name": "Late", "shared": True})
        assert code_of(shared) == (403, "key_scope_missing")
        # Nor does it take away what others see.
        unshared = await reader.put(f"/views/{view}", json={"name": "Late", "shared": False})
        assert code_of(unshared) == (403, "key_scope_missing")
        assert code_of(await reader.delete(f"/views/{view}")) == (403, "key_scope_missing")
        own = (await reader.post("/views", json={"name": "My own", "filters": {"need": "nobody"}})).json()["view_id"]
        assert (await reader.delete(f"/views/{own}")).status_code == 204
    async with program(api, OFFICE) as client:
        assert (await client.delete(f"/views/{view}")).status_code == 204
    async with program(api) as proposer:
        assert code_of(await proposer.get(f"/views/{view}")) == (404, "view_unknown")


async def test_the_machine_tells_programs_what_it_tells_its_keepers(api: FastAPI) -> None:
    async with program(api, PEOPLE["admin"]) as client:
        health = (await client.get("/health")).json()
        assert health["ok"] is True and health["queues"]["events_late"] is None
        calendars = (await client.get("/calendars")).json()["items"]
        assert calendars and all(item["used_by"] and item["definition"] for item in calendars)
        assert (await client.get("/settings")).status_code == 200
        trial = (await client.get("/frameworks/industry-credit/trial", params={"case": HERE})).json()
        assert trial["stages"][0]["stage"] == "proposal" and trial["lacking"] == []


async def test_skills_are_imported_with_what_cannot_be_used(api: FastAPI, site: Site) -> None:
    text = "preferredLabel,conceptUri\nbuy again,https://skills.example.org/1\n,https://skills.example.org/2\n"
    async with program(api, OFFICE) as client:
        path, headers = "/skills/import", {"Content-Type": "text/csv"}
        taken = await client.post(path, params={"framework": " ESCO "}, content=text, headers=headers)
        assert taken.json() == {"imported": 1, "removed": 0, "rejected": [{"line": 3, "problem": "has no name"}]}
        unnamed = await client.post(path, params={"framework": " "}, content=text, headers=headers)
        assert code_of(unnamed) == (422, "framework_name_missing")
        found = (await client.get("/skills", params={"q": "again"})).json()["items"]
        assert [item["title"] for item in found] == ["buy again"]
    assert [name for name, *_ in skill_frameworks(site.play.database)] == ["ESCO"]


async def test_a_key_for_a_request_is_not_good_for_one_that_asks_for_something_else(api: FastAPI) -> None:
    async with program(api) as client:
        files, headers = f"/drafts/{await begun(client)}/files", {"Idempotency-Key": "files-1"} | BYTES
        first = await client.post(files, params={"name": "a.pdf"}, content=PDF, headers=headers)
        again = await client.post(files, params={"name": "a.pdf"}, content=PDF, headers=headers)
        assert again.json() == first.json() and again.headers["idempotency-replayed"] == "true"
        other = await client.post(files, params={"name": "b.pdf"}, content=PDF, headers=headers)
        assert code_of(other) == (422, "idempotency_key_reused")
