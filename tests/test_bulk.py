"""An act on many cases on a real Temporal server: previewed, carried out, stopped and taken up again."""

import asyncio
from typing import Any

import pytest

from imprimatur.bulk import Bulk, BulkAct, BulkReport, Selection
from imprimatur.bulk_acts import Words, bulk_act
from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.store.bulks import Item, carried_out
from imprimatur.store.frameworks import framework
from models.calendars import BusinessDuration
from models.case import CaseState
from models.events import Act, Migration
from models.messages import CaseAnswer
from models.plan import Plan
from models.vocabulary import BulkResult, CaseStatus, EventType
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, SECOND, ledger_rows
from tests.governed import QUINN, ROSA, VERA, review
from tests.governed_stories import answers, asked, begin, data_of, task_of
from tests.stories import people

E = EventType
WHY = "The board said so."
DONE, BEFORE, REFUSED = BulkResult.DONE, BulkResult.DONE_BEFORE, BulkResult.REFUSED
THREE_DAYS: dict[str, Any] = {"by": "3d", "span": BusinessDuration(business_days=3)}


class Failing:
    """The gateway, which fails at one case: before the act (``lost`` is False), or after it, so that nobody hears."""

    def __init__(self, live: Engine, at: str, *, lost: bool = False, code: str = "temporal_unavailable") -> None:
        self._live, self._at, self._lost, self._code = live, at, lost, code
        self.asked: list[str] = []

    async def act(self, case_id: str, event: Act | Migration, update_id: str | None = None) -> CaseAnswer:
        self.asked.append(case_id)
        if case_id == self._at and not self._lost:
            raise Unavailable(self._code, "It does not answer.")
        answer = await self._live.gateway.act(case_id, event, update_id)
        if case_id == self._at:
            raise Unavailable(self._code, "It does not answer.")
        return answer

    async def state(self, case_id: str) -> CaseState:
        return await self._live.gateway.state(case_id)

    async def plan(self, case_id: str) -> Plan:
        return await self._live.gateway.plan(case_id)


@pytest.fixture
async def cases(live: Engine) -> list[str]:
    """Three of one framework, in review."""
    people(live, f"{VERA},Vera,deputy,yes")
    first = await begin(live, "many", review(), review("last", "quality"))
    others = [live.case_id(f"many_{number}") for number in (2, 3)]
    for case_id in others:
        await live.submit("industry-credit", framework(live.database, "many").id, case_id)
    return [first, *others]


def prepared(live: Engine, name: str, selection: Selection | None = None, actor: str = OFFICE, **words: Any) -> BulkAct:
    found = selection or Selection(framework="many")
    return bulk_act(live.gateway, live.database, name, found, Words(**words), actor)


async def done(live: Engine, name: str, selection: Selection | None = None, **words: Any) -> BulkReport:
    return await Bulk(live.gateway, live.database).run(prepared(live, name, selection, **words))


async def foreseen(live: Engine, name: str, selection: Selection | None = None, **words: Any) -> BulkReport:
    return await Bulk(live.gateway, live.database).preview(prepared(live, name, selection, **words))


def results(report: BulkReport) -> list[BulkResult]:
    return [result.result for result in report.results]


def statuses(live: Engine, cases: list[str]) -> list[CaseStatus]:
    return [live.show(case_id).status for case_id in cases]


async def test_a_preview_says_what_would_happen_and_changes_nothing(live: Engine, cases: list[str]) -> None:
    await live.gateway.withdraw(cases[2], actor=OFFICE, reason=WHY)
    before = [ledger_rows(live.database, case_id) for case_id in cases]
    report = await foreseen(live, "hold", Selection(case_ids=(*cases, "mc-nope")), reason=WHY)
    assert [result.code for result in report.results] == [None, None, "case_closed", "case_unknown"]
    assert report.results[0].consequences == ["hold case", "pause clock", "pause stage quality"]
    assert [ledger_rows(live.database, case_id) for case_id in cases] == before
    assert live.refusals() == [], "nobody tried anything"


async def test_every_case_is_acted_on_and_its_ledger_names_the_bulk(live: Engine, cases: list[str]) -> None:
    report = await done(live, "hold", reason=WHY)
    assert results(report) == [DONE] * 3 and report.is_whole
    assert statuses(live, cases) == [CaseStatus.ON_HOLD] * 3
    for case_id in cases:
        [fact] = data_of(live, case_id, E.CASE_HELD)
        assert (fact["bulk"], fact["by"], fact["reason"]) == (report.bulk_id, OFFICE, WHY)
        live.assert_whole(case_id)


async def test_one_refused_case_does_not_stop_the_others(live: Engine, cases: list[str]) -> None:
    await done(live, "hold", Selection(case_ids=(cases[1],)), reason=WHY)
    report = await done(live, "nudge")
    assert [(r.result, r.code) for r in report.results] == [(DONE, None), (REFUSED, "case_on_hold"), (DONE, None)]
    assert not report.is_whole
    assert live.refusals() == ["case_on_hold"]


async def test_the_same_operation_after_its_end_is_a_new_one(live: Engine, cases: list[str]) -> None:
    first, second = await done(live, "nudge"), await done(live, "nudge")
    assert first.bulk_id != second.bulk_id and not second.resumed
    for case_id in cases:
        told = [fact["bulk"] for fact in data_of(live, case_id, E.REMINDER_SENT)]
        assert told == [first.bulk_id] * 3 + [second.bulk_id] * 3


@pytest.mark.parametrize("lost", [False, True], ids=["before the act", "after the act"])
async def test_an_operation_that_was_stopped_goes_on_and_does_nothing_twice(
    live: Engine, cases: list[str], lost: bool
) -> None:
    failing = Failing(live, cases[1], lost=lost)
    with pytest.raises(Unavailable):
        await Bulk(failing, live.database).run(prepared(live, "extend", stage="quality", reason=WHY, **THREE_DAYS))
    late = await begin(live, "late", review())
    report = await done(live, "extend", stage="quality", reason=WHY, **THREE_DAYS)
    assert report.resumed and late not in [result.case_id for result in report.results], "the cases chosen then"
    assert {*results(report)} <= {DONE, BEFORE}
    for case_id in cases:
        assert [fact["bulk"] for fact in data_of(live, case_id, E.STAGE_EXTENDED)] == [report.bulk_id]
    assert not (await done(live, "nudge", Selection(case_ids=(late,)))).resumed


async def test_a_closed_case_is_not_withdrawn_twice_though_nobody_heard_of_it(live: Engine, cases: list[str]) -> None:
    with pytest.raises(Unavailable):
        await Bulk(Failing(live, cases[0], lost=True), live.database).run(prepared(live, "withdraw", reason=WHY))
    report = await done(live, "withdraw", reason=WHY)
    assert report.is_whole and statuses(live, cases) == [CaseStatus.WITHDRAWN] * 3


async def test_what_one_case_does_not_answer_is_asked_again(live: Engine, cases: list[str]) -> None:
    failing = Failing(live, cases[1], code="not_recorded_yet")
    report = await Bulk(failing, live.database).run(prepared(live, "hold", reason=WHY))
    assert results(report) == [DONE, BulkResult.UNANSWERED, DONE] and not report.is_whole
    again = await done(live, "hold", reason=WHY)
    assert results(again) == [BEFORE, DONE, BEFORE] and again.bulk_id == report.bulk_id


async def test_progress_is_told_case_by_case(live: Engine, cases: list[str]) -> None:
    told: list[object] = []
    acting = Bulk(live.gateway, live.database, counted=told.append, advanced=lambda: told.append("one"))
    await acting.run(prepared(live, "hold", reason=WHY))
    assert told == [3, "one", "one", "one"]


async def test_two_people_skip_a_stage_in_many_cases(live: Engine, cases: list[str]) -> None:
    assert (await done(live, "skip", stage="quality", reason=WHY)).is_whole
    mine = await done(live, "confirm")
    assert [result.code for result in mine.results] == ["second_person_required"] * 3
    report = await done(live, "confirm", actor=SECOND)
    assert report.is_whole and len(report.results) == 3
    assert [live.outcomes(case_id)["quality"] for case_id in cases] == ["skipped"] * 3
    assert all(asked(live, case_id, "last") for case_id in cases)


async def test_a_stage_is_overridden_and_sent_back_in_many_cases(live: Engine, cases: list[str]) -> None:
    await done(live, "override", stage="quality", outcome="approved", reason=WHY)
    await done(live, "confirm", actor=SECOND)
    assert [live.outcomes(case_id)["quality"] for case_id in cases] == ["approved"] * 3
    assert (await done(live, "send-back", to="quality", reason=WHY)).is_whole
    assert [live.show(case_id).round for case_id in cases] == [2, 2, 2]


async def test_tasks_of_one_person_go_to_another(live: Engine, cases: list[str]) -> None:
    await answers(live, cases[0], quinn="approve")
    report = await done(live, "reassign", person=QUINN, to=VERA, reason=WHY)
    assert [result.case_id for result in report.results] == cases[1:], "where she has answered nothing is open"
    assert all(result.subject.startswith("t-") for result in report.results)
    own = await done(live, "delegate", Selection(case_ids=(cases[2],)), actor=ROSA, to=VERA)
    assert [result.code for result in own.results] == ["already_asked"]


async def test_answers_of_one_person_are_annulled(live: Engine, cases: list[str]) -> None:
    for case_id in cases[:2]:
        await answers(live, case_id, quinn="reject")
    report = await done(live, "annul", person=QUINN, reason=WHY)
    assert results(report) == [DONE, DONE]
    assert all(task_of(live, case_id, QUINN) for case_id in cases)


async def test_a_hold_is_ended_in_the_cases_that_are_held(live: Engine, cases: list[str]) -> None:
    await done(live, "hold", Selection(case_ids=tuple(cases[:2])), reason=WHY)
    report = await done(live, "resume", Selection(status="on_hold"), reason=WHY)
    assert [result.case_id for result in report.results] == cases[:2] and report.is_whole
    nothing = await done(live, "resume", Selection(status="on_hold"), reason=WHY)
    assert (nothing.results, nothing.bulk_id, nothing.is_whole) == ([], "", True)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"status": "in_review"}, "111"),
        ({"stage": "last"}, "010"),
        ({"framework": "many@1"}, "111"),
        ({"framework": "many@2"}, "000"),
        ({"overdue": True}, "000"),
        ({"everything": True}, "111"),
        ({"everything": True, "stage": "last"}, "010"),
    ],
    ids=str,
)
async def test_cases_are_chosen_as_lists_are(
    live: Engine, cases: list[str], choice: dict[str, Any], expected: str
) -> None:
    await answers(live, cases[1], quinn="approve", rosa="approve")
    chosen = Selection(**choice).chosen(live.database)
    assert chosen == [case for case, wanted in zip(cases, expected, strict=True) if wanted == "1"]


@pytest.mark.parametrize(
    ("name", "selection", "words", "actor", "code"),
    [
        ("dance", Selection(everything=True), {}, OFFICE, "bulk_act_unknown"),
        ("hold", Selection(), {"reason": WHY}, OFFICE, "bulk_choice"),
        ("hold", Selection(everything=True, status="in_review"), {"reason": WHY}, OFFICE, "bulk_choice"),
        ("hold", Selection(case_ids=("mc-a",), overdue=True), {"reason": WHY}, OFFICE, "bulk_choice"),
        ("hold", Selection(case_ids=("mc-a",)), {"reason": WHY, "stage": "quality"}, OFFICE, "bulk_choice"),
        ("hold", Selection(everything=True), {"reason": " "}, OFFICE, "bulk_options"),
        ("hold", Selection(everything=True), {"reason": WHY, "to": VERA}, OFFICE, "bulk_options"),
        ("nudge", Selection(everything=True), {"reason": WHY}, OFFICE, "bulk_options"),
        ("extend", Selection(everything=True), {"reason": WHY, "by": "3d"}, OFFICE, "bulk_options"),
        (
            "override",
            Selection(everything=True),
            {"reason": WHY, "stage": "quality", "outcome": "fine"},
            OFFICE,
            "outcome_unknown",
        ),
        ("hold", Selection(everything=True), {"reason": WHY}, PROPOSER, "not_the_office"),
        ("hold", Selection(everything=True), {"reason": WHY}, "nobody@example.edu", "person_unknown"),
        ("delegate", Selection(everything=True), {"to": "nobody@example.edu"}, OFFICE, "person_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_operation_is_refused_as_a_whole_before_any_case_is_touched(
    live: Engine, name: str, selection: Selection, words: dict[str, Any], actor: str, code: str
) -> None:
    with pytest.raises(ImprimaturError) as refused:
        prepared(live, name, selection, actor, **words)
    assert refused.value.code == code and refused.value.hint


async def test_a_run_that_is_broken_off_leaves_each_act_done_once(live: Engine, cases: list[str]) -> None:
    begun = asyncio.Event()
    act = prepared(live, "reassign", person=QUINN, to=VERA, reason=WHY)
    running = asyncio.create_task(Bulk(live.gateway, live.database, advanced=begun.set).run(act))
    await begun.wait()
    running.cancel()
    await asyncio.wait([running])
    report = await done(live, "reassign", person=QUINN, to=VERA, reason=WHY)
    assert {*results(report)} <= {DONE, BEFORE} and len(report.results) == 3
    for case_id in cases:
        assert [fact["bulk"] for fact in data_of(live, case_id, E.TASK_PASSED_ON)] == [report.bulk_id]
        await live.assert_agrees(case_id)


@pytest.mark.parametrize("name", ["confirm", "annul", "reassign"])
async def test_what_nobody_heard_of_is_found_in_what_the_case_has_written(
    live: Engine, cases: list[str], name: str
) -> None:
    """Each act on what a case may have several of: which of them it was is found as well."""
    for case_id in cases:
        await answers(live, case_id, rosa="approve")
    await done(live, "skip", stage="quality", reason=WHY)
    words: dict[str, Any] = {"confirm": {"actor": SECOND}, "annul": {"person": ROSA, "reason": WHY}}.get(name, {})
    words = words or {"person": QUINN, "to": VERA, "reason": WHY}
    with pytest.raises(Unavailable):
        await Bulk(Failing(live, cases[0], lost=True), live.database).run(prepared(live, name, **words))
    before = ledger_rows(live.database, cases[0])
    report = await done(live, name, **words)
    assert report.is_whole and report.resumed
    assert ledger_rows(live.database, cases[0]) == before
    for result in report.results:
        assert carried_out(live.database, report.bulk_id, Item(result.case_id, result.subject))
        assert not carried_out(live.database, report.bulk_id, Item(result.case_id, "t-another"))
        assert not carried_out(live.database, "b-another", Item(result.case_id, result.subject))
