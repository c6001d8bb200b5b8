"""Hand-overs of what is published to those who deliver it: begun, called anew, tried again."""

import asyncio
import datetime as dt
from typing import Any

from sqlalchemy import Connection, select
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from imprimatur import ids
from imprimatur.errors import Refused, Unavailable
from imprimatur.frameworks.tracks import course_of
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.store import handovers as store
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, framework_of_case
from imprimatur.store.handovers_reading import HandoverView, handover_called, package_of_handover
from imprimatur.store.office import check_office
from imprimatur.store.people import active_person
from models.events import Submitted
from models.handover import HandoverOf
from models.messages import HandoverInput
from models.plan import Plan
from models.tables import CaseRow, VersionRow
from workflows.handing_over import HandoverWorkflow

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
RETRY_FOR = dt.timedelta(hours=24)


class Handovers:
    """The office's acts. What follows from them, follows by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def again(self, case_id: str, *, actor: str, reason: str) -> HandoverView:
        """Hands over once more, as after it was sent back, or for the first time what was published before.

        Raises NotAllowed ``not_the_office``, Refused ``reason_required``, and what
        :func:`imprimatur.store.handovers.call_again` raises.
        """
        if not reason.strip():
            raise Refused("reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")
        with self._database.write() as connection:
            email, now = self._office(connection, actor), dt.datetime.now(dt.UTC)
            handover = store.call_again(connection, case_id, actor=email, reason=reason.strip(), at=now)
        return handover_called(self._database, handover)

    def retry(self, case_id: str, *, actor: str) -> HandoverView:
        """Does what failed once more. Raises NotAllowed ``not_the_office``, Refused ``handover_not_failed``."""
        with self._database.write() as connection:
            self._office(connection, actor)
            handover = store.retry(connection, case_id)
        return handover_called(self._database, handover)

    def _office(self, connection: Connection, actor: str) -> str:
        person = active_person(connection, actor)
        check_office(connection, person.email)
        return person.email


class Asking:
    """Begins the cases of hand-overs, by the engine's own hand."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    async def ask(self, handover_case: str) -> None:
        """Again it is the same. Raises NotFound ``framework_unknown``, Refused ``framework_not_for_handovers``."""
        plan, event = await asyncio.to_thread(self._beginning, handover_case)
        await self._gateway.begin(handover_case, plan, event)

    def _beginning(self, handover_case: str) -> tuple[Plan, Submitted]:
        called = handover_called(self._database, handover_case)
        package = package_of_handover(self._database, handover_case)
        assert package is not None and called.package_digest is not None, "the package is made before people are asked"
        with self._database.read() as connection:
            rule = framework_of_case(connection, called.of).handover
            query = select(_CASE.c.proposer, _VERSION.c.digest).join(_VERSION, _VERSION.c.case_id == _CASE.c.case_id)
            row = connection.execute(
                query.where(_CASE.c.case_id == called.of, _VERSION.c.version == called.version)
            ).one()
            proposal = proposal_by_digest(connection, row.digest)
        if rule is None:
            raise Refused(
                "handover_not_asked",
                f"The framework of {called.of} hands nothing over any more.",
                "Move the case to a version of the framework with the key `handover`.",
            )
        policy = framework(self._database, rule.framework)
        if not policy.hands_over:
            raise Refused(
                "framework_not_for_handovers",
                f"{policy.id} is for {policy.credential_kind}, and so for no hand-overs.",
                "Add a framework of the kind handover under the name that `handover.framework` gives.",
            )
        plan, selection = course_of(policy, proposal)
        about = HandoverOf(
            case_id=called.of,
            number=called.number,
            version=called.version,
            package=called.package_digest,
            head=package["ledger"]["head"],
        )
        chosen: dict[str, Any] = {"selection": selection} if selection else {}
        return plan, Submitted(actor=row.proposer, digest=row.digest, complete=True, hands_over=about, **chosen)


class HandoverStarter:
    """Starts the workflows of hand-overs that are due; none is started twice."""

    def __init__(
        self,
        client: Client,
        database: Database,
        task_queue: str = TASK_QUEUE,
        retry_for: dt.timedelta = RETRY_FOR,
    ) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self._retry_seconds = int(retry_for.total_seconds())

    async def start_due(self) -> int:
        """Raises Unavailable ``temporal_unavailable``."""
        found = await asyncio.to_thread(store.due, self._database)
        for handing in found:
            await self.start(handing)
        return len(found)

    async def start(self, handing: store.Handing) -> None:
        wanted = HandoverInput(
            handover=handing.handover_case,
            targets=handing.targets,
            retry_seconds=self._retry_seconds,
            attempt=handing.attempt,
        )
        try:
            await self._client.start_workflow(
                HandoverWorkflow.run,
                wanted,
                id=ids.handover_workflow_id(handing.handover_case, handing.attempt),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        except WorkflowAlreadyStartedError:
            # It has ended between the look into the database and now.
            return
        except RPCError as error:
            raise Unavailable(
                "temporal_unavailable", "The workflow service does not answer.", "Is the stack running?"
            ) from error
