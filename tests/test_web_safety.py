"""What holds for every page: looking changes nothing, nothing hostile gets through, every answer is guarded."""

import itertools
import json
import re
import warnings
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import structlog

from imprimatur.errors import Unavailable
from imprimatur.logs import configure_logs
from imprimatur.rules.wording import VERDICT_LABELS
from imprimatur.store.engine import Database
from imprimatur.web.rendering import STATIC
from models.proposal import Partner, Proposal
from models.vocabulary import Verdict
from tests.facts import OFFICE, PROPOSER, Play, example, furnish, ledger_rows, whole_story
from tests.web import FORM, Site, everything, under_review

CSS = (STATIC / "style.css").read_text(encoding="utf-8")
GUARDS = ("content-security-policy", "x-content-type-options", "referrer-policy", "cache-control")


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return under_review(sqlite_database, tmp_path)


def paths(site: Site, slug: str) -> list[str]:
    """An address for every route, with good parameters and with bad ones."""
    link = site.link("quality")
    given = {
        "token": [link.removeprefix("/t/"), "nonsense", site.links.sign_in_url("x").rpartition("/")[2]],
        "slug": [slug, "unknown"],
        "name": ["1-a.eml", "2.eml"],
        "case_id": [site.play.case_id, "mc-unknown"],
        "framework_id": ["industry-credit"],
        "version": ["1.0", "9.9"],
        "session_id": ["s-unknown"],
        "form": ["ctdl", "unknown"],
        "number": ["1", "9"],
        "kid": ["unknown"],
        "badge_id": ["unknown", "unknown.png"],
        "pathway_id": ["certificate"],
        "pair": ["1...2", "2...1", "x"],
        "act": ["hold", "nothing"],
        "position": ["1", "99", "first"],
        "bulk_id": ["unknown"],
        "view_id": ["unknown"],
    }
    found: list[str] = []
    with warnings.catch_warnings():
        # A page that answers GET and HEAD alike has one name for both.
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        routes = site.app.openapi()["paths"]
    for route in routes:
        names = re.findall(r"\{(\w+)\}", route)
        for values in itertools.product(*(given.get(name, ["unknown"]) for name in names)):
            found.append(route.format_map(dict(zip(names, values, strict=True))))
    assert {"/", "/readyz", "/catalogue", f"/catalogue/{slug}", "/inbox/1-a.eml/html", link} <= set(found)
    return [
        *found,
        "/cases?need=overdue&q=a%25&cursor=x",
        "/sign-in?next=//elsewhere.example",
        "/static/style.css",
        "/static/../app.py",
        "/static/none",
        "/nowhere",
    ]


async def test_looking_changes_nothing_however_often_and_by_whomever(database: Database, tmp_path: Path) -> None:
    furnish(database)
    published = whole_story(database, tmp_path, "mc-aaaabbbbcccc")
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", fit=4, no_duplication=3)
    site = Site(play)
    with database.read() as connection:
        slug = connection.exec_driver_sql("SELECT slug FROM publication").scalar()
    seen: set[int] = set()
    cookies = [{}, *(site.session(person) for person in (OFFICE, PROPOSER))]
    before = everything(database)
    async with site.visitor() as visitor:
        for cookie, path in itertools.product(cookies, paths(site, str(slug))):
            visitor.cookies = httpx.Cookies(cookie)
            ways = [("GET", "Mozilla/5.0"), ("HEAD", "LinkScanner/1.0"), ("OPTIONS", "LinkScanner/1.0")]
            for method, agent in [*ways, *ways[:1]]:
                answer = await visitor.request(method, path, headers={"User-Agent": agent})
                seen.add(answer.status_code)
                assert answer.status_code < 500
    assert seen >= {200, 404, 405}
    assert site.decider.asked == []
    assert everything(database) == before
    assert ledger_rows(database, published.case_id)


async def test_a_head_request_is_answered_like_a_get_without_its_body(site: Site) -> None:
    async with site.visitor() as visitor:
        for path in [site.link("quality"), "/catalogue", "/inbox", "/inbox/1-a.eml", "/", "/healthz", "/readyz"]:
            got, headed = await visitor.get(path), await visitor.head(path)
            assert (headed.status_code, headed.content) == (got.status_code, b""), path
            assert headed.headers["content-type"] == got.headers["content-type"]


async def test_only_a_task_page_takes_a_post(site: Site) -> None:
    async with site.visitor() as visitor:
        for path in ("/", "/catalogue", "/inbox", "/healthz", "/readyz", "/inbox/1-a.eml"):
            answer = await visitor.post(path, data={"verdict": "approve"})
            assert answer.status_code == 405
            assert "allow" in answer.headers


async def test_every_answer_is_guarded(site: Site) -> None:
    async with site.visitor(raises=False) as visitor:
        link = site.link("quality")
        answers = [await visitor.get(path) for path in paths(site, "x")]
        answers.append(await visitor.post("/catalogue"))
        answers.append(await visitor.post(link, content=b"x" * 300_000, headers={"Content-Type": FORM}))
        site.decider.trouble = Unavailable("temporal_unavailable", "Nothing answers.")
        answers.append(await visitor.post(link, data={"verdict": "approve"}))
        site.decider.trouble = ZeroDivisionError("secret")
        answers.append(await visitor.post(link, data={"verdict": "approve"}))
    assert {answer.status_code for answer in answers} == {200, 303, 404, 405, 413, 500, 503}
    for answer in answers:
        where = f"{answer.request.method} {answer.request.url} {answer.status_code}"
        assert [name for name in GUARDS if name not in answer.headers] == [], where
        # What is public may be shared for a minute; everything else is asked for anew, or kept nowhere.
        shared = (
            "public, max-age=60" if answer.request.url.path.startswith(("/catalogue", "/robots.txt")) else "no-cache"
        )
        kept = ("no-cache", shared) if "etag" in answer.headers else ("no-store",)
        assert answer.headers["cache-control"] in kept, where
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe-inline" not in answer.headers["content-security-policy"].replace("style-src 'unsafe-inline'", "")
        assert "server" not in answer.headers


@pytest.fixture
def logs() -> Iterator[None]:
    configure_logs()
    yield
    structlog.reset_defaults()


async def test_a_fault_tells_a_reference_and_nothing_about_the_inside(
    site: Site, logs: None, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decider.trouble = ZeroDivisionError("the cause")
    private = {"verdict": "approve", "comment": "Between you and me."}
    async with site.visitor(raises=False) as visitor:
        shown = await visitor.post(site.link("quality"), data=private)
        machine = await visitor.post(
            site.link("quality"), data={"verdict": "approve"}, headers={"Accept": "application/json"}
        )
    assert (shown.status_code, machine.status_code) == (500, 500)
    error = machine.json()["error"]
    assert error["code"] == "fault"
    for text in (shown.text, machine.text):
        assert "ZeroDivision" not in text and "the cause" not in text and "Traceback" not in text
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert entries[-1]["reference"] == error["hint"].rsplit(" ", 1)[1].rstrip(".")
    for entry in entries:
        assert "ZeroDivisionError: the cause" in entry["exception"]
        # Links decide, and comments are meant for the proposer: neither is for a log.
        assert "Between you and me" not in json.dumps(entry)
        assert site.link("quality").removeprefix("/t/")[:40] not in json.dumps(entry["exception"])


@pytest.mark.parametrize("accept", ["application/json", "application/ld+json", "application/problem+json, */*;q=0.1"])
async def test_errors_are_json_for_whoever_asks_for_it(site: Site, accept: str) -> None:
    async with site.visitor() as visitor:
        for path, code, status in [
            ("/nowhere", "page_unknown", 404),
            ("/t/nonsense", "link_invalid", 404),
            ("/catalogue/unknown", "publication_unknown", 404),
            ("/inbox/2.eml", "mail_unknown", 404),
        ]:
            answer = await visitor.get(path, headers={"Accept": accept})
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        refused = await visitor.post(site.link("quality"), data={"verdict": "reject"}, headers={"Accept": accept})
        assert refused.status_code == 422
        assert refused.json()["error"]["problems"][0]["where"] == "comment"


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", ""])
async def test_errors_are_pages_for_everyone_else(site: Site, accept: str) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.get("/t/nonsense", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/html")
    assert "link_invalid" in answer.text


class Elements(HTMLParser):
    """What a browser would make of a page: its elements with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_harmless(answer: httpx.Response) -> None:
    for tag, attributes in Elements(answer.text).found:
        if (tag, attributes) == ("script", {"type": "application/ld+json"}):
            # Data for search engines, which no browser runs.
            continue
        if (tag, attributes) == ("script", {"src": "/static/keep.js", "defer": None}):
            # Ours: it keeps drafts, and the page does without.
            continue
        if tag == "img" and re.fullmatch(r"/catalogue/[a-z0-9-]+/badge\.svg", attributes.get("src") or ""):
            # Drawn by us, and shown by browsers as a picture only, in which nothing runs.
            continue
        assert tag not in ("script", "img", "svg", "object", "embed", "style", "base", "b"), tag
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")], attributes
        for name in ("href", "src", "action"):
            assert not (attributes.get(name) or "").lower().strip().startswith(("javascript:", "vbscript:")), attributes


async def test_nothing_hostile_in_a_proposal_or_a_comment_gets_through(
    sqlite_database: Database, tmp_path: Path
) -> None:
    hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><b onclick=x>{{ 7*7 }}{% raw %}</textarea>"
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    harmless = example("industry-credit")
    play.submit(everywhere(harmless, hostile))
    play.decide("proposal", comment=hostile, fit=4, no_duplication=3)
    site = Site(play)
    async with site.visitor() as visitor:
        link = site.link("quality")
        shown = await visitor.get(link)
        assert "{{ 7*7 }}" in shown.text and "49" not in shown.text
        # Typed text comes back in the form; the score is missing.
        kept = await visitor.post(link, data={"verdict": "approve", "comment": hostile, "score.x": hostile})
        assert kept.status_code == 422
        recorded = await visitor.post(
            link, data={"verdict": "approve", "comment": hostile, "score.outcomes": "4", "score.assessment": "4"}
        )
        assert recorded.status_code == 200
        while play.state.open_tasks():
            play.decide(play.state.open_tasks()[0].stage, outcomes=4, assessment=4, need=4)
        listed = await visitor.get("/catalogue")
        [slug] = re.findall(r'"/catalogue/([a-z0-9-]+)"', listed.text)
        credential = await visitor.get(f"/catalogue/{slug}")
        inbox = [await visitor.get(path) for path in ("/inbox", "/inbox/1-a.eml", f"/inbox?to={hostile}")]
    for answer in (shown, kept, recorded, listed, credential, *inbox):
        assert_harmless(answer)
        assert "&lt;" in answer.text


def everywhere(proposal: Proposal, text: str) -> Proposal:
    """The text in every field of a proposal that takes any text."""
    free = ("title", "summary", "provider", "unit", "field_of_study", "target_learners", "demand_evidence",
            "quality_assurance", "prerequisites", "existing_coursework")  # fmt: skip
    changed: dict[str, object] = {name: text for name in free if hasattr(proposal, name)}
    changed |= {
        "learning_outcomes": (text, "An outcome."),
        "partners": (*proposal.partners, Partner(organisation=text)),
    }
    assert proposal.assessment is not None
    changed["assessment"] = proposal.assessment.model_copy(update={"description": text})
    return proposal.model_copy(update=changed)


async def test_no_page_needs_or_brings_a_script(site: Site) -> None:
    async with site.visitor() as visitor:
        for path in [site.link("quality"), "/", "/catalogue", "/inbox", "/inbox/1-a.eml", "/nowhere"]:
            answer = await visitor.get(path)
            assert_harmless(answer)
            links = [attributes for tag, attributes in Elements(answer.text).found if tag == "link"]
            assert [link["href"] for link in links if link["rel"] == "stylesheet"] == ["/static/style.css"]


async def test_every_input_has_a_label_and_every_group_a_legend(site: Site) -> None:
    async with site.visitor() as visitor:
        page = (await visitor.get(site.link("quality"))).text
    for text in re.findall(r"<label[^>]*>(?:<input[^>]*>)?(.*?)</label>", page, re.DOTALL):
        assert re.sub("<[^>]*>", "", text).strip()
    assert page.count("<fieldset") == page.count("<legend>")
    choices = page.count('<input type="radio"')
    assert choices == page.count("<label><input") > 20
    typed = [
        re.search(r' id="([^"]+)"', field)
        for field in re.findall(r'<textarea[^>]*>|<input (?!type="(?:radio|hidden)")[^>]*>', page)
    ]
    assert [found and f'<label for="{found[1]}">' in page for found in typed] == [True] * 5
    identifiers = re.findall(r' id="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    for described in re.findall(r'aria-describedby="([^"]+)"', page):
        assert set(described.split()) <= set(identifiers)
    assert '<html lang="en">' in page and '<main id="content">' in page and page.count("<h1>") == 1


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Of two colours, by WCAG 2.2: from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(theme: str) -> None:
    first, second = re.findall(r":root\{([^}]*)\}", CSS)[:2]
    names = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", first))
    if theme == "dark":
        names |= dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", second))
    for ground in ("paper", "sheet", "note"):
        for text in ("ink", "soft", "go", "bad", "good"):
            assert contrast(names[text], names[ground]) >= 4.5, f"{text} on {ground}"
    assert contrast(names["go-ink"], names["go"]) >= 4.5


def test_the_page_has_words_for_every_verdict() -> None:
    assert list(VERDICT_LABELS) == list(Verdict)
    assert len(set(VERDICT_LABELS.values())) == len(Verdict)
