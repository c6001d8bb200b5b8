"""Delivery reports as a relay sends them, for mail that was really put into the outbox; for tests."""

from itertools import count

from imprimatur.mail.message import Sender
from tests.mails import LINKS
from tests.replying import DOMAIN

SENDER = Sender("Example Institute <credentials@example.edu>", DOMAIN, True)
_NUMBERS = count(1)


def bounce_address(mail_id: str) -> str:
    return f"bounce+{LINKS.bounce_secret(mail_id)}@{DOMAIN}"


def report(
    recipient: str, action: str = "failed", status: str = "5.1.1", *, of: str = "", text: str = "no such mailbox"
) -> bytes:
    """``of`` is the mail that it returns, by its id."""
    copy = [f"Message-ID: <{of}@{DOMAIN}>"] if of else []
    lines = [
        "Return-Path: <>",
        "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        "Subject: Delivery report",
        f"Message-ID: <report-{next(_NUMBERS)}@mx.example.net>",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"',
        "",
        "--x",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.net",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {action}",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; 550 {status} {text}",
        "",
        "--x",
        "Content-Type: text/rfc822-headers",
        "",
        *copy,
        "",
        "--x--",
    ]
    return "\r\n".join(lines).encode()
