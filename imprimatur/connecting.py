"""A client of the workflow service that need not be there yet: what is asked meanwhile is refused at once."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

import structlog
from google.protobuf.message import Message
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

# How long somebody who asks waits for a service that says nothing; one that is not there refuses at once.
PATIENCE = dt.timedelta(seconds=3)

log = structlog.get_logger()
Answer = TypeVar("Answer", bound=Message)


class NotConnected(RPCError):
    """Nothing has been sent, for there is no connection."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address} does not answer: {why}", RPCStatusCode.UNAVAILABLE, b"")


class LateService(ServiceClient):
    """Connects when it is asked something, and anew at the next question for as long as that fails.

    Once connected it stays so: a service that goes away and comes back is found again by the library. Everything raises
    NotConnected before. It belongs to the event loop in which it is first asked.
    """

    def __init__(self, config: ConnectConfig, patience: dt.timedelta = PATIENCE) -> None:
        super().__init__(config)
        self._patience = patience.total_seconds()
        self._attempt: asyncio.Task[ServiceClient] | None = None
        self._service: ServiceClient | None = None

    async def reach(self) -> ServiceClient:
        """The connection. Whoever asks at the same time shares one attempt, which goes on after their patience ends."""
        if self._service is not None:
            return self._service
        attempt = self._attempt
        if attempt is None:
            attempt = self._attempt = asyncio.create_task(ServiceClient.connect(self.config))
            attempt.add_done_callback(self._settle)
        await asyncio.wait({attempt}, timeout=self._patience)
        if not attempt.done():
            raise self._silent("no connection in time")
        try:
            return attempt.result()
        except (RuntimeError, ValueError) as error:
            # So the library tells that it cannot connect, or that the address is none.
            raise self._silent(str(error)) from error

    def _settle(self, attempt: asyncio.Task[ServiceClient]) -> None:
        self._attempt = None
        if not attempt.cancelled() and attempt.exception() is None:
            self._service = attempt.result()
            log.info("workflow_service_connected", address=self.config.target_host)

    def _silent(self, why: str) -> NotConnected:
        return NotConnected(self.config.target_host, why)

    @property
    def worker_service_client(self) -> Any:
        """What a worker needs, which runs where there is a connection. Raises NotConnected."""
        if self._service is None:
            raise self._silent("no connection yet")
        return self._service.worker_service_client

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        self.config.rpc_metadata = metadata
        if self._service is not None:
            self._service.update_rpc_metadata(metadata)

    def update_api_key(self, api_key: str | None) -> None:
        self.config.api_key = api_key
        if self._service is not None:
            self._service.update_api_key(api_key)

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[Answer],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: dt.timedelta | None,  # noqa: ASYNC109  (so the library passes it)
    ) -> Answer:
        reached = await self.reach()
        return await reached._rpc_call(
            rpc, req, resp_type, service=service, retry=retry, metadata=metadata, timeout=timeout
        )
