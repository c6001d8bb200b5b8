"""Conditions, confirmations and tracks, each played once on the running engine; for tests."""

from imprimatur.rules.condition_words import condition
from imprimatur.settling import Settling
from models.vocabulary import ConditionAct, ConditionStatus, EventType
from tests.engine import Engine
from tests.facts import PROPOSER, example
from tests.governed import QUINN, ROSA, SAM, review
from tests.governed_stories import PUBLISHED, Story, answers, asked, begin, data_of, task_of
from tests.stories import REASON, WHY
from tests.tracks import FAST, USUAL, proposal

E = EventType


async def _approved_on_conditions(engine: Engine, name: str) -> str:
    """One holds up the publication, the other does not."""
    case_id = await begin(engine, name, review(conditions="allowed"))
    given = [condition("Name the assessor.", due="3d", blocking=True), condition("Print a flyer.", due="9d")]
    task = task_of(engine, case_id, QUINN)
    await engine.gateway.decide(task_id=task.task_id, verdict="approve", actor=QUINN, conditions=given)
    await answers(engine, case_id, rosa="approve")
    return case_id


async def conditions_met_and_waived(engine: Engine) -> str:
    """Late, reported, not enough, reported again and accepted: then it is published, and the other is waived."""
    case_id = await _approved_on_conditions(engine, "conditions_met_and_waived")
    settling = Settling(engine.gateway, engine.database)
    first, second = engine.show(case_id).conditions
    assert first.due_at is not None
    await engine.until(case_id, first.due_at)
    assert {E.CONDITION_REMINDED, E.CONDITION_BREACHED} <= set(engine.types(case_id))
    for act in (ConditionAct.REOPEN, ConditionAct.ACCEPT):
        await settling.fulfil(first.condition_id, actor=PROPOSER, evidence="See page 3.")
        answer = await settling.judge(first.condition_id, act, actor=QUINN, reason="as agreed")
    assert answer.status is PUBLISHED
    await settling.judge(second.condition_id, ConditionAct.WAIVE, actor=QUINN, reason="out of print")
    statuses = [found.status for found in engine.show(case_id).conditions]
    assert statuses == [ConditionStatus.ACCEPTED, ConditionStatus.WAIVED]
    return case_id


async def conditions_lapsed(engine: Engine) -> str:
    case_id = await _approved_on_conditions(engine, "conditions_lapsed")
    await engine.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON)
    assert {found.status for found in engine.show(case_id).conditions} == {ConditionStatus.LAPSED}
    return case_id


async def confirmed_then_decided_anew(engine: Engine) -> str:
    """Both confirm it for the second version; for the third one does not, and somebody else is asked."""
    stages = (review(carry="confirm", material=[]), review("industry", "quality"))
    case_id = await begin(engine, "confirmed_then_decided_anew", *stages)
    await answers(engine, case_id, quinn="approve", rosa="approve")
    for number, version in enumerate(("industry-credit.revised", "industry-credit"), 1):
        for _ in range(2):
            await engine.decide(case_id, "industry", "request_changes", WHY)
        await engine.gateway.revise(case_id, example(version), actor=PROPOSER)
        assert asked(engine, case_id) == [QUINN, ROSA]
        await answers(engine, case_id, quinn="approve", rosa="approve" if number == 1 else "abstain")
    assert asked(engine, case_id) == [SAM]
    assert data_of(engine, case_id, E.STAGE_LAPSED)[-1]["confirmed"] is False
    await answers(engine, case_id, sam="approve")
    await answers(engine, case_id, quinn="approve", rosa="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


async def on_another_track(engine: Engine) -> str:
    """A small proposal is spared a stage; the larger one of the next version is not."""
    stages, tracks = (review("industry"), review("quality", "industry")), [FAST | {"sla": {}}, USUAL]
    case_id = await begin(engine, "on_another_track", *stages, submits=proposal(4), tracks=tracks)
    assert (engine.show(case_id).track, engine.outcomes(case_id)["quality"]) == ("fast", "skipped")
    for _ in range(2):
        await engine.decide(case_id, "industry", "request_changes", WHY)
    await engine.gateway.revise(case_id, proposal(15), actor=PROPOSER)
    for stage in ("industry", "quality"):
        for _ in range(2):
            await engine.decide(case_id, stage)
    view = engine.show(case_id)
    assert (view.track, view.status) == ("usual", PUBLISHED)
    return case_id


TRACKS: dict[str, Story] = {
    told.__name__: told
    for told in (
        conditions_met_and_waived,
        conditions_lapsed,
        confirmed_then_decided_anew,
        on_another_track,
    )
}
