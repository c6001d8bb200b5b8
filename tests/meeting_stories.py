"""Items before a committee and stages in review windows, each played once on the running engine; for tests."""

import datetime as dt

from imprimatur.committees.agenda import agenda
from imprimatur.committees.sitting import Secretary
from imprimatur.errors import ImprimaturError
from models.sitting import SittingRecord
from models.vocabulary import EventType, StageStatus
from tests.engine import Engine
from tests.facts import OFFICE
from tests.governed import review
from tests.governed_stories import PUBLISHED, Story, answers, begin, data_of, task_of
from tests.meetings import BOARD, SECRETARY, boards, sitting, windows

E = EventType
DAY = dt.timedelta(days=1)


async def put_off_then_decided(engine: Engine) -> str:
    """Nothing is decided before the sitting; the item is not reached, and comes before the next one."""
    today = dt.datetime.now(dt.UTC).date()
    first_on, second_on = today + 10 * DAY, today + 20 * DAY
    dates = {"dates": [first_on.isoformat(), second_on.isoformat()], "at": "12:00"}
    body = boards(sittings=dates, cut_off=None)
    case_id = await begin(engine, "put_off_then_decided", sitting(), committees=body)
    secretary = Secretary(engine.gateway, engine.database)
    task = task_of(engine, case_id, SECRETARY)
    try:
        await engine.answer(task)
    except ImprimaturError as error:
        assert error.code == "sitting_to_come"
    else:
        raise AssertionError("the committee has not met")
    [stage] = [stage for stage in engine.show(case_id).stages if stage.stage == "board"]
    assert stage.sits_at is not None
    await engine.until(case_id, stage.sits_at)
    assert E.SITTING_BEGUN in engine.types(case_id)
    await secretary.place(case_id, "board", second_on, actor=OFFICE, reason="Not reached.")
    assert agenda(engine.database, BOARD, first_on).moved[0].case_id == case_id
    [stage] = [stage for stage in engine.show(case_id).stages if stage.stage == "board"]
    assert stage.sits_at is not None
    await engine.until(case_id, stage.sits_at)
    said = {"case": case_id, "verdict": "approve", "votes": {"in_favour": 5}}
    document = {"committee": BOARD, "held_on": second_on, "present": ["Ada Byron"], "items": [said]}
    record = SittingRecord.model_validate(document)
    [found] = await secretary.record(record, actor=SECRETARY)
    assert found.result == "recorded", found
    assert engine.show(case_id).status is PUBLISHED
    return case_id


async def waited_for_its_window(engine: Engine) -> str:
    """Nobody is asked before the window opens."""
    first_on = dt.datetime.now(dt.UTC).date() + 12 * DAY
    span = {"first_on": first_on.isoformat(), "last_on": (first_on + 11 * DAY).isoformat()}
    opened = windows(every_year=[], dates=[span])
    case_id = await begin(engine, "waited_for_its_window", review(window="autumn"), windows=opened)
    [stage] = [stage for stage in engine.show(case_id).stages if stage.stage == "quality"]
    assert (stage.status, engine.tasks(case_id)) == (StageStatus.WAITING, [])
    assert stage.opens_at is not None
    assert len(data_of(engine, case_id, E.STAGE_AWAITED)) == 1
    await engine.until(case_id, stage.opens_at)
    await answers(engine, case_id, quinn="approve", rosa="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


MEETINGS: dict[str, Story] = {told.__name__: told for told in (put_off_then_decided, waited_for_its_window)}
