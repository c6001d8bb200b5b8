"""Promised times on a real Temporal server, in each case's own virtual time."""

import asyncio
import datetime as dt
from collections import Counter

import pytest

from imprimatur.rules.clock import next_deadline
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine
from tests.facts import PROPOSER, example, ledger_rows
from tests.stories import DIRECTOR, STORIES, WHY, people

E = EventType
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def instants(engine: Engine, case_id: str, kind: EventType) -> list[dt.datetime]:
    return [row["at"] for row in ledger_rows(engine.database, case_id) if row["type"] == kind]


async def test_a_reminder_comes_before_and_a_breach_at_the_promised_time(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    stage = live.show(case_id).stages[0]
    assert stage.due_at is not None
    reminded_at = await live.next_deadline(case_id)
    assert reminded_at < stage.due_at
    assert live.types(case_id)[-1] is E.REMINDER_SENT
    assert live.show(case_id).stages[0].breached_at is None
    assert await live.next_deadline(case_id) == stage.due_at
    assert live.types(case_id)[-3:] == [E.SLA_BREACHED, E.STAGE_ESCALATED, E.TASK_ASSIGNED]
    assert live.show(case_id).stages[0].breached_at == stage.due_at, "the promise was broken at its own time"
    live.assert_whole(case_id)


async def test_what_falls_due_is_written_at_the_cases_own_time(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    reminded_at = await live.next_deadline(case_id)
    breached_at = await live.next_deadline(case_id)
    for due_at, kind in ((reminded_at, E.REMINDER_SENT), (breached_at, E.SLA_BREACHED)):
        [written_at] = instants(live, case_id, kind)
        assert due_at <= written_at < due_at + dt.timedelta(hours=1)


async def test_whoever_it_was_escalated_to_decides(live: Engine) -> None:
    case_id = await STORIES["breached_and_escalated"](live)
    assert live.outcomes(case_id)["proposal"] == "approved"
    kinds = [kind for kind, person in live.mail(case_id) if person == DIRECTOR]
    assert kinds == ["escalation", "receipt"]
    closed = [row for row in live.task_rows(case_id) if row["status"] == "closed"]
    assert [(row["stage"], row["closed_by"]) for row in closed] == [("proposal", DIRECTOR)]
    live.assert_whole(case_id)


async def test_everything_is_told_once_however_long_nobody_acts(live: Engine) -> None:
    case_id = await STORIES["case_breached"](live)
    told = Counter(live.types(case_id))
    due_at = live.show(case_id).due_at
    assert due_at is not None
    await live.until(case_id, due_at + 400 * DAY)
    assert Counter(live.types(case_id)) == told
    assert {told[kind] for kind in (E.REMINDER_SENT, E.SLA_BREACHED, E.STAGE_ESCALATED, E.CASE_SLA_BREACHED)} == {1}
    assert live.show(case_id).breached_at == due_at
    assert ("breach", DIRECTOR) in live.mail(case_id)
    assert next_deadline(await live.gateway.state(case_id)) is None, "no timer is left"
    live.assert_whole(case_id)


async def test_nothing_is_late_while_the_proposer_revises(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    due_at = live.show(case_id).due_at
    assert due_at is not None
    await live.next_deadline(case_id)
    await live.decide(case_id, "proposal", "request_changes", WHY)
    remaining = live.show(case_id).clock_remaining_seconds
    told = live.types(case_id)
    await live.until(case_id, due_at + 90 * DAY)
    assert live.types(case_id) == told, "no reminder, no breach, no escalation"
    assert live.show(case_id).due_at is None
    changed = example("non-credit").model_copy(update={"summary": "Said better."})
    await live.gateway.revise(case_id, changed, actor=PROPOSER)
    view = live.show(case_id)
    assert (view.status, view.breached_at, view.clock_remaining_seconds) == (CaseStatus.IN_REVIEW, None, None)
    assert remaining is not None and remaining > 0
    assert view.due_at is not None and view.due_at > due_at + 90 * DAY, "what was left of the time is given in full"
    live.assert_whole(case_id)


async def test_the_timer_of_a_case_whose_clock_stands_still_tells_nothing(live: Engine) -> None:
    """The last timer stood at the case's own due time when the clock was stopped."""
    case_id = await STORIES["clock_stopped_while_revising"](live)
    assert Counter(live.types(case_id))[E.CASE_SLA_BREACHED] == 0
    assert live.show(case_id).status is CaseStatus.PUBLISHED
    live.assert_whole(case_id)


async def test_an_incomplete_proposal_is_never_late(live: Engine) -> None:
    lacking = example("non-credit").model_copy(update={"summary": None})
    case_id = live.case_id("waiting")
    with pytest.raises(Exception, match="lacks 1 things"):
        await live.submit(lacking, case_id=case_id)
    told = live.types(case_id)
    await live.gateway.forward(case_id, 500 * DAY)
    assert live.types(case_id) == told


async def test_a_role_that_is_filled_later_is_asked_then(live: Engine) -> None:
    case_id = await STORIES["role_filled_later"](live)
    assert live.show(case_id).status is CaseStatus.PUBLISHED
    assert [row["assignee"] for row in live.task_rows(case_id) if row["stage"] == "proposal"] == [DIRECTOR]
    assert live.show(case_id).incidents == []
    live.assert_whole(case_id)


async def test_an_empty_role_is_sought_every_working_day_and_the_office_is_told_once(live: Engine) -> None:
    people(live, "omar.office@example.edu,Omar,governance_office,no", "lena.office@example.edu,Lena,,no")
    people(live, f"{DIRECTOR},Dora,academic_director,no")
    case_id = (await live.submit("non-credit")).case_id
    kinds = sorted(incident.kind for incident in live.show(case_id).incidents)
    assert kinds == ["no_escalation_target", "no_reviewer"]
    for _ in range(4):
        await live.next_deadline(case_id)
    assert sorted(incident.kind for incident in live.show(case_id).incidents) == kinds
    assert live.tasks(case_id) == []
    state, now = await live.gateway.state(case_id), await live.now(case_id)
    retry_at = state.stages["proposal"].retry_at
    assert retry_at is not None and retry_at > now, "the case goes on looking"
    live.assert_whole(case_id)


async def test_each_case_has_a_clock_of_its_own(live: Engine) -> None:
    cases = [(await live.submit("coursework-credit")).case_id for _ in range(8)]
    # Hours beyond whole days, so that no due time falls on the very instant at which a clock stops.
    spans = [days * DAY + 3 * HOUR for days in (1, 90, 2, 60, 1, 30, 2, 14)]
    before = dt.datetime.now(dt.UTC)
    clocks = await asyncio.gather(*map(live.gateway.forward, cases, spans))
    for case_id, span, clock in zip(cases, spans, clocks, strict=True):
        assert abs(clock - before - span) < dt.timedelta(hours=1)
        stage = live.show(case_id).stages[0]
        assert stage.due_at is not None
        assert (stage.breached_at is not None) == (stage.due_at <= clock)
    assert {live.show(case_id).stages[0].breached_at is None for case_id in cases} == {True, False}
    live.assert_whole(*cases)


async def test_parallel_stages_each_keep_their_own_time(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    await live.decide(case_id, "proposal")
    due = {stage.stage: stage.due_at for stage in live.show(case_id).stages if stage.due_at and stage.round}
    quality, industry = due["quality"], due["industry"]
    assert quality is not None and industry is not None and quality < industry
    await live.until(case_id, quality)
    stages = {stage.stage: stage for stage in live.show(case_id).stages}
    assert (stages["quality"].breached_at, stages["industry"].breached_at) == (quality, None)
    for _ in range(2):
        await live.decide(case_id, "quality")
    await live.until(case_id, industry)
    stages = {stage.stage: stage for stage in live.show(case_id).stages}
    assert stages["industry"].breached_at == industry
    assert Counter(live.types(case_id))[E.SLA_BREACHED] == 2
    live.assert_whole(case_id)
