"""Verbs of committees: sittings, agenda, decisions of a whole agenda, minutes."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_database, with_gateway
from imprimatur.cli.durations import parse_day
from imprimatur.cli.office import Reason, Stage
from imprimatur.cli.output import show, table, when
from imprimatur.committees.agenda import Agenda
from imprimatur.committees.agenda import agenda as agenda_of
from imprimatur.committees.bodies import committee as committee_called
from imprimatur.committees.bodies import committees, next_with_items
from imprimatur.committees.paper import Kind, html, pdf
from imprimatur.committees.sitting import Secretary
from imprimatur.errors import InputError
from imprimatur.frameworks.loader import load_sitting_record
from imprimatur.gateway import Gateway
from imprimatur.store.engine import Database

app = typer.Typer(help="Committees that meet: sittings, agendas, decisions, minutes.", no_args_is_help=True)
On = Annotated[str | None, typer.Option(metavar="DATE", help="The sitting's day; else the next one with items.")]
Format = Annotated[str, typer.Option("--format", help="table, html or pdf.")]
Out = Annotated[Path | None, typer.Option(help="The file to write; PDF needs one.")]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Committees, their next sittings, and what is on their tables."""
    found = with_database(lambda database: committees(database, _now()))
    rows = [
        (view.committee, view.name, sitting.on.isoformat(), when(sitting.at), when(sitting.cut_off), sitting.items)
        for view in found
        for sitting in view.sittings
    ]
    headings = ["committee", "name", "sitting", "begins", "takes items until", "items"]
    show({"committees": found}, as_json, table(headings, rows) if rows else "No framework names a committee.")


@app.command()
def agenda(committee: str, on: On = None, form: Format = "table", out: Out = None, as_json: Json = False) -> None:
    """The agenda of a sitting."""
    _paper(committee, on, "agenda", form, out, as_json)


@app.command()
def minutes(committee: str, on: On = None, form: Format = "table", out: Out = None, as_json: Json = False) -> None:
    """The minutes of a sitting: who was there, what was decided on each item."""
    _paper(committee, on, "minutes", form, out, as_json)


def _paper(committee: str, on: str | None, kind: Kind, form: str, out: Path | None, as_json: bool) -> None:
    if form not in ("table", "html", "pdf"):
        raise InputError("format_unknown", f"There is no format {form!r}.", "Choose table, html or pdf.")
    day = parse_day(on) if on else None

    def read(database: Database) -> Agenda:
        chosen = day or next_with_items(database, committee_called(database, committee), _now())
        return agenda_of(database, committee, chosen)

    found = with_database(read)
    if form == "pdf":
        if out is None:
            raise InputError("file_required", "A PDF is written to a file.", "Name one with --out.")
        out.write_bytes(pdf(found, kind))
    elif form == "html" and out is not None:
        out.write_text(html(found, kind), encoding="utf-8")
    elif form == "html" and not as_json:
        sys.stdout.write(html(found, kind))
        return
    written = {"file": str(out)} if out is not None and form != "table" else {}
    text: list[Any] = [f"Written to {out}."] if written else _text(found, kind)
    show(found.model_dump(mode="json") | written, as_json, *text)


def _text(found: Agenda, kind: Kind) -> list[Any]:
    parts: list[Any] = [f"{found.name}, {found.on.isoformat()}: begins {when(found.at)}"]
    if kind == "agenda":
        parts.append(f"Items are taken until {when(found.cut_off)}")
        headings = ["#", "case", "title", "stage", "how", "records the decision"]
        rows: list[tuple[object, ...]] = [
            (
                item.number,
                item.case_id,
                item.title,
                item.stage,
                ", ".join(word for word, said in (("consent", item.consent), ("late", item.late)) if said),
                ", ".join(holder.person for holder in item.holders),
            )
            for item in found.items
        ]
    else:
        if found.recorded_by is not None:
            parts.append(f"Present: {', '.join(found.present)}; apologies: {', '.join(found.apologies) or 'none'}")
        headings = ["#", "case", "title", "stage", "outcome", "said"]
        rows = [
            (
                item.number,
                item.case_id,
                item.title,
                item.stage,
                item.outcome or "left open",
                "; ".join(f"{answer.verdict}: {answer.comment}".rstrip(": ") for answer in item.answers),
            )
            for item in found.items
        ]
    parts.append(table(headings, rows) if rows else "There is nothing on the agenda.")
    parts += [f"Moved to {when(m.to)}: {m.title} ({m.case_id}): {m.reason}" for m in found.moved]
    return parts + ([found.remarks] if kind == "minutes" and found.remarks else [])


@app.command()
def record(
    file: Path,
    actor: Actor,
    preview: Annotated[bool, typer.Option("--preview", help="Say what would be recorded; change nothing.")] = False,
    as_json: Json = False,
) -> int:
    """Record the decisions of a whole sitting from one document, and who was there."""
    document = load_sitting_record(file)

    async def act(gateway: Gateway, database: Database) -> Any:
        return await Secretary(gateway, database).record(document, actor=actor, preview=preview)

    results = with_gateway(act)
    rows = [
        (r.case_id, r.title, r.stage, r.result, r.verdict or "", f"{r.message} [{r.code}]" if r.code else "")
        for r in results
    ]
    facts = {"committee": document.committee, "held_on": document.held_on, "items": results}
    show(facts, as_json, table(["case", "title", "stage", "result", "verdict", "why not"], rows))
    return 1 if any(result.code for result in results) else 0


@app.command()
def move(
    case: str,
    stage: Stage,
    to: Annotated[str, typer.Option(metavar="DATE", help="The day of the sitting to which it moves.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Move an item to another sitting: admit it late, or put it off."""
    day = parse_day(to)

    async def act(gateway: Gateway, database: Database) -> Any:
        return await Secretary(gateway, database).place(case, stage, day, actor=actor, reason=reason)

    answer = with_gateway(act)
    facts = {"case_id": case, "status": answer.status, "sitting": day}
    show(facts, as_json, f"{stage} of {case} is on the agenda of {day.isoformat()}.")
