"""Verbs on what is kept: people, frameworks, history, verify."""

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show, table, when
from imprimatur.errors import DocumentInvalid, InputError, Problem, Refused, Unavailable
from imprimatur.frameworks.checker import check_file
from imprimatur.frameworks.loader import framework_file, handovers, institutions, reviews, shipped
from imprimatur.history.export import as_csv, as_json_document, history, sentence
from imprimatur.history.verify import Verification, verify_all, verify_case, verify_export
from imprimatur.rules.wording import passes_by
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework, framework, list_frameworks
from imprimatur.store.people import import_people, list_people, role_counts
from models.framework import Framework

people_app = typer.Typer(help="The directory: who reviews, who proposes.", no_args_is_help=True)
framework_app = typer.Typer(help="Approval policies.", no_args_is_help=True)


@people_app.command("import")
def people_import(
    file: Path,
    actor: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="Who of the office does this.")] = None,
    as_json: Json = False,
) -> None:
    """Take people from a CSV file: email and name, and what else the directory keeps of them."""
    result = with_database(lambda database: import_people(database, file, actor))
    show(
        result.model_dump(mode="json"),
        as_json,
        f"{result.created} created, {result.updated} updated, {len(result.rejected)} lines rejected",
        *(
            [table(["line", "field", "problem"], [(r.line, r.field, r.problem) for r in result.rejected])]
            * bool(result.rejected)
        ),
        *([f"Columns that a directory does not have: {', '.join(result.ignored)}"] * bool(result.ignored)),
    )


@people_app.command("list")
def people_list(as_json: Json = False) -> None:
    """List the directory."""
    people = with_database(list_people)
    rows = [
        (
            p.email,
            p.name,
            ", ".join(p.roles),
            ", ".join(p.units),
            p.organisation,
            "yes" if p.active else "no",
            p.language,
        )
        for p in people
    ]
    show(
        {"people": people},
        as_json,
        table(["email", "name", "roles", "units", "organisation", "active", "language"], rows),
    )


@framework_app.command("list")
def framework_list(
    shipped_: Annotated[
        bool, typer.Option("--shipped", help="Those that come with Imprimatur, stored or not.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List frameworks, every version."""
    if shipped_:
        _list_shipped(as_json)
        return
    found = with_database(list_frameworks)
    rows = [(f.id, f.version, f.credential_kind, f.name, f.digest[:12]) for f in found]
    show({"frameworks": found}, as_json, table(["id", "version", "kind", "name", "digest"], rows))


def _list_shipped(as_json: bool) -> None:
    found = [
        {
            "id": policy.id,
            "version": policy.version,
            "digest": policy.digest,
            "name": policy.name,
            "credential_kind": policy.credential_kind,
            "summary": policy.summary,
            "stored_at_start": policy.id not in institutions(),
        }
        for policy in (*shipped().values(), *reviews().values(), *handovers().values(), *institutions().values())
    ]
    rows = [
        (entry["id"], entry["credential_kind"], "yes" if entry["stored_at_start"] else "no", entry["summary"])
        for entry in found
    ]
    show({"frameworks": found}, as_json, table(["id", "kind", "stored at start", "summary"], rows))


Document = Annotated[str, typer.Argument(metavar="FILE", help="A document, or the id of a shipped framework.")]


@framework_app.command("check")
def framework_check(document: Document, as_json: Json = False) -> None:
    """Check a framework document: every problem, at its place."""
    file = framework_file(document)
    policy, problems = check_file(file)
    if policy is None or problems:
        raise DocumentInvalid(
            "framework_invalid",
            f"{file.name} has {len(problems)} problem{'s' * (len(problems) != 1)}",
            problems,
            "Correct them and check again; docs/framework-reference.md explains every key.",
        )
    warnings, unasked = _ask_directory(file)
    show(
        _checked(policy, warnings) | {"directory_asked": not unasked},
        as_json,
        f"{policy.id} {policy.version} is sound ({len(policy.stages)} stages, digest {policy.digest}).",
        *_told(warnings),
        *([f"The directory was not asked: {unasked}"] if unasked else []),
    )


def _ask_directory(file: Path) -> tuple[list[Problem], str]:
    """Warnings, and why there could be none: a check needs no running stack."""
    try:
        return with_database(lambda database: directory_warnings(database, file)), ""
    except Unavailable as error:
        return [], error.message


def directory_warnings(database: Database, file: Path) -> list[Problem]:
    """What a framework that is sound by itself would lack with the people of today; they may come later."""
    with database.read() as connection:
        return check_file(file, role_counts(connection))[1]


def _checked(policy: Framework, warnings: Sequence[Problem]) -> dict[str, Any]:
    document = {"id": policy.id, "version": policy.version, "digest": policy.digest, "problems": []}
    return document | {"warnings": [asdict(warning) for warning in warnings]}


def _told(warnings: Sequence[Problem]) -> list[str]:
    return [f"For now: {warning}" for warning in warnings]


@framework_app.command("add")
def framework_add(document: Document, as_json: Json = False) -> None:
    """Store a framework version; running cases keep theirs."""
    file = framework_file(document)
    policy, problems = check_file(file)
    if policy is None or problems:
        raise DocumentInvalid(
            "framework_invalid", f"{file.name} cannot be added", problems, "See `framework check`; nothing was stored."
        )

    def add(database: Database) -> list[Problem]:
        add_framework(database, policy, dt.datetime.now(dt.UTC))
        return directory_warnings(database, file)

    warnings = with_database(add)
    text = f"{policy.id} {policy.version} is in force for new cases."
    show(_checked(policy, warnings), as_json, text, *_told(warnings))


@framework_app.command("show")
def framework_show(framework_id: Annotated[str, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show a framework (ID or ID@VERSION)."""
    name, _, version = framework_id.partition("@")
    policy = with_database(lambda database: framework(database, name, version or None))
    rows = [
        (
            stage.id,
            ", ".join(stage.needs),
            passes_by(stage),
            _promise(stage.sla.within) if stage.sla else "",
            stage.sla.escalate_to if stage.sla else "",
        )
        for stage in policy.stages
    ]
    show(
        policy.model_dump(mode="json") | {"digest": policy.digest, "problems": []},
        as_json,
        f"{policy.name} ({policy.id} {policy.version})",
        policy.summary,
        table(["stage", "needs", "passes by", "within", "escalates to"], rows),
        *[f"Stage {stage.id} applies only when {stage.when}" for stage in policy.stages if stage.when],
        *[f"Track {track.id}, when {track.when or 'nothing else fits'}: {track.why}" for track in policy.tracks],
        f"To market within {_promise(policy.speed_to_market.within)}.",
    )


def _promise(duration: Any) -> str:
    if duration.business_days is not None:
        return f"{duration.business_days} business days"
    return f"{duration.business_hours:g} business hours"


FORMATS = ("table", "json", "csv")


def history_(
    case: str,
    format_: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="INSTANT", help="Only what was known then.")] = None,
    as_json: Json = False,
) -> None:
    """Tell what happened to a case."""
    chosen = "json" if as_json else format_
    if chosen not in FORMATS:
        raise InputError("format_unknown", f"There is no format {chosen!r}.", f"Choose one of: {', '.join(FORMATS)}.")
    until = _instant(as_of) if as_of else None

    def read(database: Database) -> None:
        if chosen == "json":
            show(as_json_document(database, case, until), True)
            return
        events = history(database, case, until)
        if chosen == "csv":
            sys.stdout.write(as_csv(events))
            return
        rows = [(e.position, when(e.at), e.actor, sentence(e)) for e in events]
        show({}, False, table(["#", "when", "who", "what"], rows))

    with_database(read)


def _instant(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
        # The first and the last day of the calendar have hours that no other zone has.
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(
            "instant_malformed", f"{text!r} is not an instant.", "Write it like 2026-03-02T09:00+01:00 or 2026-03-02."
        ) from error


def verify(
    case: Annotated[str | None, typer.Argument(help="The case.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every case.")] = False,
    file: Annotated[Path | None, typer.Option(help="An exported history (JSON).")] = None,
    as_json: Json = False,
) -> None:
    """Prove that the ledger is whole: finds any altered, missing or reordered row."""
    if sum([case is not None, all_, file is not None]) != 1:
        raise InputError("verify_what", "Name one thing to verify.", "Give a CASE, --all or --file FILE.")
    if file is not None:
        result = verify_export(file)
    elif case is not None:
        result = with_database(lambda database: verify_case(database, case))
    else:
        result = with_database(verify_all)
    _answer(result, as_json)


def _answer(result: Verification, as_json: bool) -> None:
    document = result.model_dump(mode="json")
    if result.ok:
        show(document, as_json, f"Whole: {result.events} events, head {result.head or 'of each case as recorded'}.")
        return
    if as_json:
        show(document | {"error": {"code": "ledger_broken", "message": f"{len(result.problems)} problems"}}, True)
        raise typer.Exit(1)
    problems = [{"where": p.where, "problem": p.problem} for p in result.problems]
    raise Refused("ledger_broken", "The ledger is not whole.", "Compare with a backup.", problems=problems)
