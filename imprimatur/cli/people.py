"""Verbs on people: interests, delegations, leave, and leaving."""

import datetime as dt
from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database, with_gateway
from imprimatur.cli.durations import parse_day
from imprimatur.cli.output import show, table
from imprimatur.gateway import Gateway
from imprimatur.leaving import LeaveReport, Leaving
from imprimatur.store import interests, leave
from imprimatur.store.engine import Database
from imprimatur.store.interests import Touched, subject_of
from imprimatur.store.people import PersonEntry, known_person
from imprimatur.store.preferences import PREFERENCES
from imprimatur.store.preferences import prefer as prefer_mail

interest_app = typer.Typer(help="Declared interests: what a person cannot decide about.", no_args_is_help=True)
Person = Annotated[str, typer.Argument(metavar="EMAIL", help="Whom it is about.")]
Only = Annotated[str | None, typer.Option("--person", metavar="EMAIL", help="Only this person's.")]
First = Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, such as 2026-12-21.")]
Last = Annotated[str, typer.Option("--until", metavar="DATE", help="The last day, itself included.")]
Partner = Annotated[str | None, typer.Option(metavar="ORG", help="An industry partner, by its organisation.")]
Unit = Annotated[str | None, typer.Option(metavar="UNIT", help="A unit.")]
InPerson = Annotated[str | None, typer.Option("--person", metavar="EMAIL", help="A proposer or a partner's contact.")]


@interest_app.command("add")
def interest_add(
    email: Person,
    partner: Partner = None,
    unit: Unit = None,
    person: InPerson = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the directory, never in a ledger.")] = "",
    as_json: Json = False,
) -> None:
    """Declare an interest. Open tasks that it touches must be given up, and the office hears of each."""
    interest = subject_of(partner, unit, person)
    now = dt.datetime.now(dt.UTC)
    entry, touched = with_database(lambda db: interests.add_interest(db, email, interest, reason, now))
    if touched:
        _report(entry.person, touched)
    show(
        {"interest": entry, "tasks": [found.task_id for found in touched]},
        as_json,
        f"{entry.person} does not decide where the {entry.kind} {entry.subject} is concerned.",
        *[f"To be given up: {found.task_id} in {found.case_id} ({found.stage})" for found in touched],
    )


def _report(person: str, touched: list[Touched]) -> None:
    async def act(gateway: Gateway, database: Database) -> None:
        for found in touched:
            await gateway.report_conflict(found.case_id, found.task_id, person, found.why)

    with_gateway(act)


@interest_app.command("list")
def interest_list(person: Only = None, as_json: Json = False) -> None:
    """List declared interests."""
    found = with_database(lambda db: interests.list_interests(db, person))
    rows = [(e.person, e.kind, e.subject, e.reason, e.declared_at.date()) for e in found]
    show({"interests": found}, as_json, table(["person", "kind", "in", "reason", "declared"], rows))


@interest_app.command("remove")
def interest_remove(
    email: Person, partner: Partner = None, unit: Unit = None, person: InPerson = None, as_json: Json = False
) -> None:
    """Take a declared interest back."""
    interest = subject_of(partner, unit, person)
    entry = with_database(lambda db: interests.remove_interest(db, email, interest))
    show({"interest": entry}, as_json, f"{entry.person} has no interest in the {entry.kind} {entry.subject} any more.")


Default = "; `default` for what the settings say."


def prefer(
    email: Person,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help=f"Such as Pacific/Auckland{Default}")] = None,
    quiet_hours: Annotated[
        str | None,
        typer.Option(metavar="HOURS", help=f"`20:00-07:00`, `weekends`, both, or `none`{Default}"),
    ] = None,
    digest: Annotated[str | None, typer.Option(help=f"`none`, `daily` or `weekly`{Default}")] = None,
    receipts: Annotated[str | None, typer.Option(help=f"Of own decisions: `yes` or `no`{Default}")] = None,
    language: Annotated[str | None, typer.Option(metavar="LANGUAGE", help=f"Such as de or pt-BR{Default}")] = None,
    as_json: Json = False,
) -> None:
    """Say how a person wants their mail; without an option, show it."""
    given = {
        "time_zone": time_zone,
        "quiet_hours": quiet_hours,
        "digest": digest,
        "receipts": receipts,
        "language": language,
    }
    said = {name: value or "default" for name, value in given.items() if value is not None}

    def act(database: Database) -> PersonEntry:
        with database.read() as connection:
            known = known_person(connection, email).email
        prefer_mail(database, known, said)
        with database.read() as connection:
            return known_person(connection, known)

    person = with_database(act)
    shown = [(name.replace("_", " "), _preference(getattr(person, name))) for name in PREFERENCES]
    show({"person": person}, as_json, table([person.email, ""], shown))


def _preference(value: object) -> str:
    return {None: "default", True: "yes", False: "no"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def delegate(
    email: Person,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who stands in.")],
    first: First,
    last: Last,
    framework: Annotated[str | None, typer.Option(help="Only under this framework.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only in stages of this id.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only for proposals of this unit.")] = None,
    as_json: Json = False,
) -> None:
    """Let someone stand in: whoever would be asked between two dates is represented."""
    scope, now = leave.Scope(framework, stage, unit), dt.datetime.now(dt.UTC)
    entry = with_database(lambda db: leave.add_delegation(db, email, to, parse_day(first), parse_day(last), scope, now))
    show(
        {"delegation": entry},
        as_json,
        f"{entry.deputy} stands in for {entry.person} from {entry.first_on} to {entry.last_on}.",
        f"End it with: starter.py people end-delegation {entry.delegation_id}",
    )


def delegations(person: Only = None, as_json: Json = False) -> None:
    """List standing delegations."""
    found = with_database(lambda db: leave.list_delegations(db, person))
    rows = [(e.delegation_id, e.person, e.deputy, e.first_on, e.last_on, e.framework, e.stage, e.unit) for e in found]
    heading = ["delegation", "person", "deputy", "from", "until", "framework", "stage", "unit"]
    show({"delegations": found}, as_json, table(heading, rows))


def end_delegation(delegation: str, as_json: Json = False) -> None:
    """End a standing delegation."""
    entry = with_database(lambda db: leave.end_delegation(db, delegation, dt.datetime.now(dt.UTC)))
    show({"delegation": entry}, as_json, f"{entry.deputy} no longer stands in for {entry.person}.")


def absent(
    email: Person,
    first: First,
    last: Last,
    reason: Annotated[str, typer.Option(help="Why; kept in the directory, never in a ledger.")] = "",
    as_json: Json = False,
) -> None:
    """Note that somebody is away: they are asked only if nobody else can do it."""
    entry = with_database(lambda db: leave.add_absence(db, email, parse_day(first), parse_day(last), reason))
    show({"absence": entry}, as_json, f"{entry.person} is away from {entry.first_on} to {entry.last_on}.")


def absences(person: Only = None, as_json: Json = False) -> None:
    """List who is away, and when."""
    found = with_database(lambda db: leave.list_absences(db, person))
    rows = [(e.person, e.first_on, e.last_on, e.reason) for e in found]
    show({"absences": found}, as_json, table(["person", "from", "until", "reason"], rows))


def back(
    email: Person,
    on: Annotated[str, typer.Option(metavar="DATE", help="The first day back.")],
    as_json: Json = False,
) -> None:
    """Note that somebody is back: their absences end the day before."""
    changed = with_database(lambda db: leave.end_absences(db, email, parse_day(on)))
    show({"person": email.strip().lower(), "changed": changed}, as_json, f"{changed} absences end before {on}.")


def leave_(
    email: Person,
    to: Annotated[str | None, typer.Option(metavar="EMAIL", help="Who takes the work over; else by the rules.")] = None,
    actor: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="Who of the office does this.")] = None,
    as_json: Json = False,
) -> None:
    """Set a person inactive and hand over everything that waits for them."""

    async def act(gateway: Gateway, database: Database) -> LeaveReport:
        return await Leaving(gateway, database).leave(email, to=to, actor=actor)

    report = with_gateway(act)
    rows = [(t.task_id, t.case_id, t.stage, ", ".join(t.to) or "nobody", t.problem) for t in report.tasks]
    show(
        report.model_dump(mode="json"),
        as_json,
        f"{report.person} is no longer active; {len(report.tasks)} tasks were handed over.",
        *([table(["task", "case", "stage", "now asked", "what was against it"], rows)] if rows else []),
        *[f"Still proposed by {report.person}: {case_id}" for case_id in report.proposals],
        *[f"Still waits for {report.person}, to be accepted or waived: {found}" for found in report.conditions],
    )
