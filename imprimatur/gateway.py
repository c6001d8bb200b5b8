"""The one door to the running cases: submits, decides, revises, withdraws. Only this module is a Temporal client."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from imprimatur import ids
from imprimatur.errors import (
    Gone,
    ImprimaturError,
    ProposalIncomplete,
    Refused,
    Unavailable,
    error_class,
)
from imprimatur.frameworks.tracks import course_of
from imprimatur.rules.answers import check_answer
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.completeness import FieldProblem, changed_fields, missing
from imprimatur.store import decisions
from imprimatur.store.documents import proposal_by_digest, put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, framework_by_digest, framework_for_kind
from imprimatur.store.people import active_person, has_role
from imprimatur.store.reading import unknown_case
from imprimatur.store.refusals import record_refusal
from models.case import CaseState
from models.conditions import Condition, ConditionEvent
from models.events import Act, Decided, Revised, Submitted, Withdrawn
from models.framework import Framework
from models.messages import CaseAnswer, CaseInput, DecisionReceipt
from models.proposal import Proposal
from models.tables import CaseRow, VersionRow
from models.vocabulary import Channel
from workflows.case import CaseWorkflow

TASK_QUEUE = "imprimatur"
ANSWER_WITHIN = dt.timedelta(seconds=30)
OFFICE_ROLES = ("governance_office", "admin")


@dataclass(frozen=True)
class CaseHead:
    """What the gateway must know of a case before it acts."""

    case_id: str
    framework: Framework
    digest: str
    version: int
    reviewed_digest: str


def _revision_id(head: CaseHead, digest: str) -> str:
    """The same version handed in twice is one act; the words of an earlier version may well come again later."""
    before = head.version - (head.digest == digest)
    return f"revise-{before}-{digest}"


class Gateway:
    """Acts on cases. Every refusal is written to the ledger's side table before it is raised.

    The database is asked in threads: a writer may have to wait its turn, and other callers must not wait with it.
    """

    def __init__(self, client: Client, database: Database, task_queue: str = TASK_QUEUE) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue

    @property
    def client(self) -> Client:
        return self._client

    async def submit(
        self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
    ) -> CaseAnswer:
        """Starts a case. An incomplete proposal is kept, returned to its proposer and raised as ProposalIncomplete."""
        policy, person, digest = await asyncio.to_thread(self._take_in, proposal, proposer, framework_id)
        case_id = case_id or ids.new_case_id()
        lacking = missing(proposal, policy).required
        plan, selection = await asyncio.to_thread(course_of, policy, proposal)
        chosen: dict[str, Any] = {"selection": selection} if selection else {}
        event = Submitted(actor=person, digest=digest, complete=not lacking, **chosen)
        start = WithStartWorkflowOperation(
            CaseWorkflow.run,
            CaseInput(case_id=case_id, plan=plan),
            id=ids.workflow_id(case_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        try:
            answer = await self._client.execute_update_with_start_workflow(
                CaseWorkflow.submit,
                event,
                id="submit",
                start_workflow_operation=start,
                rpc_timeout=ANSWER_WITHIN,
            )
        except Exception as error:
            raise await self._translated(error, case_id, proposer, "submit") from error
        if lacking:
            raise ProposalIncomplete(
                "proposal_incomplete",
                f"The proposal lacks {len(lacking)} things that {policy.name} asks for; it is kept as {case_id}.",
                f"Complete it and run `starter.py revise {case_id} FILE --as {person}`.",
                problems=[{"field": item.field, "problem": item.problem, "why": item.why} for item in lacking],
                case_id=case_id,
                status=str(answer.status),
            )
        return answer

    def _take_in(self, proposal: Proposal, proposer: str, framework_id: str | None) -> tuple[Framework, str, str]:
        """The framework that applies, the proposer's address as the directory spells it, the document's digest."""
        policy = self._policy_for(proposal, framework_id)
        with self._database.write() as connection:
            person = active_person(connection, proposer)
            return policy, person.email, put_proposal(connection, proposal)

    def lacking(self, proposal: Proposal, framework_id: str) -> Sequence[FieldProblem]:
        """What a framework would find missing; changes nothing."""
        return missing(proposal, self._policy_for(proposal, framework_id)).required

    def _policy_for(self, proposal: Proposal, framework_id: str | None) -> Framework:
        if framework_id is None:
            return framework_for_kind(self._database, proposal.credential_kind)
        name, _, version = framework_id.partition("@")
        policy = framework(self._database, name, version or None)
        if proposal.credential_kind not in (None, policy.credential_kind):
            raise Refused(
                "framework_kind_mismatch",
                f"{policy.id} is for {policy.credential_kind}, the proposal is {proposal.credential_kind}.",
                "Name another framework, or correct credential_kind in the proposal.",
            )
        return policy

    async def decide(
        self,
        *,
        task_id: str,
        verdict: str,
        actor: str,
        comment: str = "",
        scores: Mapping[str, int] | None = None,
        conditions: Sequence[Condition] = (),
        channel: Channel = Channel.COMMAND_LINE,
    ) -> DecisionReceipt:
        """Records a decision; answers after it is committed. The same answer again gets the first receipt."""
        given, actor, comment = dict(scores or {}), actor.strip().lower(), comment.strip()
        numbered = identified(task_id, conditions)
        case_id: str | None = None
        try:
            task = await asyncio.to_thread(decisions.task_place, self._database, task_id)
            case_id = task.case_id
            checked = check_answer(task.stage_def, verdict, comment, given, task.reason, numbered)
            decision_id = ids.decision_id(task_id, actor, verdict, comment, given, [item.id for item in numbered])
            facts: dict[str, Any] = {
                "decision_id": decision_id,
                "task_id": task_id,
                "actor": actor,
                "verdict": checked,
                "channel": channel,
            }
            # What is not said is not written into the history.
            facts |= {"comment": comment} if comment else {}
            facts |= {"scores": given} if given else {}
            facts |= {"conditions": numbered} if numbered else {}
            return await self._decide(task, Decided(**facts))
        except ImprimaturError as error:
            await asyncio.to_thread(record_refusal, self._database, error, case_id, task_id, actor, "decide", channel)
            raise

    async def _decide(self, task: decisions.TaskPlace, event: Decided) -> DecisionReceipt:
        try:
            answer = await self._handle(task.case_id).execute_update(
                CaseWorkflow.decide, event, id=event.decision_id, rpc_timeout=ANSWER_WITHIN
            )
        except Exception as error:
            # A repeated answer that Temporal has forgotten (a closed or continued case) still gets its receipt.
            receipt = await asyncio.to_thread(decisions.receipt, self._database, event.decision_id)
            if receipt is not None:
                return receipt
            raise await asyncio.to_thread(self._as_error, error, task.case_id) from error
        return DecisionReceipt(
            decision_id=event.decision_id,
            task_id=event.task_id,
            stage=task.stage_def.id,
            verdict=event.verdict,
            **answer.model_dump(),
        )

    async def revise(self, case_id: str, proposal: Proposal, *, actor: str) -> tuple[CaseAnswer, list[str]]:
        """Adds a proposal version; answers with the fields changed since the version under review."""
        actor = actor.strip().lower()
        head, digest, changed = await asyncio.to_thread(self._take_in_revision, case_id, proposal)
        lacking = missing(proposal, head.framework).required
        course: dict[str, Any] = {}
        if not lacking:
            plan, selection = await asyncio.to_thread(course_of, head.framework, proposal)
            course = {"plan": plan, "selection": selection} if selection else {}
        event = Revised(actor=actor, digest=digest, complete=not lacking, changed=tuple(changed), **course)
        try:
            answer = await self._handle(case_id).execute_update(
                CaseWorkflow.revise, event, id=_revision_id(head, digest), rpc_timeout=ANSWER_WITHIN
            )
        except Exception as error:
            raise await self._translated(error, case_id, actor, "revise") from error
        if lacking:
            raise ProposalIncomplete(
                "proposal_incomplete",
                f"The new version is kept, but lacks {len(lacking)} things that {head.framework.name} asks for.",
                "Complete it and revise again.",
                problems=[{"field": item.field, "problem": item.problem, "why": item.why} for item in lacking],
                case_id=case_id,
                status=str(answer.status),
                version=answer.version,
            )
        return answer, changed

    async def withdraw(self, case_id: str, *, actor: str, reason: str) -> CaseAnswer:
        """Ends a case at its proposer's or the office's wish."""
        actor = actor.strip().lower()
        by_office = await asyncio.to_thread(self._belongs_to_the_office, case_id, actor)
        event = Withdrawn(actor=actor, reason=reason, by_office=by_office)
        try:
            return await self._handle(case_id).execute_update(
                CaseWorkflow.withdraw, event, id=f"withdraw-{actor}", rpc_timeout=ANSWER_WITHIN
            )
        except Exception as error:
            raise await self._translated(error, case_id, actor, "withdraw") from error

    def _take_in_revision(self, case_id: str, proposal: Proposal) -> tuple[CaseHead, str, list[str]]:
        head = self._head(case_id)
        with self._database.write() as connection:
            digest = put_proposal(connection, proposal)
            reviewed = proposal_by_digest(connection, head.reviewed_digest)
        return head, digest, changed_fields(reviewed, proposal)

    def _belongs_to_the_office(self, case_id: str, actor: str) -> bool:
        self._head(case_id)
        with self._database.read() as connection:
            return any(has_role(connection, actor, role) for role in OFFICE_ROLES)

    async def act(self, case_id: str, event: Act) -> CaseAnswer:
        """An act of the office, or of a task's holder. Doing the same again in a closed or changed case is refused."""
        await asyncio.to_thread(self._head, case_id)
        try:
            return await self._handle(case_id).execute_update(CaseWorkflow.act, event, rpc_timeout=ANSWER_WITHIN)
        except Exception as error:
            raise await self._translated(error, case_id, event.actor, event.kind) from error

    async def condition(self, case_id: str, event: ConditionEvent) -> CaseAnswer:
        """What is done about a condition of an approval, before and after the publication."""
        await asyncio.to_thread(self._head, case_id)
        try:
            return await self._handle(case_id).execute_update(CaseWorkflow.condition, event, rpc_timeout=ANSWER_WITHIN)
        except Exception as error:
            raise await self._translated(error, case_id, event.actor, event.kind) from error

    async def forward(self, case_id: str, span: dt.timedelta) -> dt.datetime:
        """Moves a case's own clock and waits until all that fell due is written. Needs a time-skipping server."""
        from temporalio.testing import TimeSkipper, TimeSkippingConfig

        skipper = TimeSkipper(self._client, config=TimeSkippingConfig(enabled=False))
        handle = self._handle(case_id)
        try:
            await skipper.fast_forward(handle, span)
            now = await skipper.get_current_time(handle)
            while (deadline := next_deadline(await self.state(case_id))) is not None and deadline <= now:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        except RPCError as error:
            raise self._as_error(error, case_id) from error
        return now

    async def state(self, case_id: str) -> CaseState:
        """The process state itself, from the workflow."""
        try:
            return await self._handle(case_id).query(CaseWorkflow.state, rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            raise self._as_error(error, case_id) from error

    def _head(self, case_id: str) -> CaseHead:
        cases, versions = CaseRow.__table__, VersionRow.__table__  # type: ignore[attr-defined]
        with self._database.read() as connection:
            case = connection.execute(select(cases).where(cases.c.case_id == case_id)).mappings().first()
            if case is None:
                raise unknown_case(connection, case_id)
            known = connection.execute(
                select(versions.c.digest, versions.c.complete)
                .where(versions.c.case_id == case_id)
                .order_by(versions.c.version.desc())
            ).all()
            reviewed = next((digest for digest, complete in known if complete), known[-1][0])
            policy = framework_by_digest(connection, case["framework_digest"])
        return CaseHead(case_id, policy, case["digest"], case["version"], reviewed)

    def _handle(self, case_id: str) -> WorkflowHandle[CaseWorkflow, str]:
        return self._client.get_workflow_handle_for(CaseWorkflow.run, ids.workflow_id(case_id))

    async def _translated(self, error: Exception, case_id: str, actor: str, act: str) -> ImprimaturError:
        found = await asyncio.to_thread(self._as_error, error, case_id)
        channel = Channel.COMMAND_LINE
        await asyncio.to_thread(record_refusal, self._database, found, case_id, None, actor, act, channel)
        return found

    def _as_error(self, error: Exception, case_id: str) -> ImprimaturError:
        match error:
            case ImprimaturError():
                return error
            case WorkflowUpdateFailedError(cause=ApplicationError() as cause):
                kind, hint = [*cause.details, "Refused", ""][:2]
                return error_class(str(kind))(cause.type or "refused", cause.message, str(hint))
            case WorkflowUpdateRPCTimeoutOrCancelledError():
                return Unavailable(
                    "not_recorded_yet",
                    "The act was received but is not recorded yet.",
                    "Repeat it in a minute; it will be recorded once.",
                )
            case RPCError(status=RPCStatusCode.NOT_FOUND):
                return self._closed(case_id)
            case RPCError():
                return Unavailable(
                    "temporal_unavailable",
                    "The workflow service does not answer, so nothing was recorded.",
                    "Repeat it in a minute; see `starter.py doctor`.",
                )
        raise error

    def _closed(self, case_id: str) -> ImprimaturError:
        with self._database.read() as connection:
            table = CaseRow.__table__  # type: ignore[attr-defined]
            status = connection.execute(select(table.c.status).where(table.c.case_id == case_id)).scalar()
            if status is None:
                return unknown_case(connection, case_id)
        return Gone("case_closed", f"The case is closed: it was {status}.", "Nothing is asked of you any more.")


def identified(task_id: str, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Conditions of an answer, trimmed and with their ids: the same answer names the same conditions."""
    trimmed = [
        given.model_copy(update={"text": given.text.strip(), "owner": given.owner.strip().lower(), "id": ""})
        for given in conditions
    ]
    return tuple(
        given.model_copy(update={"id": ids.condition_id(task_id, number, given.model_dump_json())})
        for number, given in enumerate(trimmed, 1)
    )
