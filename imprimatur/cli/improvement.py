"""Verbs on reviews of published micro-credentials and on what is measured of them."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import Environment, with_database, with_gateway
from imprimatur.cli.durations import parse_day
from imprimatur.cli.output import show, table, when
from imprimatur.errors import InputError
from imprimatur.frameworks.documents import read_text
from imprimatur.store.engine import Database
from imprimatur.store.indicators import IndicatorView, indicators_of
from imprimatur.store.reading import show_case
from imprimatur.store.reviews_reading import ReviewLine, review_lines

if TYPE_CHECKING:
    from imprimatur.gateway import Gateway

Case = Annotated[str, typer.Argument(metavar="CASE", help="The case of the published micro-credential.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]

reviews_app = typer.Typer(help="Reviews of what is published: due, coming and open.")
indicators_app = typer.Typer(no_args_is_help=True, help="What is measured of what is published.")


@reviews_app.callback(invoke_without_command=True)
def reviews(context: typer.Context, as_json: Json = False) -> None:
    """List reviews that are open, due and coming, and why."""
    if context.invoked_subcommand is not None:
        return
    found = with_database(lambda database: review_lines(database, dt.datetime.now(dt.UTC)))
    rows = [(line.case_id, line.title, line.status, _next(line), _why(line)) for line in found]
    show({"reviews": found}, as_json, table(["case", "title", "status", "review", "why"], rows))


def _next(line: ReviewLine) -> str:
    if line.open_review:
        return f"open: {line.open_review}"
    if line.retire_on:
        return f"taught out until {line.retire_on}"
    return when(line.next_at) + (" (due)" if line.overdue else "")


def _why(line: ReviewLine) -> str:
    if line.open_review:
        return "; ".join(reason.reason for reason in line.reasons)
    last = f"last review: {line.last_outcome}" if line.last_outcome else ""
    return line.why or last


@reviews_app.command("call")
def call(case: Case, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Call a review now."""

    async def act(gateway: "Gateway", database: Database) -> str:
        from imprimatur.improvement import Improvement

        return await Improvement(gateway, database).call(case, actor=actor, reason=reason)

    review = with_gateway(act)
    show({"case_id": case, "review": review}, as_json, f"The review of {case} is the case {review}.")


@reviews_app.command("move")
def move(
    case: Case,
    actor: Actor,
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="When it is due instead.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Bring the next review forward, or put it off."""
    day = parse_day(on)

    async def act(gateway: "Gateway", database: Database) -> dt.datetime:
        from imprimatur.improvement import Improvement

        return await Improvement(gateway, database).move(case, day, actor=actor, reason=reason)

    due_at = with_gateway(act)
    show({"case_id": case, "due_at": due_at}, as_json, f"The next review of {case} is due {when(due_at)}.")


@reviews_app.command("run")
def run(
    as_of: Annotated[
        str | None, typer.Option(metavar="DAY", help="As if it were that day (only under `up --time-skipping`).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Do now what is done once a day: begin what is due, look for evidence, end what is taught out."""
    now = dt.datetime.now(dt.UTC)
    if as_of is not None:
        now = dt.datetime.combine(parse_day(as_of), dt.time(), dt.UTC)
        if not Environment.current().time_skipping:
            raise InputError(
                "time_not_skippable",
                "This stack runs in real time, so no other day can be supposed.",
                "Start it with `python starter.py up --time-skipping`.",
            )

    async def act(gateway: "Gateway", database: Database) -> Any:
        from imprimatur.improvement import Improvement

        return await Improvement(gateway, database).sweep(now)

    done = with_gateway(act)
    show(
        done.model_dump(mode="json"),
        as_json,
        f"{len(done.called)} called, {len(done.begun)} begun, {len(done.drafted)} new versions opened, "
        f"{len(done.retired)} retired, {done.announced} mails.",
        *done.problems,
    )


@indicators_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file.")],
    actor: Actor,
    source: Annotated[str | None, typer.Option(help="Where the figures come from; else the file's name.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Store nothing; tell what would become of it.")] = False,
    as_json: Json = False,
) -> None:
    """Take figures of published micro-credentials; the same file again changes nothing."""
    text = read_text(file)

    async def act(gateway: "Gateway", database: Database) -> Any:
        from imprimatur.improvement import Improvement

        improvement = Improvement(gateway, database)
        return await improvement.import_file(text, source=source or file.name, actor=actor, preview=preview)

    report = with_gateway(act)
    would = "would be " if preview else ""
    show(
        report.model_dump(mode="json"),
        as_json,
        f"{report.added} {would}added, {report.changed} {would}changed, {report.unchanged} known already, "
        f"{len(report.rejected)} lines rejected",
        *[f"A review was called: {review}" for review in report.reviews],
        table(["line", "field", "problem"], [(r.line, r.field, r.problem) for r in report.rejected]),
    )


@indicators_app.command("list")
def list_(case: Case, as_json: Json = False) -> None:
    """List what is known of one micro-credential."""

    def read(database: Database) -> list[IndicatorView]:
        show_case(database, case)
        with database.read() as connection:
            return indicators_of(connection, case)

    found = with_database(read)
    rows = [(i.indicator, i.period, f"{i.value:g}", i.source, i.imported_by, when(i.imported_at)) for i in found]
    headings = ["indicator", "period", "value", "source", "imported by", "imported"]
    show({"case_id": case, "indicators": found}, as_json, table(headings, rows))
