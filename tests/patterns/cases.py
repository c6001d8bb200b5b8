"""A case under a pattern's snippet, played through the real rules and commit by the pattern's own commands."""

import datetime as dt
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imprimatur import ids
from imprimatur.frameworks.documents import parse
from imprimatur.gateway import identified
from imprimatur.history.verify import verify_case
from imprimatur.rules.admission import refusal
from imprimatur.rules.answers import check_answer
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.office import belongs_to_office
from models.case import TaskState
from models.conditions import Condition, ConditionFulfilled, ConditionJudged
from models.events import (
    ActConfirmed,
    ActProposed,
    AdviceAsked,
    AdviceGiven,
    Annulled,
    Claimed,
    Decided,
    Event,
    Held,
    PassedOn,
    Resumed,
    SentBack,
    TaskReturned,
    Withdrawn,
)
from models.framework import Framework
from models.proposal import Proposal
from models.vocabulary import ConditionAct, OfficeAct, StageOutcome, StageStatus, TaskStatus, Verdict
from tests.facts import START, Play, add_people, example, furnish
from tests.governed import DEPUTIES, endorsement, framework_of, information, review, sla, window
from tests.patterns.catalogue import Pattern

KINDS = {"review": review, "endorsement": endorsement, "information": information, "objection": window}
REFUSED = "  # refused: "
WHY = "It has to be clearer."


def policy_of(snippet: str) -> Framework:
    """The framework that a snippet is a part of; sound, or this fails."""
    document = parse(snippet, Path("pattern.yaml")).data
    stages = [_stage(**stage) for stage in document.pop("stages")]
    return framework_of(*stages, framework_id="pattern", **document)


def _stage(id: str, **said: Any) -> dict[str, Any]:  # noqa: A002  (the document's own word)
    if "sla" in said:
        said["sla"] = sla(**said["sla"])
    return KINDS[said.get("kind", "review")](id, **said)


class PatternCase(Play):
    """Answers are checked as a reviewer's are, and commands are those that the pattern's declaration shows."""

    def __init__(self, database: Database, folder: Path, policy: Framework, pattern: Pattern, case_id: str) -> None:
        super().__init__(database, folder, policy, case_id=case_id)
        self.pattern = pattern
        self.ran: set[str] = set()

    # --- what is seen -------------------------------------------------------------------------------------------

    @property
    def opened(self) -> set[str]:
        """Stages that are open."""
        return {stage.id for stage in self.state.stages.values() if stage.status is StageStatus.OPEN}

    @property
    def outcomes(self) -> dict[str, str]:
        """Of the stages that are closed, but the publication."""
        stages = self.state.stages.values()
        return {stage.id: str(stage.outcome) for stage in stages if stage.outcome and stage.id != "publication"}

    def asked(self, stage: str) -> list[str]:
        return sorted(task.assignee for task in self.state.open_tasks(stage))

    def offered(self, stage: str) -> list[str]:
        return sorted(task.assignee for task in self.tasks(stage) if task.status is TaskStatus.OFFERED)

    def tasks(self, stage: str) -> list[TaskState]:
        """All there ever were in the stage, in every round."""
        return [task for task in self.state.tasks.values() if task.stage == stage]

    def task_of(self, person: str, stage: str | None = None) -> TaskState:
        """The newest."""
        mine = [task for task in self.state.tasks.values() if task.assignee == person and stage in (None, task.stage)]
        return mine[-1]

    def openings(self, stage: str) -> int:
        """How often the stage was opened, in the case's whole life."""
        kinds = [effect for step in self.steps for effect in step.effects if effect.kind == "open_stage"]
        return sum(effect.stage == stage for effect in kinds)

    # --- what is done -------------------------------------------------------------------------------------------

    def answer(
        self, person: str, verdict: str = "approve", stage: str | None = None, conditions: Sequence[Condition] = ()
    ) -> None:
        self.act(self.answer_of(person, verdict, stage, conditions))

    def answer_of(
        self, person: str, verdict: str = "approve", stage: str | None = None, conditions: Sequence[Condition] = ()
    ) -> Decided:
        task = self.task_of(person, stage)
        defined = self.framework.stage(task.stage)
        said = check_answer(defined, verdict, WHY, {}, str(task.reason), conditions)
        return self._decision(task, said, identified(task.id, conditions))

    def _decision(self, task: TaskState, verdict: Verdict, given: Sequence[Condition]) -> Decided:
        decision = ids.decision_id(task.id, task.assignee, verdict, WHY, {}, [item.id for item in given])
        return Decided(
            decision_id=decision,
            task_id=task.id,
            actor=task.assignee,
            verdict=verdict,
            comment=WHY,
            conditions=tuple(given),
        )

    def approve(self, *stages: str) -> None:
        """Everybody who is asked approves, until each of the stages has passed."""
        for stage in stages:
            while self.state.open_tasks(stage):
                self.answer(self.state.open_tasks(stage)[0].assignee, stage=stage)

    def until_due(self, stage: str, after: dt.timedelta = dt.timedelta()) -> None:
        due_at = self.state.stages[stage].due_at
        assert due_at is not None
        self.pass_time(due_at + after - self.now)

    def refused(self, event: Event) -> str:
        """The code of the refusal."""
        found = refusal(self.state, event, self.plan)
        assert found is not None, "it is not refused"
        return found.code

    def does(self, verb: str, task: TaskState | None = None, subject: str = "") -> None:
        """Runs the commands of this verb that the pattern shows, in their order."""
        found = [line for line in self.pattern.acts if line.split()[1] == verb]
        assert found, f"{self.pattern.id} shows no {verb}"
        for line in found:
            self.run(line, task, subject)

    def run(self, line: str, task: TaskState | None = None, subject: str = "") -> None:
        """A command that the pattern shows, as it is typed; one of which it says so is refused.

        Without a ``task`` it is about the actor's own; ``subject`` is the condition.
        """
        self.ran.add(line)
        command, _, code = line.partition(REFUSED)
        event = self._event_of(command, task, subject)
        if code:
            assert self.refused(event) == code
        else:
            self.act(event)

    def _event_of(self, command: str, task: TaskState | None, subject: str) -> Event:
        _, verb, *words = shlex.split(command)
        first = next(number for number, word in enumerate(words) if word.startswith("--"))
        said = {
            name.removeprefix("--"): value for name, value in zip(words[first::2], words[first + 1 :: 2], strict=True)
        }
        actor = said.pop("as")
        with self.database.read() as connection:
            by_office = belongs_to_office(connection, actor)
        facts: dict[str, Any] = {"actor": actor, "by_office": by_office, "reason": said.get("reason", "")}
        if "TASK" in words:
            facts["task_id"] = (task or self.task_of(actor)).id
        return _event(verb, said, facts, subject or next(iter(self.state.proposed), ""), self)


def _event(verb: str, said: dict[str, str], facts: dict[str, Any], subject: str, case: PatternCase) -> Event:
    who = {"actor": facts["actor"]}
    on_task = {name: facts[name] for name in ("actor", "task_id") if name in facts}
    match verb:
        case "hold":
            return Held(**facts)
        case "resume":
            return Resumed(**facts)
        case "withdraw":
            return Withdrawn(**facts)
        case "send-back":
            return SentBack(stage=said["to"], **facts)
        case "override" | "skip":
            return _proposed(OfficeAct(verb), said, facts, case)
        case "confirm":
            return ActConfirmed(act_id=subject, by_office=facts["by_office"], **who)
        case "delegate" | "reassign":
            return PassedOn(to=said["to"], **facts)
        case "annul":
            return Annulled(**facts)
        case "claim":
            return Claimed(**on_task)
        case "return":
            return TaskReturned(reason=facts["reason"], **on_task)
        case "ask-advice":
            return AdviceAsked(adviser=said["of"], question=said["question"], **on_task)
        case "advise":
            return AdviceGiven(text=said["text"], **on_task)
        case "fulfil":
            return ConditionFulfilled(condition_id=subject, evidence=said["evidence"], **who)
        case "accept":
            return ConditionJudged(condition_id=subject, act=ConditionAct.ACCEPT, by_office=facts["by_office"], **who)
    raise AssertionError(f"no pattern has used {verb} so far")


def _proposed(act: OfficeAct, said: dict[str, str], facts: dict[str, Any], case: PatternCase) -> ActProposed:
    stage, outcome = said["stage"], said.get("outcome", "skipped")
    act_id = ids.act_id(case.case_id, act, stage, case.state.stages[stage].round, facts["actor"], outcome)
    return ActProposed(act_id=act_id, act=act, stage=stage, outcome=StageOutcome(outcome), **facts)


class Cases:
    """Cases under one pattern's snippet, in one database with the example directory and two deputies."""

    def __init__(self, database: Database, folder: Path, pattern: Pattern) -> None:
        furnish(database)
        add_people(database, folder, *DEPUTIES)
        self.database, self.folder, self.pattern = database, folder, pattern
        self.policy = policy_of(pattern.snippet)
        add_framework(database, self.policy, START)
        self._begun: list[PatternCase] = []

    def new(self) -> PatternCase:
        """Not submitted yet."""
        number = len(self._begun)
        case = PatternCase(self.database, self.folder, self.policy, self.pattern, f"mc-{'abcdefgh'[number] * 12}")
        self._begun.append(case)
        return case

    def begin(self, proposal: Proposal | None = None) -> PatternCase:
        case = self.new()
        case.submit(proposal or example("industry-credit"))
        return case

    def verify(self) -> None:
        """Every ledger is whole, and every command that the pattern shows was run."""
        for case in self._begun:
            found = verify_case(self.database, case.case_id)
            assert found.ok, found.problems
        assert {line for case in self._begun for line in case.ran} == set(self.pattern.acts)


def sized(points: float = 15, **change: Any) -> Proposal:
    """The example proposal with so many credits, and with other fields changed."""
    document = example("industry-credit")
    assert document.workload is not None
    workload = document.workload.model_copy(update={"credits": points})
    return document.model_copy(update={"workload": workload} | change)
