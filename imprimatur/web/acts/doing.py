"""An act as its form says it, brought to the one place in which it is done."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from imprimatur.access.acts import CaseAct
from imprimatur.committees.sitting import Secretary
from imprimatur.desk import Desk
from imprimatur.errors import InputError
from imprimatur.gateway import Gateway
from imprimatur.office import Office
from imprimatur.rules.spans import parse_business_duration
from imprimatur.settling import Settling
from imprimatur.store.engine import Database
from imprimatur.web.acts import published
from imprimatur.web.acts.said import Said
from models.messages import CaseAnswer
from models.vocabulary import ConditionAct, OfficeAct, StageOutcome

Choice = TypeVar("Choice", StageOutcome, ConditionAct)


async def perform(gateway: Gateway, database: Database, act: CaseAct, said: Said) -> int | None:
    """The ledger position of what was recorded, 0 for nothing; None where an act is told by its result alone.

    Raises InputError ``choice_missing`` and whatever the act itself is refused by.
    """
    answer = await _WAYS[act](gateway, database, said)
    return answer.position if isinstance(answer, CaseAnswer) else answer


async def _extend(gateway: Gateway, database: Database, said: Said) -> CaseAnswer:
    span = parse_business_duration(f"{said['amount']}{said['unit']}")
    return await Office(gateway, database).extend(said.case_id, said["stage"], span, **said.why)


async def _propose(gateway: Gateway, database: Database, said: Said, act: OfficeAct, outcome: str) -> CaseAnswer:
    found = _chosen(outcome, StageOutcome)
    _, answer = await Office(gateway, database).propose(said.case_id, act, said["stage"], found, **said.why)
    return answer


async def _move_item(gateway: Gateway, database: Database, said: Said) -> CaseAnswer:
    return await Secretary(gateway, database).place(said.case_id, said["stage"], published.day_of(said), **said.why)


async def _judge(gateway: Gateway, database: Database, said: Said) -> CaseAnswer:
    found = _chosen(said["judgement"], ConditionAct)
    return await Settling(gateway, database).judge(said["condition"], found, **said.why)


def _chosen(text: str, kind: type[Choice]) -> Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise _nothing_chosen() from error


def _nothing_chosen() -> InputError:
    return InputError("choice_missing", "Something was not chosen.", "Choose one of what the form offers.")


Way = Callable[[Gateway, Database, Said], Awaitable[CaseAnswer | int | None]]
_WAYS: Mapping[CaseAct, Way] = {
    CaseAct.HOLD: lambda g, d, said: Office(g, d).hold(said.case_id, **said.why),
    CaseAct.RESUME: lambda g, d, said: Office(g, d).resume(said.case_id, **said.why),
    CaseAct.WITHDRAW: lambda g, d, said: g.withdraw(said.case_id, **said.why),
    CaseAct.EXTEND: _extend,
    CaseAct.SEND_BACK: lambda g, d, said: Office(g, d).send_back(said.case_id, said["stage"], **said.why),
    CaseAct.REASSIGN: lambda g, d, said: Office(g, d).pass_on(said["task"], said["to"], **said.why),
    CaseAct.DELEGATE: lambda g, d, said: Office(g, d).pass_on(said["task"], said["to"], **said.why),
    CaseAct.NUDGE: lambda g, d, said: Office(g, d).nudge(said.case_id, said["stage"] or None, actor=said.actor),
    CaseAct.SKIP: lambda g, d, said: _propose(g, d, said, OfficeAct.SKIP, StageOutcome.SKIPPED),
    CaseAct.OVERRIDE: lambda g, d, said: _propose(g, d, said, OfficeAct.OVERRIDE, said["outcome"]),
    CaseAct.CONFIRM: lambda g, d, said: Office(g, d).confirm(said.case_id, said["act_id"], actor=said.actor),
    CaseAct.ANNUL: lambda g, d, said: Office(g, d).annul(said["task"], **said.why),
    CaseAct.CLAIM: lambda g, d, said: Desk(g, d).claim(said["task"], actor=said.actor),
    CaseAct.MOVE_ITEM: _move_item,
    CaseAct.FULFIL: lambda g, d, said: Settling(g, d).fulfil(
        said["condition"], actor=said.actor, evidence=said["evidence"]
    ),
    CaseAct.JUDGE: _judge,
    CaseAct.RETRACT: published.retract,
    CaseAct.RETRY_PUBLICATION: published.retry,
    CaseAct.SCHEDULE_PUBLICATION: published.schedule,
    CaseAct.CALL_REVIEW: published.call_review,
    CaseAct.MOVE_REVIEW: published.move_review,
    CaseAct.HAND_OVER_AGAIN: published.hand_over_again,
    CaseAct.RETRY_HANDOVER: published.retry_handover,
}
