"""Verbs of signing keys."""

from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import Environment, open_database
from imprimatur.cli.output import show, table, when
from imprimatur.cli.signing import opened_keyring
from imprimatur.publication.keys import ISSUER, USUAL, all_keys, owner_of
from imprimatur.store.signing_keys import KeptKey

app = typer.Typer(help="Keys that sign endorsements and badges.", no_args_is_help=True)
Alg = typer.Option(metavar="ALG", help="EdDSA or RS256.")


@app.command()
def generate(alg: Annotated[str, Alg] = USUAL, as_json: Json = False) -> None:
    """Make the issuer's first key, or one after the last was retired."""
    with opened_keyring() as keyring:
        made = keyring.generate(alg)
    show(_facts(made), as_json, f"{made.alg} key {made.kid} signs from now on.")


@app.command()
def rotate(
    alg: Annotated[str | None, Alg] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--of", metavar="ORGANISATION", help="The key kept for this partner."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a new key in the place of the one that signs, and seal all keys with the newest secret."""
    with opened_keyring() as keyring:
        made, retired = keyring.rotate(alg, owner_of(organisation) if organisation else ISSUER)
    text = f"{made.alg} key {made.kid} signs from now on; {', '.join(retired)} only verifies."
    show(_facts(made) | {"retired": retired}, as_json, text)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """All keys, also those that only verify."""
    with open_database(Environment.current()) as database:
        found = all_keys(database)
    rows = [(key.kid, key.owner, key.alg, when(key.created_at), when(key.retired_at), _use(key)) for key in found]
    headings = ["id", "owner", "alg", "made", "retired", "use"]
    text = table(headings, rows) if rows else "There is no key: nothing is signed. Make one with `keys generate`."
    show({"keys": [_facts(key) for key in found]}, as_json, text)


# One thumbprint in 64 begins like an option.
@app.command(context_settings={"ignore_unknown_options": True})
def retire(kid: str, as_json: Json = False) -> None:
    """Let a key sign no more; its private part is destroyed, and what it signed stays verifiable."""
    with opened_keyring() as keyring:
        found = keyring.retire(kid)
    show(_facts(found), as_json, f"{found.kid} signs no more.")


def _use(key: KeptKey) -> str:
    return "signs" if key.signs else "verifies"


def _facts(key: KeptKey) -> dict[str, object]:
    return key.model_dump(mode="json", include={"kid", "owner", "alg", "created_at", "retired_at"}) | {"use": _use(key)}
