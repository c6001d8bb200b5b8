"""Verbs on outgoing mail: mail list, mail show."""

from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import show, table, when
from imprimatur.store import deliveries

MOST_MAILS = 10_000


def list_(
    case: Annotated[str | None, typer.Option(help="Only this case's mail.")] = None,
    state: Annotated[str | None, typer.Option(help="Only mail in this state, such as bounced.")] = None,
    recipient: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only mail to this address.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_MAILS, help="At most so many, the newest.")] = 200,
    as_json: Json = False,
) -> None:
    """List outgoing mail, with what became of each."""
    found = with_database(
        lambda database: deliveries.list_mails(database, case_id=case, state=state, recipient=recipient, limit=limit)
    )
    rows = [(m.mail_id, m.state, m.kind, m.recipient, when(m.sent_at), m.last_reply) for m in found]
    show({"mails": found}, as_json, table(["mail", "state", "kind", "to", "sent", "said last"], rows))


def show_(
    mail: Annotated[str, typer.Argument(metavar="MAIL", help="The mail, by its id.")], as_json: Json = False
) -> None:
    """Show one outgoing mail: what happened to it, and when."""
    found, events = with_database(lambda database: deliveries.show_mail(database, mail))
    rows = [(when(event.at), event.state, event.status or "", event.reply) for event in events]
    show(
        found.model_dump(mode="json") | {"events": events},
        as_json,
        f"{found.kind} to {found.recipient} in case {found.case_id}: {found.state}",
        table(["at", "what", "code", "said"], rows),
    )
