"""Whatever a page does a program can do: each act of the pages has its operation, or a reason why it has none."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from fastapi import FastAPI

from imprimatur.access.acts import CaseAct
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web.acts.forms import has_form
from imprimatur.web.admin import incidents, people
from imprimatur.web.api.app import PREFIX
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from tests.facts import BASE_URL
from tests.markdown import code_spans, section
from tests.test_docs_api import API, described
from tests.web import KEY

CASE, TASK, PERSON, INCIDENT = "/cases/{case_id}", "/tasks/{task_id}", "/people/{email}", "/incidents/{incident_id}"
# Of a page that takes several acts at one address, each act follows it after a blank.
OPERATIONS: dict[str, tuple[str, ...]] = {
    "/proposals/new": ("POST /drafts",),
    f"{CASE}/revise": ("POST /drafts",),
    "/drafts/{draft_id} save": ("PUT /drafts/{draft_id}",),
    "/drafts/{draft_id} attach": ("POST /drafts/{draft_id}/files",),
    "/drafts/{draft_id} detach": ("DELETE /drafts/{draft_id}/files/{digest}",),
    "/drafts/{draft_id}/save": ("PUT /drafts/{draft_id}",),
    "/drafts/{draft_id}/delete": ("DELETE /drafts/{draft_id}",),
    "/drafts/{draft_id}/submit": ("POST /drafts/{draft_id}/submit",),
    "/imports": ("POST /imports/csv", "POST /imports/jsonl"),
    "/imports/{import_id} begin": ("POST /imports/{import_id}/begin",),
    "/imports/{import_id} forget": ("POST /imports/{import_id}/forget",),
    "/views": ("POST /views",),
    "/views/{view_id}": ("PUT /views/{view_id}",),
    "/views/{view_id}/remove": ("DELETE /views/{view_id}",),
    "/bulks/new": ("POST /bulk-acts",),
    "/bulks": ("POST /bulk-acts",),
    "/bulks/{bulk_id}/go-on": ("POST /bulk-acts",),
    "/reviews/run": ("POST /reviews/run",),
    "/reviews/indicators": ("POST /indicators", "POST /indicators/csv"),
    "/t/{token} keep": (f"PUT {TASK}/draft",),
    "/t/{token} seen": (f"PUT {TASK}/seen",),
    "/t/{token} decide": (f"POST {TASK}/decision",),
    "/t/{token} claim": (f"POST {TASK}/claim",),
    "/t/{token} return": (f"POST {TASK}/return",),
    "/t/{token} delegate": (f"POST {TASK}/delegate",),
    "/t/{token} ask-advice": (f"POST {TASK}/advice-requests",),
    "/t/{token} advise": (f"POST {TASK}/advice",),
    "/people/import": ("POST /people/import",),
    "/people/add": ("POST /people/import",),
    f"{PERSON}/edit": ("POST /people/import",),
    f"{PERSON}/prefer": ("POST /people/preferences",),
    f"{PERSON}/delegate": ("POST /delegations",),
    f"{PERSON}/end-delegation": ("POST /delegations/{delegation_id}/end",),
    f"{PERSON}/absent": ("POST /absences",),
    f"{PERSON}/back": ("POST /absences/end",),
    f"{PERSON}/leave": ("POST /people/leave",),
    f"{INCIDENT}/resolve": (f"POST {INCIDENT}/resolve",),
    f"{INCIDENT}/resend": (f"POST {INCIDENT}/resend",),
    f"{INCIDENT}/reassign": (f"POST {INCIDENT}/reroute", f"POST {TASK}/reassign"),
    f"{INCIDENT}/retry": (f"POST {CASE}/send-back",),
    "/admin/keys/{key_id}/revoke": ("POST /keys/{key_id}/revoke",),
    "/admin/frameworks/add": ("POST /frameworks",),
    "/admin/frameworks/move": ("POST /frameworks/{framework_id}/migrate",),
}
# What is done about a case, a task of it, a condition of it: each under the name of the act.
OF_TASKS, OF_CONDITIONS = (
    {CaseAct.REASSIGN, CaseAct.DELEGATE, CaseAct.CLAIM, CaseAct.ANNUL},
    {CaseAct.FULFIL, CaseAct.JUDGE},
)
FORMS = [act for act in CaseAct if has_form(act)]
for act in FORMS:
    about = TASK if act in OF_TASKS else "/conditions/{condition_id}" if act in OF_CONDITIONS else CASE
    OPERATIONS[f"{CASE}/acts/{act}"] = (f"POST {about}/{act.replace('_', '-')}",)
OPERATIONS |= {
    f"{CASE}/acts/{CaseAct.HAND_OVER_AGAIN}": (f"POST {CASE}/handovers",),
    f"{CASE}/acts/{CaseAct.RETRY_HANDOVER}": (f"POST {CASE}/handovers/retry",),
}
# Each has its reason in docs/api.md.
WITHOUT = {
    "/sign-in", "/sign-in/{token}", "/sign-in/oidc/answer", "/sign-out", "/account/sessions/{session_id}/end",
    "/account/sign-out-everywhere", f"{PERSON}/sign-out", "/admin/keys", "/verify", "/first-steps",
}  # fmt: skip
# Addresses that take the name of an act: each of them is looked at.
ACTS: dict[str, Iterable[str]] = {
    f"{CASE}/acts/{{act}}": FORMS,
    f"{INCIDENT}/{{act}}": incidents.ACTS,
    f"{PERSON}/{{act}}": people.ACTS,
}
# Addresses whose form says what is done.
SAID = ("/drafts/{draft_id}", "/imports/{import_id}", "/t/{token}")


def pages() -> FastAPI:
    """All that is served in any setting."""
    some: Any = object()

    async def ready() -> dict[str, str]:
        return {}

    house = House(cast(Database, None), Links([KEY], BASE_URL), Gateway.__new__(Gateway))
    return create_app(house, ready=ready, mailbox=some, examples="people.csv", provider=some)


def _within(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes of an application, those of routers within it as well."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else _within(router.routes)


def done() -> set[str]:
    """Every act of the pages."""
    found: set[str] = set()
    for route in _within(pages().routes):
        path = getattr(route, "path", "")
        if set(getattr(route, "methods", None) or ()) - {"GET", "HEAD"}:
            found |= {path.replace("{act}", act) for act in ACTS[path]} if path in ACTS else {path}
    return found


# What machines read, and files.
DOCUMENTS = re.compile(r".*\.(csv|json|jsonl|jsonld|txt|atom|xml|png|svg|jwt)|/healthz|/readyz|/keys/.*|.*/files/.*"
                       r"|/sign-in/oidc|/catalogue/.*/status/.*")  # fmt: skip


def html_routes() -> set[str]:
    """Every address at which somebody looks at a page."""
    routes = (route for route in _within(pages().routes) if "GET" in (getattr(route, "methods", None) or ()))
    return {route.path for route in routes if not DOCUMENTS.fullmatch(route.path)}


def operations() -> set[str]:
    paths = described()["paths"]
    return {f"{way.upper()} {path.removeprefix(PREFIX)}" for path, item in paths.items() for way in item}


def test_every_act_of_a_page_has_an_operation_or_a_reason_to_have_none() -> None:
    told = {name.partition(" ")[0] for name in OPERATIONS}
    acts = done()
    assert sorted(acts - told - WITHOUT) == []
    assert sorted((told | WITHOUT) - acts) == [], "and nothing is told of an act that is gone"
    assert not told & WITHOUT


def test_an_address_that_does_several_things_is_told_of_each() -> None:
    for path in SAID:
        assert path not in OPERATIONS and sum(name.startswith(f"{path} ") for name in OPERATIONS) > 1


def test_the_operations_that_are_named_are_there() -> None:
    known = operations()
    assert {act: missing for act, ways in OPERATIONS.items() if (missing := sorted(set(ways) - known))} == {}


def test_what_has_no_operation_has_its_reason_in_the_document() -> None:
    rows = section(API, "What has no operation").rows
    assert {path for row in rows for path in code_spans(row["page"])} == WITHOUT
    assert all(row["why"].strip() for row in rows)
