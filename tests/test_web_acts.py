"""Acts on the page of a case: offered to whoever may do them, explained, done once, and guarded against the unseen."""

import asyncio
import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from imprimatur.access.acts import CaseAct
from imprimatur.errors import Unavailable
from imprimatur.rules.condition_words import condition
from imprimatur.store.engine import Database
from imprimatur.web.acts.forms import has_form
from imprimatur.web.acts.words import WORDS
from imprimatur.web.api.guard import Guard
from models.events import ActProposed, Held
from models.vocabulary import (
    CaseStatus,
    Conditions,
    ConditionStatus,
    EventType,
    OfficeAct,
    StageOutcome,
    StageStatus,
)
from tests.admin import words
from tests.facts import OFFICE, PROPOSER, SECOND, Play, amended, event_types, furnish
from tests.pages import HERE, PEOPLE, REVIEWER, UNIT, of_unit, populated
from tests.web import Site

WHY = "The register is closed."
SCORES: dict[str, Any] = {"outcomes": 4, "assessment": 4}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


def address(act: str) -> str:
    return f"/cases/{HERE}/acts/{act}"


def hidden(page: str) -> dict[str, str]:
    """Whatever a form carries unseen."""
    main = page.partition('<main id="content">')[2]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', main)
    return {name: html.unescape(value) for name, value in found}


async def opened(visitor: httpx.AsyncClient, act: str, query: str = "") -> dict[str, str]:
    answer = await visitor.get(address(act) + query)
    assert answer.status_code == 200, answer.text
    return hidden(answer.text)


async def pressed(visitor: httpx.AsyncClient, act: str, **said: str) -> httpx.Response:
    return await visitor.post(address(act), data=await opened(visitor, act) | said)


def code_of(answer: httpx.Response) -> str:
    return str(re.findall(r"Code: <code>(\w+)</code>", answer.text)[0])


def offered(page: str, name: str) -> list[str]:
    return re.findall(rf'<input type="radio" name="{name}" value="([^"]*)"', page)


# --- who gets which form ----------------------------------------------------------------------------------------------


async def test_every_act_has_its_form_for_whoever_may_do_it_and_for_nobody_else(site: Site) -> None:
    for name, person in PEOPLE.items():
        async with site.signed_in(person) as visitor:
            page = await visitor.get(f"/cases/{HERE}")
            for act in filter(has_form, CaseAct):
                answer = await visitor.get(address(act))
                linked = f'href="{address(act)}"' in page.text
                assert (answer.status_code == 200) == linked, f"{name}: {act}"
                if page.status_code == 200 and not linked:
                    assert answer.status_code == 403 and code_of(answer), f"{name}: {act}"
                if page.status_code != 200:
                    assert answer.status_code == 404, f"{name}: {act}"


async def test_whoever_may_not_can_send_no_form_either(site: Site) -> None:
    """With everything that a form carries, as somebody who may once opened it."""
    for name, person in PEOPLE.items():
        async with site.signed_in(person) as visitor:
            token = (await visitor.get("/account")).text
            own = {"form_token": re.findall(r'name="form_token" value="(\w+)"', token)[0], "reason": WHY}
            for act in filter(has_form, CaseAct):
                if (await visitor.get(address(act))).status_code == 200:
                    continue
                once = site.links.form_value(f"{HERE}/{act}", person)
                tag = '"0-0"'
                answer = await visitor.post(address(act), data=own | {"once": once, "seen": tag})
                assert answer.status_code in (403, 404), f"{name}: {act}"
    assert site.play.state.status is CaseStatus.IN_REVIEW and len(site.play.steps) == 2


def test_every_act_with_a_form_says_what_it_will_do() -> None:
    assert {act for act in CaseAct if has_form(act)} == set(WORDS)
    for told in WORDS.values():
        assert all(vars(told).values())
        assert all(text.endswith(".") for text in (told.happens, told.people, told.clocks, told.back))


async def test_a_form_says_who_is_waited_for_by_name_to_those_only_who_may_know(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        assert "Quinn Abara" in words((await visitor.get(address("hold"))).text)
    async with site.signed_in(PROPOSER) as visitor:
        told = words((await visitor.get(address("withdraw"))).text)
    assert "a quality reviewer" in told and "Quinn" not in told and "cannot be taken back" in told


async def test_a_form_needs_the_session_that_opened_it(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        form = await opened(visitor, "hold") | {"reason": WHY}
        wrong = await visitor.post(address("hold"), data=form | {"form_token": "0" * 64})
        assert (wrong.status_code, code_of(wrong)) == (403, "form_token_wrong")
    async with site.signed_in(SECOND) as another:
        stolen = await another.post(address("hold"), data=form)
        assert stolen.status_code == 403
        own = form | {"form_token": (await opened(another, "hold"))["form_token"]}
        stale = await another.post(address("hold"), data=own)
        assert (stale.status_code, code_of(stale)) == (409, "form_value_stale")
    async with site.visitor() as nobody:
        assert (await nobody.post(address("hold"), data=form)).status_code == 303
    assert site.play.state.status is CaseStatus.IN_REVIEW


async def test_an_act_that_is_none_has_no_page(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        for act in ("dance", "read", "answer", "revise"):
            assert (await visitor.get(address(act))).status_code == 404


# --- every act is done ------------------------------------------------------------------------------------------------


async def test_the_office_holds_extends_reminds_and_resumes(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        done = await pressed(visitor, "hold", reason=WHY)
        assert done.status_code == 303
        page = await visitor.get(done.headers["location"])
        assert "Recorded." in page.text and WHY in page.text
        assert site.play.state.status is CaseStatus.ON_HOLD
        assert (await pressed(visitor, "resume", reason=WHY)).status_code == 303
        due = site.play.state.stages["quality"].due_at
        assert due is not None
        said = {"stage": "quality", "amount": "3", "unit": "d", "reason": WHY}
        assert (await pressed(visitor, "extend", **said)).status_code == 303
        later = site.play.state.stages["quality"].due_at
        assert later is not None and later > due
        assert (await pressed(visitor, "nudge", stage="")).status_code == 303
    types = event_types(site.play.database, HERE)
    assert {EventType.CASE_HELD, EventType.CASE_RESUMED, EventType.STAGE_EXTENDED, EventType.REMINDER_SENT} <= set(
        types
    )


async def test_what_needs_two_people_gets_two(site: Site) -> None:
    async with site.signed_in(OFFICE) as first, site.signed_in(SECOND) as second:
        assert (await pressed(first, "override", stage="quality", outcome="approved", reason=WHY)).status_code == 303
        assert (await first.get(address("confirm"))).status_code == 403
        page = (await second.get(address("confirm"))).text
        assert "Override Quality review: approved" in words(page) and WHY in page
        [act_id] = offered(page, "act_id")
        assert (await pressed(second, "confirm", act_id=act_id)).status_code == 303
    assert site.play.state.stages["quality"].outcome is StageOutcome.APPROVED


async def test_a_task_changes_hands_and_an_answer_is_annulled(site: Site) -> None:
    async with site.signed_in(OFFICE) as office, site.signed_in(REVIEWER) as reviewer:
        [own] = offered((await reviewer.get(address("delegate"))).text, "task")
        passed = await pressed(reviewer, "delegate", task=own, to="sam.reviewer@example.edu", reason="")
        assert passed.status_code in (303, 409), passed.text
        free = site.play.state.open_tasks("industry")[0].id
        given = await pressed(office, "reassign", task=free, to="ivo.adviser@example.org", reason=WHY)
        assert given.status_code == 303, words(given.text)
        site.play.decide("quality", comment="In the wrong window.", **SCORES)
        [answer] = offered((await office.get(address("annul"))).text, "task")
        assert (await pressed(office, "annul", task=answer, reason=WHY)).status_code == 303
        back = await pressed(office, "send_back", stage="proposal", reason=WHY)
        assert back.status_code == 303
    assert site.play.state.stages["proposal"].status is StageStatus.OPEN
    assert "decision_annulled" in event_types(site.play.database, HERE)


async def test_a_proposer_withdraws(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        done = await pressed(visitor, "withdraw", reason=WHY)
        assert "Withdrawn" in (await visitor.get(done.headers["location"])).text
    assert site.play.state.status is CaseStatus.WITHDRAWN


async def test_conditions_are_fulfilled_and_judged(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    policy = amended(sqlite_database, "industry-credit", "quality", conditions=Conditions.ALLOWED)
    play = Play(sqlite_database, tmp_path, policy, HERE)
    play.submit(of_unit("industry-credit", UNIT, "Prototyping"))
    play.decide("proposal", fit=4, no_duplication=3)
    for wanted in ([condition("Name an assessor.", blocking=True)], []):
        play.decide("quality", conditions=wanted, **SCORES)
    site = Site(play)
    async with site.signed_in(PROPOSER) as owner, site.signed_in(OFFICE) as office:
        [number] = offered((await owner.get(address("fulfil"))).text, "condition")
        assert (await office.get(address("fulfil"))).status_code == 403
        early = await pressed(office, "judge", condition=number, judgement="accept", reason="")
        assert (early.status_code, code_of(early)) == (409, "condition_not_fulfilled")
        done = await pressed(owner, "fulfil", condition=number, evidence="Page 4 names her.")
        assert done.status_code == 303
        assert "Page 4 names her." in words((await office.get(f"/cases/{HERE}")).text)
        assert (await owner.get(address("judge"))).status_code == 403
        more = await pressed(office, "judge", condition=number, judgement="reopen", reason="")
        assert (more.status_code, code_of(more)) == (409, "reason_required")
        assert (await pressed(office, "judge", condition=number, judgement="waive", reason=WHY)).status_code == 303
    [state] = play.state.conditions.values()
    assert state.status is ConditionStatus.WAIVED


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_what_the_engine_refuses_is_told_in_place_and_nothing_typed_is_lost(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        task = site.play.state.open_tasks("quality")[0].id
        said = {"task": task, "to": PROPOSER, "reason": "She knows <best>."}
        answer = await pressed(visitor, "reassign", **said)
        assert (answer.status_code, code_of(answer)) == (403, "own_proposal")
        assert "She knows &lt;best&gt;." in answer.text and f'value="{PROPOSER}"' in answer.text
        assert re.search(rf'value="{task}" required checked', answer.text)
        again = await visitor.post(
            address("reassign"), data=hidden(answer.text) | said | {"to": "tove.left@example.edu"}
        )
        assert again.status_code in (404, 409)
        right = hidden(again.text) | said | {"to": "ivo.adviser@example.org"}
        assert (await visitor.post(address("reassign"), data=right)).status_code == 303


async def test_an_empty_reason_is_the_engine_s_to_refuse(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        answer = await pressed(visitor, "hold", reason="  ")
    assert (answer.status_code, code_of(answer)) == (409, "reason_required")


async def test_only_what_the_form_offers_can_be_chosen(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        for said in ({"task": "t-of-another-case"}, {"task": ""}, {}):
            answer = await pressed(visitor, "reassign", **said, to=SECOND, reason=WHY)  # type: ignore[arg-type]
            assert (answer.status_code, code_of(answer)) == (422, "choice_missing")
        answer = await pressed(visitor, "extend", stage="publication", amount="3", unit="d", reason=WHY)
        assert code_of(answer) == "choice_missing"


async def test_a_case_that_changed_meanwhile_is_shown_again_before_anything_is_done(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        form = await opened(visitor, "send_back") | {"stage": "proposal", "reason": WHY}
        site.play.decide("quality", comment="Good.", **SCORES)
        late = await visitor.post(address("send_back"), data=form)
        assert (late.status_code, code_of(late)) == (412, "case_changed")
        assert WHY in late.text and "changed" in words(late.text)
        assert site.play.state.stages["proposal"].status is StageStatus.CLOSED
        fresh = hidden(late.text) | {"stage": "proposal", "reason": WHY}
        assert (await visitor.post(address("send_back"), data=fresh)).status_code == 303


async def test_an_act_that_became_impossible_is_told_so_and_its_words_are_given_back(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        form = await opened(visitor, "hold") | {"reason": WHY}
        site.play.act(Held(actor=SECOND, reason="Already.", by_office=True))
        late = await visitor.post(address("hold"), data=form)
    assert late.status_code == 403 and "This cannot be done now." in late.text and WHY in late.text


async def test_two_who_act_at_once_are_each_told_what_became_of_it(site: Site) -> None:
    async with site.signed_in(OFFICE) as one, site.signed_in(SECOND) as other:
        forms = [await opened(visitor, "hold") | {"reason": f"{WHY} {n}"} for n, visitor in enumerate((one, other))]
        answers = await asyncio.gather(
            one.post(address("hold"), data=forms[0]), other.post(address("hold"), data=forms[1])
        )
    assert sorted(answer.status_code for answer in answers)[0] == 303
    assert sorted(answer.status_code for answer in answers)[1] in (403, 409, 412)
    assert event_types(site.play.database, HERE).count(EventType.CASE_HELD) == 1


async def test_a_form_pressed_twice_is_done_once_and_leads_to_the_same_place(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        said = {"stage": "quality", "amount": "2", "unit": "d", "reason": WHY}
        form = await opened(visitor, "extend") | said
        answers = await asyncio.gather(*(visitor.post(address("extend"), data=form) for _ in range(3)))
        later = await visitor.post(address("extend"), data=form)
        assert {answer.status_code for answer in (*answers, later)} == {303}
        assert len({answer.headers["location"] for answer in (*answers, later)}) == 1
        other = await visitor.post(address("extend"), data=form | {"amount": "9"})
        assert (other.status_code, code_of(other)) == (409, "form_sent_before")
    assert event_types(site.play.database, HERE).count(EventType.STAGE_EXTENDED) == 1


async def test_a_second_press_is_not_held_to_what_the_first_one_changed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = Guard.admit
    other_press: list[httpx.Response] = []
    async with site.signed_in(OFFICE) as visitor:
        form = await opened(visitor, "hold") | {"reason": WHY}

        async def admit_late(guard: Guard, *asked: Any) -> None:
            """By the time that this press is looked at, the other is done."""
            monkeypatch.setattr(Guard, "admit", admit)
            other_press.append(await visitor.post(address("hold"), data=form))
            await admit(guard, *asked)

        monkeypatch.setattr(Guard, "admit", admit_late)
        answers = [await visitor.post(address("hold"), data=form), *other_press]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert event_types(site.play.database, HERE).count(EventType.CASE_HELD) == 1


async def test_a_form_whose_answer_was_lost_can_be_sent_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.web import Played

    whole = Played._answer

    def lost(self: Played, event: Any) -> Any:
        whole(self, event)
        raise Unavailable("not_recorded_yet", "The act was received but is not confirmed yet.")

    async with site.signed_in(OFFICE) as visitor:
        form = await opened(visitor, "extend")
        said = {"stage": "quality", "amount": "2", "unit": "d", "reason": WHY}
        with monkeypatch.context() as patch:
            patch.setattr(Played, "_answer", lost)
            answer = await visitor.post(address("extend"), data=form | said)
        assert answer.status_code == 503 and "it is done once" in answer.text and WHY in answer.text
        assert hidden(answer.text) == form
        assert (await visitor.post(address("extend"), data=form | said)).status_code == 303
    assert event_types(site.play.database, HERE).count(EventType.STAGE_EXTENDED) == 1


async def test_looking_at_a_form_changes_nothing(site: Site) -> None:
    from tests.web import everything

    async with site.signed_in(OFFICE) as visitor:
        await visitor.get("/")
        before = everything(site.play.database)
        for act in filter(has_form, CaseAct):
            for _ in range(2):
                await visitor.get(address(act))
                await visitor.head(address(act))
        assert everything(site.play.database) == before


async def test_the_page_of_a_case_says_what_was_recorded_to_whoever_did_it_only(site: Site) -> None:
    site.play.act(Held(actor=OFFICE, reason=WHY, by_office=True))
    position = len(event_types(site.play.database, HERE))
    for person, told in ((OFFICE, True), (SECOND, False)):
        async with site.signed_in(person) as visitor:
            page = words((await visitor.get(f"/cases/{HERE}?done={position}")).text)
        assert ("put the case on hold" in page.partition("Recorded.")[2][:40].lower()) == told


def proposed(actor: str) -> ActProposed:
    return ActProposed(act_id="a-1", act=OfficeAct.SKIP, actor=actor, stage="quality", outcome=StageOutcome.SKIPPED,
                       reason=WHY, by_office=True)  # fmt: skip


async def test_what_waits_for_a_second_person_leads_to_its_form(site: Site) -> None:
    site.play.act(proposed(OFFICE))
    async with site.signed_in(SECOND) as visitor:
        assert f"{address('confirm')}?act_id=a-1" in (await visitor.get(f"/cases/{HERE}")).text
