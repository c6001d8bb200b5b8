"""Verbs of those who review: claim, return, ask-advice, advise."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from imprimatur.cli.cases import Actor, Json
from imprimatur.cli.context import with_gateway
from imprimatur.cli.output import show
from imprimatur.desk import Desk
from imprimatur.gateway import Gateway
from imprimatur.store.engine import Database
from models.messages import CaseAnswer


def _perform(act: Callable[[Desk], Awaitable[CaseAnswer]]) -> CaseAnswer:
    async def run(gateway: Gateway, database: Database) -> CaseAnswer:
        return await act(Desk(gateway, database))

    return with_gateway(run)


def _tell(answer: CaseAnswer, task: str, as_json: bool, text: str) -> None:
    show({"case_id": answer.case_id, "status": answer.status, "task_id": task}, as_json, text)


def claim(task: str, actor: Actor, as_json: Json = False) -> None:
    """Claim a task that is on offer: the first to do so has it."""
    answer = _perform(lambda desk: desk.claim(task, actor=actor))
    _tell(answer, task, as_json, "The task is yours.")


def return_(
    task: str,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    as_json: Json = False,
) -> None:
    """Give a claimed task back: it is offered to the others again."""
    answer = _perform(lambda desk: desk.give_back(task, actor=actor, reason=reason))
    _tell(answer, task, as_json, "The task is on offer again.")


def ask_advice(
    task: str,
    adviser: Annotated[str, typer.Option("--of", metavar="EMAIL", help="Whom to ask; anyone active.")],
    actor: Actor,
    question: Annotated[str, typer.Option(help="What you want to know.")] = "",
    as_json: Json = False,
) -> None:
    """Ask a colleague for advice on your task; it decides nothing."""
    answer = _perform(lambda desk: desk.ask_advice(task, adviser, actor=actor, question=question))
    _tell(answer, task, as_json, f"{adviser} is asked for advice.")


def advise(
    task: str,
    text: Annotated[str, typer.Option(help="What you advise.")],
    actor: Actor,
    as_json: Json = False,
) -> None:
    """Give the advice that you were asked for."""
    answer = _perform(lambda desk: desk.advise(task, actor=actor, text=text))
    _tell(answer, task, as_json, "Your advice is attached.")
