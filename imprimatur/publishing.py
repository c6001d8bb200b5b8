"""Publications at work: retracted, tried again, set for another day; one method an act, for all who offer them."""

import datetime as dt

from sqlalchemy import Connection
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from imprimatur import ids
from imprimatur.errors import Gone, Refused, Unavailable
from imprimatur.gateway import TASK_QUEUE
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_of_case
from imprimatur.store.ledger import append_event
from imprimatur.store.office import check_office
from imprimatur.store.people import active_person
from imprimatur.store.publishing import PublicationView, publication_view
from imprimatur.store.record_status import locked_publication, queue_run, set_record_status, targets_with, write_status
from models.messages import PublishingInput
from models.vocabulary import EventType, RecordStatus, RunKind, RunStatus
from workflows.publishing import PublishingWorkflow

RETRY_FOR = dt.timedelta(hours=24)


class Publishing:
    """Whether somebody belongs to the office is looked up when they act. What a target has to do follows by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def show(self, name: str) -> PublicationView:
        """Of a case or a slug. Raises NotFound ``publication_unknown``."""
        return publication_view(self._database, name)

    def retract(self, case_id: str, *, actor: str, reason: str) -> PublicationView:
        """The record says so from now on, and every target gives it back. Again it changes nothing.

        One that is not public yet never will be. Raises NotAllowed ``not_the_office``, Refused ``reason_required`` and
        ``publication_running``, NotFound ``publication_unknown``.
        """
        reason = _reason(reason)
        with self._database.write() as connection:
            email = self._office(connection, actor)
            row = locked_publication(connection, case_id)
            status = RecordStatus(row["status"])
            if status is RecordStatus.RETRACTED:
                pass
            elif status.is_public:
                set_record_status(connection, case_id, RecordStatus.RETRACTED, actor=email, reason=reason)
            else:
                _not_running(connection, case_id)
                write_status(connection, case_id, RecordStatus.RETRACTED, actor=email, reason=reason)
                queue_run(connection, case_id, RunKind.WITHDRAW, targets_with(connection, case_id), asked_by=email)
        return self.show(case_id)

    def retry(self, case_id: str, *, actor: str) -> PublicationView:
        """What failed last is done once more. Raises Refused ``publication_not_failed``, and as :meth:`retract`."""
        with self._database.write() as connection:
            email = self._office(connection, actor)
            row = locked_publication(connection, case_id)
            last = store.last_run(connection, case_id)
            if last is None or last.status is not RunStatus.FAILED:
                raise Refused(
                    "publication_not_failed",
                    f"Nothing of the publication of {case_id} has failed.",
                    f"See `starter.py publication show {case_id}`.",
                )
            targets = list(last.targets)
            if last.kind is RunKind.PUBLISH:
                # The framework that the case has by now says where its record goes.
                targets = list(framework_of_case(connection, row["case_id"]).publication.targets)
            queue_run(connection, case_id, last.kind, targets, asked_by=email)
        return self.show(case_id)

    def schedule(self, case_id: str, day: dt.date, *, actor: str, reason: str) -> dt.datetime:
        """Sets the day from which a record may be public; answers its first instant.

        It may be set before the case is approved, and changed until the day has come; the same day again changes
        nothing. Raises Gone
        ``publication_begun`` afterwards, NotFound ``case_unknown``, and as :meth:`retract`.
        """
        reason, now = _reason(reason), dt.datetime.now(dt.UTC)
        with self._database.write() as connection:
            email = self._office(connection, actor)
            due_at = store.beginning_of(day, framework_of_case(connection, case_id))
            if store.publish_on(connection, case_id) != day:
                told = {"publish_on": day.isoformat(), "due_at": due_at.isoformat(), "reason": reason}
                at = append_event(connection, case_id, EventType.PUBLICATION_SCHEDULED, email, now, **told)
                store.put_publish_on(connection, case_id, day, email, at)
            status = store.record_status(connection, case_id)
            waits = status is RecordStatus.SCHEDULED and store.postpone(connection, case_id, due_at)
            if status is not None and not waits:
                raise Gone(
                    "publication_begun",
                    f"The record of {case_id} is {status}: its publication has begun.",
                    f"See `starter.py publication show {case_id}`; `publication retract` takes a record back.",
                )
        return due_at

    def _office(self, connection: Connection, actor: str) -> str:
        person = active_person(connection, actor)
        check_office(connection, person.email)
        return person.email


class RunStarter:
    """Starts the workflow of a run; one that was started before is found, and none is started twice.

    ``retry_for`` is how long a target is tried.
    """

    def __init__(self, client: Client, task_queue: str = TASK_QUEUE, retry_for: dt.timedelta = RETRY_FOR) -> None:
        self._client = client
        self._task_queue = task_queue
        self._retry_seconds = int(retry_for.total_seconds())

    async def start(self, run: store.Run) -> None:
        """Raises Unavailable ``temporal_unavailable``."""
        wanted = PublishingInput(
            run_id=run.run_id, kind=run.kind, targets=run.targets, retry_seconds=self._retry_seconds
        )
        try:
            await self._client.start_workflow(
                PublishingWorkflow.run,
                wanted,
                id=ids.publication_workflow_id(run.run_id),
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


def _reason(given: str) -> str:
    if not given.strip():
        raise Refused("reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")
    return given.strip()


def _not_running(connection: Connection, case_id: str) -> None:
    last = store.last_run(connection, case_id)
    if last is not None and last.status is RunStatus.RUNNING:
        raise Refused(
            "publication_running",
            f"The record of {case_id} is on its way to its targets.",
            f"Wait until that has ended: see `starter.py publication show {case_id}`.",
        )
