"""The pages behind the sign-in: who gets which, and how they are made."""

import hashlib
import itertools
import re
import warnings
from pathlib import Path

import pytest

from imprimatur.access.viewer import viewer_of
from imprimatur.store.access import within
from imprimatur.store.engine import Database
from imprimatur.web.rendering import STATIC
from models.vocabulary import Strength
from tests.facts import CASE, OFFICE, PROPOSER
from tests.pages import ELSEWHERE, HERE, PEOPLE, REVIEWER, SEES_HERE, UNIT, populated
from tests.web import Site

HTMX_DIGEST = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


# --- who gets what ----------------------------------------------------------------------------------------------------

SEES_ELSEWHERE = {"proposer", "office", "admin", "auditor"}
OVERSEERS = {name for name in PEOPLE if "office" in name or "auditor" in name or name == "admin"}
EVERYBODY = set(PEOPLE)
PROPOSING = EVERYBODY - {name for name in PEOPLE if "auditor" in name}
NO_FILE = "0" * 64
NOBODY: set[str] = set()
GUARDED: dict[str, set[str]] = {
    "/cases": EVERYBODY,
    "/tasks": EVERYBODY,
    "/frameworks": EVERYBODY,
    "/frameworks/industry-credit/1.1": EVERYBODY,
    "/account": EVERYBODY,
    "/incidents": OVERSEERS,
    "/reviews": OVERSEERS,
    "/reviews/indicators": {"admin", "office"},
    "/incidents/i-unknown": set(),
    "/people": OVERSEERS,
    "/people/away": OVERSEERS,
    "/people/suggested": OVERSEERS,
    "/people/import": {"admin"},
    "/people/add": {"admin"},
    f"/people/{REVIEWER}": OVERSEERS,
    "/admin": OVERSEERS,
    "/admin/health": OVERSEERS,
    "/admin/calendars": OVERSEERS,
    "/admin/settings": {"admin", "auditor"},
    "/admin/targets": {"admin", "auditor"},
    "/admin/keys": {"admin", "auditor"},
    "/admin/frameworks": OVERSEERS,
    "/admin/frameworks/compare": OVERSEERS,
    "/admin/frameworks/try": OVERSEERS,
    "/admin/frameworks/add": {"admin"},
    "/admin/frameworks/move": {"admin", "office"},
    "/sla": OVERSEERS,
    "/sla/on-time": OVERSEERS,
    "/sla/on-time.csv": OVERSEERS,
    "/sla/on-time/cases": OVERSEERS,
    f"/cases/{HERE}": SEES_HERE,
    f"/cases/{HERE}/acts/{{act}}": set(),
    f"/cases/{HERE}/versions": set(),
    f"/cases/{HERE}/versions/1...1": SEES_HERE,
    f"/cases/{HERE}/history": SEES_HERE & OVERSEERS,
    f"/cases/{HERE}/history.json": SEES_HERE & OVERSEERS,
    f"/cases/{HERE}/history.csv": SEES_HERE & OVERSEERS,
    f"/cases/{HERE}/history/1": SEES_HERE & OVERSEERS,
    f"/cases/{ELSEWHERE}/versions/1...1": SEES_ELSEWHERE | {"office"},
    f"/cases/{ELSEWHERE}": SEES_ELSEWHERE | {"office"},
    f"/cases/{ELSEWHERE}/history": SEES_ELSEWHERE & OVERSEERS,
    f"/cases/{ELSEWHERE}/history.json": SEES_ELSEWHERE & OVERSEERS,
    f"/cases/{ELSEWHERE}/history/1": SEES_ELSEWHERE & OVERSEERS,
    "/cases/mc-unknown": set(),
    **dict.fromkeys(["/proposals/new", "/drafts", "/imports"], PROPOSING),
    **dict.fromkeys([f"/drafts/dr-unknown{end}" for end in ("", "/review", "/skills")], NOBODY),
    f"/drafts/dr-unknown/files/{NO_FILE}": set(),
    **dict.fromkeys([f"/imports/im-unknown{end}" for end in ("", "/progress", "/report.csv")], NOBODY),
    f"/cases/{HERE}/revise": set(),
    f"/cases/{HERE}/files/{NO_FILE}": set(),
    "/bulks": OVERSEERS,
    f"/bulks/new?act=hold&case={HERE}": {"office", "admin", "office of the unit"},
    "/bulks/b-unknown": set(),
    "/views/v-unknown": set(),
}
# What stands in the addresses above, by the names that the routes have for it.
TOLD = {
    HERE: "{case_id}",
    "industry-credit": "{framework_id}",
    "1.1": "{version}",
    "on-time": "{name}",
    "on-time.csv": "{name}.csv",
    "1...1": "{pair}",
    "b-unknown": "{bulk_id}",
    "v-unknown": "{view_id}",
    "dr-unknown": "{draft_id}",
    "im-unknown": "{import_id}",
    NO_FILE: "{digest}",
    "i-unknown": "{incident_id}",
    REVIEWER: "{email}",
    "1": "{position}",
}


def as_told(path: str) -> str:
    """An address as its route spells it."""
    return "/".join(TOLD.get(part, part) for part in path.partition("?")[0].split("/"))


async def test_every_page_answers_whoever_may_see_it_and_nobody_else(site: Site) -> None:
    for name, person in PEOPLE.items():
        async with site.signed_in(person) as visitor:
            for path, allowed in GUARDED.items():
                answer = await visitor.get(path)
                assert (answer.status_code == 200) == (name in allowed), f"{name} at {path}: {answer.status_code}"
                assert answer.status_code in (200, 403, 404)


# What is published is for everybody, and for programs that check it.
PUBLISHED = {
    "/.well-known/jwks.json",
    "/badges/{badge_id}",
    "/catalogue/{slug}/badge.png",
    "/catalogue/{slug}/badge.svg",
    "/catalogue/{slug}/endorsement/{number}.jwt",
    "/catalogue/{slug}/status/{number}",
    "/keys/{kid}",
    "/verify",
    "/catalogue/{slug}/{form}.json",
    "/catalogue/catalogue.json",
    "/catalogue/catalogue.jsonl",
    "/catalogue/dcat.jsonld",
    "/catalogue/feed.atom",
    "/catalogue/opensearch.xml",
    "/catalogue/sitemap.xml",
    "/robots.txt",
}


async def test_the_matrix_knows_every_page_there_is(site: Site) -> None:
    open_to_all = {"/", "/healthz", "/readyz", "/sign-in", "/sign-in/{token}", "/t/{token}", "/t/{token}/receipt",
                   "/t/{token}/receipt.txt", "/t/{token}/files/{digest}", "/t/{token}/package.json", "/catalogue",
                   "/catalogue/{slug}", "/inbox", "/inbox/{name}", "/inbox/{name}/html", "/first-steps", "/pathways",
                   "/pathways/{pathway_id}", *PUBLISHED}  # fmt: skip
    known = set(map(as_told, GUARDED))
    with warnings.catch_warnings():
        # A page that answers GET and HEAD alike has one name for both.
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        looked_at = {path for path, ways in site.app.openapi()["paths"].items() if "get" in ways}
    assert looked_at - open_to_all == {path for path in known if "mc-" not in path}


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in(site: Site) -> None:
    async with site.visitor() as visitor:
        for path in GUARDED:
            answer = await visitor.get(path)
            assert (answer.status_code, answer.headers["location"][:14]) == (303, "/sign-in?next="), path
        assert "approved with care" in (await visitor.get("/")).text


async def test_a_case_outside_one_s_scope_is_answered_like_one_that_is_not_there(site: Site) -> None:
    async with site.signed_in(REVIEWER) as visitor:
        hidden, missing = await visitor.get(f"/cases/{ELSEWHERE}"), await visitor.get("/cases/mc-elsewhereelsf")
    assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text)
    assert ELSEWHERE not in hidden.text


async def test_nothing_of_a_case_outside_the_scope_is_shown_anywhere(site: Site) -> None:
    for name, person in PEOPLE.items():
        if name in SEES_ELSEWHERE:
            continue
        async with site.signed_in(person) as visitor:
            for path in ("/", "/cases", "/cases?q=secret", "/cases?need=overdue", "/tasks", "/incidents"):
                text = (await visitor.get(path)).text
                assert ELSEWHERE not in text and "A secret of another unit" not in text, f"{name} at {path}"


async def test_units_choose_what_an_office_of_units_finds(site: Site) -> None:
    for person, found in (
        ("office of the unit", {HERE}),
        ("office", {HERE, ELSEWHERE}),
        ("office of another unit", set()),
    ):
        async with site.signed_in(PEOPLE[person]) as visitor:
            assert set(re.findall(r'href="/cases/(mc-\w+)"', (await visitor.get("/cases")).text)) == found


def test_the_condition_of_queries_is_the_scope_itself(database: Database, tmp_path: Path) -> None:
    populated(database, tmp_path)
    cases = {HERE: (PROPOSER, UNIT), ELSEWHERE: (PROPOSER, "Student Success")}
    roles = [[], ["governance_office"], ["auditor"], ["admin"], ["governance_office", "admin"]]
    units: list[list[str]] = [[], [UNIT], ["Student Success"], [UNIT, "Student Success"], ["School of Law"]]
    with database.read() as connection:
        asked = {
            case_id: set(connection.exec_driver_sql(f"SELECT assignee FROM task WHERE case_id = '{case_id}'").scalars())
            for case_id in cases
        }
        for person, role, unit in itertools.product(PEOPLE.values(), roles, units):
            viewer = viewer_of(person, "", role, unit, has_tasks=True, strength=Strength.OIDC)
            found = set(connection.execute(CASE.select().where(within(viewer.scope))).scalars())
            expected = {case for case, facts in cases.items() if viewer.scope.holds(*facts, asked[case])}
            assert found == expected, (person, role, unit)


# --- how they are made ------------------------------------------------------------------------------------------------


def test_what_was_taken_from_elsewhere_is_unchanged() -> None:
    assert hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() == HTMX_DIGEST


async def test_scripts_come_from_here_alone_and_stand_in_no_page(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        for path in ("/", "/cases", f"/cases/{HERE}", "/account"):
            page = await visitor.get(path)
            assert "script-src 'self'" in page.headers["content-security-policy"]
            for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL):
                assert re.search(r'src="/static/[\w.]+"', attributes) and body == ""
            assert " style=" not in page.text and not re.search(r"\son\w+=", page.text)
