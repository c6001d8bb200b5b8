"""Plays a case without Temporal and without a database: the pure rules, and a hand-written stand-in for the commit."""

import datetime as dt
from dataclasses import dataclass, field

from imprimatur import ids
from imprimatur.rules.admission import refusal
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.plan import plan_in_force
from imprimatur.rules.refusal import Refusal
from imprimatur.rules.transition import settle, transition, wants_to_continue
from models.case import CaseState
from models.commit import AssignedTask, Resolution, StageResolution
from models.conditions import Condition, ConditionResolution, OpenCondition
from models.effects import AskAnew, AskToConfirm, Effect, Escalate, OpenStage, ResumeClock, SeekReviewers, StartClock
from models.events import Continued, Decided, Event, Revised, Submitted, Ticked, Withdrawn
from models.plan import Plan
from models.vocabulary import AssignmentReason, Verdict

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PROPOSER = "proposer@example.org"


@dataclass
class Desk:
    """Who can be found: reviewers by stage, holders of the escalation role, stages that may be skipped."""

    reviewers: dict[str, list[tuple[str, str | None]]]
    escalation: list[str] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)
    stage_days: int = 10
    case_days: int = 60
    condition_days: int = 5


class Simulator:
    def __init__(self, plan: Plan, desk: Desk) -> None:
        self.plan = plan
        self.desk = desk
        self.now = START
        self.state = CaseState(case_id="mc-simulated")
        self.effects: list[Effect] = []
        self.last: tuple[Effect, ...] = ()

    def submit(self, complete: bool = True) -> None:
        assert self.play(Submitted(actor=PROPOSER, digest="d1", complete=complete)) is None

    def decide(self, stage: str, verdict: Verdict, by: int = 0) -> Refusal | None:
        """The ``by``-th open task of the stage's current round."""
        task = self.state.open_tasks(stage)[by]
        return self.decide_task(task.id, task.assignee, verdict)

    def decide_task(
        self, task_id: str, actor: str, verdict: Verdict, conditions: tuple[Condition, ...] = ()
    ) -> Refusal | None:
        return self.play(
            Decided(
                decision_id="d",
                task_id=task_id,
                actor=actor,
                verdict=verdict,
                comment="because",
                conditions=conditions,
            )
        )

    def revise(self, *changed: str, complete: bool = True) -> Refusal | None:
        digest = f"d{self.state.version + 1}"
        return self.play(Revised(actor=PROPOSER, digest=digest, complete=complete, changed=changed))

    def withdraw(self) -> Refusal | None:
        return self.play(Withdrawn(actor=PROPOSER, reason="no longer needed"))

    def pass_time(self, span: dt.timedelta) -> None:
        until = self.now + span
        while (deadline := next_deadline(self.state)) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.play(Ticked())
        self.now = until

    def play(self, event: Event) -> Refusal | None:
        refused = refusal(self.state, event)
        if refused is not None:
            return refused
        self.last = ()
        following: Event | None = event
        while following is not None:
            before = self.state
            self.plan = plan_in_force(self.plan, following)
            state, effects = transition(before, following, self.plan, self.now)
            assert state.seq == before.seq + (1 if effects else 0)
            self.state = settle(state, self._commit(effects))
            self.last += effects
            following = Continued() if wants_to_continue(self.state, self.plan) else None
        self.effects += self.last
        return None

    def kinds(self) -> list[str]:
        return [effect.kind for effect in self.last]

    def _commit(self, effects: tuple[Effect, ...]) -> Resolution:
        found, agreed, due_at = [], [], None
        for effect in effects:
            match effect:
                case OpenStage():
                    found.append(self._open(effect))
                case AskToConfirm():
                    found.append(self._ask_to_confirm(effect))
                case AskAnew():
                    found.append(self._ask_anew(effect))
                case Escalate() | SeekReviewers():
                    found.append(self._seek(effect))
                case OpenCondition():
                    due = self.now + self.desk.condition_days * DAY
                    agreed.append(ConditionResolution(condition=effect.condition, due_at=due, remind_at=(due - DAY,)))
                case StartClock() | ResumeClock():
                    due_at = self.now + self.desk.case_days * DAY
        return Resolution(position=1, ledger_digest="0", stages=tuple(found), due_at=due_at, conditions=tuple(agreed))

    def _open(self, effect: OpenStage) -> StageResolution:
        people = self.desk.reviewers.get(effect.stage, [])
        if not people and effect.stage in self.desk.optional:
            return StageResolution(stage=effect.stage, skipped="nobody to ask")
        due_at = self.now + self.desk.stage_days * DAY
        tasks = tuple(self._task(effect, person, role, AssignmentReason.ROLE) for person, role in people)
        return StageResolution(stage=effect.stage, tasks=tasks, due_at=due_at, remind_at=(due_at - DAY,))

    def _ask_to_confirm(self, effect: AskToConfirm) -> StageResolution:
        former = [self.state.tasks[task] for task in effect.tasks]
        tasks = tuple(self._task(effect, task.assignee, task.role, AssignmentReason.CONFIRMATION) for task in former)
        return StageResolution(stage=effect.stage, tasks=tasks, due_at=self.now + self.desk.stage_days * DAY)

    def _ask_anew(self, effect: AskAnew) -> StageResolution:
        """Whoever of the stage's reviewers is not asked yet in this round."""
        asked = {t.assignee for t in self.state.tasks.values() if (t.stage, t.round) == (effect.stage, effect.round)}
        people = [pair for pair in self.desk.reviewers.get(effect.stage, []) if pair[0] not in asked]
        tasks = tuple(self._task(effect, person, role, AssignmentReason.ROLE) for person, role in people)
        return StageResolution(stage=effect.stage, tasks=tasks, due_at=self.now + self.desk.stage_days * DAY)

    def _seek(self, effect: Escalate | SeekReviewers) -> StageResolution:
        asked = {t.assignee for t in self.state.tasks.values() if (t.stage, t.round) == (effect.stage, effect.round)}
        free = [person for person in self.desk.escalation if person not in asked][:1]
        if not free:
            return StageResolution(stage=effect.stage, retry_at=self.now + DAY)
        tasks = tuple(self._task(effect, person, "director", AssignmentReason.ESCALATION) for person in free)
        return StageResolution(stage=effect.stage, tasks=tasks)

    def _task(
        self,
        effect: OpenStage | Escalate | SeekReviewers | AskToConfirm | AskAnew,
        person: str,
        role: str | None,
        reason: AssignmentReason,
    ) -> AssignedTask:
        task_id = ids.task_id("mc-simulated", effect.stage, effect.round, person)
        return AssignedTask(id=task_id, assignee=person, reason=reason, role=role)
