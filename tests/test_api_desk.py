"""Beyond single cases: acts on many, imports, the directory, frameworks, figures, webhooks, as programs use them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from imprimatur.frameworks.loader import shipped, shipped_path
from imprimatur.imports import ImportRunner
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from models.vocabulary import EventType
from tests.api import Program, code_of, idle_api, proposal
from tests.engine import Engine
from tests.facts import BASE_URL, OFFICE, PROPOSER, SECOND, START, furnish

ROSA, SAM, ADMIN = "rosa.reviewer@example.edu", "sam.reviewer@example.edu", "eva.admin@example.edu"
WHY = {"reason": "The board said so."}


@pytest.fixture
def program(live: Engine) -> Program:
    return Program(live)


@pytest.fixture
async def office(sqlite_database: Database) -> Any:
    """A key of the office, where no case need run."""
    furnish(sqlite_database)
    key = make_key(sqlite_database, "x", OFFICE, ["read", "office"], START)[1]
    transport = httpx.ASGITransport(idle_api(sqlite_database))
    async with httpx.AsyncClient(
        transport=transport, base_url=BASE_URL, headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


async def ended(client: httpx.AsyncClient, bulk_id: str) -> dict[str, Any]:
    """Asked until every case has its result."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await client.get(f"/bulk-acts/{bulk_id}")).json()
            if found["ended_at"] is not None:
                return found
            await asyncio.sleep(0.05)


async def test_many_cases_are_acted_on_and_followed_to_their_results(program: Program) -> None:
    cases = [(await program.live.submit("industry-credit")).case_id for _ in range(3)]
    await program.live.gateway.withdraw(cases[1], actor=PROPOSER, reason="Not now.")
    said = WHY | {"act": "hold", "cases": cases}
    async with program.of(OFFICE) as client:
        preview = (await client.post("/bulk-acts", json=said | {"preview": True})).json()
        assert [case["result"] for case in preview["cases"]] == ["possible", "refused", "possible"]
        assert (await client.get("/bulk-acts")).json()["items"] == []
        answers = await asyncio.gather(*(client.post("/bulk-acts", json=said) for _ in range(2)))
        [bulk_id] = {answer.json()["bulk_id"] for answer in answers}
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].headers["location"] == f"/api/v1/bulk-acts/{bulk_id}"
        found = await ended(client, bulk_id)
        assert (found["chosen"], found["settled"], found["done"]) == (3, 3, 2)
        first = (await client.get(f"/bulk-acts/{bulk_id}/cases", params={"limit": 2})).json()
        rest = await client.get(f"/bulk-acts/{bulk_id}/cases", params={"cursor": first["next_cursor"]})
        lines = first["items"] + rest.json()["items"]
        assert [(line["case_id"], line["code"]) for line in lines] == [
            (cases[0], None), (cases[1], "case_closed"), (cases[2], None)
        ]  # fmt: skip
        assert code_of(await client.post("/bulk-acts", json=WHY | {"act": "hold"})) == (422, "bulk_choice")
        assert code_of(await client.post("/bulk-acts", json=said | {"act": "dance"})) == (422, "bulk_act_unknown")
        assert code_of(await client.get("/bulk-acts/b-none")) == (404, "bulk_unknown")
    for case_id in cases:
        assert program.live.types(case_id).count(EventType.CASE_HELD) == (case_id != cases[1])
        program.live.assert_whole(case_id)


async def test_an_office_of_units_acts_on_its_own_cases_of_many(program: Program, tmp_path: Path) -> None:
    mine = (await program.live.submit("industry-credit")).case_id
    other = (await program.live.submit("non-credit")).case_id
    unit = proposal("industry-credit")["unit"]
    assert unit != proposal("non-credit")["unit"]
    file = tmp_path / "units.csv"
    file.write_text(f"email,name,roles,units\numa.office@example.edu,Uma,governance_office,{unit}\n", encoding="utf-8")
    import_people(program.live.database, file)
    async with program.of("uma.office@example.edu") as client:
        begun = (await client.post("/bulk-acts", json=WHY | {"act": "hold", "all": True})).json()
        assert begun["chosen"] == 1
        await ended(client, begun["bulk_id"])
        named = await client.post("/bulk-acts", json=WHY | {"act": "resume", "cases": [mine, other]})
        assert code_of(named) == (404, "case_unseen")
        none = (await client.post("/bulk-acts", json=WHY | {"act": "hold", "status": "published"})).json()
        assert (none["chosen"], none["bulk_id"]) == (0, None)
    async with program.of(SECOND) as client:
        assert len((await client.get("/bulk-acts")).json()["items"]) == 1
    assert [program.live.show(case).status for case in (mine, other)] == ["on_hold", "in_review"]


async def test_proposals_are_imported_line_by_line_and_once(program: Program) -> None:
    good = json.dumps(proposal("non-credit") | {"id": "r-1"})
    text = f'{good}\n{{"title": 7}}\n{good}\nnot json\n'
    headers, runner = {"Content-Type": "application/jsonl"}, ImportRunner(program.live.gateway, program.live.database)
    async with program.of(PROPOSER) as client, program.of(OFFICE) as other:
        seen = await client.post("/imports/jsonl?framework=non-credit&preview=true", content=text, headers=headers)
        assert (seen.status_code, seen.json()["begun_at"]) == (202, None), seen.text
        assert seen.json()["count"]["foreseen"] == {"accepted": 1, "skipped": 1, "rejected": 2}
        assert not await runner.run_next(), "nothing was begun"
        path = f"/imports/{seen.json()['import_id']}"
        assert seen.headers["location"] == f"/api/v1{path}"
        assert (await client.post(f"{path}/begin")).status_code == 202
        assert await runner.run_next()
        done = (await client.get(path)).json()
        assert done["ended_at"] and done["count"]["results"] == {"accepted": 1, "skipped": 1, "rejected": 2}
        first = (await client.get(f"{path}/lines", params={"limit": 3})).json()
        rest = (await client.get(f"{path}/lines", params={"cursor": first["next_cursor"]})).json()
        assert [line["line"] for line in first["items"] + rest["items"]] == [1, 2, 3, 4] and not rest["next_cursor"]
        wrong = (await client.get(f"{path}/lines", params={"result": "rejected"})).json()["items"]
        assert [line["line"] for line in wrong] == [2, 4] and all(line["problems"] for line in wrong)
        again = await client.post("/imports/jsonl?framework=non-credit", content=text, headers=headers)
        assert again.json()["begun_at"] and again.json()["count"]["foreseen"]["skipped"] == 2
        assert len((await client.get("/imports")).json()["items"]) == 2
        assert code_of(await client.post(f"{path}/forget")) == (409, "import_begun")
        for address in (path, f"{path}/lines"):
            assert code_of(await other.get(address)) == (404, "import_unknown")
        csv = {"Content-Type": "text/csv"}
        half = await client.post("/imports/csv?framework=non-credit&preview=true", content="title\nHalf\n", headers=csv)
        assert half.json()["count"]["foreseen"] == {"returned": 1}
        assert (await client.post(f"/imports/{half.json()['import_id']}/forget")).status_code == 204
        unknown = await client.post("/imports/csv?framework=none", content="title\nHalf\n", headers=csv)
        assert code_of(unknown) == (404, "framework_unknown")
        assert len((await client.get("/cases")).json()["items"]) == 1


async def test_versions_mails_and_the_proof_of_a_case_can_be_read(program: Program) -> None:
    case_id = (await program.live.submit("non-credit")).case_id
    await program.live.decide(case_id, "proposal", "request_changes", "Unclear.")
    async with program.of(PROPOSER) as client:
        better = proposal("non-credit") | {"summary": "Said better."}
        await client.post(f"/cases/{case_id}/versions", json=better)
        versions = (await client.get(f"/cases/{case_id}/versions")).json()["items"]
        assert [(line["version"], line["changed"]) for line in versions] == [(2, ["summary"]), (1, [])]
        assert (await client.get(f"/cases/{case_id}/versions/2")).json()["summary"] == "Said better."
        [change] = (await client.get(f"/cases/{case_id}/versions/2/changes")).json()["items"]
        assert change["field"] == "summary"
        assert {"part": "added", "text": "Said better."} in [piece for entry in change["entries"] for piece in entry]
        for path in ("versions/9", "versions/1/changes"):
            assert code_of(await client.get(f"/cases/{case_id}/{path}")) == (404, "version_unknown")
        assert code_of(await client.get(f"/cases/{case_id}/mails")) == (403, "oversight_only")
    async with program.of(OFFICE) as client:
        mails = (await client.get(f"/cases/{case_id}/mails", params={"limit": 1})).json()
        assert mails["next_cursor"] and mails["items"][0]["state"] == "queued"
        one = (await client.get(f"/cases/{case_id}/mails/{mails['items'][0]['mail_id']}")).json()
        assert one["mail"] == mails["items"][0] and one["events"]
        whole = (await client.get(f"/cases/{case_id}/verification")).json()
        assert (whole["ok"], whole["problems"]) == (True, [])
        other = (await program.live.submit("industry-credit")).case_id
        lost = await client.get(f"/cases/{other}/mails/{mails['items'][0]['mail_id']}")
        assert code_of(lost) == (404, "mail_unknown")
        alike = (await client.post("/similar", json={"proposal": better})).json()["items"]
        assert alike[0]["case_id"] == case_id and alike[0]["titles"] == 1
        assert (await client.get(f"/cases/{case_id}/similar")).status_code == 200


async def test_a_framework_is_checked_stored_compared_and_moved_to(program: Program) -> None:
    case_id = (await program.live.submit("non-credit")).case_id
    text = shipped_path("non-credit").read_text(encoding="utf-8")
    version = shipped()["non-credit"].version
    newer = text.replace(f'version: "{version}"', 'version: "9"')
    assert newer != text
    headers = {"Content-Type": "application/yaml"}
    async with program.of(OFFICE) as client:
        found = (await client.post("/frameworks/check", content=newer, headers=headers)).json()
        assert (found["id"], found["version"], found["problems"]) == ("non-credit", "9", [])
        broken = newer.replace("threshold: 1", "threshold: 5")
        [*problems] = (await client.post("/frameworks/check", content=broken, headers=headers)).json()["problems"]
        assert problems and problems[0]["line"]
        refused = await client.post("/frameworks", content=broken, headers=headers)
        assert code_of(refused) == (422, "framework_invalid") and refused.json()["problems"]
        assert (await client.post("/frameworks", content=newer, headers=headers)).status_code == 201
        other = newer.replace("summary:", "summary: Other.  #", 1)
        taken = await client.post("/frameworks", content=other, headers=headers)
        assert code_of(taken) == (409, "framework_version_exists")
        compared = await client.get("/frameworks/non-credit/compare", params={"from": version, "to": "9"})
        assert compared.json()["after"] == "9" and not compared.json()["whole"], compared.text
        assert {stage["fate"] for stage in compared.json()["stages"]} == {"same"}
        move = WHY | {"to": "9"}
        preview = (await client.post("/frameworks/non-credit/migrate", json=move | {"preview": True})).json()
        assert [(case["case_id"], case["result"]) for case in preview["cases"]] == [(case_id, "possible")]
        begun = (await client.post("/frameworks/non-credit/migrate", json=move)).json()
        assert (await ended(client, begun["bulk_id"]))["done"] == 1
        assert (await client.get(f"/cases/{case_id}")).json()["framework"] == "non-credit@9"


async def test_whoever_is_away_stands_in_or_leaves_is_told_to_the_directory(office: httpx.AsyncClient) -> None:
    days = {"first_on": "2026-12-21", "last_on": "2026-12-23"}
    away = await office.post("/absences", json=days | {"person": ROSA, "reason": "leave"})
    assert (away.status_code, away.json()["person"]) == (201, ROSA)
    assert len((await office.get("/absences", params={"person": ROSA})).json()["items"]) == 1
    back = await office.post("/absences/end", json={"person": ROSA, "on": "2026-12-22"})
    assert back.json() == {"person": ROSA, "changed": 1}
    given = days | {"person": ROSA, "deputy": SAM, "unit": "School of Health"}
    standing = (await office.post("/delegations", json=given)).json()
    assert [entry["deputy"] for entry in (await office.get("/delegations")).json()["items"]] == [SAM]
    path = f"/delegations/{standing['delegation_id']}/end"
    assert (await office.post(path)).json()["ended_at"]
    assert code_of(await office.post(path)) == (404, "delegation_unknown")
    turned = days | {"first_on": "2026-12-24"}
    assert code_of(await office.post("/absences", json=turned | {"person": ROSA})) == (422, "dates_reversed")
    csv = "email,name,roles\nnora@example.edu,Nora,proposer\nnot an address,X,\n"
    people = await office.post("/people/import", content=csv, headers={"Content-Type": "text/csv"})
    assert (people.json()["created"], len(people.json()["rejected"])) == (1, 1)
    left = await office.post("/people/leave", json={"person": "nora@example.edu"})
    assert (left.json()["person"], left.json()["tasks"]) == ("nora@example.edu", [])
    first = (await office.get("/people", params={"limit": 4})).json()
    rest = (await office.get("/people", params={"cursor": first["next_cursor"]})).json()
    assert len(first["items"] + rest["items"]) == 11 and rest["next_cursor"] is None
    assert code_of(await office.get("/people", params={"cursor": "eA"})) == (422, "cursor_malformed")
    named = (await office.get("/people", params={"q": "NORA example"})).json()
    assert [person["name"] for person in named["items"]] == ["Nora"] and named["next_cursor"] is None


async def test_pathways_and_skills_are_kept_and_found(office: httpx.AsyncClient) -> None:
    given = {"id": "ba-design", "title": "BA Design", "kind": "degree", "credits": 180, "credit_system": "ects"}
    for changed in (True, False):
        assert (await office.put("/pathways/ba-design", json=given)).json() == {"id": "ba-design", "changed": changed}
    assert code_of(await office.put("/pathways/other", json=given)) == (422, "pathway_id_differs")
    assert (await office.get("/pathways/ba-design")).json()["members"] == []
    assert (await office.delete("/pathways/ba-design")).status_code == 204
    assert code_of(await office.delete("/pathways/ba-design")) == (404, "pathway_unknown")
    assert (await office.get("/skills", params={"q": "design"})).json()["items"] == []
    assert code_of(await office.get("/skills", params={"q": " "})) == (422, "search_empty")


async def test_a_webhook_is_added_changed_tried_and_removed(office: httpx.AsyncClient) -> None:
    made = (await office.post("/webhooks", json={"url": "https://lms.example.edu/hook"})).json()
    assert made["secret"].startswith("whsec_")
    path = f"/webhooks/{made['webhook']['webhook_id']}"
    changed = await office.post(path, json={"events": ["stage_opened"], "url": "https://lms.example.edu/other"})
    assert (changed.json()["events"], changed.json()["url"]) == (["stage_opened"], "https://lms.example.edu/other")
    assert (await office.post(path, json={})).json() == changed.json()
    assert code_of(await office.post(path, json={"url": "http://elsewhere.example"})) == (422, "webhook_url_invalid")
    rotated = (await office.post(f"{path}/secret")).json()
    assert rotated["secret"] != made["secret"] and rotated["webhook"]["generation"] == 2
    trial = (await office.post(f"{path}/test")).json()["delivery_id"]
    [delivery] = (await office.get(f"{path}/deliveries")).json()["items"]
    assert (delivery["delivery_id"], delivery["status"]) == (trial, "queued")
    assert (await office.get(f"{path}/deliveries", params={"status": "failed"})).json()["items"] == []
    assert (await office.post(f"{path}/remove")).json()["given_up"] == 1
    assert code_of(await office.post(f"{path}/deliveries/{trial}/retry")) == (409, "webhook_ended")
    assert (await office.get("/webhooks")).json()["items"] == []
    assert len((await office.get("/webhooks", params={"ended": True})).json()["items"]) == 1
    assert "whsec_" not in (await office.get(path)).text


async def test_each_figure_leads_to_the_cases_behind_its_numbers(program: Program) -> None:
    case_id = (await program.live.submit("industry-credit")).case_id
    async with program.of(OFFICE) as client:
        names = [item["figure"] for item in (await client.get("/figures")).json()["items"]]
        followed = 0
        for name in names:
            found = (await client.get(f"/figures/{name}")).json()
            columns = [column["name"] for column in found["columns"]]
            table = await client.get(f"/figures/{name}.csv")
            assert table.text.splitlines()[0] == ",".join(columns) and table.headers["content-type"][:8] == "text/csv"
            for line in found["lines"]:
                for column in found["columns"]:
                    value = line["cells"][column["name"]]
                    if line["about"] is None or not column["which"] or not isinstance(value, int) or not value:
                        continue
                    query = found["filter"] | line["about"] | {"which": column["which"]}
                    behind = (await client.get(f"/figures/{name}/cases", params=query)).json()
                    assert [case["case_id"] for case in behind["items"]] == [case_id], f"{name}: {query}"
                    assert (behind["total"], behind["next_cursor"]) == (1, None)
                    followed += 1
        assert followed >= 5
        assert code_of(await client.get("/figures/none")) == (404, "figure_unknown")
        assert code_of(await client.get("/figures/trend", params={"from": "soon"})) == (422, "period_malformed")


async def test_interests_wishes_and_keys_are_kept_of_people(
    office: httpx.AsyncClient, sqlite_database: Database
) -> None:
    given = {"person": ROSA, "partner": "Harbour Software"}
    made = await office.post("/interests", json=given | {"reason": "sits on its board"})
    assert (made.status_code, made.json()["tasks"], made.json()["interest"]["person"]) == (201, [], ROSA)
    assert len((await office.get("/interests", params={"person": ROSA})).json()["items"]) == 1
    assert code_of(await office.post("/interests", json=given | {"unit": "x"})) == (422, "interest_subject")
    assert (await office.post("/interests/remove", json=given)).json()["subject"] == "Harbour Software"
    assert code_of(await office.post("/interests/remove", json=given))[0] == 404
    wishes = await office.post("/people/preferences", json={"person": ROSA, "digest": "daily", "receipts": "no"})
    assert (wishes.json()["digest"], wishes.json()["receipts"]) == ("daily", False)
    anew = await office.post("/people/preferences", json={"person": ROSA, "digest": "default"})
    assert (anew.json()["digest"], anew.json()["receipts"]) == (None, False)
    key = make_key(sqlite_database, "of Rosa", ROSA, ["read"], START)[1]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(idle_api(sqlite_database)),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {key}"},
    ) as rosa:
        [own] = (await rosa.get("/keys")).json()["items"]
        [other] = [found for found in (await office.get("/keys")).json()["items"] if found["email"] != ROSA]
        assert code_of(await rosa.post(f"/keys/{other['key_id']}/revoke")) == (404, "key_unknown")
        assert (await rosa.post(f"/keys/{own['key_id']}/revoke")).json()["revoked_at"]
        assert code_of(await rosa.get("/keys")) == (401, "key_invalid")
    assert "secret" not in (await office.get("/keys")).text
