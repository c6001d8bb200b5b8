"""Verbs on incidents: incident list, incident resolve, incident resend."""

from typing import TYPE_CHECKING, Annotated

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_database, with_gateway
from imprimatur.cli.output import show, table, when
from imprimatur.store.engine import Database
from imprimatur.store.incidents import list_incidents

if TYPE_CHECKING:
    from imprimatur.gateway import Gateway
    from imprimatur.incidents import Resent

Incident = Annotated[str, typer.Argument(metavar="INCIDENT", help="The incident, by its id.")]

app = typer.Typer(no_args_is_help=True, help="What the governance office must look at.")


@app.command("list")
def list_(
    case: Annotated[str | None, typer.Option(help="Only this case's incidents.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as mail_bounced.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are closed as well.")] = False,
    as_json: Json = False,
) -> None:
    """List incidents that are open."""
    found = with_database(lambda database: list_incidents(database, case_id=case, kind=kind, closed=closed))
    rows = [(i.incident_id, i.case_id, i.stage or "", i.kind, i.detail, when(i.resolved_at)) for i in found]
    heading = ["incident", "case", "stage", "kind", "what", "closed"]
    show({"incidents": found}, as_json, table(heading, rows))


@app.command("resolve")
def resolve(
    incident: Incident,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    as_json: Json = False,
) -> None:
    """Close an incident about which nothing is left to do."""
    from imprimatur.incidents import Incidents

    found = with_database(lambda database: Incidents(database).resolve(incident, actor=actor, reason=reason))
    show(found.model_dump(mode="json"), as_json, f"{incident} is closed.")


@app.command("resend")
def resend(incident: Incident, actor: Actor, as_json: Json = False) -> None:
    """Send a mail that bounced again, to the address that the directory has for its reader by now."""
    from imprimatur.incidents import Incidents

    async def act(gateway: "Gateway", database: Database) -> "Resent":
        return await Incidents(database).resend(incident, gateway, actor=actor)

    sent = with_gateway(act)
    told = "gets the task, with a mail of its own" if sent.passed_on else "gets the mail again"
    show(sent.model_dump(mode="json"), as_json, f"{sent.recipient} {told}.")
