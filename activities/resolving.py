"""Who reviews a stage that opens, and when their answers are due. Read when it happens, never when the case starts."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from imprimatur.frameworks.calendars import work_calendar
from imprimatur.rules.business_time import (
    DueTime,
    WorkCalendar,
    add_business_seconds,
    add_business_time,
    subtract_business_time,
)
from imprimatur.store.people import PersonEntry, holders, open_task_counts, people_by_email, unit_members
from models.framework import BusinessDuration, Framework, ReviewerRule, Sla, StageDef
from models.proposal import Partner, Proposal
from models.vocabulary import AssignmentReason

OWN_UNIT = "own"


@dataclass(frozen=True)
class Candidate:
    """A person and the hat they would wear."""

    email: str
    name: str
    reason: AssignmentReason
    role: str | None = None


@dataclass(frozen=True)
class Found:
    candidates: tuple[Candidate, ...]
    passed_over: tuple[str, ...]


def find_reviewers(connection: Connection, stage: StageDef, proposal: Proposal, barred: Iterable[str]) -> Found:
    """Those whom the stage's rules name, each once; neither ``barred`` people (the proposer) nor inactive ones."""
    taken = {email.lower() for email in barred}
    chosen: list[Candidate] = []
    passed_over: list[str] = []
    for rule in stage.reviewers:
        pool = [candidate for candidate in _pool(connection, rule, proposal) if candidate.email not in taken]
        inactive = _inactive(connection, pool)
        passed_over += [f"{email} is no longer active" for email in inactive]
        pool = _fewest_open_tasks_first(connection, [c for c in pool if c.email not in inactive], rule.count)
        chosen += pool
        taken |= {candidate.email for candidate in pool}
    return Found(tuple(chosen), tuple(passed_over))


def find_holders(
    connection: Connection,
    role: str,
    count: int | None,
    barred: Iterable[str],
    reason: AssignmentReason = AssignmentReason.ESCALATION,
) -> tuple[Candidate, ...]:
    """Active holders of ``role``, for an escalation or to take someone's place."""
    taken = {email.lower() for email in barred}
    pool = [
        Candidate(person.email, person.name, reason, role)
        for person in holders(connection, role)
        if person.email not in taken
    ]
    return tuple(_fewest_open_tasks_first(connection, pool, count))


def _pool(connection: Connection, rule: ReviewerRule, proposal: Proposal) -> list[Candidate]:
    unit = proposal.unit if rule.unit == OWN_UNIT else rule.unit
    if rule.role is not None:
        wanted_unit = (unit or "") if rule.unit is not None else None
        return _as_candidates(holders(connection, rule.role, wanted_unit), AssignmentReason.ROLE, rule.role)
    if rule.partners is not None:
        return _partner_contacts(proposal.partners, rule.partners)
    if rule.addresses:
        return [Candidate(address.lower(), "", AssignmentReason.ADDRESS) for address in rule.addresses]
    return _as_candidates(unit_members(connection, unit or ""), AssignmentReason.UNIT, None)


def _as_candidates(people: list[PersonEntry], reason: AssignmentReason, role: str | None) -> list[Candidate]:
    return [Candidate(person.email, person.name, reason, role) for person in people]


def _partner_contacts(partners: tuple[Partner, ...], which: str) -> list[Candidate]:
    wanted = [partner for partner in partners if partner.contact_email]
    if which == "lead":
        wanted = ([partner for partner in wanted if partner.lead] or wanted)[:1]
    candidates: dict[str, Candidate] = {}
    for partner in wanted:
        email = str(partner.contact_email).lower()
        name = partner.contact_name or partner.organisation
        candidates.setdefault(email, Candidate(email, name, AssignmentReason.PARTNER, "industry_partner"))
    return list(candidates.values())


def _inactive(connection: Connection, pool: list[Candidate]) -> set[str]:
    """Role and unit holders are active already; partners and addresses may name someone who left."""
    named = [c.email for c in pool if c.reason in (AssignmentReason.PARTNER, AssignmentReason.ADDRESS)]
    if not named:
        return set()
    return {person.email for person in people_by_email(connection, named) if not person.active}


def _fewest_open_tasks_first(connection: Connection, pool: list[Candidate], count: int | None) -> list[Candidate]:
    if count is None or len(pool) <= count:
        return pool
    load = open_task_counts(connection, [candidate.email for candidate in pool])
    return sorted(pool, key=lambda candidate: (load.get(candidate.email, 0), candidate.email))[:count]


@dataclass(frozen=True)
class DueBy:
    """A due time (None: it has none) that is put off by a span of business time."""

    due_at: dt.datetime | None
    span: BusinessDuration


@dataclass(frozen=True)
class Deadlines:
    due: DueTime
    remind_at: tuple[dt.datetime, ...]
    escalate_at: tuple[dt.datetime, ...]


def calendar_of(framework: Framework, name: str) -> WorkCalendar:
    return work_calendar(framework.calendars[name], name)


def stage_deadlines(
    framework: Framework, stage: StageDef, at: dt.datetime, within: BusinessDuration | None = None
) -> Deadlines | None:
    """When the stage's promise falls due if it opens ``at``; reminders that would lie in the past are left out.

    ``within`` is promised in place of what the stage itself says.
    """
    if stage.sla is None:
        return None
    calendar = calendar_of(framework, stage.sla.calendar)
    return _around(stage.sla, add_business_time(at, within or stage.sla.within, calendar), calendar, at)


def deadlines_from(
    framework: Framework, stage: StageDef, at: dt.datetime, *, seconds: int | None = None, by: DueBy | None = None
) -> Deadlines | None:
    """Like :func:`stage_deadlines`, for the working time left over (``seconds``), or a due time put off ``by``."""
    if stage.sla is None:
        return None
    calendar = calendar_of(framework, stage.sla.calendar)
    if by is not None:
        due = add_business_time(max(by.due_at or at, at), by.span, calendar)
    else:
        due = add_business_seconds(at, seconds or 0, calendar)
    return _around(stage.sla, due, calendar, at)


def _around(sla: Sla, due: DueTime, calendar: WorkCalendar, at: dt.datetime) -> Deadlines:
    reminders = {subtract_business_time(due.due_at, before, calendar) for before in sla.remind_before}
    further = [add_business_time(due.due_at, step.after, calendar).due_at for step in sla.then]
    return Deadlines(due, tuple(sorted(instant for instant in reminders if instant > at)), tuple(sorted(further)))


def next_business_day(framework: Framework, stage: StageDef, at: dt.datetime) -> dt.datetime:
    """When to look for reviewers again."""
    name = stage.sla.calendar if stage.sla is not None else framework.speed_to_market.calendar
    return add_business_time(at, BusinessDuration(business_days=1), calendar_of(framework, name)).due_at
