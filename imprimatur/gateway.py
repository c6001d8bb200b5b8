"""The one door to the running cases: submits, decides, revises, withdraws. Only this module is a Temporal client."""

import asyncio
import copy
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from temporalio.client import Client
from temporalio.service import RPCError

from imprimatur import ids
from imprimatur.asking import Cases, is_closed
from imprimatur.connecting import NotConnected
from imprimatur.errors import Gone, ImprimaturError, InputError, ProposalIncomplete, Refused, Unavailable, error_class
from imprimatur.frameworks.tracks import course_of
from imprimatur.rules.admission import task_refusal
from imprimatur.rules.answers import check_answer
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.completeness import FieldProblem, changed_fields
from imprimatur.rules.strength import KNOWN_BY_CHANNEL, sign_in_refusal
from imprimatur.store import decisions
from imprimatur.store.authority import Authority, authority, check_act
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, framework_by_digest, framework_for_kind
from imprimatur.store.intake import Intake
from imprimatur.store.office import belongs_to_office
from imprimatur.store.pathways import required_problems
from imprimatur.store.people import active_person
from imprimatur.store.reading import unknown_case
from imprimatur.store.refusals import record_refusal
from models.case import CaseState
from models.conditions import Condition, ConditionEvent
from models.events import (
    Act,
    Annulled,
    ChangeScheduled,
    ConflictFound,
    Decided,
    DeskAct,
    FrameworkChanged,
    Migration,
    PassedOn,
    Revised,
    Submitted,
    Withdrawn,
)
from models.framework import Framework
from models.messages import CaseAnswer, DecisionReceipt
from models.plan import Plan
from models.proposal import Proposal
from models.tables import CaseRow, VersionRow
from models.tracks import Selection
from models.vocabulary import Channel, Statement, Strength
from workflows.case import CaseWorkflow

TASK_QUEUE = "imprimatur"
ANSWER_WITHIN = dt.timedelta(seconds=30)


@dataclass(frozen=True)
class CaseHead:
    """What the gateway must know of a case before it acts."""

    case_id: str
    framework: Framework
    version: int
    reviewed_digest: str


@dataclass(frozen=True)
class Beginning:
    """What a case begins with: its framework, the proposer's address as the directory spells it, and its course."""

    policy: Framework
    person: str
    lacking: Sequence[FieldProblem]
    plan: Plan
    selection: Selection | None


@dataclass
class Attempt:
    """An act that may be refused; ``case_id`` is filled in when it becomes known."""

    act: str
    actor: str
    case_id: str | None = None
    task_id: str | None = None
    channel: Channel = Channel.COMMAND_LINE


class Gateway:
    """Acts on cases. Every refusal is written to the ledger's side table before it is raised.

    The database is asked in threads: a writer may have to wait its turn, and other callers must not wait with it.
    """

    def __init__(
        self,
        client: Client,
        database: Database,
        task_queue: str = TASK_QUEUE,
        answer_within: dt.timedelta = ANSWER_WITHIN,
    ) -> None:
        self._client = client
        self._database = database
        self._cases = Cases(client, database, task_queue, answer_within)
        self._intake = Intake(database)
        self._update_id: str | None = None

    @property
    def client(self) -> Client:
        return self._client

    def under(self, update_id: str) -> "Gateway":
        """For one act that may be asked for twice, as by a form: while the case runs, it is done once."""
        found = copy.copy(self)
        found._update_id = update_id
        return found

    async def submit(
        self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
    ) -> CaseAnswer:
        """Starts a case. An incomplete proposal is kept, returned to its proposer and raised as ProposalIncomplete."""
        async with self._on_record(Attempt("submit", proposer.strip().lower(), case_id)) as attempt:
            found = await asyncio.to_thread(self._look_up, proposal, attempt.actor, framework_id, case_id)
            policy, person, lacking = found.policy, found.person, found.lacking
            digest = await self._intake.keep(proposal)
            chosen: dict[str, Any] = {"selection": found.selection} if found.selection else {}
            case = case_id or ids.new_case_id()
            event = Submitted(actor=person, digest=digest, complete=not lacking, **chosen)
            answer = await self._act(case, event, lambda: self._cases.start(case, found.plan, event))
        if lacking:
            raise ProposalIncomplete(
                "proposal_incomplete",
                f"The proposal lacks {len(lacking)} things that {policy.name} asks for; it is kept as {case}.",
                f"Complete it and run `starter.py revise {case} FILE --as {person}`.",
                problems=[{"field": item.field, "problem": item.problem, "why": item.why} for item in lacking],
                case_id=case,
                status=str(answer.status),
            )
        return answer

    def _look_up(self, proposal: Proposal, proposer: str, framework_id: str | None, case_id: str | None) -> Beginning:
        policy = self._policy_for(proposal, framework_id)
        with self._database.read() as connection:
            person = active_person(connection, proposer)
            lacking = required_problems(connection, proposal, policy, case_id)
        return Beginning(policy, person.email, lacking, *course_of(policy, proposal))

    async def begin(self, case_id: str, plan: Plan, event: Submitted) -> CaseAnswer:
        """Starts a case that nobody hands in: a review, a new version that one asked for, a hand-over.

        Again it is the same.
        """
        async with self._on_record(Attempt("submit", event.actor, case_id)):
            return await self._act(case_id, event, lambda: self._cases.start(case_id, plan, event))

    def lacking(self, proposal: Proposal, framework_id: str) -> Sequence[FieldProblem]:
        """What a framework would find missing; changes nothing."""
        policy = self._policy_for(proposal, framework_id)
        with self._database.read() as connection:
            return required_problems(connection, proposal, policy)

    def _policy_for(self, proposal: Proposal, framework_id: str | None) -> Framework:
        if framework_id is None:
            policy = framework_for_kind(self._database, proposal.credential_kind)
        else:
            name, _, version = framework_id.partition("@")
            policy = framework(self._database, name, version or None)
        if policy.reviews:
            raise Refused(
                "framework_for_reviews",
                f"{policy.id} is for reviews of what is published; nothing is proposed under it.",
                "Call a review with `starter.py reviews call CASE`.",
            )
        if policy.hands_over:
            raise Refused(
                "framework_for_handovers",
                f"{policy.id} is for handing over what is published; nothing is proposed under it.",
                "Hand over with `starter.py handover again CASE`.",
            )
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
        statement: str = "",
        logo: bool = False,
        teach_out_on: dt.date | None = None,
        channel: Channel = Channel.COMMAND_LINE,
        strength: Strength | None = None,
    ) -> DecisionReceipt:
        """Records a decision; answers after it is committed. The same answer again gets the first receipt.

        ``statement`` is published with the micro-credential; ``logo``: the organisation's logo may be shown with it.
        ``strength``: how surely the actor is known, where the channel does not say it. ``teach_out_on``: until when
        learners can finish, where the verdict is to retire.
        """
        given, actor, comment = dict(scores or {}), actor.strip().lower(), comment.strip()
        numbered, strength = identified(task_id, conditions), strength or KNOWN_BY_CHANNEL.get(channel)
        async with self._on_record(Attempt("decide", actor, task_id=task_id, channel=channel)) as attempt:
            task, standing = await asyncio.to_thread(self._asked, task_id, actor)
            attempt.case_id = task.case_id
            aside = standing.conflict is not None
            public: dict[str, Any] = {
                "statement": statement.strip(),
                "logo": logo and task.stage_def.statement is not Statement.NONE,
                "teach_out_on": teach_out_on,
            }
            try:
                checked = check_answer(
                    task.stage_def,
                    verdict,
                    comment,
                    given,
                    task.reason,
                    numbered,
                    statement=statement.strip(),
                    teach_out_on=teach_out_on,
                    stands_aside=aside,
                )
            except InputError as error:
                # Nobody completes an answer that comes too late in any case.
                late = await asyncio.to_thread(self._too_late, task_id, actor)
                if isinstance(late, Gone):
                    raise late from error
                raise
            also = [*(item.id for item in numbered), *(f"{name} {value}" for name, value in public.items() if value)]
            decision_id = ids.decision_id(task_id, actor, verdict, comment, given, also)
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
            facts |= {name: value for name, value in public.items() if value}
            facts |= {"strength": strength} if strength else {}
            event = Decided(**facts)
            if (unsure := sign_in_refusal(task.stage_def, strength)) is not None:
                return await self._refuse(event, unsure)
            if (refused := standing.refusal(checked)) is not None:
                return await self._refuse(event, refused, conflict=(task.case_id, standing.conflict))
            return await self._decide(task, event)

    def _asked(self, task_id: str, person: str) -> tuple[decisions.TaskPlace, Authority]:
        with self._database.read() as connection:
            task = decisions.place_of(connection, task_id)
            return task, authority(connection, task.case_id, person)

    async def _refuse(
        self, event: Decided, refused: ImprimaturError, conflict: tuple[str, str | None] | None = None
    ) -> DecisionReceipt:
        """What was recorded before stands and is answered again; else the office hears of a conflict of interest."""
        receipt = await asyncio.to_thread(decisions.receipt, self._database, event.decision_id)
        if receipt is not None:
            return receipt
        if conflict is not None and conflict[1] is not None:
            await self.report_conflict(conflict[0], event.task_id, event.actor, conflict[1])
        raise refused

    async def report_conflict(self, case_id: str, task_id: str, person: str, why: str) -> None:
        """The holder of a task has an interest: an incident, opened once. A task that is closed needs none."""
        found, handle = ConflictFound(actor=person, task_id=task_id, reason=why), self._cases.handle(case_id)
        try:
            await self._cases.ask(case_id, lambda: handle.execute_update(CaseWorkflow.act, found))
        except Exception as error:
            told = await asyncio.to_thread(self._cases.as_error, error, case_id)
            if isinstance(told, Unavailable):
                raise told from error

    async def _decide(self, task: decisions.TaskPlace, event: Decided) -> DecisionReceipt:
        handle = self._cases.handle(task.case_id)
        try:
            answer = await self._cases.ask(
                task.case_id, lambda: handle.execute_update(CaseWorkflow.decide, event, id=event.decision_id)
            )
        except Exception as error:
            # A repeated answer that Temporal has forgotten (a closed or continued case) still gets its receipt.
            receipt = await asyncio.to_thread(decisions.receipt, self._database, event.decision_id)
            if receipt is not None:
                return receipt
            raise await asyncio.to_thread(self._decision_error, error, task.case_id, event) from error
        return DecisionReceipt(
            decision_id=event.decision_id,
            task_id=event.task_id,
            stage=task.stage_def.id,
            verdict=event.verdict,
            **answer.model_dump(),
        )

    async def revise(self, case_id: str, proposal: Proposal, *, actor: str) -> tuple[CaseAnswer, list[str]]:
        """Adds a proposal version; answers with the fields changed since the version under review."""
        async with self._on_record(Attempt("revise", actor.strip().lower(), case_id)) as attempt:
            head, changed, lacking = await asyncio.to_thread(self._compared, case_id, proposal)
            digest = await self._intake.keep(proposal)
            course: dict[str, Any] = {}
            if not lacking:
                plan, selection = await asyncio.to_thread(course_of, head.framework, proposal)
                course = {"plan": plan, "selection": selection} if selection else {}
            event = Revised(actor=attempt.actor, digest=digest, complete=not lacking, changed=tuple(changed), **course)
            handle = self._cases.handle(case_id)
            # The words of an earlier version may well come again: what makes two revisions one is what they revise.
            update_id = f"revise-{head.version}-{digest[:16]}"
            answer = await self._act(
                case_id, event, lambda: handle.execute_update(CaseWorkflow.revise, event, id=update_id)
            )
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
        return answer, await asyncio.to_thread(decisions.changed_in, self._database, case_id, answer.version)

    async def withdraw(self, case_id: str, *, actor: str, reason: str) -> CaseAnswer:
        """Ends a case at its proposer's or the office's wish."""
        async with self._on_record(Attempt("withdraw", actor.strip().lower(), case_id)) as attempt:
            by_office = await asyncio.to_thread(self._belongs_to_the_office, case_id, attempt.actor)
            event = Withdrawn(actor=attempt.actor, reason=reason, by_office=by_office)
            handle = self._cases.handle(case_id)
            update_id = f"withdraw-{attempt.actor}"
            return await self._act(
                case_id, event, lambda: handle.execute_update(CaseWorkflow.withdraw, event, id=update_id)
            )

    async def _act(
        self, case_id: str, event: Submitted | Revised | Withdrawn, ask: Callable[[], Awaitable[CaseAnswer]]
    ) -> CaseAnswer:
        try:
            return await self._cases.ask(case_id, ask)
        except Exception as error:
            # As for decisions: an act that was recorded is answered so, whoever has forgotten it.
            answer = await asyncio.to_thread(decisions.first_answer, self._database, case_id, event)
            if answer is not None:
                return answer
            raise await asyncio.to_thread(self._cases.as_error, error, case_id) from error

    def _compared(self, case_id: str, proposal: Proposal) -> tuple[CaseHead, list[str], Sequence[FieldProblem]]:
        """With the version that was reviewed last: the fields that differ; and what the new one lacks."""
        head = self._head(case_id)
        with self._database.read() as connection:
            reviewed = proposal_by_digest(connection, head.reviewed_digest)
            lacking = required_problems(connection, proposal, head.framework, case_id)
        return head, changed_fields(reviewed, proposal), lacking

    def _belongs_to_the_office(self, case_id: str, actor: str) -> bool:
        self._head(case_id)
        with self._database.read() as connection:
            return belongs_to_office(connection, actor)

    async def act(self, case_id: str, event: Act | Migration, update_id: str | None = None) -> CaseAnswer:
        """An act of the office, or of a task's holder. Doing the same again in a closed or changed case is refused.

        Under an ``update_id`` that a running case has answered before, it gives that answer again.
        """
        update_id = update_id or self._update_id
        task_id = event.task_id if isinstance(event, PassedOn | Annulled | DeskAct) else None
        async with self._on_record(Attempt(event.kind, event.actor, case_id, task_id)):
            await asyncio.to_thread(self._head, case_id)
            await asyncio.to_thread(check_act, self._database, case_id, event)
            handle = self._cases.handle(case_id)
            try:
                if isinstance(event, ChangeScheduled | FrameworkChanged):
                    return await self._cases.ask(
                        case_id, lambda: handle.execute_update(CaseWorkflow.migrate, event, id=update_id)
                    )
                return await self._cases.ask(
                    case_id, lambda: handle.execute_update(CaseWorkflow.act, event, id=update_id)
                )
            except Exception as error:
                found = await asyncio.to_thread(self._cases.as_error, error, case_id)
                if isinstance(found, Unavailable) and update_id is None and not isinstance(error, NotConnected):
                    # Nothing tells more time given once from more time given twice.
                    found.hint = f"See `starter.py history {case_id}` before you repeat it: it may be recorded already."
                raise found from error

    async def condition(self, case_id: str, event: ConditionEvent) -> CaseAnswer:
        """What is done about a condition of an approval, before and after the publication."""
        async with self._on_record(Attempt(event.kind, event.actor, case_id)):
            await asyncio.to_thread(self._head, case_id)
            await asyncio.to_thread(check_act, self._database, case_id, event)
            handle = self._cases.handle(case_id)
            try:
                return await self._cases.ask(
                    case_id, lambda: handle.execute_update(CaseWorkflow.condition, event, id=self._update_id)
                )
            except Exception as error:
                raise await asyncio.to_thread(self._cases.as_error, error, case_id) from error

    async def forward(self, case_id: str, span: dt.timedelta) -> dt.datetime:
        """Moves a case's own clock and waits until all that fell due is written. Needs a time-skipping server."""
        from temporalio.testing import TimeSkipper, TimeSkippingConfig

        skipper = TimeSkipper(self._client, config=TimeSkippingConfig(enabled=False))
        handle = self._cases.handle(case_id)
        try:
            await skipper.fast_forward(handle, span)
            now = await skipper.get_current_time(handle)
            while (deadline := next_deadline(await self.state(case_id))) is not None and deadline <= now:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        except RPCError as error:
            raise self._cases.as_error(error, case_id) from error
        return now

    async def state(self, case_id: str) -> CaseState:
        """The process state itself, from the workflow."""
        try:
            return await self._cases.state(case_id)
        except RPCError as error:
            raise self._cases.as_error(error, case_id) from error

    async def plan(self, case_id: str) -> Plan:
        """The part of the framework that a case goes by, from the workflow."""
        try:
            return await self._cases.handle(case_id).query(CaseWorkflow.plan, rpc_timeout=self._cases.answer_within)
        except RPCError as error:
            raise self._cases.as_error(error, case_id) from error

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
        return CaseHead(case_id, policy, case["version"], reviewed)

    @asynccontextmanager
    async def _on_record(self, attempt: Attempt) -> AsyncIterator[Attempt]:
        try:
            yield attempt
        except ImprimaturError as error:
            about = (attempt.case_id, attempt.task_id, attempt.actor, attempt.act, attempt.channel)
            await asyncio.to_thread(record_refusal, self._database, error, *about)
            raise

    def _decision_error(self, error: Exception, case_id: str, event: Decided) -> ImprimaturError:
        """A case that is closed no longer speaks for itself; its rows say how the task ended."""
        if is_closed(error):
            return self._too_late(event.task_id, event.actor) or self._cases.as_error(error, case_id)
        return self._cases.as_error(error, case_id)

    def _too_late(self, task_id: str, actor: str) -> ImprimaturError | None:
        """Why a task takes no answer any more, by its rows."""
        found = task_refusal(decisions.task_state(self._database, task_id), task_id, actor)
        return error_class(found.kind)(found.code, found.message, found.hint) if found is not None else None


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
