"""Two ways to play a case of the log: by the pure rules alone, and with the commit that writes the ledger."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from imprimatur import ids
from imprimatur.frameworks.loader import load_framework
from imprimatur.rules.admission import refusal
from imprimatur.rules.plan import plan_of
from imprimatur.rules.refusal import Refusal
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.people import import_people
from models import effects as c
from models.case import CaseState
from models.events import Decided, Event, Revised, Submitted, Withdrawn
from models.proposal import Proposal
from models.vocabulary import CaseStatus, EventType, Verdict
from tests import facts, simulator
from tests.approvals.log import DESKS, EMPLOYEE, PAYMENT, PAYMENT_REQUEST, Act, Did, Wanted
from tests.facts import Play, ledger_rows
from tests.simulator import Desk, Simulator

FRAMEWORK = load_framework(Path(__file__).with_name("request-for-payment.yaml"))
PLAN = plan_of(FRAMEWORK)
ROLES = {stage.id: rule.role for stage in FRAMEWORK.stages for rule in stage.reviewers if rule.role}
VERDICTS = {
    Did.APPROVED: Verdict.APPROVE,
    Did.FINALLY_APPROVED: Verdict.APPROVE,
    Did.ORDERED: Verdict.APPROVE,
    Did.PAID: Verdict.APPROVE,
    Did.SENT_BACK: Verdict.REQUEST_CHANGES,
}
WHY = "The log gives no reason."


def person(role: str) -> str:
    """The log names no people, so each role has one holder."""
    return f"{role}@example.edu"


def unit(desks: frozenset[str]) -> str:
    return " and ".join(sorted(desks)) or "nobody else"


def furnish(database: Database, folder: Path) -> None:
    """The framework, and people who belong to the units in which their desk is asked."""
    add_framework(database, FRAMEWORK, facts.START)
    every = [frozenset(desks) for number in range(len(DESKS) + 1) for desks in combinations(DESKS, number)]
    people = [f"{facts.PROPOSER},Employee,{EMPLOYEE},yes,", f"{person('controller')},Controller,controller,yes,"]
    for role in sorted(set(ROLES.values())):
        units = "; ".join(unit(desks) for desks in every if role in desks)
        people.append(f"{person(role)},{role.capitalize()},{role},yes,{units}")
    file = folder / "desks.csv"
    file.write_text("\n".join(["email,name,roles,active,units", *people]), encoding="utf-8")
    assert import_people(database, file).rejected == []


def document(case: str, version: int, act: Wanted) -> Proposal:
    """What is handed in, every version under another title; a draft does not say what is to be paid."""
    title = f"{case}, version {version}"
    if act.act.did is Did.KEPT:
        return Proposal(title=title)
    return Proposal(title=title, unit=unit(act.desks), summary="To be paid.", credential_kind=FRAMEWORK.credential_kind)


@dataclass(frozen=True)
class Fact:
    """What the ledger says that is part of a trace, or tells what kind of approval it was."""

    what: Literal["version", "draft", "decision", "opened", "withdrawn"]
    stage: str = ""
    role: str = ""
    verdict: str = ""


def acts_of(told: Iterable[Fact]) -> list[Act]:
    """The trace that the ledger gives back. An approval is final when with it the payment is next."""
    acts: list[Act] = []
    for fact in told:
        match fact.what:
            case "version":
                acts.append(Act(EMPLOYEE, Did.HANDED_IN))
            case "draft":
                acts.append(Act(EMPLOYEE, Did.KEPT))
            case "withdrawn":
                acts.append(Act(EMPLOYEE, Did.GAVE_UP))
            case "decision":
                acts.append(Act(fact.role, _did(fact)))
            case "opened" if fact.stage == PAYMENT_REQUEST and acts[-1].did is Did.APPROVED:
                acts[-1] = Act(acts[-1].role, Did.FINALLY_APPROVED)
    return acts


def _did(fact: Fact) -> Did:
    if fact.verdict == Verdict.REQUEST_CHANGES:
        return Did.SENT_BACK
    return {PAYMENT_REQUEST: Did.ORDERED, PAYMENT: Did.PAID}.get(fact.stage, Did.APPROVED)


class Player(ABC):
    """One case of the log in motion."""

    proposer: str

    @property
    @abstractmethod
    def state(self) -> CaseState: ...

    @abstractmethod
    def begin(self, at: dt.datetime) -> None:
        """Sets the clock before anything has happened."""

    @abstractmethod
    def until(self, at: dt.datetime) -> None:
        """Moves the clock; what falls due on the way happens."""

    @abstractmethod
    def attempt(self, event: Event) -> Refusal | None: ...

    @abstractmethod
    def told(self) -> list[Act]:
        """What is on record."""

    @abstractmethod
    def _hand_in(self, act: Wanted) -> tuple[str, tuple[str, ...]]:
        """Puts the document where it is looked for; answers its digest and what changed."""

    def repeat(self, act: Wanted) -> Refusal | None:
        match act.act.did:
            case Did.HANDED_IN | Did.KEPT:
                return self.attempt(self._version(act))
            case Did.GAVE_UP:
                return self.attempt(Withdrawn(actor=self.proposer, reason=WHY))
        return self.attempt(self._decision(act))

    def _version(self, act: Wanted) -> Event:
        digest, changed = self._hand_in(act)
        complete = act.act.did is Did.HANDED_IN
        if self.state.version == 0:
            return Submitted(actor=self.proposer, digest=digest, complete=complete)
        return Revised(actor=self.proposer, digest=digest, complete=complete, changed=changed)

    def _decision(self, act: Wanted) -> Event:
        """On the open task of its stage, else on the one that the role would have there."""
        stage = next((name for name in act.stages if self.state.open_tasks(name)), act.stages[0])
        actor = person(ROLES[stage])
        mine = [task for task in self.state.tasks.values() if (task.stage, task.assignee) == (stage, actor)]
        task = mine[-1].id if mine else ids.task_id(self.state.case_id, stage, max(self.state.round, 1), actor)
        verdict = VERDICTS[act.act.did]
        comment = WHY if verdict is Verdict.REQUEST_CHANGES else ""
        decision = ids.decision_id(task, actor, verdict, comment, {})
        return Decided(decision_id=decision, task_id=task, actor=actor, verdict=verdict, comment=comment)


class ByRules(Player):
    """The pure rules; the effects of a case stand for its ledger, which is written from them."""

    def __init__(self) -> None:
        self.proposer = simulator.PROPOSER
        self._desk = Desk({}, [person("controller")], optional={s.id for s in FRAMEWORK.stages if s.optional})
        self._case = Simulator(PLAN, self._desk)

    @property
    def state(self) -> CaseState:
        return self._case.state

    def begin(self, at: dt.datetime) -> None:
        self._case.now = at

    def until(self, at: dt.datetime) -> None:
        self._case.pass_time(at - self._case.now)

    def attempt(self, event: Event) -> Refusal | None:
        return self._case.play(event)

    def _hand_in(self, act: Wanted) -> tuple[str, tuple[str, ...]]:
        asked = {stage.id for stage in FRAMEWORK.stages if not stage.optional} | act.desks
        self._desk.reviewers = {stage: [(person(role), role)] for stage, role in ROLES.items() if stage in asked}
        return f"d{self.state.version + 1}", ("title",)

    def told(self) -> list[Act]:
        return acts_of(self._facts())

    def _facts(self) -> Iterator[Fact]:
        for effect in self._case.effects:
            match effect:
                case c.AddVersion():
                    yield Fact("version" if effect.complete else "draft")
                case c.RecordDecision(decision=decision):
                    role = self.state.tasks[decision.task_id].role or ""
                    yield Fact("decision", effect.stage, role, decision.verdict)
                case c.OpenStage():
                    yield Fact("opened", effect.stage)
                case c.CloseCase(status=CaseStatus.WITHDRAWN):
                    yield Fact("withdrawn")


class OnLedger(Player):
    """The rules with the real commit; what is told is read from the ledger's rows."""

    def __init__(self, database: Database, folder: Path, case: str) -> None:
        self.proposer = facts.PROPOSER
        self._case = Play(database, folder, FRAMEWORK, case_id=f"mc-{case}")
        self._before: Proposal | None = None

    @property
    def state(self) -> CaseState:
        return self._case.state

    def begin(self, at: dt.datetime) -> None:
        self._case.now = at

    def until(self, at: dt.datetime) -> None:
        self._case.pass_time(at - self._case.now)

    def attempt(self, event: Event) -> Refusal | None:
        refused = refusal(self.state, event, PLAN)
        if refused is None:
            # An act takes a minute there, and shall happen when it did.
            self._case.now -= facts.MINUTE
            self._case.act(event)
        return refused

    def told(self) -> list[Act]:
        return acts_of(facts_on_ledger(self._case.database, self._case.case_id))

    def _hand_in(self, act: Wanted) -> tuple[str, tuple[str, ...]]:
        return self._case.keep(document(self._case.case_id, self.state.version + 1, act)), ("title",)


def facts_on_ledger(database: Database, case_id: str) -> Iterator[Fact]:
    rows = ledger_rows(database, case_id)
    roles = {row["data"]["task_id"]: row["data"].get("role") for row in rows if row["type"] == EventType.TASK_ASSIGNED}
    returned = {row["position"] - 1 for row in rows if row["type"] == EventType.CASE_RETURNED}
    for row in rows:
        data = row["data"]
        match row["type"]:
            case EventType.PROPOSAL_VERSION_ADDED:
                yield Fact("draft" if row["position"] in returned else "version")
            case EventType.DECISION_RECORDED:
                yield Fact("decision", data["stage"], roles[data["task_id"]], data["verdict"])
            case EventType.STAGE_OPENED:
                yield Fact("opened", data["stage"])
            case EventType.CASE_CLOSED if data["status"] == CaseStatus.WITHDRAWN:
                yield Fact("withdrawn")
