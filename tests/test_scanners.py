"""Programs that follow links and send forms unseen: they change nothing, whatever mail they read."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import Connection

from imprimatur.errors import InputError
from imprimatur.frameworks.loader import shipped
from imprimatur.gateway import Gateway
from imprimatur.mail.context import MailContext
from imprimatur.mail.examples import examples
from imprimatur.mail.links import FORM_HOURS, FORM_SALT, Links
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import render
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.events import AdviceAsked, Claimed
from models.framework import Framework
from models.messages import DecisionReceipt
from models.vocabulary import MailKind
from tests.facts import BASE_URL, OFFICE, START, Play, everything, example
from tests.mails import LINKS, Mails, contexts, every_mail, read
from tests.web import KEY, Site, under_review

AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Mozilla/5.0 (compatible; LinkScanner/2.0)",
    "",
]
WAYS: list[dict[str, str]] = [
    {},
    {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Mode": "navigate"},
    {"Accept": "application/json"},
]
OF_EACH_KIND = 2
OF_NO_CASE = frozenset({MailKind.SIGN_IN, MailKind.DIGEST, MailKind.AGENDA, MailKind.REVIEW})
SENDER = Sender("Example Institute <credentials@example.edu>", "mail.example.edu", takes_replies=True)
BROWSER = {"Origin": BASE_URL, "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
GOOD = {"verdict": "approve", "comment": "Well made.", "score.outcomes": "3", "score.assessment": "4"}


class ReadOnly(Database):
    """Whoever writes to it fails."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        raise AssertionError("something is written")
        yield  # type: ignore[unreachable]


class Nobody(Gateway):
    """Whoever wants it to do anything fails: there is no workflow service behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database


@pytest.fixture(scope="module")
def played(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mails, Path]:
    """Every mail that cases of all sorts have sent, and the database behind them."""
    folder = tmp_path_factory.mktemp("scanned")
    mails, file = every_mail(migrated_file, folder), folder / "imprimatur.db"
    database = Database(f"sqlite:///{file}")
    offer_and_advise(database, folder)
    mails += contexts(database)
    database.close()
    return mails, file


def offer_and_advise(database: Database, folder: Path) -> None:
    """One task on offer; another that was claimed, and about which advice is asked."""
    document = shipped()["industry-credit"].model_dump(mode="json") | {"version": "77"}
    claimed = {"reviewers": [{"role": "governance_office", "claim": True}], "voting": {"quorum": 1, "threshold": 1}}
    document["stages"][0] |= claimed
    policy = Framework.model_validate(document)
    add_framework(database, policy, START)
    plays = [Play(database, folder, policy, case_id=f"mc-{name}") for name in ("onoffer", "claimed")]
    for play in plays:
        play.submit(example("industry-credit"))
    task = next(task for task in plays[1].state.tasks.values() if task.assignee == OFFICE)
    plays[1].act(Claimed(actor=OFFICE, task_id=task.id))
    plays[1].act(AdviceAsked(actor=OFFICE, task_id=task.id, adviser="ivo.adviser@example.org", question="Fair?"))


def links_in(text: str) -> set[str]:
    """Paths of our own that a text names."""
    named = re.findall(rf"{re.escape(BASE_URL)}(/[^\s\"<>']*)", unescape(text))
    return {*named, *(found for found in re.findall(r'(?:href|src|action)="(/[^"]*)"', unescape(text)))}


def links_by_kind(mails: Mails) -> dict[MailKind, set[str]]:
    found: dict[MailKind, set[str]] = {}
    taken: dict[MailKind, int] = {}
    for context in mails:
        kind = context.mail.kind
        taken[kind] = taken.get(kind, 0) + 1
        if taken[kind] <= OF_EACH_KIND:
            mail = read(render(context, LINKS, SENDER).content)
            found.setdefault(kind, set()).update(links_in(mail.text) | links_in(mail.html))
    return found


def of_each_sort(mails: Mails) -> list[MailContext]:
    """One mail for every sort of page that a mail can lead to."""
    found: dict[tuple[object, ...], MailContext] = {}
    for context in mails:
        if (task := context.task) is not None:
            confirms = context.baseline is not None and context.baseline.approval is not None
            advises = context.mail.kind is MailKind.ADVICE_ASKED
            found.setdefault((task["stage"], task["status"], task["offer_rule"], confirms, advises), context)
    return list(found.values())


async def scan(visitor: httpx.AsyncClient, paths: set[str]) -> dict[str, int]:
    """Opens all of them in every way, and what their pages lead to; answers the status of each."""
    seen: dict[str, int] = {}
    waiting = set(paths)
    while waiting:
        path = waiting.pop()
        for agent, headers in zip(AGENTS, WAYS, strict=True):
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = await visitor.request(method, path, headers={"User-Agent": agent, **headers})
                if method == "GET":
                    seen[path] = answer.status_code
                    waiting |= links_in(answer.text) - seen.keys()
                assert answer.status_code == 405 if method == "OPTIONS" else answer.status_code < 500
    return seen


def links_of_no_case() -> dict[MailKind, set[str]]:
    """What is sent by the clock or at a visitor's wish, as the examples show it: of no task here."""
    found: dict[MailKind, set[str]] = {}
    for shown in examples():
        if shown.kind in OF_NO_CASE:
            mail = read(render(shown.context, LINKS, SENDER).content)
            found.setdefault(MailKind(shown.kind), set()).update(links_in(mail.text) | links_in(mail.html))
    return found


async def test_whoever_follows_every_link_of_every_mail_changes_nothing(played: tuple[Mails, Path]) -> None:
    mails, file = played
    by_kind, others = links_by_kind(mails), links_of_no_case()
    assert set(by_kind) | set(others) == set(MailKind)
    of_cases = set().union(*by_kind.values())
    paths = of_cases.union(*others.values())
    assert {kind for kind, found in by_kind.items() if any(path.startswith("/t/") for path in found)} >= {
        MailKind.TASK, MailKind.REMINDER, MailKind.ESCALATION, MailKind.ADVICE_ASKED, MailKind.REPLY_NOT_RECORDED
    }  # fmt: skip
    database = ReadOnly(f"sqlite:///{file}")
    before = everything(database)

    async def ready() -> dict[str, str]:
        return {}

    app = create_app(House(database, LINKS, Nobody(database)), ready=ready)
    transport = httpx.ASGITransport(app, client=("192.0.2.9", 1234))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as visitor:
        first = await scan(visitor, paths)
        again = await scan(visitor, paths)
    assert first == again and len(first) > len(paths)
    assert {first[path] for path in of_cases if path.startswith("/t/")} == {200}
    assert everything(database) == before
    database.close()


class Watchful:
    """A desk and a decider that fail where a form says anything by itself; what says nothing the rules refuse."""

    async def decide(self, *, verdict: str, **said: Any) -> DecisionReceipt:
        assert verdict == "", said
        raise InputError("verdict_not_offered", "No verdict.", "Choose one.")

    async def ask_advice(self, task: str, adviser: str, **said: Any) -> None:
        assert adviser == "", said
        raise InputError("adviser_missing", "No adviser.", "Name one.")

    async def advise(self, task: str, *, text: str, **said: Any) -> None:
        assert text == "", said
        raise InputError("advice_missing", "No advice.", "Write some.")


async def test_whoever_sends_every_form_as_it_stands_changes_nothing(played: tuple[Mails, Path]) -> None:
    mails, file = played
    texts = [read(render(context, LINKS, SENDER).content).text for context in of_each_sort(mails)]
    paths = {path for text in texts for path in links_in(text)}
    database = Database(f"sqlite:///{file}")
    before = everything(database)

    async def ready() -> dict[str, str]:
        return {}

    watchful: Any = Watchful()
    app = create_app(House(database, LINKS, decider=watchful, desk=watchful), ready=ready)
    buttons: set[str] = set()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as visitor:
        for path in sorted(path for path in paths if path.startswith("/t/")):
            text = (await visitor.get(path)).text
            for button in re.findall(r"<button[^>]*>(.*?)</button>", text):
                buttons.add(button)
                answer = await visitor.post(path, data=fields_of(text, button), headers=BROWSER)
                assert answer.status_code in (409, 422), (button, answer.status_code)
    assert buttons >= {
        "Record my decision", "Confirm my approval with these changes", "Claim this task", "Give it back",
        "Ask for advice", "Give my advice", "Keep as a draft", "Pass it on",
    }  # fmt: skip
    after = everything(database)
    assert after.pop("sent_form") and before.pop("sent_form") == []
    assert after == before
    database.close()


# --- forms ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return under_review(sqlite_database, tmp_path)


def fields_of(page: str, button: str = "Record my decision") -> dict[str, str]:
    """What a form sends as it stands: what is filled in, ticked or hidden. Of several, the one with the button."""
    form = next(part for part in re.findall(r"<form.*?</form>", page, re.DOTALL) if button in part)
    sent: dict[str, str] = {}
    pressed = [tag for tag, text in re.findall(r"(<button[^>]*>)(.*?)</button>", form) if text == button]
    for field in re.findall(r"<input[^>]*>", form) + pressed:
        kind = found[1] if (found := re.search(r'type="(\w+)"', field)) else "text"
        name, value = (re.search(rf'{part}="([^"]*)"', field) for part in ("name", "value"))
        if name and (kind not in ("radio", "checkbox") or " checked" in field):
            sent[name[1]] = unescape(value[1]) if value else ""
    return sent | dict.fromkeys(re.findall(r'<textarea[^>]*name="([^"]+)"', form), "")


async def opened(site: Site, link: str) -> str:
    async with site.visitor() as visitor:
        return (await visitor.get(link)).text


async def send(site: Site, link: str, form: dict[str, str], **headers: str) -> httpx.Response:
    async with site.visitor() as visitor:
        return await visitor.post(link, data=form, headers=BROWSER | headers)


async def test_a_form_that_is_sent_as_it_stands_decides_nothing(site: Site) -> None:
    link = site.link("quality")
    sent = fields_of(await opened(site, link))
    assert "verdict" not in sent and sent["once"]
    answer = await send(site, link, sent)
    assert answer.status_code == 422 and "verdict_not_offered" in answer.text
    assert site.play.state.open_tasks("quality")[0].status == "open"


async def test_a_browser_decides_with_the_value_of_its_page(site: Site) -> None:
    link = site.link("quality")
    answer = await send(site, link, fields_of(await opened(site, link)) | GOOD)
    assert answer.status_code == 200 and "Thank you" in answer.text


async def test_a_program_decides_without_any_value(site: Site) -> None:
    """The address of a task page is an interface of its own; nothing that goes by the page leaves its fields out."""
    async with site.visitor() as visitor:
        answer = await visitor.post(site.link("quality"), data=GOOD)
    assert answer.status_code == 200 and "Thank you" in answer.text


@pytest.mark.parametrize("name", ["Origin", "Referer", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Purpose", "Sec-Purpose"])
async def test_a_browser_that_sends_no_value_may_go_on(site: Site, name: str) -> None:
    link = site.link("quality")
    async with site.visitor() as visitor:
        refused = await visitor.post(link, data=GOOD, headers={name: "null", "Accept": "text/html"})
    assert refused.status_code == 409 and "form_value_missing" in refused.text
    assert site.decider.asked == []
    assert "Well made." in refused.text and 'value="approve" required checked' in refused.text
    again = await send(site, link, fields_of(refused.text) | {"comment": "Well made."})
    assert again.status_code == 200 and "Thank you" in again.text


async def test_the_same_form_sent_twice_is_answered_as_the_first_time(site: Site) -> None:
    link = site.link("quality")
    form = fields_of(await opened(site, link)) | GOOD
    first, again = [await send(site, link, form) for _ in range(2)]
    assert first.status_code == again.status_code == 200
    assert re.findall(r"<code>\w+</code>", first.text) == re.findall(r"<code>\w+</code>", again.text)


async def test_the_same_form_sent_with_other_words_is_refused(site: Site) -> None:
    link = site.link("quality")
    form = fields_of(await opened(site, link)) | GOOD
    await send(site, link, form | {"verdict": "odd"})
    asked = len(site.decider.asked)
    refused = await send(site, link, form)
    assert refused.status_code == 409 and "form_sent_before" in refused.text
    assert len(site.decider.asked) == asked
    answered = await send(site, link, fields_of(refused.text) | {"comment": "Well made."})
    assert answered.status_code == 200, "the page that says so holds another value"


class Late(TimestampSigner):
    """Signs as it did when the page was opened, long ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - FORM_HOURS * 3600 - 60


def expired(site: Site) -> str:
    task = site.play.state.open_tasks("quality")[0]
    salt = FORM_SALT + f" {task.id} {task.assignee}".encode()
    return Late([KEY], salt=salt, sep=".").sign("a-value").decode()


def of_a_colleague(site: Site) -> str:
    second = site.play.state.open_tasks("quality")[1]
    return site.links.form_value(second.id, second.assignee)


def of_the_same_task_for_another(site: Site) -> str:
    return site.links.form_value(site.play.state.open_tasks("quality")[0].id, "mallory@example.edu")


def of_another_key(site: Site) -> str:
    task = site.play.state.open_tasks("quality")[0]
    return Links(["x" * 40], BASE_URL).form_value(task.id, task.assignee)


STALE = [expired, of_a_colleague, of_the_same_task_for_another, of_another_key, lambda site: "made up"]


@pytest.mark.parametrize("value", STALE)
async def test_a_value_that_is_old_or_somebody_elses_is_refused(site: Site, value: Callable[[Site], str]) -> None:
    link = site.link("quality")
    async with site.visitor() as visitor:
        refused = await visitor.post(link, data=GOOD | {"once": value(site)})
    assert refused.status_code == 409 and "form_value_stale" in refused.text
    assert site.decider.asked == [] and "Well made." in refused.text


async def test_a_program_is_told_in_its_own_form(site: Site) -> None:
    link = site.link("quality")
    refused = await send(site, link, GOOD, Accept="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "form_value_missing")


async def test_a_form_with_nothing_to_fill_in_wants_its_tick(site: Site) -> None:
    refused = await send(site, site.link("quality"), GOOD | {"wants_tick": "yes"})
    assert refused.status_code == 409 and "form_not_confirmed" in refused.text
    assert site.decider.asked == []
