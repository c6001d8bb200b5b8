"""Votes, silence, kinds of stage and acts of the office, each played once on the running engine; for tests.

A story acts on an :class:`~tests.engine.Engine`, says what must come of it, and answers its case.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from imprimatur.office import Office
from imprimatur.store.frameworks import add_framework
from imprimatur.store.reading import TaskView
from models.calendars import BusinessDuration
from models.proposal import Proposal
from models.vocabulary import CaseStatus, EventType, OfficeAct, Party, StageOutcome
from tests.engine import Engine
from tests.facts import OFFICE, SECOND, ledger_rows
from tests.governed import (
    CLAUSE,
    DAYS,
    DIRECTOR,
    QUINN,
    ROSA,
    SAM,
    VERA,
    VITO,
    endorsement,
    framework_of,
    information,
    review,
    sla,
    window,
)
from tests.stories import WHY, begun

E = EventType
DAY = dt.timedelta(days=1)
REASON = "The board met and said so."
PUBLISHED, REJECTED = CaseStatus.PUBLISHED, CaseStatus.REJECTED
Story = Callable[[Engine], Awaitable[str]]
GOVERNED: dict[str, Story] = {}


def governed(told: Story) -> Story:
    GOVERNED[told.__name__] = told
    return told


async def begin(
    engine: Engine, name: str, *stages: dict[str, Any], submits: Proposal | str = "industry-credit", **change: Any
) -> str:
    """A case under a framework of these stages, then publication."""
    policy = framework_of(*stages, framework_id=name.replace("_", "-"), **change)
    add_framework(engine.database, policy, dt.datetime.now(dt.UTC))
    return await begun(engine, name, submits, policy.id)


def office(engine: Engine) -> Office:
    return Office(engine.gateway, engine.database)


def task_of(engine: Engine, case_id: str, person: str) -> TaskView:
    return next(task for task in engine.tasks(case_id) if task.assignee == person)


async def answers(engine: Engine, case_id: str, **verdicts: str) -> None:
    """By the first names of reviewers, in order."""
    for name, verdict in verdicts.items():
        person = next(task for task in engine.tasks(case_id) if task.assignee.startswith(f"{name}."))
        await engine.answer(person, verdict, "" if verdict in ("approve", "recuse") else WHY)


def asked(engine: Engine, case_id: str, stage: str = "quality") -> list[str]:
    return sorted(task.assignee for task in engine.tasks(case_id, stage))


def data_of(engine: Engine, case_id: str, kind: EventType) -> list[dict[str, Any]]:
    return [row["data"] | {"by": row["actor"]} for row in ledger_rows(engine.database, case_id) if row["type"] == kind]


def reason_of(engine: Engine, case_id: str, stage: str = "quality") -> str:
    return next(view.reason for view in engine.show(case_id).stages if view.stage == stage)


# --- votes --------------------------------------------------------------------------------------------------------


@governed
async def percentage_with_weights(engine: Engine) -> str:
    """Two thirds of a weight of five: the heavier two carry it."""
    rule = {"quorum": 2, "method": "percentage", "threshold_percent": 66.7, "weights": {"academic_director": 3}}
    reviewers = [{"role": "quality_reviewer", "count": 2}, {"role": "academic_director"}]
    case_id = await begin(engine, "percentage_with_weights", review(voting=rule, reviewers=reviewers))
    others = [task for task in engine.tasks(case_id) if task.assignee != DIRECTOR]
    await engine.answer(others[0], "reject", WHY)
    await answers(engine, case_id, dora="approve")
    assert engine.outcomes(case_id)["quality"] is None, "three of five are 60 %"
    await engine.answer(others[1])
    assert engine.show(case_id).status is PUBLISHED
    assert reason_of(engine, case_id) == "4 approved by weight (4 needed), 3 took part (2 needed)"
    return case_id


@governed
async def recusal_with_deputy(engine: Engine) -> str:
    rule = {"quorum": 3, "method": "unanimity", "deputies": "deputy"}
    case_id = await begin(engine, "recusal_with_deputy", review(voting=rule))
    await answers(engine, case_id, quinn="recuse")
    [deputy] = [person for person in asked(engine, case_id) if "deputy" in person]
    assert set(asked(engine, case_id)) == {deputy, ROSA, SAM}
    await answers(engine, case_id, rosa="approve", sam="approve", **{deputy.split(".")[0]: "approve"})
    assert engine.show(case_id).status is PUBLISHED
    return case_id


# --- kinds of stage -----------------------------------------------------------------------------------------------


@governed
async def endorsed_then_approved(engine: Engine) -> str:
    case_id = await begin(engine, "endorsed_then_approved", endorsement(), review("quality", "faculty"))
    assert asked(engine, case_id) == []
    await answers(engine, case_id, quinn="endorse")
    assert engine.outcomes(case_id)["faculty"] == "endorsed"
    await answers(engine, case_id, rosa="approve", sam="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


@governed
async def only_informed(engine: Engine) -> str:
    case_id = await begin(engine, "only_informed", information(), review("quality", "notice"))
    [told] = [task for task in engine.tasks(case_id, "notice") if task.assignee == QUINN]
    receipt = await engine.answer(told, "acknowledge")
    assert receipt.stage_outcome == "informed"
    await answers_in(engine, case_id, "quality", "approve", 2)
    assert engine.show(case_id).status is PUBLISHED
    assert ("task_closed", ROSA) in engine.mail(case_id)
    return case_id


async def answers_in(engine: Engine, case_id: str, stage: str, verdict: str, number: int) -> None:
    for _ in range(number):
        await engine.decide(case_id, stage, verdict, "" if verdict == "approve" else WHY)


@governed
async def nobody_objected(engine: Engine) -> str:
    case_id = await begin(engine, "nobody_objected", window())
    await engine.decide(case_id, "window", "acknowledge")
    due_at = engine.show(case_id).stages[0].due_at
    assert due_at is not None
    await engine.until(case_id, due_at)
    assert engine.show(case_id).status is PUBLISHED
    assert reason_of(engine, case_id, "window").endswith(CLAUSE.rstrip("."))
    assert E.SLA_BREACHED not in engine.types(case_id)
    return case_id


@governed
async def somebody_objected(engine: Engine) -> str:
    case_id = await begin(engine, "somebody_objected", window())
    await engine.decide(case_id, "window", "object", WHY)
    assert DIRECTOR in asked(engine, case_id, "window")
    due_at = engine.show(case_id).stages[0].due_at
    assert due_at is not None
    await engine.until(case_id, due_at + DAY)
    assert asked(engine, case_id, "window") == [DIRECTOR], "nobody else can object any more"
    await engine.decide(case_id, "window", "reject", WHY)
    assert engine.show(case_id).status is REJECTED
    return case_id


# --- when time runs out -------------------------------------------------------------------------------------------


async def run_out(engine: Engine, name: str, **promise: Any) -> str:
    """A stage of three in which nobody answers until it is due."""
    case_id = await begin(engine, name, review(sla=sla(**promise)))
    due_at = engine.show(case_id).stages[0].due_at
    assert due_at is not None
    await engine.until(case_id, due_at)
    assert data_of(engine, case_id, E.SLA_BREACHED)[0]["waiting_for"] == [QUINN, ROSA, SAM]
    return case_id


@governed
async def approved_by_silence(engine: Engine) -> str:
    case_id = await run_out(engine, "approved_by_silence", at_breach="approve", policy_clause=CLAUSE)
    assert (engine.show(case_id).status, engine.outcomes(case_id)["quality"]) == (PUBLISHED, "approved")
    assert reason_of(engine, case_id) == f"nobody decided in time; the policy says: {CLAUSE.rstrip('.')}"
    return case_id


@governed
async def rejected_by_silence(engine: Engine) -> str:
    case_id = await run_out(engine, "rejected_by_silence", at_breach="reject", policy_clause=CLAUSE)
    assert (engine.show(case_id).status, engine.outcomes(case_id)["quality"]) == (REJECTED, "rejected")
    return case_id


@governed
async def skipped_at_breach(engine: Engine) -> str:
    case_id = await run_out(engine, "skipped_at_breach", at_breach="skip", policy_clause=CLAUSE)
    assert (engine.show(case_id).status, engine.outcomes(case_id)["quality"]) == (PUBLISHED, "skipped")
    return case_id


@governed
async def reassigned_at_breach(engine: Engine) -> str:
    """Two deputies for three who were silent: the office hears of the third."""
    case_id = await run_out(engine, "reassigned_at_breach", at_breach="reassign", deputies="deputy")
    assert set(asked(engine, case_id)) == {VERA, VITO, DIRECTOR}
    assert [fact["kind"] for fact in data_of(engine, case_id, E.INCIDENT_OPENED)] == ["no_deputy"]
    assert engine.show(case_id).incidents == [], "somebody was found by escalation"
    await answers(engine, case_id, vera="approve", vito="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


@governed
async def reminded_at_breach(engine: Engine) -> str:
    case_id = await run_out(engine, "reminded_at_breach", at_breach="remind")
    before = engine.types(case_id).count(E.REMINDER_SENT)
    await engine.next_deadline(case_id)
    assert engine.types(case_id).count(E.REMINDER_SENT) == before + 3
    await answers(engine, case_id, quinn="approve", rosa="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


@governed
async def escalated_in_steps(engine: Engine) -> str:
    then = [{"after": {DAYS: 1}, "to": "governance_office"}, {"after": {DAYS: 3}, "to": "admin"}]
    case_id = await run_out(engine, "escalated_in_steps", then=then)
    for _ in then:
        await engine.next_deadline(case_id)
    steps = [data["to"] for data in data_of(engine, case_id, E.STAGE_ESCALATED)]
    assert steps[0] == [DIRECTOR] and steps[2] == ["eva.admin@example.edu"]
    assert steps[1][0] in (OFFICE, SECOND)
    await answers(engine, case_id, eva="approve", dora="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


# --- acts of the office -------------------------------------------------------------------------------------------


@governed
async def held_and_resumed(engine: Engine) -> str:
    """For two months, in which nothing falls due; then the same business time is left as before."""
    case_id = await begin(engine, "held_and_resumed", review())
    due_at = engine.show(case_id).stages[0].due_at
    await office(engine).hold(case_id, actor=OFFICE, reason=REASON)
    before = engine.types(case_id)
    assert engine.show(case_id).running == [Party.OFFICE]
    await engine.gateway.forward(case_id, 60 * DAY)
    assert engine.types(case_id) == before
    await office(engine).resume(case_id, actor=OFFICE, reason=REASON)
    later = engine.show(case_id).stages[0].due_at
    assert due_at is not None and later is not None and later - due_at > 50 * DAY
    assert await engine.next_deadline(case_id) < later
    assert engine.types(case_id)[-1] is E.REMINDER_SENT
    await engine.until(case_id, later)
    assert engine.types(case_id).count(E.SLA_BREACHED) == 1
    return case_id


@governed
async def extended(engine: Engine) -> str:
    case_id = await run_out(engine, "extended")
    await office(engine).extend(case_id, "quality", BusinessDuration(business_days=5), actor=OFFICE, reason=REASON)
    stage = engine.show(case_id).stages[0]
    assert stage.due_at is not None and [note.due_at for note in stage.extensions] == [stage.due_at]
    await engine.until(case_id, stage.due_at)
    assert engine.types(case_id).count(E.SLA_BREACHED) == 2
    return case_id


async def by_two(engine: Engine, name: str, act: OfficeAct, outcome: StageOutcome) -> str:
    case_id = await begin(engine, name, review())
    acting = office(engine)
    act_id, _ = await acting.propose(case_id, act, "quality", outcome, actor=OFFICE, reason=REASON)
    again, _ = await acting.propose(case_id, act, "quality", outcome, actor=OFFICE, reason=REASON)
    assert act_id == again
    assert engine.outcomes(case_id)["quality"] is None
    answer = await acting.confirm(case_id, act_id, actor=SECOND)
    assert answer.status is PUBLISHED
    [fact] = data_of(engine, case_id, E.STAGE_OVERRIDDEN)
    assert (fact["proposed_by"], fact["by"], fact["outcome"]) == (OFFICE, SECOND, outcome)
    return case_id


@governed
async def overridden_by_two(engine: Engine) -> str:
    return await by_two(engine, "overridden_by_two", OfficeAct.OVERRIDE, StageOutcome.APPROVED)


@governed
async def skipped_by_two(engine: Engine) -> str:
    return await by_two(engine, "skipped_by_two", OfficeAct.SKIP, StageOutcome.SKIPPED)


@governed
async def sent_back(engine: Engine) -> str:
    case_id = await begin(engine, "sent_back", review(), review("last", "quality"))
    await answers(engine, case_id, quinn="approve", rosa="approve")
    answer = await office(engine).send_back(case_id, "quality", actor=OFFICE, reason=REASON)
    assert answer.round == 2
    assert engine.outcomes(case_id) == {"quality": None, "last": None, "publication": None}
    await answers_in(engine, case_id, "quality", "approve", 2)
    await answers_in(engine, case_id, "last", "approve", 2)
    assert engine.show(case_id).status is PUBLISHED
    return case_id


@governed
async def reassigned(engine: Engine) -> str:
    case_id = await begin(engine, "reassigned", review())
    task = task_of(engine, case_id, QUINN)
    await office(engine).pass_on(task.task_id, VERA, actor=OFFICE, reason=REASON)
    assert set(asked(engine, case_id)) == {VERA, ROSA, SAM}
    await answers(engine, case_id, vera="approve", rosa="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id


@governed
async def delegated(engine: Engine) -> str:
    case_id = await begin(engine, "delegated", review())
    task = task_of(engine, case_id, QUINN)
    await office(engine).pass_on(task.task_id, VERA, actor=QUINN, reason="")
    [fact] = data_of(engine, case_id, E.TASK_PASSED_ON)
    assert (fact["from"], fact["to"], fact["why"]) == (QUINN, VERA, "delegation")
    await answers(engine, case_id, vera="reject", rosa="reject")
    assert engine.show(case_id).status is REJECTED
    return case_id


@governed
async def nudged(engine: Engine) -> str:
    case_id = await begin(engine, "nudged", review())
    await office(engine).nudge(case_id, None, actor=OFFICE)
    assert [fact["by"] for fact in data_of(engine, case_id, E.REMINDER_SENT)] == [OFFICE] * 3
    return case_id


@governed
async def annulled(engine: Engine) -> str:
    case_id = await begin(engine, "annulled", review())
    task = task_of(engine, case_id, QUINN)
    first = await engine.answer(task, "reject", WHY)
    await office(engine).annul(task.task_id, actor=OFFICE, reason=REASON)
    again = task_of(engine, case_id, QUINN)
    assert again.task_id != task.task_id
    second = await engine.answer(again, "approve")
    assert second.decision_id != first.decision_id
    await answers(engine, case_id, rosa="approve")
    assert engine.show(case_id).status is PUBLISHED
    return case_id
