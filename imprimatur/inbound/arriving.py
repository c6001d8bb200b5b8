"""An incoming message as it is kept, and what became of it."""

import hashlib
from dataclasses import asdict, dataclass

from imprimatur.mail.replies.letter import Letter
from imprimatur.store.inbound import Arrival
from models.vocabulary import InboundKind

IGNORED = "ignored"


@dataclass(frozen=True)
class Outcome:
    """``result`` is ``recorded``, ``reported``, ``ignored`` or the code of the error.

    ``repeated``: it was dealt with before.
    """

    result: str
    kind: InboundKind
    case_id: str | None = None
    task_id: str | None = None
    repeated: bool = False


def arrival_of(letter: Letter, raw: bytes, recipient: str, *, keeps: bool) -> Arrival:
    """Known by its Message-ID at one recipient: nobody can use up the Message-ID of somebody else's mail.

    What strangers send is not kept, or they could fill the database.
    """
    digest = hashlib.sha256(raw).hexdigest()
    name = f"{letter.message_id or digest}\x1f{recipient.strip().strip('<>').lower()}"
    return Arrival(
        mail_key=hashlib.sha256(name.encode()).hexdigest(),
        message_id=letter.message_id,
        sender=letter.sender,
        kind=letter.kind,
        digest=digest,
        content=raw if keeps else None,
        attachments=[asdict(attachment) for attachment in letter.attachments],
    )
