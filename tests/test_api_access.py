"""Who may call what: every address, for every kind of person, on cases of their units and of others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from imprimatur.errors import Refused
from imprimatur.mail.links import Links
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.store.webhooks import add_webhook, queue_trial
from imprimatur.web.api.app import create_api, description
from imprimatur.web.house import House
from models.tables import IncidentRow
from models.vocabulary import KeyScope
from tests.api import UNTIRING, code_of, proposal
from tests.facts import BASE_URL, OFFICE, START
from tests.pages import ELSEWHERE, HERE, PEOPLE, SEES_HERE, UNIT, populated
from tests.web import KEY

OFFICES = {"office", "admin", "office of the unit", "office of another unit"}
WHOLE_OFFICE = {"office", "admin"}
OVERSEERS = OFFICES | {"auditor", "auditor of the unit", "auditor of another unit"}
HERE_OFFICES = WHOLE_OFFICE | {"office of the unit"}
HERE_OVERSEERS = SEES_HERE & OVERSEERS
EVERYBODY = set(PEOPLE)
PROPOSING = EVERYBODY - {name for name in PEOPLE if "auditor" in name}
HIDDEN = {"case_unseen", "incident_unknown", "webhook_unknown", "badge_unknown", "publication_unknown", "task_unknown"}
DENIED = {
    "oversight_only",
    "not_the_office",
    "not_your_unit",
    "names_hidden",
    "read_only",
    "not_the_proposer",
    "no_task",
    "not_an_administrator",
    "proposing_not_allowed",
}
WHY = {"reason": "The board said so."}
DAYS = {"first_on": "2026-12-21", "last_on": "2026-12-23"}


class Engine:
    """In the gateway's place: whatever is asked of it was let through."""

    def __getattr__(self, name: str) -> Any:
        async def reached(*_: Any, **__: Any) -> NoReturn:
            raise Refused("reached", "This was let through.")

        return reached


class World:
    """A case of the unit and one of another; an incident, a webhook and a task of the first."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.site, self.database = populated(database, folder), database
        self.keys: dict[str, str] = {}
        gateway: Any = Engine()
        keyring = Keyring(database, Vault([KEY]), BASE_URL)
        self.api = create_api(House(database, Links([KEY], BASE_URL), gateway), keyring, UNTIRING)
        self.webhook = add_webhook(database, "https://lms.example.edu/hook", [], [UNIT], START).webhook_id
        self.delivery = queue_trial(database, self.webhook, START)
        self.task = self.site.play.state.open_tasks("industry")[0].id
        incident = {"incident_id": "i-here", "case_id": HERE, "kind": "mail_bounced", "detail": "x", "opened_at": START}
        with database.write() as connection:
            connection.execute(IncidentRow.__table__.insert().values(**incident, task_id=self.task))  # type: ignore[attr-defined]

    @asynccontextmanager
    async def of(self, person: str) -> AsyncIterator[httpx.AsyncClient]:
        if person not in self.keys:
            self.keys[person] = make_key(self.database, "x", PEOPLE[person], list(KeyScope), START)[1]
        headers = {"Authorization": f"Bearer {self.keys[person]}"}
        transport = httpx.ASGITransport(self.api)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
            yield client


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return World(sqlite_database, tmp_path)


def rules(world: World) -> dict[tuple[str, str], tuple[set[str], dict[str, Any]]]:
    """Of every address who may, and what to send; of a path parameter the one that stands for it follows."""
    office_acts = {
        "hold": WHY,
        "extend": WHY | {"stage": "quality", "by": {"business_days": 1}},
        "nudge": {},
        "override": WHY | {"stage": "quality", "outcome": "approved"},
        "skip": WHY | {"stage": "quality"},
        "send-back": WHY | {"stage": "proposal"},
        "schedule-publication": WHY | {"on": "2027-02-01"},
        "call-review": WHY,
        "move-review": WHY | {"on": "2027-02-01"},
    }
    case = "/cases/{case_id}"
    found: dict[tuple[str, str], tuple[set[str], dict[str, Any]]] = {
        ("POST", f"{case}/{act}"): (HERE_OFFICES, {"json": given})
        for act, given in office_acts.items()
        if given is not None
    }
    found |= {
        ("GET", f"{case}{path}"): (SEES_HERE, {})
        for path in ("", "/versions", "/versions/{version}", "/similar", "/indicators", "/handovers")
    }
    found |= {("GET", f"{case}/{path}"): (HERE_OVERSEERS, {}) for path in ("history", "mails", "verification")}
    found |= {("GET", path): (OVERSEERS, {}) for path in OF_OVERSEERS}
    found |= {("GET", path): (EVERYBODY, {"params": {"q": "x"}}) for path in OF_EVERYBODY}
    found |= {("POST", path): (WHOLE_OFFICE, given) for path, given in OF_THE_WHOLE_OFFICE.items()}
    found |= {("POST", path): (OFFICES, given) for path, given in OF_THE_OFFICE.items()}
    hook = "/webhooks/{webhook_id}"
    of_unit = WHOLE_OFFICE | {"office of the unit"}
    found |= {("GET", path): (HERE_OVERSEERS, {}) for path in (hook, f"{hook}/deliveries")}
    found |= {("POST", f"{hook}{path}"): (of_unit, {"json": {}}) for path in ("", "/secret", "/test")}
    found |= {("POST", f"{hook}/deliveries/{{delivery_id}}/retry"): (of_unit, {})}
    found |= {("POST", "/webhooks"): (of_unit, {"json": {"url": "https://lms.example.edu/h", "units": [UNIT]}})}
    incident = "/incidents/{incident_id}"
    found |= {("GET", incident): (HERE_OVERSEERS, {})}
    found |= {("POST", f"{incident}/reroute"): (HERE_OFFICES, {"json": WHY | {"to": OFFICE}})}
    found |= {("POST", f"{incident}/resend"): (HERE_OFFICES, {})}
    found |= {
        ("GET", f"{case}/handovers/package"): (SEES_HERE, {}),
        ("POST", f"{case}/handovers"): (HERE_OFFICES, {"json": WHY}),
        ("POST", f"{case}/handovers/retry"): (HERE_OFFICES, {}),
        ("POST", f"{case}/withdraw"): (HERE_OFFICES | {"proposer"}, {"json": WHY}),
        ("POST", "/tasks/{task_id}/reassign"): (HERE_OFFICES, {"json": {"to": OFFICE} | WHY}),
        ("POST", "/cases"): (EVERYBODY, {"json": {"proposal": proposal()}}),
        ("POST", "/similar"): (EVERYBODY, {"json": {"proposal": proposal()}}),
        ("POST", "/frameworks/check"): (EVERYBODY, {"content": "id: x", "headers": YAML}),
        ("POST", "/imports/csv"): (EVERYBODY, FRAMEWORK | {"content": "title\nx\n", "headers": CSV}),
        ("POST", "/imports/jsonl"): (EVERYBODY, FRAMEWORK | {"content": "{}\n", "headers": LINES}),
        ("GET", "/pathways/{pathway_id}"): (EVERYBODY, {}),
        ("PUT", "/pathways/{pathway_id}"): (WHOLE_OFFICE, {"json": PATHWAY}),
        ("DELETE", "/pathways/{pathway_id}"): (WHOLE_OFFICE, {}),
        # The task is a partner's, who is nobody of these.
        ("PUT", "/tasks/{task_id}/draft"): (set(), {"json": {"typed": {"comment": "x"}}}),
        ("PUT", "/tasks/{task_id}/seen"): (set(), {}),
        ("GET", "/tasks/{task_id}/draft"): (set(), {}),
        ("GET", "/tasks/{task_id}/receipt"): (set(), {}),
        ("DELETE", "/tasks/{task_id}/draft"): (set(), {}),
        ("GET", "/drafts"): (PROPOSING, {}),
        ("POST", "/drafts"): (PROPOSING, {"json": {"framework": "non-credit"}}),
        ("GET", "/settings"): ({"admin", "auditor"}, {}),
        ("GET", "/targets"): ({"admin", "auditor"}, {}),
        ("POST", "/views"): (EVERYBODY, {"json": {"name": "Mine"}}),
        ("GET", "/frameworks/{framework_id}/trial"): (HERE_OVERSEERS, {"params": {"case": HERE}}),
        # Last, for nothing is to be seen of it afterwards.
        ("POST", f"{incident}/resolve"): (HERE_OFFICES, {"json": WHY}),
        ("POST", f"{hook}/remove"): (of_unit, {}),
    }
    return found


YAML, CSV = {"Content-Type": "application/yaml"}, {"Content-Type": "text/csv"}
LINES, FRAMEWORK = {"Content-Type": "application/jsonl"}, {"params": {"framework": "non-credit"}}
PATHWAY = {"id": "ba-design", "title": "BA", "kind": "degree", "credits": 180, "credit_system": "ects"}
OF_EVERYBODY = (
    "/cases", "/tasks", "/keys", "/imports", "/views",
    "/frameworks", "/frameworks/{framework_id}/{version}", "/pathways", "/skills",
    "/skills/frameworks", "/catalogue",
)  # fmt: skip
OF_OVERSEERS = (
    "/people", "/incidents", "/absences", "/delegations", "/interests",
    "/webhooks", "/bulk-acts", "/committees", "/figures", "/reviews", "/health", "/calendars",
    "/figures/{name}", "/figures/{name}.csv", "/figures/{name}/cases",
)  # fmt: skip
OF_THE_WHOLE_OFFICE: dict[str, dict[str, Any]] = {
    "/absences": {"json": DAYS | {"person": "nobody@example.edu"}},
    "/absences/end": {"json": {"person": "nobody@example.edu", "on": "2026-12-23"}},
    "/delegations": {"json": DAYS | {"person": "nobody@example.edu", "deputy": OFFICE}},
    "/delegations/{delegation_id}/end": {},
    "/frameworks": {"content": "id: x", "headers": YAML},
    "/frameworks/{framework_id}/migrate": {"json": WHY | {"to": "1.0", "preview": True}},
    "/people/import": {"content": "email,name\n", "headers": CSV},
    "/indicators": {
        "json": {"source": "x", "lines": [{"case": "none", "indicator": "enrolment", "period": "2026", "value": 1}]}
    },
    "/indicators/csv": {"params": {"source": "x"}, "content": "case,indicator\n", "headers": CSV},
    "/skills/import": {"params": {"framework": "x"}, "content": "title,code\n", "headers": CSV},
    "/people/preferences": {"json": {"person": "nobody@example.edu"}},
    "/interests": {"json": {"person": "nobody@example.edu", "unit": "x"}},
    "/interests/remove": {"json": {"person": "nobody@example.edu", "unit": "x"}},
    "/reviews/run": {},
    "/people/leave": {"json": {"person": "nobody@example.edu"}},
}
OF_THE_OFFICE: dict[str, dict[str, Any]] = {
    "/bulk-acts": {"json": WHY | {"act": "hold", "status": "revising", "preview": True}},
}
# What these answer depends on the state of a case or of a publication, and is tried where that is brought about.
ELSEWHERE_TRIED = {
    ("POST", "/keys/{key_id}/revoke"), ("GET", "/cases/{case_id}/files/{digest}"), ("GET", "/imports/{import_id}"),
    *((way, "/drafts/{draft_id}") for way in ("GET", "PUT", "DELETE")), ("POST", "/drafts/{draft_id}/files"),
    *((way, "/drafts/{draft_id}/files/{digest}") for way in ("GET", "DELETE")), ("POST", "/drafts/{draft_id}/submit"),
    *((way, "/views/{view_id}") for way in ("GET", "PUT", "DELETE")),
    ("GET", "/imports/{import_id}/lines"), ("POST", "/imports/{import_id}/begin"),
    ("POST", "/imports/{import_id}/forget"),
    ("POST", "/cases/{case_id}/move-item"), ("GET", "/cases/{case_id}/publication"),
    ("POST", "/cases/{case_id}/retract"), ("POST", "/cases/{case_id}/retry-publication"),
    ("POST", "/cases/{case_id}/resume"), ("POST", "/cases/{case_id}/confirm"), ("POST", "/cases/{case_id}/versions"),
    ("GET", "/cases/{case_id}/events"), ("GET", "/cases/{case_id}/versions/{version}/changes"),
    ("GET", "/cases/{case_id}/mails/{mail_id}"), ("POST", "/tasks/{task_id}/decision"),
    ("POST", "/tasks/{task_id}/claim"), ("POST", "/tasks/{task_id}/return"), ("POST", "/tasks/{task_id}/delegate"),
    ("POST", "/tasks/{task_id}/advice-requests"), ("POST", "/tasks/{task_id}/advice"),
    ("POST", "/tasks/{task_id}/annul"),
    ("POST", "/conditions/{condition_id}/fulfil"), ("POST", "/conditions/{condition_id}/judge"),
    ("GET", "/bulk-acts/{bulk_id}"), ("GET", "/bulk-acts/{bulk_id}/cases"), ("GET", "/committees/{committee}/agenda"),
    ("POST", "/committees/sittings"), ("GET", "/frameworks/{framework_id}/compare"), ("GET", "/catalogue/{slug}"),
    ("GET", "/catalogue/{slug}/records/{form}"), ("POST", "/catalogue/{slug}/badges"), ("GET", "/badges/{badge_id}"),
    ("POST", "/badges/{badge_id}/revoke"), ("POST", "/catalogue/{slug}/endorsements"),
}  # fmt: skip


def concrete(world: World, path: str) -> str:
    names = {
        "case_id": HERE,
        "task_id": world.task,
        "incident_id": "i-here",
        "webhook_id": world.webhook,
        "delivery_id": world.delivery,
        "framework_id": "industry-credit",
        "version": "1" if path.startswith("/cases") else "1.0",
        "pathway_id": "ba-design",
        "name": "on-time",
        "delegation_id": "del-none",
    }
    return path.format(**names)


def test_every_address_has_its_rule(world: World) -> None:
    paths = description(world.api)["paths"]
    found = {(way.upper(), path.removeprefix("/api/v1")) for path, item in paths.items() for way in item}
    assert found - ELSEWHERE_TRIED == set(rules(world))


async def test_everybody_is_let_in_where_they_may_and_nowhere_else(world: World) -> None:
    for (method, path), (allowed, given) in rules(world).items():
        # Those who may come last: what they do may change what the others would see.
        for person in sorted(PEOPLE, key=lambda name: name in allowed):
            async with world.of(person) as client:
                answer = await client.request(method, concrete(world, path), **given)
            code = code_of(answer)[1] if answer.status_code >= 400 else ""
            assert answer.status_code < 500, answer.text
            assert (code in DENIED | HIDDEN) == (person not in allowed), f"{person}: {method} {path}: {code or 'done'}"


async def test_nothing_of_a_case_elsewhere_is_told(world: World) -> None:
    """By no list, count, figure, error or likeness; and its address is as that of one that is not there."""
    secret = "A secret of another unit"
    asked = [path for method, path in rules(world) if method == "GET" and "{" not in path]
    asked += ["/cases?q=secret", "/figures/on-time", "/figures/ageing/cases?which=all", f"/cases/{HERE}/similar"]
    for person in EVERYBODY - {"proposer", "office", "admin", "auditor"}:
        async with world.of(person) as client:
            for path in asked:
                text = (await client.get(path, params={"q": "secret"} if path == "/skills" else None)).text
                assert ELSEWHERE not in text and secret not in text, f"{person} at {path}"
            alike = await client.post("/similar", json={"proposal": proposal("non-credit") | {"title": secret}})
            assert alike.status_code == 200 and ELSEWHERE not in alike.text, person
            for path in ("", "/versions", "/versions/1", "/mails", "/verification", "/history", "/events", "/similar"):
                for headers in ({}, {"If-None-Match": "*"}):
                    answers = [
                        await client.get(f"/cases/{case}{path}", headers=headers) for case in (ELSEWHERE, "mc-none")
                    ]
                    assert [code_of(answer) for answer in answers] == [(404, "case_unseen")] * 2, f"{person} at {path}"
                    assert answers[0].text == answers[1].text and "etag" not in answers[0].headers
            for given in ({"act": "hold", "cases": [ELSEWHERE]}, {"act": "hold", "all": True}):
                answer = await client.post("/bulk-acts", json=given | WHY | {"preview": True})
                assert ELSEWHERE not in answer.text, person


async def test_a_webhook_hears_of_no_more_than_its_maker_sees(world: World) -> None:
    async with world.of("office of another unit") as client:
        for units in ([], [UNIT], [UNIT, "School of Law"]):
            given = {"url": "https://lms.example.edu/h", "units": units}
            assert code_of(await client.post("/webhooks", json=given)) == (403, "not_your_unit")
        own = await client.post("/webhooks", json={"url": "https://lms.example.edu/h", "units": ["School of Law"]})
        path = f"/webhooks/{own.json()['webhook']['webhook_id']}"
        assert code_of(await client.post(path, json={"units": []})) == (403, "not_your_unit")
        assert [hook["units"] for hook in (await client.get("/webhooks")).json()["items"]] == [["School of Law"]]
        other = f"{path}/deliveries/{world.delivery}/retry"
        assert code_of(await client.post(other)) == (404, "delivery_unknown")
