"""A client of the workflow service that connects when it is first asked: what it says as long as it cannot."""

from collections.abc import Awaitable
from typing import Any, TypeVar

from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError, RPCStatusCode

Answer = TypeVar("Answer")
# How the library tells that it could not connect: with no class of its own.
_NOT_CONNECTED = "Failed client connect"


class Unconnected(Interceptor):
    """What cannot connect fails as what is not answered does: with the library's RPCError."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002  (the library's name)
        return _Outbound(next)


class _Outbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        return await told(super().start_workflow(input))

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002
        return await told(super().query_workflow(input))

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:  # noqa: A002
        return await told(super().start_workflow_update(input))

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002
    ) -> WorkflowUpdateHandle[Any]:
        return await told(super().start_update_with_start_workflow(input))


async def told(answer: Awaitable[Answer]) -> Answer:
    """Raises RPCError ``UNAVAILABLE`` where the client could not connect."""
    try:
        return await answer
    except RuntimeError as error:
        if not str(error).startswith(_NOT_CONNECTED):
            raise
        raise RPCError("The workflow service cannot be reached.", RPCStatusCode.UNAVAILABLE, b"") from error
