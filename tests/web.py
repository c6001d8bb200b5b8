"""The pages without a server: an app on a database that a played case has filled; for tests."""

import datetime as dt
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Response
from sqlmodel import SQLModel

from imprimatur import ids
from imprimatur.desk import Desk
from imprimatur.errors import error_class
from imprimatur.gateway import Gateway, identified
from imprimatur.mail.links import Links
from imprimatur.rules.admission import refusal
from imprimatur.rules.answers import check_answer
from imprimatur.rules.strength import sign_in_refusal
from imprimatur.store.decisions import receipt, task_place
from imprimatur.store.engine import Database
from imprimatur.store.sessions import Client, begin
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from imprimatur.web.oidc import Provider
from models.case import CaseState
from models.conditions import Condition, ConditionEvent
from models.events import Act, Decided, Migration, Withdrawn
from models.messages import CaseAnswer, DecisionReceipt
from models.plan import Plan
from models.vocabulary import Channel, Strength
from tests.facts import BASE_URL, EXAMPLES, Play, example, furnish, ledger_rows
from tests.proposing import PlayedCases

KEY = "a-key-of-at-least-thirty-two-characters"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Decider:
    """Decides as the gateway does, on a case that is played without Temporal; ``trouble`` is raised instead."""

    play: Play
    trouble: Exception | None = None
    asked: list[str] = field(default_factory=list)

    async def decide(
        self,
        *,
        task_id: str,
        verdict: str,
        actor: str,
        comment: str = "",
        scores: dict[str, int] | None = None,
        conditions: Sequence[Condition] = (),
        statement: str = "",
        logo: bool = False,
        teach_out_on: dt.date | None = None,
        channel: Channel = Channel.LINK,
        strength: Strength | None = None,
    ) -> DecisionReceipt:
        self.asked.append(task_id)
        if self.trouble is not None:
            raise self.trouble
        comment = comment.strip()
        place, agreed = task_place(self.play.database, task_id), identified(task_id, conditions)
        checked = check_answer(
            place.stage_def,
            verdict,
            comment,
            scores or {},
            place.reason,
            agreed,
            statement=statement,
            teach_out_on=teach_out_on,
        )
        number = ids.decision_id(task_id, actor, verdict, comment, scores or {}, [item.id for item in agreed])
        found = receipt(self.play.database, number)
        if found is not None:
            return found
        if (unsure := sign_in_refusal(place.stage_def, strength)) is not None:
            raise unsure
        event = Decided(
            decision_id=number,
            task_id=task_id,
            actor=actor,
            verdict=checked,
            comment=comment,
            scores=scores or {},
            conditions=agreed,
            channel=channel,
            statement=statement,
            logo=logo,
            strength=strength,
            teach_out_on=teach_out_on,
        )
        refused = refusal(self.play.state, event)
        if refused is not None:
            raise error_class(refused.kind)(refused.code, refused.message, refused.hint)
        self.play.act(event)
        recorded = receipt(self.play.database, number)
        assert recorded is not None
        return recorded


class Played(Gateway):
    """Acts as the gateway does, on a case that is played without Temporal: each update id once."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._database = play.database
        self._update_id = None
        self.answers: dict[str, CaseAnswer] = {}

    async def act(self, case_id: str, event: Act | Migration, update_id: str | None = None) -> CaseAnswer:
        return self._answer(event)

    async def condition(self, case_id: str, event: ConditionEvent) -> CaseAnswer:
        return self._answer(event)

    async def withdraw(self, case_id: str, *, actor: str, reason: str) -> CaseAnswer:
        return self._answer(Withdrawn(actor=actor, reason=reason, by_office=actor != self._play.state.proposer))

    async def state(self, case_id: str) -> CaseState:
        return self._play.state

    async def plan(self, case_id: str) -> Plan:
        return self._play.plan

    def _answer(self, event: Any) -> CaseAnswer:
        known = self.answers.get(self._update_id or "")
        if known is not None:
            return known
        refused = refusal(self._play.state, event, self._play.plan)
        if refused is not None:
            raise error_class(refused.kind)(refused.code, refused.message, refused.hint)
        self._play.act(event)
        state, rows = self._play.state, ledger_rows(self._database, self._play.case_id)
        answer = CaseAnswer(
            case_id=self._play.case_id, status=state.status, version=state.version, round=state.round,
            position=len(rows), digest=rows[-1]["digest"],
        )  # fmt: skip
        if self._update_id:
            self.answers[self._update_id] = answer
        return answer


@dataclass(frozen=True)
class Mail:
    name: str = "1-a.eml"
    subject: str = "Your review: <b>bold</b>"
    sender: str = "Imprimatur <imprimatur@localhost>"
    to: str = "Rosa <rosa@example.edu>"
    date: str = "2026-03-02 09:00:00 UTC"
    text: str = "Plain text with <script>"
    html: str = (
        "<!doctype html><html><head><title>x</title></head><body><a href='http://x/t/y'>Answer</a></body></html>"
    )
    headers: tuple[tuple[str, str], ...] = (("X-Odd", "<i>"),)
    links: tuple[str, ...] = ("http://x/t/y",)


@dataclass(frozen=True)
class Mailbox:
    mails: tuple[Mail, ...] = (Mail(),)

    def newest(self, to: str) -> Sequence[Mail]:
        return [mail for mail in self.mails if to in mail.to]

    def one(self, name: str) -> Mail | None:
        return next((mail for mail in self.mails if mail.name == name), None)


@dataclass
class Site:
    """``app`` on ``play``'s database; ``problems`` is what keeps it from being ready."""

    play: Play
    embedded: bool = True
    problems: dict[str, str] = field(default_factory=dict)
    links: Links = field(default_factory=lambda: Links([KEY], BASE_URL))
    provider: Provider | None = None
    api: FastAPI | None = None
    woken: Callable[[], object] = field(default=lambda: None, repr=False)
    machinery: Machinery = field(default_factory=Machinery)
    acting: Gateway | None = None

    def __post_init__(self) -> None:
        self.decider, played = Decider(self.play), Played(self.play)
        self.cases = PlayedCases(self.play.database, self.play.published_dir, {self.play.case_id: self.play})

        async def ready() -> dict[str, str]:
            return self.problems

        self.app: FastAPI = create_app(
            House(
                self.play.database,
                self.links,
                self.acting or played,
                decider=self.decider,
                proposals=self.cases,
                desk=Desk(played, self.play.database),
                machinery=self.machinery,
                wake_imports=lambda: self.woken(),
            ),
            ready=ready,
            mailbox=Mailbox() if self.embedded else None,
            examples=(EXAMPLES / "people.csv").read_text(encoding="utf-8"),
            provider=self.provider,
            api=self.api,
        )

    def link(self, stage: str, number: int = 0) -> str:
        """Path of the page of one of the stage's open tasks."""
        task = self.play.state.open_tasks(stage)[number]
        return f"/t/{self.links.token(task.id, task.assignee)}"

    @asynccontextmanager
    async def visitor(self, raises: bool = True) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=raises)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            yield client

    def session(self, email: str, strength: Strength = Strength.SESSION) -> dict[str, str]:
        """Signs somebody of the directory in; the cookie that their browser holds."""
        return signed_in_to(self.app, self.play.database, email, strength)

    @asynccontextmanager
    async def signed_in(self, email: str, strength: Strength = Strength.SESSION) -> AsyncIterator[httpx.AsyncClient]:
        async with self.visitor() as visitor:
            visitor.cookies.update(self.session(email, strength))
            yield visitor


def signed_in_to(app: FastAPI, database: Database, email: str, strength: Strength = Strength.SESSION) -> dict[str, str]:
    """Signs somebody of the directory in; the cookie that their browser holds."""
    with database.write() as connection:
        secret = begin(connection, email, strength, Client("192.0.2.7", "A browser"), dt.datetime.now(dt.UTC))
    response = Response()
    app.state.gate.keep(response, secret)
    name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
    return {name: value}


def form_token(page: str) -> str:
    """What a page of somebody who is signed in puts into its forms."""
    found: str = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page)[0]
    return found


async def post(site: Site, link: str, form: Mapping[str, str], accept: str = "text/html") -> httpx.Response:
    async with site.visitor() as visitor:
        return await visitor.post(link, data=form, headers={"Accept": accept})


def under_review(database: Database, folder: Path) -> Site:
    """The pages around a case that waits for its quality review and its industry sign-off."""
    furnish(database)
    play = Play(database, folder)
    play.submit(example("industry-credit"))
    play.decide("proposal", comment="Fits our offer.", fit=4, no_duplication=3)
    return Site(play)


def everything(database: Database) -> Mapping[str, Any]:
    """Every row of every table."""
    with database.read() as connection:
        tables = SQLModel.metadata.sorted_tables
        return {table.name: sorted(map(repr, connection.execute(table.select()))) for table in tables}
