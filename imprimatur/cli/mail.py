"""Verbs on incoming mail: mail listen, mail receive."""

import os
import re
import sys
from email.errors import MessageError
from email.parser import BytesHeaderParser
from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import Environment
from imprimatur.cli.output import show, show_error
from imprimatur.errors import ImprimaturError, InputError

SIZE_LIMIT_BYTES = 30 * 1024 * 1024
LONGEST_HEAD_BYTES = 256 * 1024
# What relays take for "later": sysexits.h, EX_TEMPFAIL.
TRY_AGAIN_LATER = 75
_REPLY_ADDRESS = re.compile(r"(?:review|bounce)\+[\w.-]+@[\w.-]+", re.IGNORECASE)
_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")

mail_app = typer.Typer(no_args_is_help=True, help="Mail: what became of it, and answers by reply.")


@mail_app.command("listen")
def listen_(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8024,
    lmtp: Annotated[bool, typer.Option("--lmtp", help="Speak LMTP in place of SMTP.")] = False,
    as_json: Json = False,
) -> None:
    """Take replies from the mail relay, by SMTP or LMTP, until stopped."""
    from imprimatur.cli.replies import serve

    serve(Environment.current(), host, port, lmtp)


@mail_app.command("receive")
def receive(
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="The reply address; else found in it.")] = "",
    as_json: Json = False,
) -> None:
    """Take one message from standard input, as a relay pipes it. Ends with 75 when it should be tried again."""
    from imprimatur.cli.replies import take

    raw = sys.stdin.buffer.read(SIZE_LIMIT_BYTES + 1)
    if len(raw) > SIZE_LIMIT_BYTES:
        raise InputError("mail_too_large", "The message has more than 30 MiB.", "Nothing was done with it.")
    recipient = to or os.environ.get("ORIGINAL_RECIPIENT", "") or _recipient(raw)
    try:
        outcome = take(Environment.current(), raw, recipient)
    except ImprimaturError as error:
        # A part that does not answer, or settings that are wrong: nothing is wrong with the message.
        show_error(error, as_json)
        raise typer.Exit(TRY_AGAIN_LATER) from error
    document = {
        "result": outcome.result,
        "kind": outcome.kind,
        "case_id": outcome.case_id,
        "task_id": outcome.task_id,
        "repeated": outcome.repeated,
    }
    show(document, as_json, f"{outcome.result}{', dealt with before' if outcome.repeated else ''}")


def _recipient(raw: bytes) -> str:
    """The first reply address that the headers name as a recipient. Raises InputError ``reply_address_missing``."""
    head = raw[:LONGEST_HEAD_BYTES].partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]
    try:
        headers = BytesHeaderParser().parsebytes(head + b"\n\n")
        values = [str(value) for name in _RECIPIENT_HEADERS for value in headers.get_all(name, [])]
    except (MessageError, ValueError, LookupError):
        values = []
    found = _REPLY_ADDRESS.search("\n".join(values))
    if found is None:
        raise InputError("reply_address_missing", "The message names no reply address.", "Give it with --to.")
    return found.group()
