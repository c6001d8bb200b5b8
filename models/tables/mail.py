"""Mail that goes out and comes in, and forms of task pages."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant
from models.vocabulary import MailStatus


class OutboxRow(SQLModel, table=True):
    """Outgoing mail, written with the step that causes it; ``due_at`` is real time: when the mailer may try.

    ``case_id`` is empty for mail that is about a person and no case. ``carried_by`` names the message that several
    mails to one person became. ``returned`` counts how often a relay took it and gave it back later.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_status_due", "status", "due_at"),)
    mail_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    task_id: str | None = Field(default=None, index=True)
    kind: str
    recipient: str
    recipient_name: str = ""
    data: dict[str, Any] = json_value()
    created_at: dt.datetime = instant()
    status: str = MailStatus.QUEUED
    due_at: dt.datetime = instant()
    attempts: int = 0
    sent_at: dt.datetime | None = maybe_instant()
    message_id: str | None = None
    last_reply: str = long_text()
    seen_at: dt.datetime | None = maybe_instant()
    reminded_at: dt.datetime | None = maybe_instant()
    returned: int | None = None
    carried_by: str | None = Field(default=None, index=True)


class MailEventRow(SQLModel, table=True):
    """What happened to an outgoing mail, in order: a :class:`models.vocabulary.MailState`; times are real.

    ``status`` is the enhanced status code of RFC 3463, where a relay gave one.
    """

    __tablename__ = "mail_event"
    mail_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: dt.datetime = instant()
    state: str
    status: str | None = None
    reply: str = long_text()


class InboundMailRow(SQLModel, table=True):
    """An incoming message and what became of it; ``mail_key`` is derived from its Message-ID and its recipient.

    ``result`` is ``recorded``, ``reported``, ``ignored`` or the code of the error; ``attested_by`` says what vouched
    for its sender. ``mail_id`` is the outgoing mail of which a delivery report speaks. Times are real.
    """

    __tablename__ = "inbound_mail"
    __table_args__ = (Index("ix_inbound_mail_task_received", "task_id", "received_at"),)
    mail_key: str = Field(primary_key=True)
    message_id: str | None = None
    sender: str = ""
    kind: str
    case_id: str | None = None
    task_id: str | None = None
    result: str
    attested_by: str | None = None
    answered: bool = False
    digest: str
    attachments: list[dict[str, Any]] = json_value()
    received_at: dt.datetime = instant()
    mail_id: str | None = None


class InboundContentRow(SQLModel, table=True):
    """Incoming messages as they came, by SHA-256."""

    __tablename__ = "inbound_content"
    digest: str = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SentFormRow(SQLModel, table=True):
    """A form of a task page that was sent: its one-time value, and the digest of what it said."""

    __tablename__ = "sent_form"
    form_id: str = Field(primary_key=True)
    task_id: str
    digest: str
    sent_at: dt.datetime = instant()


class MailboxRow(SQLModel, table=True):
    """How far a polled mailbox has been read: ``last_uid`` under ``uid_validity`` (RFC 9051, 2.3.1.1).

    ``trying_uid`` has been begun ``tries`` times and is not dealt with yet. Numbers of a mailbox have 32 bits.
    """

    __tablename__ = "mailbox"
    name: str = Field(primary_key=True)
    uid_validity: int = Field(sa_type=BigInteger)
    last_uid: int = Field(default=0, sa_type=BigInteger)
    trying_uid: int = Field(default=0, sa_type=BigInteger)
    tries: int = 0
    polled_at: dt.datetime = instant()
