"""What is proved of the pure rules holds of the running engine: random sequences end alike in both."""

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imprimatur import ids
from imprimatur.errors import ImprimaturError, ProposalIncomplete
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.plan import plan_of
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.people import import_people
from models.case import CaseState
from models.framework import FieldRule, Framework, ReviewerRule
from models.proposal import Partner, Proposal
from models.vocabulary import Verdict
from tests.bench.scenario import REVIEWERS, bench_framework, bench_proposal
from tests.engine import Engine, engine, new_queue
from tests.facts import PROPOSER
from tests.simulator import Desk, Simulator

CASES, ACTS = 20, 14
DIRECTOR, STRANGER = "director@example.org", "stranger@example.org"
PARTNER = REVIEWERS["industry"][0]
VERDICTS = [Verdict.APPROVE] * 6 + [Verdict.REQUEST_CHANGES] * 4 + [Verdict.REJECT, Verdict.ABSTAIN]


def policy() -> Framework:
    """The bench framework with an optional stage for partners, and stages to which not every change matters."""
    bench = bench_framework()
    updates: dict[str, dict[str, Any]] = {
        "quality": {"material": ("learning_outcomes",)},
        "industry": {"material": ("title",), "optional": True, "reviewers": (ReviewerRule(partners="all"),)},
    }
    stages = tuple(stage.model_copy(update=updates.get(stage.id, {})) for stage in bench.stages)
    fields = (*bench.proposal.fields, FieldRule(field="language"))
    rules = bench.proposal.model_copy(update={"fields": fields})
    return bench.model_copy(update={"id": "model", "stages": stages, "proposal": rules})


@dataclass(frozen=True)
class Act:
    """``refused`` is the code with which the rules refuse it."""

    kind: str
    refused: str | None = None
    stage: str = ""
    round: int = 0
    person: str = ""
    verdict: Verdict = Verdict.APPROVE
    assigned: str = ""
    changed: str = ""
    complete: bool = True


class Author:
    """Invents what happens to one case, and lets it happen by the pure rules.

    The very same answer or withdrawal again is left out: the gateway answers it as it did first, before any rule.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.partner = self.chance.random() < 0.7
        self.unreviewed: set[str] = set()
        self.complete = self.chance.random() < 0.8
        people: dict[str, list[tuple[str, str | None]]] = {
            stage: [(person, None) for person in named] for stage, named in REVIEWERS.items()
        }
        if not self.partner:
            del people["industry"]
        self.case = Simulator(
            plan_of(policy()), Desk(people, [DIRECTOR], optional={"industry"}, stage_days=14, case_days=84)
        )
        self.case.submit(self.complete)
        self.acts = [self._next() for _ in range(ACTS)]

    def _next(self) -> Act:
        state, wish = self.case.state, self.chance.random()
        if wish < 0.04:
            return self._withdraw()
        if state.status.waits_for_proposer and wish < 0.8:
            return self._revise()
        if wish < 0.2 and next_deadline(state) is not None:
            return self._wait()
        if state.tasks:
            return self._decide(state)
        return self._revise()

    def _withdraw(self) -> Act:
        if self.case.state.status.is_final:
            return self._revise()
        assert self.case.withdraw() is None
        return Act("withdraw")

    def _revise(self) -> Act:
        changed = self.chance.choice(["summary", "title", "learning_outcomes"])
        complete = self.chance.random() < 0.8
        # What was refused or incomplete is still different from the version that was reviewed last.
        self.unreviewed.add(changed)
        refused = self.case.revise(*self.unreviewed, complete=complete)
        if complete and not refused:
            self.unreviewed.clear()
        return Act("revise", refused.code if refused else None, changed=changed, complete=complete)

    def _wait(self) -> Act:
        deadline = next_deadline(self.case.state)
        assert deadline is not None
        self.case.pass_time(deadline - self.case.now)
        return Act("wait")

    def _decide(self, state: CaseState) -> Act:
        """Mostly an open task, by its assignee."""
        tasks = (self.chance.random() < 0.9 and state.open_tasks()) or list(state.tasks.values())
        task = self.chance.choice(tasks)
        person = task.assignee if self.chance.random() < 0.95 else STRANGER
        verdict = self.chance.choice([verdict for verdict in VERDICTS if verdict is not task.verdict])
        refused = self.case.decide_task(task.id, person, verdict)
        return Act("decide", refused.code if refused else None, task.stage, task.round, person, verdict, task.assignee)


class Player:
    """Plays invented acts on the running engine."""

    def __init__(self, live: Engine, author: Author, number: int) -> None:
        self.live, self.author = live, author
        self.case_id = live.case_id(f"model-{number}")
        partners = (Partner(organisation="Partner", contact_email=PARTNER),) if author.partner else ()
        self.proposal = bench_proposal(number).model_copy(update={"partners": partners})
        self.versions = 1

    async def play(self) -> list[str | None]:
        """The codes of refusals, in order."""
        await self._code_of(
            self.live.gateway.submit(
                self._version(self.author.complete), proposer=PROPOSER, framework_id="model", case_id=self.case_id
            )
        )
        return [await self._act(act) for act in self.author.acts]

    def _version(self, complete: bool) -> Proposal:
        return self.proposal if complete else self.proposal.model_copy(update={"language": None})

    async def _act(self, act: Act) -> str | None:
        gateway = self.live.gateway
        match act.kind:
            case "withdraw":
                return await self._code_of(gateway.withdraw(self.case_id, actor=PROPOSER, reason="no longer needed"))
            case "wait":
                await self.live.next_deadline(self.case_id)
                return None
            case "revise":
                self.versions += 1
                words: Any = f"Version {self.versions}."
                value = (words,) if act.changed == "learning_outcomes" else words
                self.proposal = self.proposal.model_copy(update={act.changed: value})
                return await self._code_of(gateway.revise(self.case_id, self._version(act.complete), actor=PROPOSER))
        task_id = ids.task_id(self.case_id, act.stage, act.round, act.assigned)
        return await self._code_of(
            gateway.decide(task_id=task_id, verdict=act.verdict, actor=act.person, comment="because")
        )

    async def _code_of(self, act: Any) -> str | None:
        try:
            await act
        except ProposalIncomplete:
            return None
        except ImprimaturError as error:
            return error.code
        return None


def ending(state: CaseState) -> dict[str, Any]:
    """What became of a case; tasks by whom they were given to, for their ids are the case's own."""
    return {
        "case": (state.status, state.version, state.round),
        "stages": {stage.id: (stage.status, stage.outcome, stage.deadlocked) for stage in state.stages.values()},
        "tasks": {
            (task.stage, task.round, task.assignee): (task.status, task.verdict, task.closure)
            for task in state.tasks.values()
        },
    }


@pytest.fixture
async def modelled(temporal_address: str, sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    add_framework(sqlite_database, policy(), dt.datetime.now(dt.UTC))
    people = tmp_path / "people.csv"
    people.write_text(f"email,name,roles\n{PROPOSER},Ana,proposer\n{DIRECTOR},Dora,academic_director\n")
    import_people(sqlite_database, people)
    async with engine(temporal_address, sqlite_database, tmp_path, new_queue()) as live:
        yield live


async def test_random_sequences_end_as_the_rules_say(modelled: Engine) -> None:
    authors = [Author(seed) for seed in range(CASES)]
    players = [Player(modelled, author, number) for number, author in enumerate(authors)]
    told = await asyncio.gather(*(player.play() for player in players))
    for author, player, codes in zip(authors, players, told, strict=True):
        assert codes == [act.refused for act in author.acts], author.acts
        state = await modelled.assert_agrees(player.case_id)
        assert ending(state) == ending(author.case.state), author.acts


def test_the_sequences_are_no_trivial_ones() -> None:
    authors = [Author(seed) for seed in range(CASES)]
    acts = [act for author in authors for act in author.acts]
    assert {act.kind for act in acts} == {"decide", "revise", "withdraw", "wait"}
    assert len({author.case.state.status for author in authors}) >= 4
    assert any(author.case.state.round > 2 for author in authors)
    assert len({act.refused for act in acts}) >= 4
