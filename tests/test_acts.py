"""Acts on running cases: refused without a trace in Temporal, repeated without harm, many at the same instant."""

import asyncio
from collections.abc import Callable

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from imprimatur.errors import Gone, ImprimaturError, NotAllowed, Refused
from imprimatur.store.reading import TaskView
from models.case import Decided, Event, Revised, Submitted, Withdrawn
from models.messages import DecisionReceipt
from models.vocabulary import CaseStatus, EventType, Verdict
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, example, ledger_rows
from tests.stories import REASON, STORIES, WHY, approved

STRANGER = "eva.admin@example.edu"


def decisions(engine: Engine, case_id: str) -> list[dict[str, object]]:
    return [row for row in ledger_rows(engine.database, case_id) if row["type"] == EventType.DECISION_RECORDED]


async def refused(engine: Engine, update: str, case_id: str, event: Event) -> str:
    """The code with which the case itself refuses."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await engine.handle(case_id).execute_update(update, event)
    assert isinstance(failed.value.cause, ApplicationError)
    return str(failed.value.cause.type)


async def test_a_refused_act_leaves_no_history(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id, "proposal")
    by_stranger = Decided(decision_id="d-1", task_id=task.task_id, actor=STRANGER, verdict=Verdict.APPROVE)
    nowhere = by_stranger.model_copy(update={"task_id": "t-nowhere"})
    acts: list[tuple[str, Event, str]] = [
        ("decide", by_stranger, "not_your_task"),
        ("decide", nowhere, "task_unknown"),
        ("revise", Revised(actor=PROPOSER, digest="0" * 64, complete=True, changed=()), "revision_not_requested"),
        ("withdraw", Withdrawn(actor=STRANGER, reason=REASON), "not_the_proposer"),
        ("withdraw", Withdrawn(actor=PROPOSER, reason=" \n"), "reason_required"),
        ("submit", Submitted(actor=PROPOSER, digest="0" * 64, complete=True), "already_submitted"),
    ]
    before = await live.history_length(case_id)
    assert [await refused(live, update, case_id, event) for update, event, _ in acts] == [code for *_, code in acts]
    assert await live.history_length(case_id) == before
    await live.decide(case_id, "proposal")
    assert await live.history_length(case_id) > before


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda g, c: g.revise(c, example("industry-credit.revised"), actor=STRANGER), "not_the_proposer"),
        (lambda g, c: g.revise(c, example("industry-credit"), actor=PROPOSER), "proposal_unchanged"),
        (lambda g, c: g.withdraw(c, actor=STRANGER.replace("eva", "ava"), reason=REASON), "not_the_proposer"),
    ],
)
async def test_a_case_that_waits_for_its_proposer_waits_for_nobody_else(
    live: Engine, act: Callable[..., object], code: str
) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    await live.decide(case_id, "proposal", "request_changes", WHY)
    before = await live.history_length(case_id)
    with pytest.raises(Refused) as found:
        await act(live.gateway, case_id)  # type: ignore[misc]
    assert found.value.code == code
    assert await live.history_length(case_id) == before
    assert live.refusals(case_id) == [code]


async def test_the_same_answer_again_gets_the_first_receipt(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id)
    first = await live.answer(task, comment=" Well done. ")
    again = await live.answer(task, comment="Well done.")
    assert again == first
    assert len(decisions(live, case_id)) == 1
    proof = ledger_rows(live.database, case_id)[first.position - 1]
    assert (proof["digest"], proof["type"]) == (first.digest, EventType.DECISION_RECORDED)


async def test_the_first_receipt_outlives_the_case(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    tasks, receipts = [], []
    while live.show(case_id).status is CaseStatus.IN_REVIEW:
        tasks.append(live.tasks(case_id)[0])
        receipts.append(await live.answer(tasks[-1]))
    assert [await live.answer(task) for task in tasks] == receipts
    assert receipts[-1].case_status is CaseStatus.PUBLISHED
    assert live.refusals() == []


async def test_the_first_receipt_outlives_a_history_that_was_cut(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    [task] = live.tasks(case_id)
    first = await live.answer(task, "request_changes", WHY)
    run = (await live.handle(case_id).describe()).run_id
    for number in range(5):
        changed = example("non-credit").model_copy(update={"summary": f"Said better, {number}."})
        await live.gateway.revise(case_id, changed, actor=PROPOSER)
        await live.decide(case_id, "proposal", "request_changes", WHY)
    assert (await live.handle(case_id).describe()).run_id != run, "the case has continued as new"
    assert await live.answer(task, "request_changes", WHY) == first
    live.assert_whole(case_id)


async def test_a_different_second_answer_is_refused(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id)
    await live.answer(task)
    before = await live.history_length(case_id)
    for verdict, comment in (("reject", WHY), ("approve", "On second thoughts: very good.")):
        with pytest.raises(Gone) as found:
            await live.answer(task, verdict, comment)
        assert found.value.code == "already_decided"
    assert await live.history_length(case_id) == before
    assert [row["data"]["verdict"] for row in decisions(live, case_id)] == ["approve"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["industry_published", "rejected", "withdrawn_by_proposer"])
async def test_who_answers_after_the_end_is_told_by_whose_decision_the_task_closed(live: Engine, name: str) -> None:
    case_id = await STORIES[name](live)
    closed = next(row for row in live.task_rows(case_id) if row["status"] == "closed")
    decided = next(row for row in live.task_rows(case_id) if row["status"] == "decided")

    async def late(row: dict[str, object], actor: object) -> ImprimaturError:
        with pytest.raises(Refused) as found:
            await live.gateway.decide(task_id=str(row["task_id"]), verdict="abstain", actor=str(actor))
        return found.value

    told = await late(closed, closed["assignee"])
    assert (told.code, type(told)) == ("task_closed", Gone)
    assert told.message.endswith(f" {closed['closed_by']}.")
    assert (await late(decided, decided["assignee"])).code == "already_decided"
    assert isinstance(await late(closed, STRANGER), NotAllowed)
    assert live.refusals(case_id) == ["task_closed", "already_decided", "not_your_task"]


async def all_quality(engine: Engine) -> tuple[str, list[TaskView]]:
    case_id = (await engine.submit("coursework-credit")).case_id
    await approved(engine, case_id, "proposal")
    return case_id, engine.tasks(case_id, "quality")


async def test_of_three_who_decide_at_the_same_instant_two_are_needed(live: Engine) -> None:
    case_id, tasks = await all_quality(live)
    found = await asyncio.gather(*map(live.answer, tasks), return_exceptions=True)
    receipts = [answer for answer in found if isinstance(answer, DecisionReceipt)]
    assert sorted(str(receipt.stage_outcome) for receipt in receipts) == ["None", "approved"]
    [late] = [answer for answer in found if isinstance(answer, Gone)]
    assert late.code == "task_closed"
    names = [task.assignee for task, answer in zip(tasks, found, strict=True) if isinstance(answer, DecisionReceipt)]
    assert any(late.message.endswith(f"by the decision of {name}.") for name in names)
    assert live.refusals(case_id) == ["task_closed"]
    assert len(decisions(live, case_id)) == 3, "one in the stage before"
    live.assert_whole(case_id)


async def test_two_people_who_decide_at_the_same_instant_are_both_recorded(live: Engine) -> None:
    case_id, tasks = await all_quality(live)
    [adviser] = live.tasks(case_id, "industry")
    receipts = await asyncio.gather(live.answer(tasks[0]), live.answer(adviser))
    assert len({receipt.position for receipt in receipts}) == 2
    assert len(decisions(live, case_id)) == 3
    live.assert_whole(case_id)


async def test_ten_clicks_are_one_decision(live: Engine) -> None:
    case_id, tasks = await all_quality(live)
    receipts = await asyncio.gather(*(live.answer(tasks[0]) for _ in range(10)))
    assert len(set(map(repr, receipts))) == 1
    assert len(decisions(live, case_id)) == 2
    live.assert_whole(case_id)


async def test_of_ten_different_answers_of_one_person_one_counts(live: Engine) -> None:
    case_id, tasks = await all_quality(live)
    answers = (live.answer(tasks[0], comment=f"Thought {number}.") for number in range(10))
    found = await asyncio.gather(*answers, return_exceptions=True)
    [receipt] = [answer for answer in found if isinstance(answer, DecisionReceipt)]
    assert [error.code for error in found if isinstance(error, Gone)] == ["already_decided"] * 9
    assert decisions(live, case_id)[-1]["data"]["decision_id"] == receipt.decision_id  # type: ignore[index]
    assert live.refusals(case_id) == ["already_decided"] * 9
    live.assert_whole(case_id)


async def test_of_a_decision_and_a_withdrawal_at_the_same_instant_both_or_the_withdrawal_counts(live: Engine) -> None:
    cases = [(await live.submit("non-credit")).case_id for _ in range(4)]
    acts = [
        act
        for case_id in cases
        for act in (live.decide(case_id, "proposal"), live.gateway.withdraw(case_id, actor=OFFICE, reason=REASON))
    ]
    found = await asyncio.gather(*acts, return_exceptions=True)
    assert {live.show(case_id).status for case_id in cases} == {CaseStatus.WITHDRAWN}
    for case_id, answer in zip(cases, found[::2], strict=True):
        recorded = isinstance(answer, DecisionReceipt)
        assert recorded or isinstance(answer, Gone)
        assert len(decisions(live, case_id)) == recorded
    live.assert_whole(*cases)
