"""The durable shell around :func:`imprimatur.rules.transition.transition`: one workflow per case."""

import asyncio
import datetime as dt
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.ports import CommitPort
    from imprimatur.rules.admission import refusal
    from imprimatur.rules.clock import next_deadline
    from imprimatur.rules.plan import plan_in_force
    from imprimatur.rules.transition import following, settle, transition
    from models.case import CaseState
    from models.commit import Resolution, Step, StepPlace, WrittenStep
    from models.conditions import ConditionEvent
    from models.effects import CloseStage, KeepStage, LapseStage
    from models.events import Act, Decided, Event, Migration, Revised, Submitted, Ticked, Withdrawn
    from models.messages import CaseAnswer, CaseInput, DecisionAnswer
    from models.plan import Plan
    from models.vocabulary import StageOutcome

COMMIT_WITHIN = dt.timedelta(seconds=60)
COMMIT_RETRY = RetryPolicy(
    initial_interval=dt.timedelta(milliseconds=100), backoff_coefficient=2, maximum_interval=dt.timedelta(seconds=10)
)


@workflow.defn(name="case", failure_exception_types=[])
class CaseWorkflow:
    """Acts are Updates; each is answered after its step is committed. One timer stands at the earliest deadline."""

    @workflow.init
    def __init__(self, start: CaseInput) -> None:
        self._plan = start.plan
        self._state = start.state or CaseState(case_id=start.case_id)
        self._turn = asyncio.Lock()
        self._alarm: dt.datetime | None = next_deadline(self._state)
        self._latest = workflow.now()
        self._is_long = False

    @workflow.run
    async def run(self, start: CaseInput) -> str:
        while not self._state.is_over:
            await self._until_deadline()
            if self._must_continue_as_new() and not self._state.is_over:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(start.model_copy(update={"plan": self._plan, "state": self._state}))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state.status

    async def _until_deadline(self) -> None:
        armed = self._alarm
        # A deadline that moved later does not disturb the timer: waking early costs less than re-arming every step.
        try:
            await workflow.wait_condition(
                lambda: (
                    self._state.is_over
                    or self._must_continue_as_new()
                    or (self._alarm is not None and (armed is None or self._alarm < armed))
                ),
                timeout=None if armed is None else max(armed - self._now(), dt.timedelta()),
            )
        except TimeoutError:
            assert armed is not None, "only an armed timer fires"
            self._latest = max(self._latest, armed)
            async with self._turn:
                await self._perform(Ticked())

    def _now(self) -> dt.datetime:
        """The case's clock. It never runs back, and is never before a timer that has fired.

        A worker that knows the case by a query, asked again between the firing of a timer and the task for it, is told
        of the timer with the clock of the task before. At its word nothing is due, and the whole span is waited again.
        """
        self._latest = max(self._latest, workflow.now())
        return self._latest

    def _must_continue_as_new(self) -> bool:
        return self._is_long and self._state.seq > 0

    def _look_at_length(self) -> None:
        """When an update begins, and at no other time.

        A commit whose result arrives just as a task is prolonged is told to the case with the next task, and when its
        history is read again with the one before; so is a timer by a query. What the task says of the history's length
        would not be the same both times. An update is always told with its own task.
        """
        self._is_long = self._is_long or workflow.info().is_continue_as_new_suggested()

    async def _perform(self, event: Event) -> tuple[Step, Resolution] | None:
        """Runs one event to its end, a commit per step; answers its own step, None when it had nothing to do."""
        while True:
            done = await self._carry_out(event)
            await self._go_on()
            if done is None or done[0].event == event:
                return done
            # The ledger was ahead of the case, which has caught up by one step: is the event still admissible?
            self._check(event)

    async def _go_on(self) -> None:
        while (event := following(self._state, self._plan)) is not None:
            await self._carry_out(event)
        self._alarm = next_deadline(self._state)

    async def _carry_out(self, event: Event) -> tuple[Step, Resolution] | None:
        """One step, committed. The answer's event is another one where that had been written at its place."""
        state, step = self._plan_step(event, self._now())
        if step is None:
            self._state = state
            return None
        resolution = await workflow.execute_local_activity_method(
            CommitPort.commit_step, step, start_to_close_timeout=COMMIT_WITHIN, retry_policy=COMMIT_RETRY
        )
        if resolution.instead is not None:
            state, step = self._plan_step(resolution.instead.event, resolution.instead.at)
            assert step is not None, "what was written had something to write"
        self._plan = plan_in_force(self._plan, step.event)
        self._state = settle(state, resolution)
        return step, resolution

    def _plan_step(self, event: Event, at: dt.datetime) -> tuple[CaseState, Step | None]:
        plan = plan_in_force(self._plan, event)
        state, effects = transition(self._state, event, plan, at)
        if not effects:
            return state, None
        return state, Step.model_construct(
            event=event,
            at=at,
            case_id=state.case_id,
            seq=state.seq,
            framework_digest=plan.digest,
            digest=state.digest,
            status=state.status,
            round=state.round,
            version=state.version,
            effects=effects,
        )

    async def _act(self, event: Submitted | Revised | Act | ConditionEvent | Migration) -> CaseAnswer:
        self._look_at_length()
        async with self._turn:
            # Another act may have come first while this one waited for its turn.
            self._check(event)
            done = await self._perform(event)
        facts: dict[str, Any] = {"position": 0, "digest": ""}
        # A nudge may find nobody to remind, and the same act may be proposed already: then nothing is written.
        if done is not None:
            step, resolution = done
            facts = {"position": resolution.position, "digest": resolution.ledger_digest}
            kept = tuple(effect.stage for effect in step.effects if isinstance(effect, KeepStage))
            lapsed = tuple(effect.stage for effect in step.effects if isinstance(effect, LapseStage))
            facts |= ({"kept": kept} if kept else {}) | ({"lapsed": lapsed} if lapsed else {})
        return CaseAnswer(
            case_id=self._state.case_id,
            status=self._state.status,
            version=self._state.version,
            round=self._state.round,
            **facts,
        )

    @workflow.update
    async def catch_up(self) -> int:
        """Carries out what the ledger holds beyond this case; answers how many steps that were."""
        self._look_at_length()
        async with self._turn:
            before = self._state.seq
            while (written := await self._next_written()) is not None:
                self._plan = plan_in_force(self._plan, written.event)
                state, _ = transition(self._state, written.event, self._plan, written.at)
                self._state = settle(state, written.resolution)
            await self._go_on()
            return self._state.seq - before

    async def _next_written(self) -> WrittenStep | None:
        place = StepPlace(case_id=self._state.case_id, seq=self._state.seq + 1)
        return await workflow.execute_local_activity_method(
            CommitPort.recall_step, place, start_to_close_timeout=COMMIT_WITHIN, retry_policy=COMMIT_RETRY
        )

    @workflow.update
    async def submit(self, event: Submitted) -> CaseAnswer:
        return await self._act(event)

    @workflow.update
    async def revise(self, event: Revised) -> CaseAnswer:
        return await self._act(event)

    @workflow.update
    async def withdraw(self, event: Withdrawn) -> CaseAnswer:
        return await self._act(event)

    @workflow.update
    async def act(self, event: Act) -> CaseAnswer:
        """Acts of the office, and passing a task on."""
        return await self._act(event)

    @workflow.update
    async def condition(self, event: ConditionEvent) -> CaseAnswer:
        """What is done about a condition of an approval, also after the publication."""
        return await self._act(event)

    @workflow.update
    async def migrate(self, event: Migration) -> CaseAnswer:
        """Another version of the framework, which the event carries."""
        return await self._act(event)

    @workflow.update
    async def decide(self, event: Decided) -> DecisionAnswer:
        self._look_at_length()
        async with self._turn:
            self._check(event)
            done = await self._perform(event)
        assert done is not None, "every act is written"
        step, resolution = done
        outcome = self._outcome(self._state.tasks[event.task_id].stage, step)
        facts: dict[str, Any] = {
            "case_status": self._state.status,
            "position": resolution.position,
            "digest": resolution.ledger_digest,
        }
        if outcome is not None:
            facts["stage_outcome"] = outcome
        return DecisionAnswer(**facts)

    def _outcome(self, stage_id: str, step: Step) -> StageOutcome | None:
        """What a stage came to by a step; a change of the framework that followed may have taken the stage away."""
        found = [e.outcome for e in step.effects if isinstance(e, CloseStage) and e.stage == stage_id]
        stage = self._state.stages.get(stage_id)
        return found[-1] if found else stage.outcome if stage is not None else None

    @submit.validator
    def _may_submit(self, event: Submitted) -> None:
        self._check(event)

    @revise.validator
    def _may_revise(self, event: Revised) -> None:
        self._check(event)

    @withdraw.validator
    def _may_withdraw(self, event: Withdrawn) -> None:
        self._check(event)

    @act.validator
    def _may_act(self, event: Act) -> None:
        self._check(event)

    @condition.validator
    def _may_settle(self, event: ConditionEvent) -> None:
        self._check(event)

    @migrate.validator
    def _may_migrate(self, event: Migration) -> None:
        self._check(event)

    @decide.validator
    def _may_decide(self, event: Decided) -> None:
        self._check(event)

    def _check(self, event: Event) -> None:
        found = refusal(self._state, event, self._plan)
        if found is not None:
            raise ApplicationError(found.message, found.kind, found.hint, type=found.code, non_retryable=True)

    @workflow.query
    def state(self) -> CaseState:
        return self._state

    @workflow.query
    def plan(self) -> Plan:
        return self._plan
