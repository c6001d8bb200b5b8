"""An approval that ends, and a refusal that is judged, played on the running engine; for tests."""

from models.vocabulary import EventType, StageStatus
from tests.engine import Engine
from tests.governed import DIRECTOR, ROSA, SAM, review
from tests.governed_stories import PUBLISHED, REJECTED, Story, asked, begin, data_of, task_of
from tests.stories import WHY

ONE = {"quorum": 1, "threshold": 1}


async def confirmed_when_it_ended(engine: Engine) -> str:
    """The first approval holds for a month, and the second reviewer takes longer; then the first confirms."""
    first = review("first", valid_for={"months": 1}, voting=ONE, reviewers=[{"addresses": [SAM]}])
    slow = {"within": {"business_days": 60}, "calendar": "campus", "escalate_to": "academic_director"}
    last = review("last", "first", voting=ONE, reviewers=[{"addresses": [ROSA]}], sla=slow)
    case_id = await begin(engine, "confirmed_when_it_ended", first, last)
    await engine.answer(task_of(engine, case_id, SAM))
    expires_at = (await engine.gateway.state(case_id)).stages["first"].expires_at
    assert expires_at is not None
    await engine.until(case_id, expires_at)
    [expired] = data_of(engine, case_id, EventType.APPROVAL_EXPIRED)
    assert (expired["stage"], expired["of_round"]) == ("first", 1)
    assert asked(engine, case_id, "first") == [SAM]
    await engine.answer(task_of(engine, case_id, SAM))
    [again] = [stage for stage in engine.show(case_id).stages if stage.stage == "first"]
    assert (again.status, again.round) == (StageStatus.CLOSED, 2)
    await engine.answer(task_of(engine, case_id, ROSA))
    assert engine.show(case_id).status is PUBLISHED
    return case_id


async def refused_and_upheld(engine: Engine) -> str:
    """The partner refuses, and the director, to whom that is referred, upholds it."""
    refers = review(reviewers=[{"addresses": [SAM]}], voting=ONE, on_rejection="refer")
    case_id = await begin(engine, "refused_and_upheld", refers)
    await engine.answer(task_of(engine, case_id, SAM), "reject", WHY)
    [row] = data_of(engine, case_id, EventType.STAGE_ESCALATED)
    assert (row["cause"], row["to"]) == ("refusal", [DIRECTOR])
    await engine.answer(task_of(engine, case_id, DIRECTOR), "reject", WHY)
    assert engine.show(case_id).status is REJECTED
    return case_id


SIGN_OFF: dict[str, Story] = {told.__name__: told for told in (confirmed_when_it_ended, refused_and_upheld)}
