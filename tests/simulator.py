"""Plays a case without Temporal and without a database: the pure rules, and a hand-written stand-in for the commit."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from imprimatur import ids
from imprimatur.rules.admission import refusal
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.plan import plan_in_force
from imprimatur.rules.refusal import Refusal
from imprimatur.rules.transition import following, settle, transition
from models import effects as c
from models import events
from models.case import CaseState, Offer, TaskState
from models.commit import AssignedTask, Resolution, StageResolution
from models.conditions import Condition, ConditionResolution, OpenCondition
from models.events import Decided, Event, Revised, Submitted, Ticked, Withdrawn
from models.plan import Plan
from models.vocabulary import AssignmentReason, TaskClosure, TaskStatus, Verdict

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PROPOSER = "proposer@example.org"
OFFICE, SECOND = "office@example.org", "second@example.org"


@dataclass
class Desk:
    """Who can be found: reviewers by stage, holders of the escalation role, deputies; stages that may be skipped.

    ``steps`` are the days after the due time at which a stage is escalated further; ``seats`` says of how many tasks in
    a stage that are offered to all its reviewers; whoever is ``gone`` cannot be asked to confirm anything.
    """

    reviewers: dict[str, list[tuple[str, str | None]]]
    escalation: list[str] = field(default_factory=list)
    deputies: list[str] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)
    steps: tuple[int, ...] = ()
    stage_days: int = 10
    case_days: int = 60
    seats: dict[str, int] = field(default_factory=dict)
    condition_days: int = 5
    gone: set[str] = field(default_factory=set)


class Simulator:
    def __init__(self, plan: Plan, desk: Desk) -> None:
        self.plan = plan
        self.desk = desk
        self.now = START
        self.state = CaseState(case_id="mc-simulated")
        self.effects: list[c.Effect] = []
        self.last: tuple[c.Effect, ...] = ()
        self._left: dict[str, dt.timedelta] = {}
        self._asked: set[tuple[str, int, str]] = set()

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

    def office(self, kind: type[Any], *, actor: str = OFFICE, **facts: Any) -> Refusal | None:
        """An act of the office, with a reason where it takes one."""
        if "reason" in kind.model_fields:
            facts.setdefault("reason", "it has to be")
        event: events.Act = kind(actor=actor, by_office=True, **facts)
        return self.play(event)

    def pass_time(self, span: dt.timedelta) -> None:
        until = self.now + span
        while (deadline := next_deadline(self.state)) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.play(Ticked())
        self.now = until

    def play(self, event: Event) -> Refusal | None:
        refused = refusal(self.state, event, self.plan)
        if refused is not None:
            return refused
        self.last = ()
        coming: Event | None = event
        while coming is not None:
            before = self.state
            self.plan = plan_in_force(self.plan, coming)
            state, effects = transition(before, coming, self.plan, self.now)
            assert state.seq == before.seq + (1 if effects else 0)
            self.state = settle(state, self._commit(effects))
            self.last += effects
            coming = following(self.state, self.plan)
        self.effects += self.last
        return None

    def kinds(self) -> list[str]:
        return [effect.kind for effect in self.last]

    def said(self) -> list[str]:
        """Kinds of all effects so far."""
        return [effect.kind for effect in self.effects]

    def stages(self) -> dict[str, tuple[str, str | None]]:
        return {name: (str(s.status), s.outcome and str(s.outcome)) for name, s in self.state.stages.items()}

    def waiting(self, stage: str) -> list[str]:
        """Who is waited for in a stage."""
        return [task.assignee for task in self.state.open_tasks(stage)]

    def _commit(self, effects: tuple[c.Effect, ...]) -> Resolution:
        self._asked = {(t.stage, t.round, t.assignee) for t in self.state.tasks.values()}
        found: list[StageResolution] = []
        agreed: list[ConditionResolution] = []
        due_at = None
        for effect in effects:
            if isinstance(effect, c.StartClock | c.ResumeClock):
                due_at = self.now + self.desk.case_days * DAY
            elif isinstance(effect, OpenCondition):
                due = self.now + self.desk.condition_days * DAY
                agreed.append(ConditionResolution(condition=effect.condition, due_at=due, remind_at=(due - DAY,)))
            elif (handler := getattr(self, f"_{effect.kind}", None)) is not None:
                found += handler(effect)
        return Resolution(position=1, ledger_digest="0", stages=tuple(found), due_at=due_at, conditions=tuple(agreed))

    def _open_stage(self, effect: c.OpenStage) -> list[StageResolution]:
        people = self.desk.reviewers.get(effect.stage, [])
        if not people and effect.stage in self.desk.optional:
            return [StageResolution(stage=effect.stage, skipped="nobody to ask")]
        tasks = tuple(self._task(effect, person, role, AssignmentReason.ROLE) for person, role in people)
        if effect.stage in self.desk.seats:
            tasks = self._on_offer(tasks, min(self.desk.seats[effect.stage], len(tasks)))
        return [self._timed(effect.stage, self.now + self.desk.stage_days * DAY, tasks)]

    def _on_offer(self, tasks: tuple[AssignedTask, ...], seats: int) -> tuple[AssignedTask, ...]:
        offer = {"offer": Offer(rule=0, seats=seats), "status": TaskStatus.OFFERED}
        return tuple(task.model_copy(update=offer) for task in tasks)

    def _offer_again(self, effect: c.OfferAgain) -> list[StageResolution]:
        """To all reviewers but those who had it, or have it; what another claimed is no hindrance."""
        had = {t.assignee for t in self._of_round(effect) if t.closure is not TaskClosure.CLAIMED}
        people = [person for person in self.desk.reviewers[effect.stage] if person[0] not in had]
        tasks = tuple(self._task(effect, person, role, AssignmentReason.ROLE) for person, role in people)
        offer = self.state.tasks[effect.task].offer
        assert offer is not None
        return [StageResolution(stage=effect.stage, tasks=self._on_offer(tasks, offer.seats))] if tasks else []

    def _replace(self, effect: c.Replace) -> list[StageResolution]:
        """By the first reviewer who was not asked yet."""
        free = [person for person in self.desk.reviewers[effect.stage] if self._is_free(effect, person[0])][:1]
        tasks = tuple(self._task(effect, person, role, AssignmentReason.SUCCESSION) for person, role in free)
        return [StageResolution(stage=effect.stage, tasks=tasks)] if tasks else []

    def _ask_to_confirm(self, effect: c.AskToConfirm) -> list[StageResolution]:
        """Nobody is asked where somebody who approved cannot be."""
        former = [self.state.tasks[task] for task in effect.tasks]
        if self.desk.gone.intersection(task.assignee for task in former):
            former = []
        tasks = tuple(self._task(effect, task.assignee, task.role, AssignmentReason.CONFIRMATION) for task in former)
        return [self._timed(effect.stage, self.now + self.desk.stage_days * DAY, tasks)]

    def _ask_anew(self, effect: c.AskAnew) -> list[StageResolution]:
        """Whoever of the stage's reviewers is not asked yet in this round."""
        named = [person for person in self.desk.reviewers.get(effect.stage, []) if person[0] not in self.desk.gone]
        people = [person for person in named if self._is_free(effect, person[0])]
        tasks = tuple(self._task(effect, person, role, AssignmentReason.ROLE) for person, role in people)
        return [self._timed(effect.stage, self.now + self.desk.stage_days * DAY, tasks)]

    def _of_round(self, effect: c.OfferAgain | c.Replace) -> list[TaskState]:
        return [t for t in self.state.tasks.values() if (t.stage, t.round) == (effect.stage, effect.round)]

    def _timed(self, stage: str, due_at: dt.datetime, tasks: tuple[AssignedTask, ...] = ()) -> StageResolution:
        steps = tuple(due_at + days * DAY for days in self.desk.steps)
        remind_at = (due_at - DAY,) if due_at - DAY > self.now else ()
        return StageResolution(stage=stage, tasks=tasks, due_at=due_at, remind_at=remind_at, escalate_at=steps)

    def _pause_stage(self, effect: c.PauseStage) -> list[StageResolution]:
        due_at = self.state.stages[effect.stage].due_at
        self._left[effect.stage] = max(due_at - self.now, dt.timedelta()) if due_at else dt.timedelta()
        return []

    def _resume_stage(self, effect: c.ResumeStage) -> list[StageResolution]:
        return [self._timed(effect.stage, self.now + self._left[effect.stage])]

    def _extend_stage(self, effect: c.ExtendStage) -> list[StageResolution]:
        due_at = max(self.state.stages[effect.stage].due_at or self.now, self.now)
        return [self._timed(effect.stage, due_at + (effect.by.business_days or 0) * DAY)]

    def _remind(self, effect: c.Remind) -> list[StageResolution]:
        pending = {task.id for task in self.state.tasks.values() if task.status.is_pending}
        assert all(task in pending for task in effect.tasks)
        return [StageResolution(stage=effect.stage, retry_at=self.now + DAY)] if effect.again else []

    def _call_deputy(self, effect: c.CallDeputy) -> list[StageResolution]:
        free = [person for person in self.desk.deputies if self._is_free(effect, person)][:1]
        if free:
            task = self._task(effect, free[0], "deputy", AssignmentReason.DEPUTY, stands_for=effect.task)
            return [StageResolution(stage=effect.stage, tasks=(task,))]
        return self._seek_reviewers(effect) if effect.cause == "silent" else []

    def _pass_on(self, effect: c.PassOn) -> list[StageResolution]:
        return self._taken_over(effect, effect.to, AssignmentReason(effect.why))

    def _ask_again(self, effect: c.AskAgain) -> list[StageResolution]:
        return self._taken_over(effect, self.state.tasks[effect.task].assignee, AssignmentReason.REPETITION)

    def _taken_over(
        self, effect: c.PassOn | c.AskAgain, person: str, reason: AssignmentReason
    ) -> list[StageResolution]:
        task: TaskState = self.state.tasks[effect.task]
        kept = task.reason if task.reason is AssignmentReason.ESCALATION else reason
        return [StageResolution(stage=effect.stage, tasks=(self._task(effect, person, task.role, kept),))]

    def _escalate(self, effect: c.Escalate) -> list[StageResolution]:
        return self._seek_reviewers(effect)

    def _seek_reviewers(self, effect: c.Escalate | c.SeekReviewers | c.CallDeputy) -> list[StageResolution]:
        free = [person for person in self.desk.escalation if self._is_free(effect, person)][:1]
        if not free:
            return [StageResolution(stage=effect.stage, retry_at=self.now + DAY)]
        tasks = tuple(self._task(effect, person, "director", AssignmentReason.ESCALATION) for person in free)
        return [StageResolution(stage=effect.stage, tasks=tasks)]

    def _is_free(self, effect: Any, person: str) -> bool:
        return (effect.stage, effect.round, person) not in self._asked

    def _task(
        self, effect: Any, person: str, role: str | None, reason: AssignmentReason, stands_for: str | None = None
    ) -> AssignedTask:
        place = (effect.stage, effect.round, person)
        attempt = 1 + sum((t.stage, t.round, t.assignee) == place for t in self.state.tasks.values())
        self._asked.add(place)
        task_id = ids.task_id("mc-simulated", effect.stage, effect.round, person, attempt)
        return AssignedTask(id=task_id, assignee=person, reason=reason, role=role, stands_for=stands_for)
