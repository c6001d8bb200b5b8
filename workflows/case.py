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
    from imprimatur.rules.refusal import Refusal
    from imprimatur.rules.transition import settle, transition, wants_to_continue
    from models.case import CaseState
    from models.commit import Resolution, Step
    from models.conditions import ConditionEvent
    from models.effects import Effect, KeepStage, LapseStage
    from models.events import Act, Continued, Decided, Event, Revised, Submitted, Ticked, Withdrawn
    from models.messages import CaseAnswer, CaseInput, DecisionAnswer

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

    @workflow.run
    async def run(self, start: CaseInput) -> str:
        while not self._state.is_over:
            await self._until_deadline()
            if self._must_continue_as_new():
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
                timeout=None if armed is None else max(armed - workflow.now(), dt.timedelta()),
            )
        except TimeoutError:
            async with self._turn:
                await self._perform(Ticked())

    def _must_continue_as_new(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and self._state.seq > 0

    async def _perform(self, event: Event) -> tuple[Step | None, Resolution | None]:
        """Runs one event to its end, a commit per step; answers its own step and what that commit answered."""
        answer: tuple[Step | None, Resolution | None] = (None, None)
        following: Event | None = event
        while following is not None:
            self._plan = plan_in_force(self._plan, following)
            state, effects = transition(self._state, following, self._plan, workflow.now())
            if effects:
                step = self._step(state, effects)
                resolution = await workflow.execute_local_activity_method(
                    CommitPort.commit_step,
                    step,
                    start_to_close_timeout=dt.timedelta(seconds=60),
                    retry_policy=COMMIT_RETRY,
                )
                state = settle(state, resolution)
                if answer[0] is None:
                    answer = (step, resolution)
            self._state = state
            following = Continued() if wants_to_continue(state, self._plan) else None
        self._alarm = next_deadline(self._state)
        return answer

    def _step(self, state: CaseState, effects: tuple[Effect, ...]) -> Step:
        return Step.model_construct(
            case_id=state.case_id,
            seq=state.seq,
            at=workflow.now(),
            framework_digest=self._plan.digest,
            digest=state.digest,
            status=state.status,
            round=state.round,
            version=state.version,
            effects=effects,
        )

    async def _act(self, event: Submitted | Revised | Act | ConditionEvent) -> CaseAnswer:
        async with self._turn:
            # Another act may have come first while this one waited for its turn.
            _raise(refusal(self._state, event))
            step, resolution = await self._perform(event)
        # A nudge may find nobody to remind: then nothing was written.
        effects = step.effects if step else ()
        return CaseAnswer(
            case_id=self._state.case_id,
            status=self._state.status,
            version=self._state.version,
            round=self._state.round,
            position=resolution.position if resolution else 0,
            digest=resolution.ledger_digest if resolution else "",
            kept=tuple(effect.stage for effect in effects if isinstance(effect, KeepStage)),
            lapsed=tuple(effect.stage for effect in effects if isinstance(effect, LapseStage)),
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
    async def decide(self, event: Decided) -> DecisionAnswer:
        async with self._turn:
            _raise(refusal(self._state, event))
            _, resolution = await self._perform(event)
        assert resolution is not None
        stage = self._state.stages[self._state.tasks[event.task_id].stage]
        facts: dict[str, Any] = {
            "case_status": self._state.status,
            "position": resolution.position,
            "digest": resolution.ledger_digest,
        }
        if stage.outcome is not None:
            facts["stage_outcome"] = stage.outcome
        return DecisionAnswer(**facts)

    @revise.validator
    def _may_revise(self, event: Revised) -> None:
        _raise(refusal(self._state, event))

    @withdraw.validator
    def _may_withdraw(self, event: Withdrawn) -> None:
        _raise(refusal(self._state, event))

    @act.validator
    def _may_act(self, event: Act) -> None:
        _raise(refusal(self._state, event))

    @condition.validator
    def _may_settle(self, event: ConditionEvent) -> None:
        _raise(refusal(self._state, event))

    @decide.validator
    def _may_decide(self, event: Decided) -> None:
        _raise(refusal(self._state, event))

    @workflow.query
    def state(self) -> CaseState:
        return self._state


def _raise(found: Refusal | None) -> None:
    if found is not None:
        raise ApplicationError(found.message, found.kind, found.hint, type=found.code, non_retryable=True)
