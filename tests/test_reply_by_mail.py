"""Somebody answers from a mail program: the running stack, real SMTP both ways, and the listener behind a relay."""

import asyncio
import email.policy
import re
import smtplib
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import pytest
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from imprimatur.embedded.demo import environment
from imprimatur.embedded.home import LOOPBACK
from imprimatur.embedded.sink import Replies, Sink, StoredMail, read_mailbox
from imprimatur.errors import Unavailable
from imprimatur.inbound.arriving import Outcome
from imprimatur.inbound.listening import Listener
from imprimatur.inbound.receiving import Receiver
from models.vocabulary import InboundKind
from tests.command import Command
from tests.engine import Engine
from tests.relay import relay
from tests.replying import Post, address_of, message, passed
from tests.stack import ROOT, Stack, needed_scores, starter, submitted


def reply_to(mail: StoredMail, sender: str, text: str) -> EmailMessage:
    """As a mail program makes it: above, what is answered below."""
    headers = dict(mail.headers)
    reply = EmailMessage(policy=email.policy.SMTP)
    reply["From"], reply["To"], reply["Subject"] = sender, headers["Reply-To"], f"Re: {mail.subject}"
    reply["Message-ID"] = make_msgid(domain="example.edu")
    reply["In-Reply-To"] = headers["Message-ID"]
    quoted = "\n".join(f"> {line}" for line in mail.text.splitlines())
    reply.set_content(f"{text}\n\nOn Mon, 2 Mar 2026 at 09:01, {mail.sender} wrote:\n\n{quoted}\n")
    return reply


def send(stack: Stack, message: EmailMessage) -> None:
    with smtplib.SMTP(LOOPBACK, stack.info.smtp_port, timeout=60) as relay_of_the_stack:
        relay_of_the_stack.send_message(message)


def test_a_task_is_answered_from_a_mail_program(office: Command, stack: Stack) -> None:
    case_id = submitted(office)
    [task] = office.json("tasks", "--case", case_id)["tasks"]
    mail = stack.mail(case_id, "Your review", task["assignee"])
    assert "Or reply to this mail" in mail.text
    scores = "\n".join(f"{name}: 4" for name in needed_scores("coursework-credit", "proposal"))
    reply = reply_to(mail, task["assignee"], f"approve\n{scores}\n\nFits the catalogue.")
    send(stack, reply)
    send(stack, reply)
    events = office.json("history", case_id)["events"]
    [decision] = [event for event in events if event["type"] == "decision_recorded"]
    assert (decision["actor"], decision["data"]["channel"]) == (task["assignee"], "mail")
    assert decision["data"]["comment"] == "Fits the catalogue."
    receipt = stack.mail(case_id, f"Re: {mail.subject}", task["assignee"])
    headers = dict(receipt.headers)
    assert headers["In-Reply-To"] == reply["Message-ID"]
    assert "is recorded: Approve." in " ".join(receipt.text.split())
    assert len(stack.mails(case_id, "Re: ")) == 1
    assert office.json("verify", case_id)["ok"] is True


def test_an_answer_that_is_not_understood_is_asked_back_and_a_stranger_is_not_heard(
    office: Command, stack: Stack
) -> None:
    case_id = submitted(office)
    [task] = office.json("tasks", "--case", case_id)["tasks"]
    mail = stack.mail(case_id, "Your review", task["assignee"])
    send(stack, reply_to(mail, "mallory@example.edu", "approve"))
    warning = stack.mail(case_id, "Not recorded", task["assignee"])
    assert "mallory@example.edu" in warning.text
    send(stack, reply_to(mail, task["assignee"], "I think it is fine."))
    back = stack.mail(case_id, f"Re: {mail.subject}", task["assignee"])
    assert '"I think it is fine."' in " ".join(back.text.split())
    assert [found["status"] for found in office.json("tasks", "--case", case_id)["tasks"]] == ["open"]


def test_a_relay_pipes_a_reply_to_a_command(office: Command, stack: Stack) -> None:
    case_id = submitted(office)
    [task] = office.json("tasks", "--case", case_id)["tasks"]
    mail = stack.mail(case_id, "Your review", task["assignee"])
    scores = "\n".join(f"{name}: 4" for name in needed_scores("coursework-credit", "proposal"))
    raw = reply_to(mail, task["assignee"], f"approve\n{scores}").as_bytes()
    command = [sys.executable, str(ROOT / "starter.py"), "mail", "receive", "--json"]
    for repeated in ("false", "true"):
        done = subprocess.run(
            command, input=raw, capture_output=True, cwd=stack.home, env=environment(stack.home), timeout=180
        )
        assert done.returncode == 0, done.stderr
        assert f'"repeated": {repeated}' in done.stdout.decode() and '"result": "recorded"' in done.stdout.decode()
    nobody = starter(stack.home, "mail", "receive", "--json")
    assert nobody.returncode == 2 and "reply_address_missing" in nobody.stdout


@dataclass
class Script:
    """A receiver that does as it is told."""

    result: str = "recorded"
    fails: Exception | None = None
    received: list[tuple[str, bytes]] = field(default_factory=list)

    def takes(self, recipient: str) -> bool:
        return recipient.startswith("review+")

    async def receive(self, raw: bytes, recipient: str) -> Outcome:
        if self.fails is not None:
            raise self.fails
        self.received.append((recipient, raw))
        return Outcome(self.result, InboundKind.REPLY)


@asynccontextmanager
async def listening(script: "Script | Receiver", kind: type[SMTP] = SMTP) -> AsyncIterator[int]:
    handler = Listener(script)  # type: ignore[arg-type]
    server = await asyncio.get_running_loop().create_server(lambda: kind(handler, hostname="here"), LOOPBACK, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def spoken(port: int, *lines: str) -> list[str]:
    """What is answered to the lines of a session, without the greeting."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    answers = []
    await reader.readline()
    for line in lines:
        writer.write(f"{line}\r\n".encode())
        answer = (await reader.readline()).decode().strip()
        while re.match(r"\d{3}-", answer):
            answer = (await reader.readline()).decode().strip()
        answers.append(answer)
    writer.close()
    return answers


@pytest.mark.parametrize(("kind", "hello"), [(SMTP, "EHLO relay"), (LMTP, "LHLO relay")], ids=["smtp", "lmtp"])
async def test_the_listener_takes_one_recipient_at_a_time_and_only_reply_addresses(
    kind: type[SMTP], hello: str
) -> None:
    script = Script()
    async with listening(script, kind) as port:
        said = await spoken(
            port, hello, "MAIL FROM:<q@example.edu>", "RCPT TO:<office@reply.example>",
            "RCPT TO:<review+a@reply.example>",
            "RCPT TO:<review+b@reply.example>", "DATA", "Subject: x\r\n\r\napprove\r\n.",
        )  # fmt: skip
    assert [answer[:3] for answer in said[1:]] == ["250", "550", "250", "452", "354", "250"]
    assert said[-1] == "250 2.0.0 recorded"
    assert [recipient for recipient, _ in script.received] == ["review+a@reply.example"]


async def test_mail_without_a_sender_on_its_envelope_is_a_machines(live: Engine) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("machine"))).case_id
    [task, *_] = live.tasks(case_id)
    post = Post(live)
    to = address_of(task.task_id, task.assignee)
    answer = message(task.assignee, "approve\nfit: 4\nno_duplication: 3", to=to, headers=[passed(task.assignee)])
    async with listening(post.receiver) as port:
        for sender, result in (("", "ignored"), (task.assignee, "recorded")):
            text = answer.replace(b"Message-ID: <", f"Message-ID: <{result}-".encode()).decode()
            said = await spoken(port, "EHLO x", f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA", f"{text}\r\n.")
            assert said[-1] == f"250 2.0.0 {result}"
    assert len(post.decisions(case_id)) == 1


def test_a_relay_is_told_to_come_again_where_nothing_runs(tmp_path: Path) -> None:
    done = starter(tmp_path, "mail", "receive", "--to", "review+x@localhost", "--json")
    assert done.returncode == 75
    assert '"code": "secret_keys_missing"' in done.stdout


@pytest.mark.parametrize("fault", [Unavailable("database_unavailable", "Gone."), RuntimeError("a mistake of ours")])
async def test_what_cannot_be_dealt_with_now_stays_with_the_relay(fault: Exception) -> None:
    async with listening(Script(fails=fault)) as port:
        said = await spoken(
            port,
            "EHLO relay",
            "MAIL FROM:<q@example.edu>",
            "RCPT TO:<review+a@reply.example>",
            "DATA",
            "\r\napprove\r\n.",
        )
    assert said[-1].startswith("451 4.3.0")


async def test_the_sink_hands_on_what_machines_send_without_a_sender(tmp_path: Path) -> None:
    script = Script()
    async with listening(script) as inner, relay(Sink(tmp_path, Replies("reply.example", inner))) as port:
        to = "RCPT TO:<review+a@reply.example>"
        said = await spoken(port, "EHLO x", "MAIL FROM:<>", to, "DATA", "Subject: y\r\n\r\nz\r\n.")
    assert said[-1].startswith("250")
    assert [recipient for recipient, _ in script.received] == ["review+a@reply.example"]


async def test_the_sink_hands_replies_on_and_keeps_everything_else(tmp_path: Path) -> None:
    script = Script()
    async with listening(script) as inner:
        async with relay(Sink(tmp_path, Replies("reply.example", inner))) as port:
            rcpt = ["RCPT TO:<review+a@reply.example>", "RCPT TO:<quinn@example.edu>"]
            said = await spoken(port, "EHLO x", "MAIL FROM:<q@example.edu>", *rcpt, "DATA", "Subject: y\r\n\r\nz\r\n.")
            assert said[-1].startswith("250")
            assert [recipient for recipient, _ in script.received] == ["review+a@reply.example"]
            assert len(read_mailbox(tmp_path)) == 1
        async with relay(Sink(tmp_path, Replies("reply.example", 1))) as port:
            said = await spoken(
                port, "EHLO x", "MAIL FROM:<q@example.edu>", rcpt[0], "DATA", "Subject: y\r\n\r\nz\r\n."
            )
            assert said[-1].startswith("451")
    assert len(read_mailbox(tmp_path)) == 1
