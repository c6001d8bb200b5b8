"""Acts on many cases at once: the bulk verb, and moving live cases to another version of their framework."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_gateway
from imprimatur.cli.office import Reason
from imprimatur.cli.output import show, show_error, table
from imprimatur.errors import InputError, Refused
from imprimatur.frameworks.documents import read_text
from imprimatur.rules.spans import parse_business_duration
from imprimatur.store.engine import Database
from models.vocabulary import Boundary, BulkResult

if TYPE_CHECKING:
    from imprimatur.bulk import BulkAct, BulkReport
    from imprimatur.gateway import Gateway

LIST_OF_CASES_BYTES = 1024 * 1024
Preview = Annotated[bool, typer.Option("--preview", help="Say what would happen to each case, and change nothing.")]
Case = Annotated[list[str] | None, typer.Option("--case", metavar="CASE", help="This case; repeatable.")]
Cases = Annotated[Path | None, typer.Option("--cases", metavar="FILE", help="The cases of a file, one id a line.")]


def bulk(
    act: Annotated[str, typer.Argument(help="hold, resume, extend, withdraw, and the office's other acts.")],
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; it is recorded in every case.")] = "",
    status: Annotated[str | None, typer.Option(help="Only cases in this status.")] = None,
    stage: Annotated[
        str | None, typer.Option(help="Only cases with this stage open; what some acts are about.")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only cases with something overdue.")] = False,
    framework: Annotated[str | None, typer.Option(help="Only cases under this framework, ID or ID@VERSION.")] = None,
    case: Case = None,
    cases: Cases = None,
    everything: Annotated[bool, typer.Option("--all", help="Every case that is not closed.")] = False,
    by: Annotated[str | None, typer.Option(metavar="DURATION", help="extend: business time, as 3d or 6h.")] = None,
    outcome: Annotated[str | None, typer.Option(help="override: approved or rejected.")] = None,
    to: Annotated[str | None, typer.Option(help="send-back: a stage. reassign, delegate: a person.")] = None,
    person: Annotated[str | None, typer.Option("--from", metavar="EMAIL", help="reassign, annul: whose tasks.")] = None,
    preview: Preview = False,
    as_json: Json = False,
) -> None:
    """Do one of the office's acts to many cases. Repeated after it was stopped, it goes on with the rest."""
    from imprimatur.bulk import Selection
    from imprimatur.bulk_acts import Words, bulk_act

    selection = Selection(status, stage, overdue, framework, _case_ids(case, cases), everything)
    span = parse_business_duration(by) if by else None
    words = Words(reason=reason, stage=stage, by=by, span=span, outcome=outcome, to=to, person=person)
    _perform(lambda gateway, database: bulk_act(gateway, database, act, selection, words, actor), preview, as_json)


def framework_migrate(
    framework_id: Annotated[str, typer.Argument(metavar="ID", help="The framework.")],
    to: Annotated[str, typer.Option(metavar="VERSION", help="The version that cases are moved to.")],
    actor: Actor,
    reason: Reason,
    before: Annotated[str | None, typer.Option("--from", metavar="VERSION", help="Only cases of this version.")] = None,
    at: Annotated[str, typer.Option(metavar="BOUNDARY", help="now, next_stage or next_round.")] = Boundary.NOW.value,
    case: Case = None,
    cases: Cases = None,
    preview: Preview = False,
    as_json: Json = False,
) -> None:
    """Move live cases to another version of their framework; a preview tells which can, and what each would repeat."""
    from imprimatur.migrating import Move, migration
    from imprimatur.office import Office

    if at not in list(Boundary):
        raise InputError("boundary_unknown", f"There is no boundary {at!r}.", f"Choose one of: {', '.join(Boundary)}.")
    move = Move(framework_id, to, before, Boundary(at), _case_ids(case, cases))
    _perform(
        lambda gateway, database: migration(Office(gateway, database), database, move, actor=actor, reason=reason),
        preview,
        as_json,
    )


def _case_ids(named: list[str] | None, file: Path | None) -> tuple[str, ...]:
    """Those of a file stand one a line; what follows a space or a # is not read."""
    text = read_text(file, LIST_OF_CASES_BYTES) if file else ""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    found = (*(named or ()), *(words[0] for words in lines if words))
    if file and not found:
        raise InputError("bulk_choice", f"{file.name} names no cases.", "Write one id a line.")
    return tuple(dict.fromkeys(found))


def _perform(prepare: "Callable[[Gateway, Database], BulkAct]", preview: bool, as_json: bool) -> None:
    """Tells every case's result; status 1 when not every case was done."""
    from imprimatur.bulk import Bulk

    async def act(gateway: "Gateway", database: Database) -> "BulkReport":
        prepared = prepare(gateway, database)
        console = Console(stderr=True)
        with Progress(console=console, disable=as_json or not console.is_terminal, transient=True) as progress:
            bar = progress.add_task(prepared.operation.act, total=None)
            acting = Bulk(
                gateway,
                database,
                counted=lambda number: progress.update(bar, total=number),
                advanced=lambda: progress.advance(bar),
            )
            return await (acting.preview(prepared) if preview else acting.run(prepared))

    report = with_gateway(act)
    _tell(report, as_json)


def _tell(report: "BulkReport", as_json: bool) -> None:
    document = report.as_dict()
    undone = report.number(BulkResult.REFUSED) + report.number(BulkResult.UNANSWERED)
    if report.is_whole or report.preview:
        show(document, as_json, *_text(report))
        return
    error = Refused(
        "bulk_incomplete",
        f"{undone} of {len(report.results)} were not done; the others were.",
        "Each is told with its code. Those that were not answered are tried again by the same command.",
    )
    if as_json:
        show({"error": error.as_dict()} | document, True)
    else:
        show(document, False, *_text(report))
        show_error(error, False)
    raise typer.Exit(error.exit_status)


def _text(report: "BulkReport") -> list[Any]:
    if not report.results:
        return ["No case matches: nothing was done."]
    rows = [(r.case_id, r.subject, r.result, r.code, r.message or _foreseen(r)) for r in report.results]
    counts = ", ".join(
        f"{report.number(found)} {found.replace('_', ' ')}" for found in BulkResult if report.number(found)
    )
    said = f"{report.act}: {counts}." if report.preview else f"{report.act}, bulk {report.bulk_id}: {counts}."
    went_on = ["An earlier run was stopped; this one went on with the cases chosen then."] * report.resumed
    return [table(["case", "about", "result", "code", "what"], rows), *went_on, said]


def _foreseen(result: Any) -> str:
    stages = "; ".join(f"{stage}: {fate.replace('_', ' ')}" for stage, fate in result.stages.items())
    return stages or "; ".join(result.consequences)
