"""Replies to task mails as somebody's mail program writes them, and what became of them; for tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import select

from imprimatur.inbound.arriving import Outcome
from imprimatur.inbound.receiving import Identity, Receiver
from imprimatur.store import reading
from imprimatur.store.engine import Database
from models.tables import InboundMailRow, OutboxRow, RefusalRow
from models.vocabulary import EventType
from tests.engine import Engine
from tests.facts import ledger_rows
from tests.mails import LINKS

DOMAIN = "reply.example.edu"
RELAY = "mx.example.edu"
_NUMBERS = count(1)


def address_of(task_id: str, person: str, domain: str = DOMAIN) -> str:
    return f"review+{LINKS.reply_secret(task_id, person)}@{domain}"


def passed(sender: str, relay: str = RELAY) -> str:
    domain = sender.rpartition("@")[2]
    return f"Authentication-Results: {relay}; dmarc=pass (p=REJECT) header.from={domain}"


def message(
    sender: str,
    text: str,
    *,
    to: str = "",
    message_id: str | None = None,
    subject: str = "Re: Your review",
    headers: Sequence[str] = (),
) -> bytes:
    lines = [
        *headers,
        f"From: Somebody <{sender}>" if "<" not in sender else f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: {message_id or f'<{next(_NUMBERS)}@mail.example.edu>'}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
    ]
    return "\r\n".join(lines).encode()


@dataclass
class Post:
    """The way in, with a relay that vouches; every message is given to it as the relay would."""

    engine: Engine
    identity: Identity = field(default_factory=lambda: Identity(DOMAIN, RELAY))

    @property
    def database(self) -> Database:
        return self.engine.database

    @property
    def receiver(self) -> Receiver:
        return Receiver(self.database, self.engine.gateway, LINKS, self.identity)

    async def reply(self, task: reading.TaskView, text: str, **given: Any) -> Outcome:
        """The holder's own reply, unless something else is said."""
        sender = given.pop("sender", task.assignee)
        to = given.pop("to", address_of(task.task_id, task.assignee))
        headers = given.pop("headers", [passed(sender)])
        return await self.receiver.receive(message(sender, text, to=to, headers=headers, **given), to)

    def rows(self, table: type[Any]) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table.__table__)).mappings()]

    def answers(self) -> list[dict[str, Any]]:
        """What was put into the outbox for those who have replied."""
        return [row for row in self.rows(OutboxRow) if row["kind"].startswith("reply_")]

    def came_in(self) -> list[dict[str, Any]]:
        return sorted(self.rows(InboundMailRow), key=lambda row: row["received_at"])

    def traces(self) -> list[tuple[str, str, str]]:
        """Code, actor and channel of refused acts."""
        return [(row["code"], row["actor"], row["channel"]) for row in self.rows(RefusalRow)]

    def decisions(self, case_id: str) -> list[dict[str, Any]]:
        rows = ledger_rows(self.database, case_id)
        return [row | row["data"] for row in rows if row["type"] == EventType.DECISION_RECORDED]
