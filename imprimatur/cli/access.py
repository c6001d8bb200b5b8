"""Verbs on who gets in: people sign-out, key add, key list, key revoke."""

import datetime as dt
from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show, table, when
from imprimatur.store import api_keys, sessions
from imprimatur.store.engine import Database
from imprimatur.store.people import known_person

key_app = typer.Typer(help="Keys of programs that use the interface.", no_args_is_help=True)


def sign_out(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom to sign out.")], as_json: Json = False
) -> None:
    """End all sessions of a person in the pages."""

    def end(database: Database) -> tuple[str, int]:
        with database.read() as connection:
            person = known_person(connection, email).email
        return person, sessions.sign_out_everywhere(database, person, dt.datetime.now(dt.UTC), "administrator")

    person, ended = with_database(end)
    show({"person": person, "ended": ended}, as_json, f"{ended} sessions of {person} ended.")


@key_app.command("add")
def key_add(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    actor: Annotated[str, typer.Option("--as", metavar="EMAIL", help="In whose name it acts.")],
    scope: Annotated[list[str], typer.Option(help="read, propose, review or office; repeatable.")],
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once."""
    entry, key = with_database(lambda db: api_keys.make_key(db, name, actor, scope, dt.datetime.now(dt.UTC)))
    show(
        {"key": entry, "secret": key},
        as_json,
        f"{entry.key_id} acts as {entry.email} ({', '.join(entry.scopes)}). It is shown this once:",
        key,
    )


@key_app.command("list")
def key_list(as_json: Json = False) -> None:
    """List keys, revoked ones too."""
    found = with_database(api_keys.list_keys)
    rows = [(k.key_id, k.name, k.email, ", ".join(k.scopes), when(k.made_at), when(k.revoked_at)) for k in found]
    show({"keys": found}, as_json, table(["id", "name", "acts as", "scopes", "made", "revoked"], rows))


@key_app.command("revoke")
def key_revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `key list` shows it.")], as_json: Json = False
) -> None:
    """Revoke a key: it is no good from now on."""
    entry = with_database(lambda db: api_keys.revoke_key(db, key, dt.datetime.now(dt.UTC)))
    show({"key": entry}, as_json, f"{entry.key_id} ({entry.name}) is revoked.")
