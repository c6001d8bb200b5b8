"""Verbs on the governance office's figures: figures, figures rebuild."""

import datetime as dt
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show, table
from imprimatur.errors import InputError
from imprimatur.history.figures.catalogue import FIGURES, make_figure
from imprimatur.history.figures.figure import Column, Figure
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.figures.measuring import rebuild
from imprimatur.store.engine import Database

app = typer.Typer(help="How long things take, and what is on time.", invoke_without_command=True)


@app.callback()
def figures(
    context: typer.Context,
    figure: Annotated[str | None, typer.Option(metavar="NAME", help="Only this one.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day of the period (UTC).")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day of the period (UTC).")] = None,
    framework: Annotated[str | None, typer.Option(metavar="ID", help="Only cases under this framework.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only cases of this unit.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of micro-credential.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="One figure as CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Tell how long things take, what is on time, and whose desk it is on."""
    if context.invoked_subcommand is not None:
        return
    if as_csv and figure is None:
        raise InputError(
            "figure_required", "A CSV file holds one figure.", f"Name it with --figure: {', '.join(FIGURES)}."
        )
    now = dt.datetime.now(dt.UTC)
    given = {"from": from_, "to": to, "framework": framework, "unit": unit, "kind": kind}
    chosen = Filter.parse(given, now.date())

    def read(database: Database) -> list[Figure]:
        with database.read() as connection:
            names = [figure] if figure is not None else list(FIGURES)
            return [make_figure(connection, name, chosen, Scope(), now) for name in names]

    found = with_database(read)
    if as_csv:
        sys.stdout.write(found[0].as_csv())
        return
    document = {"filter": chosen.as_query(), "figures": [one.as_document() for one in found]}
    show(document, as_json, f"{chosen.first_on} to {chosen.last_on}", *(part for one in found for part in _text(one)))


def _text(figure: Figure) -> list[Any]:
    headings = [f"{column.label} (h)" if column.kind == "time" else column.label for column in figure.columns]
    rows = [[_told(column, line.cells.get(column.key)) for column in figure.columns] for line in figure.lines]
    body = table(headings, rows) if rows else "There is nothing to show in this period."
    return ["", f"{figure.title} ({figure.name})", figure.counted, body]


def _told(column: Column, value: Any) -> str:
    if value is None:
        return "-"
    shapes: dict[str, Callable[[Any], str]] = {"time": "{:,.1f}".format, "percent": "{:g} %".format}
    return shapes.get(column.kind, str)(column.told(value))


@app.command("rebuild")
def rebuild_(as_json: Json = False) -> None:
    """Measure all cases anew, from their ledgers."""
    made = with_database(rebuild)
    told = (
        f"{made['cases']} cases: {made['stage_time']} stages, {made['answer_time']} answers, {made['case_time']} ends."
    )
    show(
        {
            "cases": made["cases"],
            "stages": made["stage_time"],
            "answers": made["answer_time"],
            "closed": made["case_time"],
        },
        as_json,
        f"Measured {told}",
    )
