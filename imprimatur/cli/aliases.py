"""Verbs on further addresses of people."""

import datetime as dt
from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show, table
from imprimatur.cli.people import Only, Person
from imprimatur.store import aliases

alias_app = typer.Typer(help="Further addresses from which people answer.", no_args_is_help=True)
Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="The further address.")]
By = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who of the office does this.")]


@alias_app.command("add")
def alias_add(email: Person, alias: Alias, actor: By, as_json: Json = False) -> None:
    """Record that a reply from a further address is this person's."""
    now = dt.datetime.now(dt.UTC)
    entry = with_database(lambda db: aliases.add_alias(db, email, alias, by=actor, at=now))
    show({"alias": entry}, as_json, f"A reply from {entry.alias} is a reply of {entry.email}.")


@alias_app.command("list")
def alias_list(person: Only = None, as_json: Json = False) -> None:
    """List further addresses, and who recorded them."""
    found = with_database(lambda db: aliases.list_aliases(db, person))
    rows = [(e.email, e.alias, e.recorded_by, e.recorded_at.date()) for e in found]
    show({"aliases": found}, as_json, table(["person", "alias", "recorded by", "on"], rows))


@alias_app.command("remove")
def alias_remove(email: Person, alias: Alias, actor: By, as_json: Json = False) -> None:
    """Take a further address back: replies from it count no more."""
    entry = with_database(lambda db: aliases.remove_alias(db, email, alias, by=actor))
    show({"alias": entry}, as_json, f"A reply from {entry.alias} is no reply of {entry.email} any more.")
