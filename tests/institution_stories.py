"""What makes the processes of institutions special, each played once on the running engine; for tests."""

import datetime as dt

from imprimatur.errors import ImprimaturError, ProposalIncomplete
from models.proposal import Proposal
from models.vocabulary import CaseStatus, EventType, StageStatus
from tests.engine import Engine
from tests.facts import PROPOSER
from tests.governed_stories import Story, answers_in, asked, data_of, reason_of
from tests.institutions import WHY, person, proposal
from tests.stories import begun

E = EventType
PUBLISHED = CaseStatus.PUBLISHED


async def _begin(engine: Engine, name: str, framework: str, submits: Proposal | None = None) -> str:
    return await begun(engine, name, submits or proposal(framework), framework)


async def _until(engine: Engine, case_id: str, stage: str, moment: str) -> dt.datetime:
    """To an instant that the case shows of a stage; answers it."""
    instant = next(getattr(view, moment) for view in engine.show(case_id).stages if view.stage == stage)
    assert isinstance(instant, dt.datetime)
    await engine.until(case_id, instant)
    return instant


async def refused_and_listed(engine: Engine) -> str:
    """New Zealand: no letter of support, and listed all the same."""
    case_id = await _begin(engine, "refused_and_listed", "nzqa")
    await engine.decide(case_id, "industry", "reject", WHY)
    assert engine.outcomes(case_id)["industry"] == "refused"
    await engine.decide(case_id, "listing")
    assert engine.show(case_id).status is PUBLISHED
    assert data_of(engine, case_id, E.STAGE_CLOSED)[0]["outcome"] == "refused"
    return case_id


async def posted_and_final(engine: Engine) -> str:
    """Kentucky: ten business days, and no senator objects."""
    case_id = await _begin(engine, "posted_and_final", "kentucky")
    assert engine.show(case_id).track == "undergraduate"
    await engine.decide(case_id, "faculty")
    await answers_in(engine, case_id, "undergraduate_council", "approve", 2)
    await engine.decide(case_id, "provost")
    assert len(asked(engine, case_id, "posting")) == 4
    await _until(engine, case_id, "posting", "due_at")
    assert engine.show(case_id).status is PUBLISHED
    assert "without an objection from a senator" in reason_of(engine, case_id, "posting")
    assert E.SLA_BREACHED not in engine.types(case_id)
    return case_id


async def returned_then_told_only(engine: Engine) -> str:
    """MSU Denver: below the minimum at first; without credit the committee is informed when all is decided."""
    case_id = engine.case_id("returned_then_told_only")
    try:
        await engine.submit(proposal("msu-denver", target_learners=None), "msu-denver", case_id)
    except ProposalIncomplete:
        assert engine.tasks(case_id) == []
    else:
        raise AssertionError("it is below the minimum")
    await engine.gateway.revise(case_id, proposal("msu-denver"), actor=PROPOSER)
    await engine.decide(case_id, "completeness")
    await engine.decide(case_id, "support", "endorse")
    await engine.decide(case_id, "lifelong_learning")
    assert engine.outcomes(case_id)["notice"] == "informed"
    assert engine.show(case_id).status is PUBLISHED
    assert ("task", person("badging_committee", 3)) in engine.mail(case_id)
    return case_id


async def endorsed_by_the_subcommittee(engine: Engine) -> str:
    """Sydney: nobody approves what is not endorsed."""
    case_id = await _begin(engine, "endorsed_by_the_subcommittee", "sydney")
    await engine.decide(case_id, "faculty")
    await answers_in(engine, case_id, "subcommittee", "endorse", 2)
    assert asked(engine, case_id, "deputy_vice_chancellor") == []
    await engine.decide(case_id, "subcommittee", "endorse")
    await engine.decide(case_id, "deputy_vice_chancellor")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


async def approved_at_a_sitting(engine: Engine) -> str:
    """ACU: not before the committee sits; then the academic board hears of it."""
    case_id = await _begin(engine, "approved_at_a_sitting", "acu")
    await engine.decide(case_id, "faculty_board", "endorse")
    try:
        await engine.decide(case_id, "approval")
    except ImprimaturError as error:
        assert error.code == "sitting_to_come"
    else:
        raise AssertionError("the committee has not met")
    await _until(engine, case_id, "approval", "sits_at")
    await engine.decide(case_id, "approval")
    assert engine.outcomes(case_id)["report"] == "informed"
    assert engine.show(case_id).status is PUBLISHED
    return case_id


async def reviewed_in_the_window(engine: Engine) -> str:
    """Buffalo: silence skips the consultation, and the central review waits for its window."""
    case_id = await _begin(engine, "reviewed_in_the_window", "buffalo")
    await _until(engine, case_id, "consultation", "due_at")
    assert engine.outcomes(case_id)["consultation"] == "skipped"
    await answers_in(engine, case_id, "department_and_dean", "approve", 2)
    [waiting] = [view for view in engine.show(case_id).stages if view.stage == "central_review"]
    if waiting.status is StageStatus.WAITING:
        assert asked(engine, case_id, "central_review") == []
        await _until(engine, case_id, "central_review", "opens_at")
    await answers_in(engine, case_id, "central_review", "approve", 3)
    assert engine.show(case_id).status is PUBLISHED
    return case_id


INSTITUTIONS: dict[str, Story] = {
    told.__name__: told
    for told in (
        refused_and_listed,
        posted_and_final,
        returned_then_told_only,
        endorsed_by_the_subcommittee,
        approved_at_a_sitting,
        reviewed_in_the_window,
    )
}
