"""Verbs on the system itself: up, web, migrate, doctor."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import Environment, load_settings
from imprimatur.cli.output import show, table
from imprimatur.errors import InputError, Refused
from imprimatur.frameworks.loader import handovers, reviews, shipped
from imprimatur.history.figures.measuring import measure_once
from imprimatur.store.engine import Database, migrate
from imprimatur.store.frameworks import add_framework


def up(
    home: Annotated[Path | None, typer.Option(help="Where everything is kept; IMPRIMATUR_HOME by default.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the pages; a free one by default.")
    ] = None,
    time_skipping: Annotated[
        bool, typer.Option("--time-skipping", help="Let `forward` move a case's own clock.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the embedded stack in the foreground; Ctrl-C stops it."""
    from imprimatur.embedded.supervisor import run_stack

    def announce(lines: dict[str, str]) -> None:
        show(lines, as_json, *(f"{name} {value}" for name, value in lines.items()))
        sys.stdout.flush()

    settings = load_settings()
    raise typer.Exit(run_stack(settings, home or settings.home, port, time_skipping, prepare_database, announce))


def web(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    inbox: Annotated[bool, typer.Option("--inbox", help="Show the mail sink of the embedded stack.")] = False,
    as_json: Json = False,
) -> None:
    """Serve the pages."""
    from imprimatur.cli.website import serve

    raise typer.Exit(serve(Environment.current(), host, port, inbox))


def migrate_(as_json: Json = False) -> None:
    """Bring the database to this version and store the general frameworks."""
    environment = Environment.current()
    if environment.database_url is None:
        raise InputError("database_url_missing", "DATABASE_URL is not set.", "Set it, or start the embedded stack.")
    prepare_database(environment.database_url)
    show({"ok": True}, as_json, "The database is up to date.")


def prepare_database(url: str) -> None:
    """Schema, general frameworks, and what an older version has not measured; doing it again changes nothing."""
    migrate(url)
    database = Database(url)
    try:
        for policy in (*shipped().values(), *reviews().values(), *handovers().values()):
            add_framework(database, policy, dt.datetime.now(dt.UTC))
        measure_once(database)
    finally:
        database.close()


def doctor(as_json: Json = False) -> None:
    """Check database, Temporal, mail, keys, calendars and clock."""
    from imprimatur.cli.doctor import examine

    checks = examine(Environment.current())
    rows = [("ok" if check.ok else "FAILS", check.name, check.detail) for check in checks]
    failing = [check.name for check in checks if not check.ok]
    document = {"checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks]}
    if failing and as_json:
        show(document | {"error": {"code": "doctor_found", "message": f"Failing: {', '.join(failing)}"}}, True)
        raise typer.Exit(1)
    show(document, as_json, table(["", "what", "detail"], rows))
    if failing:
        raise Refused("doctor_found", f"Failing: {', '.join(failing)}.", "See docs/operations.md.")
