"""Forms of acts on a real Temporal server: done once, by whoever comes first, and in every part of the engine."""

import asyncio
import datetime as dt
import re

import httpx
import pytest

from models.vocabulary import CaseStatus, EventType, TaskStatus
from tests.admin import words
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, SECOND
from tests.governed import QUINN, ROSA, VERA, review
from tests.governed_stories import begin
from tests.meetings import SECRETARY, boards, sitting
from tests.stories import people
from tests.test_web_acts import code_of, hidden, offered
from tests.test_web_bulks import visiting, website

WHY = "The register is closed."
DAY = dt.timedelta(days=1)


@pytest.fixture
async def case_id(live: Engine) -> str:
    return (await live.submit("non-credit")).case_id


async def filled_in(client: httpx.AsyncClient, case_id: str, act: str, **said: str) -> dict[str, str]:
    page = await client.get(f"/cases/{case_id}/acts/{act}")
    assert page.status_code == 200, page.text
    return hidden(page.text) | said


async def sent(client: httpx.AsyncClient, case_id: str, act: str, **said: str) -> httpx.Response:
    return await client.post(f"/cases/{case_id}/acts/{act}", data=await filled_in(client, case_id, act, **said))


async def test_a_form_pressed_often_is_done_once(live: Engine, case_id: str) -> None:
    async with visiting(website(live), live) as client:
        said = {"stage": "proposal", "amount": "2", "unit": "d", "reason": WHY}
        form = await filled_in(client, case_id, "extend", **said)
        address = f"/cases/{case_id}/acts/extend"
        answers = await asyncio.gather(*(client.post(address, data=form) for _ in range(4)))
    async with visiting(website(live), live) as other_process:
        answers.append(await other_process.post(address, data=form | await token(other_process)))
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {
        (303, answers[0].headers["location"])
    }
    assert live.types(case_id).count(EventType.STAGE_EXTENDED) == 1
    await live.assert_agrees(case_id)


async def token(client: httpx.AsyncClient) -> dict[str, str]:
    page = (await client.get("/account")).text
    return {"form_token": re.findall(r'name="form_token" value="(\w+)"', page)[0]}


async def test_of_two_people_at_once_one_acts_and_the_other_is_told(live: Engine, case_id: str) -> None:
    app = website(live)
    async with visiting(app, live) as one, visiting(app, live, SECOND) as other:
        clients = (one, other)
        forms = [await filled_in(client, case_id, "hold", reason=WHY) for client in clients]
        address = f"/cases/{case_id}/acts/hold"
        answers = await asyncio.gather(
            *(client.post(address, data=form) for client, form in zip(clients, forms, strict=True))
        )
        done, refused = sorted(answers, key=lambda answer: answer.status_code)
        assert done.status_code == 303
        assert refused.status_code in (403, 409, 412) and code_of(refused) in ("case_on_hold", "case_changed")
        assert "Recorded." in (await one.get(f"/cases/{case_id}?done=1")).text
    assert live.types(case_id).count(EventType.CASE_HELD) == 1
    await live.assert_agrees(case_id)


async def test_an_act_that_ends_the_case_is_done_once_as_well(live: Engine, case_id: str) -> None:
    async with visiting(website(live), live, PROPOSER) as client:
        form = await filled_in(client, case_id, "withdraw", reason=WHY)
        address = f"/cases/{case_id}/acts/withdraw"
        answers = [await client.post(address, data=form) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert "Withdrawn" in words((await client.get(answers[0].headers["location"])).text)
    assert live.show(case_id).status is CaseStatus.WITHDRAWN


async def test_an_item_moves_to_another_sitting(live: Engine) -> None:
    today = dt.datetime.now(dt.UTC).date()
    days = [today + 10 * DAY, today + 20 * DAY]
    body = boards(sittings={"dates": [day.isoformat() for day in days], "at": "12:00"}, cut_off=None)
    case_id = await begin(live, "moved_on_its_page", sitting(), committees=body)
    async with visiting(website(live), live) as client:
        page = (await client.get(f"/cases/{case_id}/acts/move_item")).text
        assert offered(page, "on") == [day.isoformat() for day in days]
        wrong = await sent(client, case_id, "move_item", stage="board", on=today.isoformat(), reason=WHY)
        assert code_of(wrong) == "choice_missing"
        done = await sent(client, case_id, "move_item", stage="board", on=days[1].isoformat(), reason=WHY)
        assert done.status_code == 303, words(done.text)
    async with visiting(website(live), live, SECRETARY) as client:
        assert (await client.get(f"/cases/{case_id}/acts/move_item")).status_code == 200
    assert live.types(case_id).count(EventType.AGENDA_ITEM_PLACED) == 2
    live.assert_whole(case_id)


async def test_a_task_on_offer_is_claimed_and_passed_on(live: Engine) -> None:
    people(live, f"{VERA},Vera,deputy,yes")
    offer = review(reviewers=[{"role": "quality_reviewer", "claim": True}], voting={"quorum": 1, "threshold": 1})
    case_id = await begin(live, "claimed_on_its_page", offer)
    app = website(live)
    async with visiting(app, live, ROSA) as client:
        [task] = offered((await client.get(f"/cases/{case_id}/acts/claim")).text, "task")
        assert (await sent(client, case_id, "claim", task=task)).status_code == 303
        assert (await sent(client, case_id, "delegate", task=task, to=VERA, reason="")).status_code == 303
    async with visiting(app, live, QUINN) as client:
        assert (await client.get(f"/cases/{case_id}/acts/claim")).status_code == 403
    assert [(task.assignee, task.status) for task in live.tasks(case_id)] == [(VERA, TaskStatus.OPEN)]
    live.assert_whole(case_id)


async def test_refusals_of_the_engine_are_on_record(live: Engine, case_id: str) -> None:
    async with visiting(website(live), live, OFFICE) as client:
        answer = await sent(client, case_id, "hold", reason=" ")
        assert (answer.status_code, code_of(answer)) == (409, "reason_required")
        assert "--reason" not in answer.text
        [task] = live.tasks(case_id)
        wrong = await sent(client, case_id, "reassign", task=task.task_id, to=PROPOSER, reason=WHY)
        assert code_of(wrong) == "own_proposal"
    assert live.refusals(case_id) == ["reason_required", "own_proposal"]
