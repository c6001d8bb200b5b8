"""The pages behind the sign-in: who gets which, what they show, and how many queries that takes."""

import datetime as dt
import hashlib
import itertools
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from imprimatur.access.viewer import viewer_of
from imprimatur.frameworks.loader import shipped
from imprimatur.store.access import facts_of, within
from imprimatur.store.case_listing import PAGE_LENGTH, SOON, Filters, Need, case_page
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from imprimatur.web.rendering import STATIC
from models.events import ActProposed, Held
from models.proposal import Proposal
from models.vocabulary import OfficeAct, StageOutcome, Strength, Verdict
from tests.facts import CASE, OFFICE, PROPOSER, START, Play, add_people, example, furnish
from tests.web import Site

HTMX_DIGEST = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
HERE, ELSEWHERE, CLOSED = "mc-heresheresher", "mc-elsewhereelse", "mc-closedclosed2"
UNIT = "School of Digital Design"
REVIEWER = "quinn.reviewer@example.edu"
PEOPLE = {
    "proposer": PROPOSER,
    "reviewer": REVIEWER,
    "office": OFFICE,
    "admin": "eva.admin@example.edu",
    "auditor": "aud.all@example.edu",
    "office of the unit": "off.unit@example.edu",
    "office of another unit": "off.other@example.edu",
    "auditor of the unit": "aud.unit@example.edu",
    "auditor of another unit": "aud.other@example.edu",
    "nobody in particular": "ivo.adviser@example.org",
}


def add_everybody(database: Database, folder: Path) -> None:
    """After the cases began: whoever of the office is asked about one sees it, whatever their units."""
    file = folder / "everybody.csv"
    file.write_text(
        "email,name,roles,units\n"
        "aud.all@example.edu,Aud All,auditor,\n"
        f"off.unit@example.edu,Off Unit,governance_office,{UNIT}\n"
        "off.other@example.edu,Off Other,governance_office,School of Law\n"
        f"aud.unit@example.edu,Aud Unit,auditor,{UNIT}\n"
        "aud.other@example.edu,Aud Other,auditor,School of Law\n",
        encoding="utf-8",
    )
    assert import_people(database, file).created == 5


def of_unit(name: str, unit: str, title: str) -> Proposal:
    return example(name).model_copy(update={"unit": unit, "title": title})


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


def populated(database: Database, folder: Path) -> Site:
    """A case of the unit in review, and one of another unit of which the reviewer knows nothing."""
    furnish(database)
    elsewhere = Play(database, folder, "non-credit", ELSEWHERE)
    elsewhere.submit(of_unit("non-credit", "Student Success", "A secret of another unit"))
    here = Play(database, folder, case_id=HERE)
    here.submit(of_unit("industry-credit", UNIT, "Prototyping"))
    here.decide("proposal", comment="Fits our offer.", fit=4, no_duplication=3)
    add_everybody(database, folder)
    return Site(here)


# --- who gets what ----------------------------------------------------------------------------------------------------

SEES_HERE = {"proposer", "reviewer", "office", "admin", "auditor", "office of the unit", "auditor of the unit"}
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
    "/people/import": {"admin"},
    "/people/add": {"admin"},
    f"/people/{REVIEWER}": OVERSEERS,
    "/admin": OVERSEERS,
    "/admin/health": OVERSEERS,
    "/admin/calendars": OVERSEERS,
    "/admin/settings": {"admin", "auditor"},
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
                   "/t/{token}/receipt.txt", "/t/{token}/files/{digest}", "/catalogue",
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


# --- what they show ---------------------------------------------------------------------------------------------------


async def read(site: Site, person: str, path: str) -> str:
    """The words of a page's main part."""
    async with site.signed_in(person) as visitor:
        answer = await visitor.get(path)
    assert answer.status_code == 200
    main = answer.text.partition('<main id="content">')[2]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


async def test_a_case_says_where_it_stands_and_who_is_waited_for(site: Site) -> None:
    text = await read(site, OFFICE, f"/cases/{HERE}")
    for told in ("Proposal check Approved", "Quality review Open", "Industry sign-off Open", "Publication Waiting"):
        assert told in text
    # Who comes from a partner stands in no directory.
    for told in (
        "Waiting for Quinn Abara",
        "Waiting for Mere Tane",
        "Fits our offer.",
        "To be published",
        "Learning outcomes",
    ):
        assert told in text
    order = [text.index(stage.name) for stage in site.play.framework.stages]
    assert order == sorted(order)


@pytest.mark.parametrize("person", [PROPOSER, REVIEWER])
async def test_names_of_reviewers_are_kept_from_whoever_does_not_oversee(site: Site, person: str) -> None:
    text = await read(site, person, f"/cases/{HERE}")
    assert "Waiting for a quality reviewer" in text
    for name in ("Quinn", "Rosa", "Sam", "Omar", "Lena", REVIEWER, "harbour-software"):
        assert name not in text.replace("Quinn Abara Sign out", ""), name
    assert "/history" not in text


async def test_a_proposer_sees_what_a_stage_has_decided_once_it_has(site: Site) -> None:
    site.play.decide("quality", comment="Not yet known to others.", outcomes=4, assessment=4)
    assert "Not yet known" not in await read(site, PROPOSER, f"/cases/{HERE}")
    assert "Fits our offer." in await read(site, PROPOSER, f"/cases/{HERE}")
    assert "Not yet known" in await read(site, OFFICE, f"/cases/{HERE}")
    site.play.decide("quality", comment="Nor this.", outcomes=4, assessment=4)
    assert "Not yet known" in await read(site, PROPOSER, f"/cases/{HERE}")


async def test_a_case_tells_what_may_be_done_and_why_not(site: Site) -> None:
    office, proposer = [await read(site, person, f"/cases/{HERE}") for person in (OFFICE, PROPOSER)]
    assert "Hold Extend Skip Override Send back Reassign Nudge" in office
    assert "Resume The case is not on hold." in office
    assert "Hold Only the governance office can do this." in proposer
    assert "Revise The proposal is under review; nobody asked for changes." in proposer
    site.play.office(Held)
    text = await read(site, OFFICE, f"/cases/{HERE}")
    assert "On hold since" in text and "It has to be." in text


async def test_an_act_that_waits_for_a_second_person_is_shown(site: Site) -> None:
    act = ActProposed(act_id="a-1", act=OfficeAct.SKIP, actor=OFFICE, stage="quality", outcome=StageOutcome.SKIPPED,
                      reason="The board said so", by_office=True)  # fmt: skip
    site.play.act(act)
    mine, second = [await read(site, person, f"/cases/{HERE}") for person in (OFFICE, "lena.office@example.edu")]
    assert "Skip Quality review: skipped" in mine
    assert "Confirm Whoever proposed an act cannot confirm it as well." in mine
    assert "Nudge Annul" not in second and "Override Confirm" in second


async def test_decisions_stand_by_round_the_latest_first(site: Site) -> None:
    for _ in range(2):
        site.play.decide("quality", Verdict.REQUEST_CHANGES, "Show how.", outcomes=2, assessment=2)
    site.play.revise(of_unit("industry-credit.revised", UNIT, "Prototyping"))
    site.play.decide("quality", comment="Better.", outcomes=4, assessment=4)
    text = await read(site, OFFICE, f"/cases/{HERE}")
    assert text.index("Round 2") < text.index("Better.") < text.index("Round 1") < text.index("Show how.")
    assert "Version 2" in text and "Version 1" in text


async def test_my_tasks_lead_to_the_task_itself(site: Site) -> None:
    async with site.signed_in(REVIEWER) as visitor:
        page = (await visitor.get("/tasks")).text
        [link] = re.findall(r'href="(/t/[^"]+)"', page)
        assert "Record my decision" in (await visitor.get(link)).text
    assert "Nobody waits for an answer of yours" in await read(site, PROPOSER, "/tasks")


async def test_the_front_page_shows_whoever_is_signed_in_what_is_theirs(site: Site) -> None:
    assert "What needs the office now" in await read(site, OFFICE, "/")
    proposer = await read(site, PROPOSER, "/")
    assert "What waits for you" in proposer and "Prototyping" in proposer and "A secret of another unit" in proposer


async def test_the_history_tells_everything_that_happened(site: Site) -> None:
    text = await read(site, OFFICE, f"/cases/{HERE}/history")
    assert "Fits our offer." in text and f"Event {len(site.play.steps)}" in text


async def test_lists_of_people_frameworks_and_incidents_are_complete(site: Site) -> None:
    people = await read(site, OFFICE, "/people")
    assert "Tove Hansen Not active" in people and "Aud Other" in people
    assert "Aud Other" not in await read(site, OFFICE, "/people?q=tove")
    frameworks = await read(site, REVIEWER, "/frameworks")
    for policy in shipped().values():
        assert policy.name in frameworks
        text = await read(site, REVIEWER, f"/frameworks/{policy.id}/{policy.version}")
        assert all(stage.name in text for stage in policy.stages)
    assert "No incident is open" in await read(site, OFFICE, "/incidents")


# --- the list of cases ------------------------------------------------------------------------------------------------


def many(database: Database, folder: Path, number: int) -> list[str]:
    """Cases that differ in when they began; some began together."""
    found = []
    for index in range(number):
        case_id = f"mc-{index:012d}".replace("0", "a").replace("1", "b")
        play = Play(database, folder, "non-credit", case_id, at=START + dt.timedelta(minutes=index // 3))
        play.submit(example("non-credit"))
        found.append(case_id)
    return found


@pytest.mark.parametrize("length", [1, 4, 7, PAGE_LENGTH])
def test_paging_shows_each_case_once_and_in_order(database: Database, tmp_path: Path, length: int) -> None:
    furnish(database)
    cases = many(database, tmp_path, 14)
    scope = viewer_of(OFFICE, "", ["governance_office"], [], has_tasks=False, strength=Strength.OIDC).scope
    seen: list[tuple[dt.datetime, str]] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        found = case_page(database, scope, Filters(), cursor, START, length)
        assert len(found.cases) <= length
        seen += [(line.opened_at, line.case_id) for line in found.cases]
        cursor, pages = found.cursor, pages + 1
    assert [case_id for _, case_id in seen] == [
        case_id for _, case_id in sorted(seen, key=lambda item: (-item[0].timestamp(), item[1]))
    ]
    assert sorted(case_id for _, case_id in seen) == sorted(cases)
    assert pages == -(-14 // length)


async def test_filters_and_the_way_on_live_in_the_address(site: Site, tmp_path: Path) -> None:
    many(site.play.database, tmp_path, PAGE_LENGTH + 3)
    async with site.signed_in(OFFICE) as visitor:
        first = (await visitor.get("/cases?framework=non-credit&q=wellbeing")).text
        [further] = re.findall(r'href="(/cases\?[^"]*cursor=[^"]*)"', first)
        second = (await visitor.get(further.replace("&amp;", "&"))).text
        seen = [set(re.findall(r'href="/cases/(mc-\w+)"', text)) for text in (first, second)]
        assert [len(cases) for cases in seen] == [PAGE_LENGTH, 3] and not seen[0] & seen[1]
        assert 'value="wellbeing"' in second and '<option value="non-credit" selected>' in second
        assert (await visitor.get("/cases?cursor=nonsense")).status_code == 422
        assert (await visitor.get("/cases?status=nonsense")).status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=PROTO", {HERE}),
        ("q=hereshe", {HERE}),
        ("q=ana+secret", {ELSEWHERE}),
        ("q=%25", set()),
        ("q=_", set()),
        ("status=in_review", {HERE, ELSEWHERE}),
        ("status=published", set()),
        ("unit=Student+Success", {ELSEWHERE}),
        ("framework=industry-credit", {HERE}),
    ],
)
async def test_cases_are_found_by_what_is_asked(site: Site, query: str, found: set[str]) -> None:
    async with site.signed_in(OFFICE) as visitor:
        page = await visitor.get(f"/cases?{query}")
    assert set(re.findall(r'href="/cases/(mc-\w+)"', page.text)) == found


def needing(database: Database, need: Need, now: dt.datetime) -> set[str]:
    scope = viewer_of(OFFICE, "", ["admin"], [], has_tasks=False, strength=Strength.OIDC).scope
    return {line.case_id for line in case_page(database, scope, Filters(need=need), None, now).cases}


def test_what_needs_the_office_is_found(database: Database, tmp_path: Path) -> None:
    site = populated(database, tmp_path)
    due_at = site.play.state.stages["quality"].due_at
    assert due_at is not None
    incomplete = Play(database, tmp_path, "industry-credit", "mc-incompletexx")
    incomplete.submit(example("industry-credit").model_copy(update={"learning_outcomes": ()}))
    early = START + dt.timedelta(hours=1)
    assert needing(database, Need.INCOMPLETE, early) == {"mc-incompletexx"}
    assert needing(database, Need.OVERDUE, early) == needing(database, Need.NOBODY, early) == set()
    assert HERE not in needing(database, Need.AT_RISK, due_at - SOON - dt.timedelta(minutes=1))
    assert HERE in needing(database, Need.AT_RISK, due_at - SOON + dt.timedelta(minutes=1))
    assert HERE not in needing(database, Need.OVERDUE, due_at)
    assert HERE in needing(database, Need.OVERDUE, due_at + dt.timedelta(minutes=1))
    assert HERE not in needing(database, Need.AT_RISK, due_at + dt.timedelta(minutes=1))
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE task SET status = 'closed' WHERE case_id = '{HERE}'")
    assert needing(database, Need.NOBODY, early) == {HERE}


def test_facts_about_a_case_are_counted_for_whoever_asks(database: Database, tmp_path: Path) -> None:
    site = populated(database, tmp_path)
    reviewer = viewer_of(REVIEWER, "", [], [], has_tasks=True, strength=Strength.SESSION)
    office = viewer_of(OFFICE, "", ["governance_office"], [], has_tasks=False, strength=Strength.SESSION)
    with database.read() as connection:
        theirs, others = (facts_of(connection, viewer, HERE) for viewer in (reviewer, office))
    assert (theirs.asked, theirs.open_tasks, theirs.offered) == (True, 1, 0)
    assert others.open_tasks == 0
    assert (others.stage_open, others.reached, others.tasks_open) == (True, True, True)
    assert not others.answered_in_open_stage
    site.play.decide("quality", outcomes=4, assessment=4)
    with database.read() as connection:
        assert facts_of(connection, office, HERE).answered_in_open_stage


# --- how many queries -------------------------------------------------------------------------------------------------


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


async def queries(site: Site, paths: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for path, person in paths.items():
        async with site.signed_in(person) as visitor:
            await visitor.get(path)
            with counted(site.play.database) as statements:
                assert (await visitor.get(path)).status_code == 200
            found[path] = len([text for text in statements if not text.startswith(("BEGIN", "PRAGMA"))])
    return found


async def test_a_page_asks_as_often_whatever_it_shows(site: Site, tmp_path: Path) -> None:
    paths = {f"/cases/{HERE}/acts/hold": OFFICE, f"/cases/{HERE}/versions/1...1": OFFICE, "/bulks": OFFICE,
             "/": OFFICE, "/cases": OFFICE, f"/cases/{HERE}": OFFICE, "/tasks": REVIEWER, "/incidents": OFFICE,
             "/people": OFFICE, "/frameworks": OFFICE, "/account": OFFICE}  # fmt: skip
    few = await queries(site, paths)
    many(site.play.database, tmp_path, 12)
    more = Play(site.play.database, tmp_path, case_id=CLOSED)
    more.submit(example("industry-credit"))
    more.decide("proposal", fit=4, no_duplication=3)
    site.play.decide("quality", comment="Good.", outcomes=4, assessment=4)
    add_people(site.play.database, tmp_path, *(f"p{number}@example.edu,P{number},x,yes" for number in range(30)))
    assert await queries(site, paths) == few
    assert few["/account"] == few["/people"] == few["/tasks"] == 2
    assert max(few.values()) < 25


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
