"""What is at work by the database, and whose workflow is gone: it is ended, so that the office can go on."""

import asyncio

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from imprimatur import ids
from imprimatur.errors import Unavailable
from imprimatur.store import handovers, publishing
from imprimatur.store.engine import Database
from models.messages import HandoverEnd, RunEnd
from models.vocabulary import RunStatus
from workflows.handing_over import PEOPLE

log = structlog.get_logger()
# In place of a target's name, where there is none.
NO_TARGET = "no target"


class Lost:
    """Workflows that somebody terminated, or that the engine does not know any more."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database

    async def mend(self) -> int:
        """Ends as failed what will never end by itself; answers how much.

        Raises Unavailable ``temporal_unavailable``.
        """
        return await self._runs() + await self._handovers()

    async def _runs(self) -> int:
        mended = 0
        for run in await asyncio.to_thread(publishing.runs_at_work, self._database):
            name = ids.publication_workflow_id(run.run_id)
            if why := await self._why_gone(name, begun=run.status is RunStatus.RUNNING):
                log.error("publication_lost", run_id=run.run_id, reason=why)
                end = RunEnd(run_id=run.run_id, failed=next(iter(run.targets), NO_TARGET), reason=why)
                await asyncio.to_thread(publishing.end_run, self._database, end)
                mended += 1
        return mended

    async def _handovers(self) -> int:
        mended = 0
        for handing in await asyncio.to_thread(handovers.at_work, self._database):
            name = ids.handover_workflow_id(handing.handover_case, handing.attempt)
            if why := await self._why_gone(name, begun=handing.status is RunStatus.RUNNING):
                log.error("handover_lost", handover=handing.handover_case, reason=why)
                end = HandoverEnd(handover=handing.handover_case, failed=PEOPLE, reason=why, attempt=handing.attempt)
                await asyncio.to_thread(handovers.end, self._database, end)
                mended += 1
        return mended

    async def _why_gone(self, workflow_id: str, *, begun: bool) -> str:
        """Empty while it runs. What has not begun may not have been started yet."""
        try:
            found = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Unavailable(
                    "temporal_unavailable", "The workflow service does not answer.", "Is the stack running?"
                ) from error
            return f"its workflow {workflow_id} is gone" if begun else ""
        if found.status in (None, WorkflowExecutionStatus.RUNNING):
            return ""
        return f"its workflow {workflow_id} was {found.status.name.lower().replace('_', ' ')} before its end"
