"""Mail that is measured: answers that come in, and task mails that go out."""

import asyncio
import datetime as dt
import os
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import select

from imprimatur import ids
from imprimatur.gateway import Gateway
from imprimatur.inbound.receiving import RECORDED, Identity, Receiver
from imprimatur.mail.links import Links
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from models.tables import OutboxRow
from tests.bench.scenario import REVIEWERS, Run, decide, mail_waiting, many, submit, timed

STAGE = "proposal"
[REVIEWER] = REVIEWERS[STAGE]
DOMAIN, RELAY = "reply.example.org", "mx.example.org"
LINKS = Links(["bench-key-bench-key-bench-key-bench-key"], "http://127.0.0.1:9")
# As mail programs write it: plain and formatted text, with the whole task mail below.
_QUOTED = "\r\n".join(f"> Line {number} of the mail that is answered, of the usual length." for number in range(40))
_FORMATTED = "".join(
    f"<div>Line {number} of the mail that is answered, of the usual length.</div>" for number in range(40)
)
_NUMBERS = count(1)
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]


def reply(case_id: str) -> tuple[bytes, str]:
    """An answer to the task of a case, and the address that it goes to."""
    task = ids.task_id(case_id, STAGE, 1, REVIEWER)
    to = f"review+{LINKS.reply_secret(task, REVIEWER)}@{DOMAIN}"
    wrote = "On Mon, 2 Mar 2026 at 09:01, Bench University &lt;bench@example.org&gt; wrote:"
    lines = [
        f"Return-Path: <{REVIEWER}>",
        f"Authentication-Results: {RELAY}; dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
        f"From: Reviewer <{REVIEWER}>",
        f"To: {to}",
        "Subject: Re: Your review",
        f"Message-ID: <{next(_NUMBERS)}@mail.example.org>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="bench"',
        "",
        "--bench",
        "Content-Type: text/plain; charset=utf-8",
        "",
        f"approve\r\n\r\nAgreed.\r\n\r\n{wrote.replace('&lt;', '<').replace('&gt;', '>')}\r\n\r\n{_QUOTED}",
        "--bench",
        "Content-Type: text/html; charset=utf-8",
        "",
        f'<div>approve</div><div><br></div><div>Agreed.</div><div class="gmail_quote">{wrote}'
        f"<blockquote>{_FORMATTED}</blockquote></div>",
        "--bench--",
        "",
    ]
    return "\r\n".join(lines).encode(), to


async def opened(gateway: Gateway, cases: int, callers: int) -> list[str]:
    found: list[str] = []

    async def one(number: int, run: Run) -> None:
        found.append(await submit(gateway, 50_000 + number))

    await many(cases, callers, one)
    return found


async def decided_by_gateway(gateway: Gateway, cases: list[str], callers: int) -> Run:
    async def one(number: int, run: Run) -> None:
        await timed(run, decide(gateway, cases[number], STAGE, 0))

    return await many(len(cases), callers, one)


async def decided_by_mail(gateway: Gateway, database: Database, cases: list[str], callers: int) -> Run:
    receiver = Receiver(database, gateway, LINKS, Identity(DOMAIN, RELAY))

    async def one(number: int, run: Run) -> None:
        raw, to = reply(cases[number])
        began = time.perf_counter()
        outcome = await receiver.receive(raw, to)
        run.answers.append(time.perf_counter() - began)
        assert outcome.result == RECORDED, outcome

    return await many(len(cases), callers, one)


def processor_seconds() -> float:
    """Of this process and of those that it has started: unlike time, others on the machine do not lengthen it much."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.getpid() in (int(file.parent.name), int(fields[1])):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def drained(database: Database) -> None:
    while await asyncio.to_thread(mail_waiting, database):  # noqa: ASYNC110  (another process sends)
        await asyncio.sleep(0.02)


def fill(database: Database, mails: int) -> None:
    """Task mails that were sent are to be sent again, as new ones, until there are so many."""
    with database.write() as connection:
        sent = [dict(row) for row in connection.execute(select(_OUTBOX).where(_OUTBOX.c.kind == "task")).mappings()]
        now = dt.datetime.now(dt.UTC)
        fresh = {"status": "queued", "due_at": now, "attempts": 0, "sent_at": None, "message_id": None}
        rows = [sent[number % len(sent)] | fresh | {"mail_id": f"m-bench-{number:08d}"} for number in range(mails)]
        connection.execute(_OUTBOX.insert(), rows)


@dataclass(frozen=True)
class Sent:
    """Of a worker that empties an outbox: mails a second, and its memory on the way."""

    rate: float
    mebibytes: list[float]


async def sent(database: Database, worker: int, already: int, marks: tuple[int, ...]) -> Sent:
    """``already``: mails that were done before; ``marks``: numbers of mails at which the memory is looked at."""
    began, mebibytes = time.perf_counter(), []
    for mark in marks:
        while (await asyncio.to_thread(_done, database)) - already < mark:  # noqa: ASYNC110  (another process sends)
            await asyncio.sleep(0.05)
        mebibytes.append(_resident(worker))
    return Sent(marks[-1] / (time.perf_counter() - began), mebibytes)


def _done(database: Database) -> int:
    counts = outbox.counts(database)
    return counts.get("sent", 0) + counts.get("dropped", 0)


def _resident(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"nobody knows the memory of process {process}")
