"""Verbs on conditions of approvals."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_database, with_gateway
from imprimatur.cli.output import show, table, when
from imprimatur.store import reading
from imprimatur.store.engine import Database
from models.messages import CaseAnswer
from models.vocabulary import ConditionAct

if TYPE_CHECKING:
    from imprimatur.gateway import Gateway
    from imprimatur.settling import Settling

Named = Annotated[str, typer.Argument(metavar="CONDITION", help="The condition, by its id.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]


def conditions(case: str, as_json: Json = False) -> None:
    """List the conditions of a case's approvals, and how each stands."""
    view = with_database(lambda database: reading.show_case(database, case))
    rows = [
        (c.condition_id, c.status, c.stage, c.owner, when(c.due_at), "yes" if c.blocking else "no", c.text)
        for c in view.conditions
    ]
    headings = ["id", "status", "stage", "owner", "due", "holds up publication", "what"]
    show({"case_id": case, "conditions": view.conditions}, as_json, table(headings, rows))


def fulfil(
    condition: Named,
    actor: Actor,
    evidence: Annotated[str, typer.Option(help="What was done, or where it can be seen; it is recorded.")],
    as_json: Json = False,
) -> None:
    """Report a condition as fulfilled."""
    answer = _perform(lambda settling: settling.fulfil(condition, actor=actor, evidence=evidence))
    _tell(answer, condition, "fulfilled", as_json, "Recorded; whoever set the condition is asked to accept it.")


def accept(condition: Named, actor: Actor, as_json: Json = False) -> None:
    """Accept that a condition is fulfilled."""
    answer = _perform(lambda settling: settling.judge(condition, ConditionAct.ACCEPT, actor=actor))
    _tell(answer, condition, "accepted", as_json, f"Accepted; the case is {answer.status}.")


def reopen(condition: Named, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Ask for more: what was reported does not fulfil the condition."""
    answer = _perform(lambda settling: settling.judge(condition, ConditionAct.REOPEN, actor=actor, reason=reason))
    _tell(answer, condition, "open", as_json, "Recorded; the condition's owner is told why.")


def waive(condition: Named, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Do without a condition."""
    answer = _perform(lambda settling: settling.judge(condition, ConditionAct.WAIVE, actor=actor, reason=reason))
    _tell(answer, condition, "waived", as_json, f"Waived; the case is {answer.status}.")


def _perform(act: Callable[["Settling"], Awaitable[CaseAnswer]]) -> CaseAnswer:
    from imprimatur.settling import Settling

    async def run(gateway: "Gateway", database: Database) -> CaseAnswer:
        return await act(Settling(gateway, database))

    return with_gateway(run)


def _tell(answer: CaseAnswer, condition: str, standing: str, as_json: bool, text: str) -> None:
    document: dict[str, Any] = {"case_id": answer.case_id, "status": answer.status, "condition_id": condition}
    show(document | {"condition_status": standing}, as_json, text)
