"""Verbs of the governance office on cases in motion, and passing a task on."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_gateway
from imprimatur.cli.output import show
from imprimatur.errors import InputError
from imprimatur.gateway import Gateway
from imprimatur.office import Office
from imprimatur.rules.spans import parse_business_duration
from imprimatur.store.engine import Database
from models.messages import CaseAnswer
from models.vocabulary import OfficeAct, StageOutcome

Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
Stage = Annotated[str, typer.Option(help="The stage, by its id.")]


def _perform(act: Callable[[Office], Awaitable[Any]]) -> Any:
    async def run(gateway: Gateway, database: Database) -> Any:
        return await act(Office(gateway, database))

    return with_gateway(run)


def _tell(answer: CaseAnswer, as_json: bool, text: str, **more: Any) -> None:
    document = {"case_id": answer.case_id, "status": answer.status, "round": answer.round} | more
    show(document, as_json, text)


def hold(case: str, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Put a case on hold: every clock stands still, and nobody decides meanwhile."""
    answer = _perform(lambda office: office.hold(case, actor=actor, reason=reason))
    _tell(answer, as_json, f"{case} is on hold.")


def resume(case: str, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Resume a case that is on hold, with the time that was left."""
    answer = _perform(lambda office: office.resume(case, actor=actor, reason=reason))
    _tell(answer, as_json, f"{case} goes on.")


def extend(
    case: str,
    stage: Stage,
    by: Annotated[str, typer.Option(metavar="DURATION", help="Business time, such as 3d or 6h.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Give an open stage more time."""
    span = parse_business_duration(by)
    answer = _perform(lambda office: office.extend(case, stage, span, actor=actor, reason=reason))
    _tell(answer, as_json, f"{stage} of {case} has {by} more.")


def override(
    case: str,
    stage: Stage,
    outcome: Annotated[str, typer.Option(help="approved or rejected.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Decide a stage in its reviewers' place; a second person of the office must confirm."""
    _propose(case, OfficeAct.OVERRIDE, stage, outcome, actor, reason, as_json)


def skip(case: str, stage: Stage, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Skip a stage; a second person of the office must confirm."""
    _propose(case, OfficeAct.SKIP, stage, StageOutcome.SKIPPED, actor, reason, as_json)


def _propose(case: str, act: OfficeAct, stage: str, outcome: str, actor: str, reason: str, as_json: bool) -> None:
    if outcome not in list(StageOutcome):
        raise InputError("outcome_unknown", f"There is no outcome {outcome!r}.", "Choose approved or rejected.")
    act_id, answer = _perform(
        lambda office: office.propose(case, act, stage, StageOutcome(outcome), actor=actor, reason=reason)
    )
    text = f"Recorded; it takes effect when someone else runs: starter.py confirm {case} {act_id} --as EMAIL"
    _tell(answer, as_json, text, act_id=act_id)


def confirm(
    case: str,
    act: Annotated[str, typer.Argument(help="The act, by the id it was recorded under.")],
    actor: Actor,
    as_json: Json = False,
) -> None:
    """Confirm, as the second person, an override or a skip."""
    answer = _perform(lambda office: office.confirm(case, act, actor=actor))
    _tell(answer, as_json, f"Done: {case} is {answer.status}.")


def send_back(
    case: str,
    to: Annotated[str, typer.Option(metavar="STAGE", help="The stage that is decided anew.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Send a case back to an earlier stage; what depends on it is decided anew as well."""
    answer = _perform(lambda office: office.send_back(case, to, actor=actor, reason=reason))
    _tell(answer, as_json, f"{case} is back in {to}, round {answer.round}.")


def reassign(
    task: str,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who takes the task over.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Give a task to someone else."""
    answer = _perform(lambda office: office.pass_on(task, to, actor=actor, reason=reason))
    _tell(answer, as_json, f"{to} is asked instead.")


def delegate(
    task: str,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who takes the task over.")],
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    as_json: Json = False,
) -> None:
    """Pass your own task on."""
    answer = _perform(lambda office: office.pass_on(task, to, actor=actor, reason=reason))
    _tell(answer, as_json, f"{to} is asked instead of you.")


def nudge(
    case: str,
    actor: Actor,
    stage: Annotated[str | None, typer.Option(help="Only who is waited for in this stage.")] = None,
    as_json: Json = False,
) -> None:
    """Remind, now, everyone who is waited for."""
    answer = _perform(lambda office: office.nudge(case, stage, actor=actor))
    _tell(answer, as_json, f"Everyone who is waited for in {case} is reminded.")


def annul(task: str, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Annul a decision that was recorded by mistake: its reviewer is asked once more, nothing is edited."""
    answer = _perform(lambda office: office.annul(task, actor=actor, reason=reason))
    _tell(answer, as_json, "The decision no longer counts; its reviewer is asked once more.")
