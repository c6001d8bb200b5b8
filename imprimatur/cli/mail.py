"""Verbs on mail: mail listen, mail receive, mail poll, mail check, mail preview."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import Environment
from imprimatur.cli.output import show, show_error
from imprimatur.errors import ImprimaturError, InputError
from imprimatur.inbound.recipients import reply_addresses

if TYPE_CHECKING:
    from imprimatur.inbound.arriving import Outcome

SIZE_LIMIT_BYTES = 30 * 1024 * 1024
# What relays take for "later": sysexits.h, EX_TEMPFAIL.
TRY_AGAIN_LATER = 75

mail_app = typer.Typer(no_args_is_help=True, help="Mail: what became of it, answers by reply, templates.")


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
    show(_told(outcome), as_json, _said(outcome))


def _recipient(raw: bytes) -> str:
    """The first reply address that the headers name as a recipient. Raises InputError ``reply_address_missing``."""
    found = reply_addresses(raw)
    if not found:
        raise InputError("reply_address_missing", "The message names no reply address.", "Give it with --to.")
    return found[0]


@mail_app.command("poll")
def poll(as_json: Json = False) -> None:
    """Read what is new in the mailbox of IMAP_URL, as the worker does from time to time."""
    from imprimatur.cli.mailboxes import poll_now

    polled = poll_now(Environment.current())
    document = {
        "mailbox": polled.mailbox,
        "uid_validity": polled.uid_validity,
        "others": polled.others,
        "messages": [{"uid": dealt.uid} | _told(dealt.outcome) for dealt in polled.messages],
    }
    lines = [f"{dealt.uid}  {_said(dealt.outcome)}" for dealt in polled.messages]
    show(document, as_json, "\n".join([*lines, f"{len(lines)} replies, {polled.others} other messages"]))


def _told(outcome: "Outcome") -> dict[str, Any]:
    return {
        "result": outcome.result,
        "kind": outcome.kind,
        "case_id": outcome.case_id,
        "task_id": outcome.task_id,
        "repeated": outcome.repeated,
    }


@mail_app.command("check")
def check(as_json: Json = False) -> None:
    """Look through the folder of mail templates in MAIL_TEMPLATES."""
    from imprimatur.cli.previews import check_templates

    check_templates(Environment.current().settings, as_json)


@mail_app.command("preview")
def preview(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as task or task/objection.")] = "",
    language: Annotated[str | None, typer.Option(metavar="LANGUAGE", help="Such as de; else MAIL_LANGUAGE.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the HTML there.")] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Show the HTML in the browser.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List what can be shown.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a mail looks like, with example data, as templates and branding make it."""
    from imprimatur.cli.previews import list_previews, show_preview

    settings = Environment.current().settings
    if list_:
        list_previews(settings, language, as_json)
    else:
        show_preview(settings, name, language, html, browser=browser, as_json=as_json)


def _said(outcome: "Outcome") -> str:
    return f"{outcome.result}{', dealt with before' if outcome.repeated else ''}"
