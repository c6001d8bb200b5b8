"""Verbs on publications: publication show, retract, retry, schedule, targets."""

from datetime import datetime
from typing import Annotated

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import Environment, load_settings, with_database
from imprimatur.cli.output import show, table, when
from imprimatur.publication.targets.configured import read_targets
from imprimatur.publication.targets.webhook import target_secret
from imprimatur.store.publishing import PublicationView
from models.vocabulary import TargetKind

app = typer.Typer(no_args_is_help=True, help="What is published, where, and since when.")
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]


@app.command("show")
def show_(case: Case, as_json: Json = False) -> None:
    """Show the status of a record, and what became of each of its targets."""
    from imprimatur.publishing import Publishing

    _show(with_database(lambda database: Publishing(database).show(case)), as_json)


@app.command("retract")
def retract(case: Case, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Take a published record back: it says so from now on, and every target withdraws it."""
    from imprimatur.publishing import Publishing

    found = with_database(lambda database: Publishing(database).retract(case, actor=actor, reason=reason))
    _show(found, as_json)


@app.command("retry")
def retry(case: Case, actor: Actor, as_json: Json = False) -> None:
    """Do once more what failed at a target."""
    from imprimatur.publishing import Publishing

    _show(with_database(lambda database: Publishing(database).retry(case, actor=actor)), as_json)


@app.command("schedule")
def schedule(
    case: Case,
    actor: Actor,
    reason: Reason,
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day, such as 2027-02-01.")],
    as_json: Json = False,
) -> None:
    """Set the day from which a record may be public, or change it."""
    from imprimatur.publishing import Publishing

    day = on.date()
    due_at = with_database(lambda database: Publishing(database).schedule(case, day, actor=actor, reason=reason))
    told = f"{case} is published on {day.isoformat()}, from {when(due_at)}, if it is approved by then."
    show({"case_id": case, "publish_on": day.isoformat(), "due_at": due_at}, as_json, told)


@app.command("targets")
def targets(
    secrets: Annotated[bool, typer.Option("--secrets", help="Show the secrets that receivers verify with.")] = False,
    as_json: Json = False,
) -> None:
    """List the targets of this installation."""
    keys = Environment.current().secret_keys() if secrets else []
    found = [
        target.model_dump(mode="json", exclude_none=True)
        | ({"secret": target_secret(keys[0], target.name)} if keys and target.kind is TargetKind.WEBHOOK else {})
        for target in read_targets(load_settings().publication_targets).values()
    ]
    rows = [
        (item["name"], item["kind"], item.get("url") or item.get("path", ""), item.get("secret", "")) for item in found
    ]
    heading = ["target", "kind", "where", *(["secret"] if secrets else [])]
    show({"targets": found}, as_json, table(heading, [row if secrets else row[:3] for row in rows]))


def _show(found: PublicationView, as_json: bool) -> None:
    lines = [f"{found.title}: {found.status}{f' ({found.reason})' if found.reason else ''}"]
    if found.replaces:
        lines.append(f"replaces {found.replaces}")
    if found.replaced_by:
        lines.append(f"replaced by {found.replaced_by}")
    targets = [(item.target, item.status, when(item.changed_at), item.detail) for item in found.targets]
    runs = [(item.number, item.kind, item.status, when(item.due_at), item.detail) for item in found.runs]
    parts = [table(["target", "status", "since", "what it said"], targets)] if targets else []
    parts += [table(["run", "what", "status", "due", "what became of it"], runs)] if runs else []
    show(found.model_dump(mode="json"), as_json, *lines, *parts)
