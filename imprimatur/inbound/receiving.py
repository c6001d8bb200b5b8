"""What becomes of an incoming message: who sent it, what it answers, what is recorded, and what is said in return.

Checked in this order: the secret in the reply address belongs to a task and its holder; the message is from that
holder; the institution's own relay vouches for it; it answers by the grammar; the case takes the answer. Nothing that
fails is recorded as a decision, and each failure leaves a trace.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from imprimatur.errors import ImprimaturError, NotAllowed, NotFound, Refused, Unavailable
from imprimatur.inbound.arriving import IGNORED, Outcome, arrival_of
from imprimatur.inbound.doubts import unclear
from imprimatur.inbound.returns import Returns
from imprimatur.mail.links import Links
from imprimatur.mail.replies.grammar import Answer, Unclear, read_answer
from imprimatur.mail.replies.letter import Letter, take_apart
from imprimatur.mail.replies.sender import attested_by, canonical, is_disowned
from imprimatur.mail.replies.signature import Lookup, is_signed_by_sender
from imprimatur.rules.wording import VERDICT_LABELS
from imprimatur.store.aliases import aliases_of
from imprimatur.store.decisions import place_of
from imprimatur.store.engine import Database
from imprimatur.store.inbound import (
    Also,
    Arrival,
    Holder,
    Reaction,
    Settled,
    carried_to,
    holder,
    result_of,
    write_settled,
)
from imprimatur.store.together import Together
from models.messages import DecisionReceipt
from models.vocabulary import Channel, InboundKind, MailKind, Strength

RECORDED = "recorded"
WAIVED = "waived"
VERIFIED = "verified_dkim"
STRENGTHS = {WAIVED: Strength.MAIL_WAIVED, VERIFIED: Strength.MAIL_DKIM}
# Somebody who is known to be the holder may be answered often, but not without end: it may be a program after all.
ANSWERS_A_DAY = 20
# Of what others try the holder hears, but nobody can fill a mailbox by trying.
WARNINGS_A_DAY = 3
ASK_AGAIN = "Reply to the newest mail about the task, or use its link."
USE_THE_LINK = "Use the link in the mail instead."
# A task, or a message that carried the mails of several.
_ADDRESS = re.compile(
    r"review\+(?P<about>[tm]-[a-z2-7]{16})\.(?P<signature>[a-z0-9_-]{22})@(?P<domain>[a-z0-9.-]+)", re.I
)


class Decider(Protocol):
    """Whoever records decisions: the gateway."""

    async def decide(
        self,
        *,
        task_id: str,
        verdict: str,
        actor: str,
        comment: str = "",
        scores: Mapping[str, int] | None = None,
        channel: Channel = Channel.MAIL,
        strength: Strength | None = None,
    ) -> DecisionReceipt: ...


@dataclass(frozen=True)
class Identity:
    """``authserv_id`` names the relay whose results count; ``attestation_waived`` where no stranger can reach us.

    ``unnamed_hops``: the relay writes its results without a name, as the first of the message, below so many Received
    headers at most. ``lookup`` answers text records of the DNS, with which signatures are verified here.
    """

    reply_domain: str
    authserv_id: str | None = None
    attestation_waived: bool = False
    unnamed_hops: int | None = None
    lookup: Lookup | None = None


class Receiver:
    """Deals with one message at a time for each caller; several processes may do so side by side."""

    def __init__(self, database: Database, decider: Decider, links: Links, identity: Identity) -> None:
        self._database = database
        self._decider = decider
        self._links = links
        self._identity = identity
        self._settling: Together[Settled, bool] = Together(database, write_settled)
        self._returns = Returns(database, links, identity.reply_domain)

    def takes(self, recipient: str) -> bool:
        """Whether an address has the form of a reply address of ours, or of one for bounces."""
        return self._parts(recipient) is not None or self._returns.takes(recipient)

    async def receive(self, raw: bytes, recipient: str, also: Also | None = None) -> Outcome:
        """Deals with a message; the same one again changes nothing. Raises Unavailable: try again later.

        ``also`` is written in the transaction of the message, unless it was dealt with before.
        """
        if self._returns.takes(recipient):
            return await asyncio.to_thread(self._returns.receive, raw, recipient, also)
        come = await asyncio.to_thread(self._looked_at, raw, recipient)
        task, letter = come.task, come.letter
        if task is not None and come.is_ours and letter.kind is InboundKind.BOUNCE:
            at_reply = self._returns.receive_at_reply_address
            return await asyncio.to_thread(at_reply, letter, raw, recipient, task, also)
        case_id, task_id = (task.case_id, task.task_id) if task else (None, None)
        if come.known is not None:
            return Outcome(come.known, letter.kind, case_id, task_id, repeated=True)
        understood = come.understood
        reaction = understood if isinstance(understood, Reaction) else await self._answered(letter, understood)
        written = await self._settling.keep((come.arrival, task, reaction, also))
        return Outcome(reaction.result, letter.kind, case_id, task_id, repeated=not written)

    async def set_aside(
        self, raw: bytes, recipient: str, error: ImprimaturError, also: Also | None = None, *, is_whole: bool = True
    ) -> Outcome:
        """Keeps a message unread, where the address is right, and tells the holder of the task."""
        task, is_ours = await asyncio.to_thread(self._addressed, recipient)
        letter = Letter(kind=InboundKind.UNREADABLE)
        arrival = arrival_of(letter, raw, recipient, keeps=is_ours and is_whole)
        reaction = _warning(error) if is_ours else Reaction(error.code, refused=error)
        written = await self._settling.keep((arrival, task, reaction, also))
        case_id, task_id = (task.case_id, task.task_id) if task else (None, None)
        return Outcome(error.code, letter.kind, case_id, task_id, repeated=not written)

    def _looked_at(self, raw: bytes, recipient: str) -> "_Come":
        """All that is done in one thread, so that a message waits for its turn once."""
        task, is_ours = self._addressed(recipient)
        letter = take_apart(raw, with_content=is_ours)
        arrival = arrival_of(letter, raw, recipient, keeps=is_ours)
        with self._database.read() as connection:
            known = result_of(connection, arrival.mail_key)
            place = _place(connection, task) if task is not None else None
        if known is not None or (task is not None and is_ours and letter.kind is InboundKind.BOUNCE):
            return _Come(task, is_ours, letter, arrival, known, Reaction(IGNORED))
        understood = self._understood(letter, raw, place, is_ours, about_several=_is_about_several(recipient))
        return _Come(task, is_ours, letter, arrival, None, understood)

    def _parts(self, recipient: str) -> re.Match[str] | None:
        found = _ADDRESS.fullmatch(recipient.strip().strip("<>"))
        return found if found and found["domain"].lower() == self._identity.reply_domain.lower() else None

    def _addressed(self, recipient: str) -> tuple[Holder | None, bool]:
        """The task of a reply address, and whether the address holds its secret."""
        parts = self._parts(recipient)
        if parts is None:
            return None, False
        about = parts["about"].lower()
        with self._database.read() as connection:
            task = holder(connection, about) or carried_to(connection, about)
        if task is None:
            return None, False
        return task, self._links.is_reply_secret(about, task.assignee, parts["signature"])

    def _understood(
        self, letter: Letter, raw: bytes, place: "_Place | None", is_ours: bool, *, about_several: bool
    ) -> "Reaction | _Understood":
        if letter.kind not in (InboundKind.REPLY, InboundKind.UNREADABLE):
            return Reaction(IGNORED)
        try:
            known, vouched = self._identified(letter, raw, place, is_ours)
        except Refused as error:
            warns = place is not None and (is_ours or _is_from(letter, place))
            return _warning(error) if warns else Reaction(error.code, refused=error)
        if about_several:
            return _refusal(_which_one(), vouched, _thread(letter))
        said = read_answer(letter, known.criteria)
        if isinstance(said, Unclear):
            return _refusal(unclear(said), vouched, _thread(letter))
        return _Understood(known.task, vouched, said)

    def _identified(self, letter: Letter, raw: bytes, place: "_Place | None", is_ours: bool) -> tuple["_Place", str]:
        """The task whose holder sent the message, and what vouches for that. Raises Refused."""
        if place is None:
            raise NotFound("reply_address_unknown", "No task has this reply address.", ASK_AGAIN)
        if not is_ours:
            raise NotAllowed("reply_secret_invalid", "The reply address is not the one of this task.", ASK_AGAIN)
        if letter.kind is InboundKind.UNREADABLE:
            raise Refused("mail_unreadable", "The message is built so that it is not safe to read.", USE_THE_LINK)
        if letter.sender is None or not _is_from(letter, place):
            sender = letter.sender or "an unclear sender"
            raise NotAllowed("sender_not_assignee", f"The message came from {sender}.", USE_THE_LINK)
        vouched = self._vouched(letter, raw, letter.sender)
        if vouched is None:
            told = "Nothing shows that the message came from where it says it does."
            raise NotAllowed("sender_not_attested", told, USE_THE_LINK)
        return place, vouched

    def _vouched(self, letter: Letter, raw: bytes, sender: str) -> str | None:
        """Raises Unavailable when the key of a signature cannot be asked for now."""
        if self._identity.attestation_waived:
            return WAIVED
        relay, hops = self._identity.authserv_id or "", self._identity.unnamed_hops
        unnamed = letter.results[0] if letter.results and hops is not None and letter.hops <= hops else ""
        vouched = attested_by(letter.results, relay, sender, unnamed)
        if vouched is not None or self._identity.lookup is None:
            return vouched
        if is_disowned(letter.results, relay, sender, unnamed):
            return None
        return VERIFIED if is_signed_by_sender(raw, sender, self._identity.lookup) else None

    async def _answered(self, letter: Letter, understood: "_Understood") -> Reaction:
        task, vouched, said = understood.task, understood.vouched, understood.said
        thread = _thread(letter)
        try:
            receipt = await self._decider.decide(
                task_id=task.task_id,
                verdict=said.verdict,
                actor=task.assignee,
                comment=said.comment,
                scores=said.scores,
                channel=Channel.MAIL,
                strength=STRENGTHS.get(vouched, Strength.MAIL_ATTESTED),
            )
        except Unavailable:
            raise
        except ImprimaturError as error:
            return _refusal(error, vouched, thread, traced=True)
        return Reaction(
            RECORDED,
            vouched,
            answer=MailKind.REPLY_RECORDED,
            data=thread | _recorded(said, receipt),
            answers_a_day=ANSWERS_A_DAY,
        )


@dataclass(frozen=True)
class _Place:
    """A task with what it takes to know its holder, and what the holder means."""

    task: Holder
    addresses: frozenset[str]
    criteria: Sequence[str]


@dataclass(frozen=True)
class _Understood:
    task: Holder
    vouched: str
    said: Answer


@dataclass(frozen=True)
class _Come:
    """A message, and what it comes to; ``known`` is what had become of it before."""

    task: Holder | None
    is_ours: bool
    letter: Letter
    arrival: Arrival
    known: str | None
    understood: Reaction | _Understood


def _place(connection: Connection, task: Holder) -> _Place:
    """The holder's addresses are the one that the task mail went to, and others that the office has recorded."""
    known = (task.assignee, *aliases_of(connection, task.assignee))
    stage = place_of(connection, task.task_id).stage_def
    return _Place(task, frozenset(map(canonical, known)), [criterion.id for criterion in stage.criteria])


def _is_from(letter: Letter, place: _Place) -> bool:
    return letter.sender in place.addresses


def _thread(letter: Letter) -> dict[str, Any]:
    return {"in_reply_to": letter.message_id, "subject": letter.subject}


def _is_about_several(recipient: str) -> bool:
    return recipient.strip().strip("<>").lower().startswith("review+m-")


def _which_one() -> Refused:
    return Refused(
        "reply_to_several",
        "Your reply answers a mail that holds several messages, so nobody can tell which of them you mean.",
        "Use the reply address, or the link, of the one that you want to answer.",
    )


def _warning(error: ImprimaturError) -> Reaction:
    """To the holder of a task in whose name something came that does not count."""
    return Reaction(
        error.code,
        refused=error,
        answer=MailKind.REPLY_NOT_RECORDED,
        data=_told(error, known=False),
        answers_a_day=WARNINGS_A_DAY,
    )


def _refusal(error: ImprimaturError, vouched: str, thread: dict[str, Any], *, traced: bool = False) -> Reaction:
    return Reaction(
        error.code,
        vouched,
        refused=error,
        traced=traced,
        answer=MailKind.REPLY_NOT_RECORDED,
        data=thread | _told(error, known=True),
        answers_a_day=ANSWERS_A_DAY,
    )


def _told(error: ImprimaturError, *, known: bool) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint, "known": known}


def _recorded(said: Answer, receipt: DecisionReceipt) -> dict[str, Any]:
    return {
        "label": VERDICT_LABELS[receipt.verdict],
        "comment": said.comment,
        "scores": said.scores,
        "position": receipt.position,
    }
