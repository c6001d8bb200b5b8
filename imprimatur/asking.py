"""How the gateway puts an act to a case, and what it means when the case does not answer."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import select
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from imprimatur import ids
from imprimatur.connecting import NotConnected
from imprimatur.errors import Gone, ImprimaturError, Unavailable, error_class
from imprimatur.store.engine import Database
from imprimatur.store.reading import unknown_case
from models.case import CaseState
from models.events import Submitted
from models.messages import CaseAnswer, CaseInput
from models.plan import Plan
from models.tables import CaseRow
from workflows.case import CaseWorkflow

Answer = TypeVar("Answer")

_CASE = CaseRow.__table__  # type: ignore[attr-defined]


class Cases:
    """The running cases, as a client of Temporal meets them. ``answer_within`` is the whole patience with one act."""

    def __init__(self, client: Client, database: Database, task_queue: str, answer_within: dt.timedelta) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self.answer_within = answer_within

    def handle(self, case_id: str) -> WorkflowHandle[CaseWorkflow, str]:
        return self._client.get_workflow_handle_for(CaseWorkflow.run, ids.workflow_id(case_id))

    async def state(self, case_id: str) -> CaseState:
        return await self.handle(case_id).query(CaseWorkflow.state, rpc_timeout=self.answer_within)

    async def start(self, case_id: str, plan: Plan, event: Submitted) -> CaseAnswer:
        start = WithStartWorkflowOperation(
            CaseWorkflow.run,
            CaseInput(case_id=case_id, plan=plan),
            id=ids.workflow_id(case_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        # A failed start leaves its failure with the operation as well, where it would be reported as never heard.
        heard = asyncio.ensure_future(start.workflow_handle())
        heard.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await self._client.execute_update_with_start_workflow(
                CaseWorkflow.submit, event, id=f"submit-{event.digest[:8]}", start_workflow_operation=start
            )
        finally:
            heard.cancel()

    async def ask(self, case_id: str, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """What a case answers; one that refuses because the ledger is ahead of it catches up first."""
        # The client's own limit holds for each of its attempts: without a worker it asks for ever.
        async with asyncio.timeout(self.answer_within.total_seconds()):
            try:
                return await self._asked(case_id, act)
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                if isinstance(error.__cause__, asyncio.CancelledError):
                    # The client takes it for an answer that did not come: whoever stops would go on.
                    raise error.__cause__ from None
                raise

    async def _asked(self, case_id: str, act: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await act()
        except WorkflowUpdateFailedError:
            if not await self._catches_up(case_id):
                raise
            return await act()

    async def _catches_up(self, case_id: str) -> bool:
        if (await self.state(case_id)).seq >= await asyncio.to_thread(self._written, case_id):
            return False
        return await self.handle(case_id).execute_update(CaseWorkflow.catch_up) > 0

    def _written(self, case_id: str) -> int:
        with self._database.read() as connection:
            return connection.execute(select(_CASE.c.seq).where(_CASE.c.case_id == case_id)).scalar() or 0

    def as_error(self, error: Exception, case_id: str) -> ImprimaturError:
        """Raises the error itself when it is none that can be expected."""
        match error:
            case ImprimaturError():
                return error
            case WorkflowUpdateFailedError(cause=ApplicationError() as cause):
                kind, hint = [*cause.details, "Refused", ""][:2]
                return error_class(str(kind))(cause.type or "refused", cause.message, str(hint))
            case WorkflowUpdateRPCTimeoutOrCancelledError() | TimeoutError():
                return Unavailable(
                    "not_recorded_yet",
                    "The act was received but is not confirmed yet.",
                    "Repeat it in a minute; it will be recorded once.",
                )
            case _ if is_closed(error):
                return self._closed(case_id)
            case NotConnected():
                return Unavailable(
                    "temporal_unavailable",
                    "The workflow service cannot be reached, so nothing was done.",
                    "Repeat it when the service is back; see `starter.py doctor`.",
                )
            case RPCError():
                return Unavailable(
                    "temporal_unavailable",
                    "The workflow service does not answer, so this may not have been recorded.",
                    "Repeat it in a minute, it will be recorded once; see `starter.py doctor`.",
                )
        raise error

    def _closed(self, case_id: str) -> ImprimaturError:
        with self._database.read() as connection:
            status = connection.execute(select(_CASE.c.status).where(_CASE.c.case_id == case_id)).scalar()
            if status is None:
                return unknown_case(connection, case_id)
        return Gone("case_closed", f"The case is closed: it was {status}.", "Nothing is asked of you any more.")


def is_closed(error: Exception) -> bool:
    """Temporal runs no such case, or no longer."""
    return isinstance(error, WorkflowAlreadyStartedError) or (
        isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND
    )
