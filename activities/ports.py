"""Signatures of the I/O that a case may do. No I/O is imported here, so that workflows and replays stay light."""

from temporalio import activity

from models.commit import Resolution, Step, StepPlace, WrittenStep
from models.messages import HandoverEnd, HandoverTarget, MailerInput, NotifierInput, RunEnd, TargetInput


class CommitPort:
    """Writes a step: ledger events, task rows, decisions, read model and outgoing mail, in one transaction."""

    @activity.defn(name="commit_step")
    async def commit_step(self, step: Step) -> Resolution:
        raise NotImplementedError

    @activity.defn(name="recall_step")
    async def recall_step(self, place: StepPlace) -> WrittenStep | None:
        """What was written at a place, by whomever; None when nothing was."""
        raise NotImplementedError


class MailerPort:
    """Drains the outbox of one relay for a while; heartbeats; returns how many messages were handed over."""

    @activity.defn(name="drain_outbox")
    async def drain_outbox(self, mailer: MailerInput) -> int:
        raise NotImplementedError


class NotifierPort:
    """Delivers ledger events to webhooks for a while; heartbeats; returns how many deliveries were tried."""

    @activity.defn(name="notify_webhooks")
    async def notify_webhooks(self, notifier: NotifierInput) -> int:
        raise NotImplementedError


class SweeperPort:
    """Hands over the tasks of people who are no longer active; returns how many there were. Repeating it is safe."""

    @activity.defn(name="sweep_abandoned_work")
    async def sweep_abandoned_work(self) -> int:
        raise NotImplementedError


class PollerPort:
    """Reads what is new in the mailbox; heartbeats; returns how many replies there were. Repeating it is safe."""

    @activity.defn(name="poll_mailbox")
    async def poll_mailbox(self) -> int:
        raise NotImplementedError


class RegularMailPort:
    """Puts digests and agendas that are due into the outbox; returns how many. Repeating it is safe."""

    @activity.defn(name="write_regular_mail")
    async def write_regular_mail(self) -> int:
        raise NotImplementedError


class PublisherPort:
    """What publishing does outside itself. Each may be repeated without harm."""

    @activity.defn(name="start_publishing")
    async def start_publishing(self) -> int:
        """Starts what is due, for a while; heartbeats; returns how many runs there were."""
        raise NotImplementedError

    @activity.defn(name="begin_publishing")
    async def begin_publishing(self, run_id: str) -> bool:
        """False when a later act has taken its place."""
        raise NotImplementedError

    @activity.defn(name="reach_target")
    async def reach_target(self, wanted: TargetInput) -> None:
        """Has a target do what its run is for."""
        raise NotImplementedError

    @activity.defn(name="withdraw_target")
    async def withdraw_target(self, wanted: TargetInput) -> None:
        """Undoes what the run did at a target, since another one would not."""
        raise NotImplementedError

    @activity.defn(name="end_publishing")
    async def end_publishing(self, end: RunEnd) -> None:
        raise NotImplementedError


class HandoverPort:
    """What handing over does outside itself. Each may be repeated without harm."""

    @activity.defn(name="begin_handover")
    async def begin_handover(self, handover: str) -> None:
        """Makes the package, and asks people to take it up."""
        raise NotImplementedError

    @activity.defn(name="send_package")
    async def send_package(self, wanted: HandoverTarget) -> None:
        raise NotImplementedError

    @activity.defn(name="end_handover")
    async def end_handover(self, end: HandoverEnd) -> None:
        raise NotImplementedError
