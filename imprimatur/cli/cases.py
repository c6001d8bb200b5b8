"""Verbs on cases: submit, import, list, show, tasks, decide, revise, withdraw, forward."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imprimatur.cli.context import Environment, with_database, with_gateway
from imprimatur.cli.durations import parse_day, parse_duration
from imprimatur.cli.output import JSON_OPTION, show, table, when
from imprimatur.errors import InputError, ProposalIncomplete
from imprimatur.frameworks.loader import load_proposal
from imprimatur.rules.condition_words import parse_condition
from imprimatur.rules.due_words import why_then
from imprimatur.rules.wording import BOUNDARIES
from imprimatur.store import reading
from imprimatur.store.conditions import ConditionView
from imprimatur.store.engine import Database
from imprimatur.store.people import default_proposer
from models.vocabulary import Party

if TYPE_CHECKING:
    from imprimatur.gateway import Gateway
    from imprimatur.importing import ImportReport

Json = Annotated[bool, JSON_OPTION]
Actor = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who acts.")]


def submit(
    file: Annotated[Path, typer.Argument(help="The proposal, YAML or JSON.")],
    framework: Annotated[str | None, typer.Option(help="ID or ID@VERSION; else by the proposal's kind.")] = None,
    actor: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="The proposer.")] = None,
    as_json: Json = False,
) -> None:
    """Submit one proposal: it becomes a case."""
    proposal = load_proposal(file)

    async def act(gateway: "Gateway", database: Database) -> reading.CaseView:
        proposer = actor or default_proposer(database)
        try:
            answer = await gateway.submit(proposal, proposer=proposer, framework_id=framework)
        except ProposalIncomplete as error:
            error.details["stages"] = []
            raise
        return reading.show_case(database, answer.case_id)

    view = with_gateway(act)
    show(
        {"case_id": view.case_id, "status": view.status, "stages": view.stages, "tasks": view.tasks},
        as_json,
        f"Case {view.case_id}: {view.title}",
        *_case_text(view),
    )


def import_(
    file: Annotated[Path, typer.Argument(help="Records, JSON Lines or CSV.")],
    framework: Annotated[str | None, typer.Option(help="Framework for all records.")] = None,
    actor: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="The proposer.")] = None,
    as_json: Json = False,
) -> None:
    """Import many proposals. A line imported before is not imported again."""
    from rich.progress import Progress

    from imprimatur.importing import import_proposals
    from imprimatur.records import read_records

    records = read_records(file)

    async def act(gateway: "Gateway", database: Database) -> "ImportReport":
        proposer = actor or default_proposer(database)
        with Progress(disable=as_json, transient=True) as progress:
            bar = progress.add_task("Importing", total=len(records))
            return await import_proposals(
                gateway, database, records, proposer, framework, lambda: progress.advance(bar)
            )

    report = with_gateway(act)
    show(
        report.as_dict(),
        as_json,
        f"{report.accepted} accepted, {report.skipped} imported before, {len(report.rejected_lines)} lines rejected",
        table(["line", "field", "problem"], [(r.line, r.field, r.problem) for r in report.rejected]),
    )


def list_(
    status: Annotated[str | None, typer.Option(help="Only cases in this status.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only cases with this stage open.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only cases with something overdue.")] = False,
    framework: Annotated[str | None, typer.Option(help="Only cases under this framework, ID or ID@VERSION.")] = None,
    as_json: Json = False,
) -> None:
    """List cases."""
    now = dt.datetime.now(dt.UTC)
    cases = with_database(
        lambda database: reading.list_cases(
            database, status=status, stage=stage, overdue_at=now if overdue else None, framework=framework
        )
    )
    rows = [(c.case_id, c.status, c.title, ", ".join(c.open_stages), when(c.due_at)) for c in cases]
    show({"cases": cases}, as_json, table(["case", "status", "title", "open stages", "due"], rows))


def show_(case: str, as_json: Json = False) -> None:
    """Show one case: where it stands, who is waited for, what is due and why."""
    view = with_database(lambda database: reading.show_case(database, case))
    show(view.model_dump(mode="json"), as_json, f"{view.title} ({view.case_id})", *_case_text(view))


def tasks(
    person: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only this person's tasks.")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case's tasks.")] = None,
    as_json: Json = False,
) -> None:
    """List open tasks."""
    found = with_database(lambda database: reading.open_tasks(database, person=person, case_id=case))
    rows = [(t.task_id, t.case_id, t.stage, t.assignee, t.status, when(t.due_at)) for t in found]
    show({"tasks": found}, as_json, table(["task", "case", "stage", "assignee", "status", "due"], rows))


def decide(
    task: str,
    verdict: Annotated[str, typer.Option(help="One that the stage offers, such as approve or reject.")],
    actor: Actor,
    comment: Annotated[str, typer.Option(help="Why; needed to reject, to request changes and to object.")] = "",
    score: Annotated[list[str] | None, typer.Option(metavar="CRITERION=N", help="A score; repeatable.")] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help='A condition of the approval: "TEXT | due 10d | owner EMAIL | blocking"; repeatable.'
        ),
    ] = None,
    statement: Annotated[str, typer.Option(help="Words that are published; where the stage asks for them.")] = "",
    logo: Annotated[bool, typer.Option("--logo", help="The organisation's logo may be shown with them.")] = False,
    teach_out: Annotated[
        str | None, typer.Option(metavar="DAY", help="Until when learners can finish; with the verdict retire.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Record a decision on a task."""
    scores = _parse_scores(score or [])
    given = [parse_condition(words) for words in condition or []]
    until = parse_day(teach_out) if teach_out else None

    async def act(gateway: "Gateway", database: Database) -> Any:
        return await gateway.decide(
            task_id=task,
            verdict=verdict,
            actor=actor,
            comment=comment,
            scores=scores,
            conditions=given,
            statement=statement,
            logo=logo,
            teach_out_on=until,
        )

    receipt = with_gateway(act)
    show(
        receipt.model_dump(mode="json"),
        as_json,
        f"Recorded: {receipt.verdict} in {receipt.stage}, ledger event {receipt.position} ({receipt.digest[:16]}...).",
        f"The stage is {receipt.stage_outcome or 'still open'}, the case {receipt.case_status}.",
    )


def _parse_scores(given: list[str]) -> dict[str, int]:
    scores = {}
    for item in given:
        name, separator, number = item.partition("=")
        try:
            scores[name.strip()] = int(number)
        except ValueError:
            separator = ""
        if not separator or not name.strip():
            raise InputError("score_malformed", f"{item!r} is not a score.", "Write it as CRITERION=N, such as need=3.")
    return scores


def revise(case: str, file: Path, actor: Actor, as_json: Json = False) -> None:
    """Add a new version of a proposal that was sent back."""
    proposal = load_proposal(file)

    async def act(gateway: "Gateway", database: Database) -> dict[str, Any]:
        answer, changed = await gateway.revise(case, proposal, actor=actor)
        return {
            "case_id": case,
            "version": answer.version,
            "digest": proposal.digest,
            "status": answer.status,
            "round": answer.round,
            "changed": changed,
            "lapsed": list(answer.lapsed),
            "kept": list(answer.kept),
        }

    result = with_gateway(act)
    show(
        result,
        as_json,
        f"Version {result['version']} of {case}: {', '.join(result['changed']) or 'nothing'} changed.",
        f"Approvals kept: {', '.join(result['kept']) or 'none'}; lapsed: {', '.join(result['lapsed']) or 'none'}.",
    )


def withdraw(
    case: str,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    as_json: Json = False,
) -> None:
    """Withdraw a case."""

    async def act(gateway: "Gateway", database: Database) -> Any:
        return await gateway.withdraw(case, actor=actor, reason=reason)

    answer = with_gateway(act)
    show({"case_id": case, "status": answer.status}, as_json, f"{case} is withdrawn.")


def forward(case: str, duration: str, as_json: Json = False) -> None:
    """Move a case's own clock (only under `up --time-skipping`)."""
    span = parse_duration(duration)
    if not Environment.current().time_skipping:
        raise InputError(
            "time_not_skippable",
            "This stack runs in real time, so a case's clock cannot be moved.",
            "Start it with `python starter.py up --time-skipping`.",
        )

    async def act(gateway: "Gateway", database: Database) -> dt.datetime:
        reading.show_case(database, case)
        return await gateway.forward(case, span)

    now = with_gateway(act)
    show({"case_id": case, "now": now.isoformat()}, as_json, f"For {case} it is now {when(now)}.")


def _case_text(view: reading.CaseView) -> list[Any]:
    parts: list[Any] = [
        f"Status {view.status}, version {view.version}, round {view.round}, proposed by {view.proposer}"
    ]
    if view.track:
        parts.append(f"Track {view.track}")
    if view.running:
        parts.append(f"The time of {' and '.join(_PARTIES[party] for party in view.running)} is running")
    if view.held:
        parts.append(f"On hold since {when(view.held.at)} by {view.held.actor}: {view.held.reason}")
    if view.change:
        moves = f"Moves to version {view.change.version} {BOUNDARIES[view.change.at]}"
        parts.append(f"{moves}, as {view.change.actor} decided: {view.change.reason}")
    if view.due_at:
        parts.append(f"To be published by {when(view.due_at)}: {_explained(view.due_reason)}")
    rows = [
        (s.stage, s.status, s.outcome, s.round or "", when(s.due_at), _explained(s.due_reason)) for s in view.stages
    ]
    extended = [(stage.stage, note) for stage in view.stages for note in stage.extensions]
    parts.append(table(["stage", "status", "outcome", "round", "due", "why then"], rows))
    parts += [_awaited(stage) for stage in view.stages if stage.opens_at or stage.sits_at]
    for kept in (s for s in view.stages if s.proof and s.round < view.round):
        events = ", ".join(str(proof.position) for proof in kept.proof)
        parts.append(f"Kept from round {kept.round}: the approval of {kept.stage} (ledger events {events})")
    if view.tasks:
        open_tasks = [(t.task_id, t.stage, t.assignee, when(t.due_at)) for t in view.tasks]
        parts.append(table(["open task", "stage", "waiting for", "due"], open_tasks))
    parts += [f"Extended: {stage} to {when(n.due_at)}, by {n.actor}: {n.reason}" for stage, n in extended]
    parts += [
        f"{act.actor} proposes to set {act.stage} to {act.outcome}: {act.reason.rstrip('.')}. "
        f"A second person confirms it with: starter.py confirm {view.case_id} {act.act_id} --as EMAIL"
        for act in view.proposed
    ]
    if agreed := [c for c in view.conditions if not c.status.is_settled]:
        conditions = [(c.condition_id, c.status, c.owner, when(c.due_at), _what(c)) for c in agreed]
        parts.append(table(["condition", "status", "owner", "due", "what"], conditions))
    parts += [f"Incident ({i.kind}){f' in {i.stage}' if i.stage else ''}: {i.detail}" for i in view.incidents]
    parts += [f"Mail to {m.recipient} ({m.kind}): {m.status} {m.last_reply}".rstrip() for m in view.mail_problems]
    if view.mails:
        parts.append(f"Mails: {', '.join(f'{count.number} {count.state}' for count in view.mails)}")
    if view.slug:
        parts.append(f"Published in the catalogue as {view.slug}")
    return parts


_PARTIES = {
    Party.AUTHOR: "the proposer",
    Party.REVIEWER: "the reviewers",
    Party.PARTNER: "the industry partner",
    Party.OFFICE: "the governance office",
    Party.SYSTEM: "the system",
}


def _awaited(stage: reading.StageView) -> str:
    if stage.opens_at:
        return f"{stage.stage} opens at {when(stage.opens_at)}: {stage.reason}"
    return f"{stage.stage} is on the agenda of {stage.committee} for {when(stage.sits_at)}"


def _what(condition: ConditionView) -> str:
    return f"{condition.text} (holds up the publication)" if condition.blocking else condition.text


def _explained(reason: dict[str, Any] | None) -> str:
    return why_then(reason) if reason else ""
