"""Ways of the log of real approvals on a real Temporal server, side by side, each at the pace of its log."""

import asyncio
import datetime as dt

import pytest

from imprimatur.errors import ProposalIncomplete
from models.vocabulary import Verdict
from tests.approvals.log import Act, Did, Trace, Wanted, wanted
from tests.approvals.players import FRAMEWORK, VERDICTS, WHY, acts_of, document, facts_on_ledger, furnish
from tests.approvals.replay import REPRODUCED, Finding, compared
from tests.approvals.ways import WAYS, trace
from tests.engine import Engine
from tests.facts import PROPOSER

PLAYED = ("by_four_desks", "kept_meanwhile", "other_desks_the_next_time", "sent_back_by_the_payment_office", "given_up")


async def repeat(live: Engine, case_id: str, act: Wanted, version: int) -> None:
    match act.act.did:
        case Did.HANDED_IN if version == 1:
            await live.submit(document(case_id, version, act), FRAMEWORK.id, case_id)
        case Did.HANDED_IN:
            await live.gateway.revise(case_id, document(case_id, version, act), actor=PROPOSER)
        case Did.KEPT:
            with pytest.raises(ProposalIncomplete):
                await live.gateway.revise(case_id, document(case_id, version, act), actor=PROPOSER)
        case Did.GAVE_UP:
            await live.gateway.withdraw(case_id, actor=PROPOSER, reason=WHY)
        case did:
            stage = next(name for name in act.stages if live.tasks(case_id, name))
            verdict = VERDICTS[did]
            await live.decide(case_id, stage, verdict, WHY if verdict is Verdict.REQUEST_CHANGES else "")


async def told(live: Engine, name: str, way: Trace) -> Finding:
    case_id, version, before = live.case_id(name), 0, None
    for act in wanted(way):
        if before is not None:
            await live.gateway.forward(case_id, act.at - before)
        before = act.at
        version += act.act.did in (Did.HANDED_IN, Did.KEPT)
        await repeat(live, case_id, act, version)
    state = await live.assert_agrees(case_id)
    acts: list[Act] = acts_of(facts_on_ledger(live.database, case_id))
    return compared(way, acts, state.status)


async def test_ways_of_the_log_are_reproduced_by_the_running_engine(live: Engine) -> None:
    furnish(live.database, live.folder)
    ways = {name: trace(*WAYS[name][0], apart=dt.timedelta(days=2)) for name in PLAYED}
    found = await asyncio.gather(*(told(live, name, way) for name, way in ways.items()))
    assert dict(zip(ways, found, strict=True)) == {name: Finding("1", REPRODUCED) for name in ways}
