"""Verbs on hand-overs of what is published to those who deliver it: handover list, show, again, retry."""

import json
from typing import Annotated, Any

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show, table, when
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import (
    HandoverView,
    handover_lines,
    handovers_of_case,
    latest_handover,
    package_of_handover,
)

app = typer.Typer(no_args_is_help=True, help="What is published, handed over to those who deliver it.")
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case of the published micro-credential.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
HEADINGS = ["hand-over", "state", "called", "why", "answered by", "what they said"]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List hand-overs: those that wait for an answer first, then the latest."""
    found = with_database(handover_lines)
    rows = [(view.handover_case, view.title, view.state, when(view.due_at)) for view in found]
    show({"handovers": found}, as_json, table(["hand-over", "title", "state", "to be answered by"], rows))


@app.command("show")
def show_(
    case: Case,
    package: Annotated[bool, typer.Option("--package", help="Show what was handed over last, as JSON.")] = False,
    as_json: Json = False,
) -> None:
    """Show the hand-overs of a micro-credential, what was sent to whom, and what they answered."""
    if package:
        found = with_database(lambda database: _package(database, case))
        show({"case_id": case, "package": found}, as_json, json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(case, with_database(lambda database: handovers_of_case(database, case)), as_json)


@app.command("again")
def again(case: Case, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Hand over once more, as after it was sent back; or for the first time what was published before."""
    from imprimatur.handover import Handovers

    found = with_database(lambda database: Handovers(database).again(case, actor=actor, reason=reason))
    _show(case, [found], as_json)


@app.command("retry")
def retry(case: Case, actor: Actor, as_json: Json = False) -> None:
    """Do once more what failed of the last hand-over."""
    from imprimatur.handover import Handovers

    _show(case, [with_database(lambda database: Handovers(database).retry(case, actor=actor))], as_json)


def _package(database: Database, case: str) -> dict[str, object] | None:
    return package_of_handover(database, latest_handover(database, case).handover_case)


def _show(case: str, found: list[HandoverView], as_json: bool) -> None:
    rows = [
        (view.handover_case, view.state, when(view.called_at), view.reason, view.concluded_by or "", view.comment)
        for view in found
    ]
    sent = [(view.handover_case, item.target, when(item.sent_at), item.detail) for view in found for item in view.sent]
    parts: list[Any] = [table(HEADINGS, rows)]
    parts += [table(["hand-over", "sent to", "when", "what it said"], sent)] if sent else []
    parts += [f"{view.handover_case}: {view.detail}" for view in found if view.detail]
    show({"case_id": case, "handovers": found}, as_json, *parts)
