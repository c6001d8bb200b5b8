"""Verbs of published records: in every standard's words, and endorsed by partners."""

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show
from imprimatur.cli.signing import opened_keyring
from imprimatur.errors import InputError
from imprimatur.frameworks.documents import read_text
from imprimatur.publication.endorsing import Endorser, upload
from imprimatur.publication.reading import served_record
from imprimatur.store.task_page import publication_slugs

endorse_app = typer.Typer(help="Endorsements by partners of what is published.", no_args_is_help=True)
Published = Annotated[str, typer.Argument(metavar="CASE", help="A published case, or the last part of its address.")]
FILE_BYTES = 1024 * 1024


def record(
    case: Published,
    form: Annotated[str, typer.Option("--format", help="openbadges, ctdl, elm, schema-org or issuer.")] = "openbadges",
    as_json: Json = False,
) -> None:
    """The record of a published micro-credential in a standard's words."""
    found = with_database(lambda database: served_record(database, case, form))
    show(found, as_json, json.dumps(found, ensure_ascii=False, indent=2))


@endorse_app.command("issue")
def issue(
    case: Annotated[str | None, typer.Argument(metavar="CASE", help="This one; all unless given.")] = None,
    as_json: Json = False,
) -> None:
    """Sign, in the partners' names, what they said for publication and is not signed yet."""
    with opened_keyring() as keyring:
        endorser = Endorser(keyring)
        names = [case] if case else publication_slugs(keyring.database)
        issued = sum(endorser.issue(name) for name in names)
    show({"issued": issued}, as_json, f"{issued} endorsements were issued.")


@endorse_app.command("upload")
def upload_(
    case: Published,
    file: Annotated[Path, typer.Argument(help="The endorsement: a compact JWS (VC-JWT).")],
    key: Annotated[Path, typer.Option(metavar="JWK", help="The partner's public key: a file with a JWK.")],
    as_json: Json = False,
) -> None:
    """Take an endorsement that a partner signed with its own key."""
    token, jwk = read_text(file, FILE_BYTES), _jwk(key)
    found = with_database(lambda database: upload(database, case, token, jwk, dt.datetime.now(dt.UTC)))
    facts = found.model_dump(mode="json", exclude={"token"})
    show(facts, as_json, f"{found.organisation} endorses {found.slug} with its own signature.")


def _jwk(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(file, FILE_BYTES))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError("jwk_unusable", f"{file.name} holds no key.", "Give a JWK of Ed25519 or RSA, as JSON.")
    return found
