"""Records, badges, committees and incidents, as programs use them."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from models.tables import IncidentRow
from tests.api import Program, code_of, idle_api
from tests.engine import Engine
from tests.facts import BASE_URL, OFFICE, START, furnish, whole_story
from tests.meetings import BOARD
from tests.test_badges import keyring_of
from tests.test_committees import before_the_board
from tests.web import KEY

ROSA = "rosa.reviewer@example.edu"
ELSEWHERE = "uma.office@example.edu"
WHY = {"reason": "The board said so."}


def asking(database: Database, email: str, *scopes: str) -> httpx.AsyncClient:
    key = make_key(database, "x", email, scopes or ("read", "office", "review"), START)[1]
    transport = httpx.ASGITransport(idle_api(database))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers={"Authorization": f"Bearer {key}"})


def add_office_elsewhere(database: Database, folder: Path) -> None:
    file = folder / "elsewhere.csv"
    file.write_text(f"email,name,roles,units\n{ELSEWHERE},Uma,governance_office,School of Law\n", encoding="utf-8")
    import_people(database, file)


@pytest.fixture
async def office(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Beside one published micro-credential."""
    furnish(sqlite_database)
    whole_story(sqlite_database, tmp_path)
    add_office_elsewhere(sqlite_database, tmp_path)
    async with asking(sqlite_database, OFFICE) as client:
        yield client


async def test_what_is_published_is_read_in_every_standard_s_words(office: httpx.AsyncClient) -> None:
    [entry] = (await office.get("/catalogue")).json()["items"]
    found = (await office.get(f"/catalogue/{entry['slug']}")).json()
    assert found == entry | {"endorsements": []}
    for form in ("openbadges", "ctdl", "elm", "schema-org", "issuer"):
        assert (await office.get(f"/catalogue/{entry['slug']}/records/{form}")).json()["@context"], form
    assert code_of(await office.get(f"/catalogue/{entry['slug']}/records/marc")) == (422, "request_invalid")
    assert code_of(await office.get("/catalogue/none")) == (404, "publication_unknown")
    forged = await office.post(f"/catalogue/{entry['slug']}/endorsements", json={"token": "a.b.c", "jwk": {}})
    assert forged.status_code == 422, forged.text


async def test_badges_are_awarded_once_read_and_revoked(office: httpx.AsyncClient, sqlite_database: Database) -> None:
    slug = (await office.get("/catalogue")).json()["items"][0]["slug"]
    path, given = f"/catalogue/{slug}/badges", {"learners": [{"email": "lee@example.edu"}, {"email": "nobody"}]}
    assert code_of(await office.post(path, json=given)) == (409, "key_missing")
    keyring_of(sqlite_database, KEY).generate()
    first = (await office.post(path, json=given)).json()
    assert [line["result"] for line in first["lines"]] == ["awarded", "rejected"] and first["awarded"] == 1
    again = (await office.post(path, json=given)).json()
    assert [line["result"] for line in again["lines"]] == ["present", "rejected"]
    badge = f"/badges/{first['lines'][0]['badge_id']}"
    assert (await office.get(badge)).json()["token"].count(".") == 2
    async with asking(sqlite_database, ELSEWHERE) as other:
        assert code_of(await other.get(badge)) == (404, "badge_unknown")
        assert code_of(await other.post(f"{badge}/revoke", json=WHY)) == (404, "badge_unknown")
        assert code_of(await other.post(path, json=given)) == (404, "case_unseen")
    async with asking(sqlite_database, ROSA) as reviewer:
        assert code_of(await reviewer.post(path, json=given))[0] in (403, 404)
    revoked = (await office.post(f"{badge}/revoke", json=WHY)).json()
    assert revoked["revoked_at"] and revoked["reason"] == WHY["reason"]
    assert (await office.post(f"{badge}/revoke", json=WHY)).json() == revoked


async def test_an_agenda_shows_what_one_oversees(sqlite_database: Database, tmp_path: Path) -> None:
    play = before_the_board(sqlite_database, tmp_path)
    add_office_elsewhere(sqlite_database, tmp_path)
    on = {"on": "2026-03-11"}
    async with asking(sqlite_database, OFFICE) as client, asking(sqlite_database, ELSEWHERE) as other:
        assert BOARD in [body["committee"] for body in (await client.get("/committees")).json()["items"]]
        found = (await client.get(f"/committees/{BOARD}/agenda", params=on)).json()
        assert [item["case_id"] for item in found["items"]] == [play.case_id]
        assert (await other.get(f"/committees/{BOARD}/agenda", params=on)).json()["items"] == []
        assert code_of(await client.get("/committees/none/agenda")) == (404, "committee_not_found")
        wrong = await client.get(f"/committees/{BOARD}/agenda", params={"on": "2026-03-12"})
        assert code_of(wrong) == (422, "sitting_unknown")
        record: dict[str, Any] = {"committee": BOARD, "held_on": "2026-03-11", "present": ["Dora"]}
        record["items"] = [{"case": play.case_id, "verdict": "approve"}]
        said = {"record": record, "preview": True}
        [line] = (await client.post("/committees/sittings", json=said)).json()["items"]
        assert (line["case_id"], line["code"]) == (play.case_id, "not_your_task")
        assert code_of(await other.post("/committees/sittings", json=said)) == (404, "case_unseen")


async def test_an_incident_is_rerouted_and_closed_by_the_office(live: Engine) -> None:
    program = Program(live)
    case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id)
    opened = {"case_id": case_id, "kind": "mail_bounced", "detail": "gone", "opened_at": dt.datetime.now(dt.UTC)}
    with live.database.write() as connection:
        for name, of_task in (("i-one", task.task_id), ("i-two", None)):
            row = opened | {"incident_id": name, "task_id": of_task}
            connection.execute(IncidentRow.__table__.insert().values(**row))  # type: ignore[attr-defined]
    async with program.of(OFFICE) as client:
        assert {item["incident_id"] for item in (await client.get("/incidents")).json()["items"]} == {"i-one", "i-two"}
        to = WHY | {"to": ROSA}
        assert (await client.post("/incidents/i-one/reroute", json=to)).json()["case_id"] == case_id
        assert [found.assignee for found in live.tasks(case_id)] == [ROSA]
        assert code_of(await client.post("/incidents/i-two/reroute", json=to)) == (409, "incident_without_task")
        assert code_of(await client.post("/incidents/i-two/resend")) == (409, "incident_without_mail")
        assert (await client.post("/incidents/i-two/resolve", json=WHY)).json()["resolved_by"] == OFFICE
        assert code_of(await client.post("/incidents/i-two/resolve", json=WHY)) == (410, "incident_resolved")
        assert (await client.get("/incidents/i-two")).json()["resolution"] == WHY["reason"]
        assert code_of(await client.get("/incidents/i-none")) == (404, "incident_unknown")
    live.assert_whole(case_id)
