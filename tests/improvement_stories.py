"""Reviews of what is published, played on the running engine; for tests."""

import datetime as dt

from imprimatur.improvement import Improvement
from models.vocabulary import CaseStatus, EventType, RecordStatus
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, ledger_rows
from tests.governed_stories import Story
from tests.improvement import record_status, reviewed_framework
from tests.stories import WHY, begun


async def published_with_reviews(engine: Engine, name: str) -> str:
    policy = reviewed_framework(engine.database)
    case_id = await begun(engine, name, "industry-credit", f"{policy.id}@{policy.version}")
    while tasks := engine.tasks(case_id):
        await engine.answer(tasks[0])
    assert engine.show(case_id).status is CaseStatus.PUBLISHED
    return case_id


async def review_of(engine: Engine, case_id: str) -> str:
    return await Improvement(engine.gateway, engine.database).call(
        case_id, actor=OFFICE, reason="Employers complained."
    )


async def review_concluded(engine: Engine) -> str:
    """The peers disagree, so the director is called in; in the end it is retired, until a day that was named."""
    credential = await published_with_reviews(engine, "review_concluded")
    review = await review_of(engine, credential)
    first, second = engine.tasks(review, "peers")
    await engine.answer(first, "continue")
    await engine.answer(second, "retire", WHY)
    [casting] = engine.tasks(review, "peers")
    await engine.answer(casting, "pause", WHY)
    for task in engine.tasks(review, "industry"):
        await engine.answer(task, "abstain")
    [called_in] = engine.tasks(review, "industry")
    await engine.answer(called_in, "revise", WHY)
    [last] = engine.tasks(review, "conclusion")
    await engine.gateway.decide(
        task_id=last.task_id, verdict="retire", actor=last.assignee, comment=WHY, teach_out_on=dt.date(2031, 12, 31)
    )
    assert engine.show(review).status is CaseStatus.CONCLUDED
    [concluded] = [row["data"] for row in ledger_rows(engine.database, review) if row["type"] == "review_concluded"]
    assert concluded["recommended"] == {"peers": "pause", "industry": "revise", "conclusion": "retire"}
    assert concluded["teach_out_on"] == "2031-12-31"
    assert record_status(engine.database, credential) == RecordStatus.TEACHING_OUT
    engine.assert_whole(credential, review)
    return review


async def review_withdrawn(engine: Engine) -> str:
    """A review that is given up changes nothing, and another one is scheduled."""
    credential = await published_with_reviews(engine, "review_withdrawn")
    review = await review_of(engine, credential)
    await engine.gateway.withdraw(review, actor=PROPOSER, reason=WHY)
    assert engine.show(review).status is CaseStatus.WITHDRAWN
    assert engine.types(credential)[-1] is EventType.REVIEW_SCHEDULED
    assert record_status(engine.database, credential) == RecordStatus.OFFERED
    engine.assert_whole(credential, review)
    return review


REVIEWS: dict[str, Story] = {told.__name__: told for told in (review_concluded, review_withdrawn)}
