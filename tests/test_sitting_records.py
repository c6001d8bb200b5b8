"""The record of a sitting, repeated: nothing is decided twice, and the later minutes count."""

import datetime as dt
from typing import Any

from imprimatur.committees.agenda import agenda
from imprimatur.committees.sitting import Secretary
from models.sitting import SittingRecord
from models.vocabulary import EventType
from tests.engine import Engine
from tests.governed import ROSA, review
from tests.governed_stories import begin, task_of
from tests.meetings import BOARD, ONE, SECRETARY, boards, sitting

DAY = dt.timedelta(days=1)


async def begun(live: Engine, name: str) -> tuple[str, dt.date, dt.date]:
    """Approved before by Rosa, and so a consent item of a sitting that has begun; with the day of the next one."""
    today = dt.datetime.now(dt.UTC).date()
    first_on, second_on = today + 10 * DAY, today + 20 * DAY
    dates = {"dates": [first_on.isoformat(), second_on.isoformat()], "at": "12:00"}
    body = boards(sittings=dates, cut_off=None, consent="undisputed")
    check = review("check", reviewers=[{"addresses": [ROSA]}], voting=ONE)
    case_id = await begin(live, name, check, sitting("board", "check"), committees=body)
    await live.answer(task_of(live, case_id, ROSA))
    sits_at = next(stage.sits_at for stage in live.show(case_id).stages if stage.stage == "board")
    assert sits_at is not None
    await live.until(case_id, sits_at)
    return case_id, first_on, second_on


async def recorded(live: Engine, held_on: dt.date, *present: str, **facts: Any) -> list[str]:
    document = {"committee": BOARD, "held_on": held_on, "present": list(present)} | facts
    secretary = Secretary(live.gateway, live.database)
    found = await secretary.record(SittingRecord.model_validate(document), actor=SECRETARY)
    return [item.result for item in found]


async def test_what_was_taken_by_consent_is_recorded_once(live: Engine) -> None:
    case_id, held_on, _ = await begun(live, "by_consent")
    for present in ("Ada Byron", "Tom Ngata"):
        assert await recorded(live, held_on, present, consent="approve") == ["recorded"]
        assert agenda(live.database, BOARD, held_on).present == [present]
    assert live.types(case_id).count(EventType.DECISION_RECORDED) == 2, "the check, and the board once"
    live.assert_whole(case_id)


async def test_what_was_put_off_stays_where_it_was_put(live: Engine) -> None:
    case_id, held_on, later = await begun(live, "put_off")
    items = [{"case": case_id, "defer_to": later, "reason": "Not reached."}]
    assert await recorded(live, held_on, "Ada Byron", items=items) == ["deferred"]
    assert await recorded(live, held_on, "Tom Ngata", items=items) == []
    assert agenda(live.database, BOARD, held_on).present == ["Tom Ngata"]
    assert live.types(case_id).count(EventType.AGENDA_ITEM_PLACED) == 2, "at first, and when it was put off"
    live.assert_whole(case_id)
