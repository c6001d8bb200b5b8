"""Thousands of cases as they might have gone at a university, put into the tables in bulk: for figures and their pages.

Only what figures and lists read is there: cases, ledgers, stages, tasks, and the times that commits would have written.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import shipped
from imprimatur.history.figures.measuring import FrameworkCalendars, time_rows
from imprimatur.rules.business_time import add_business_time
from imprimatur.store.engine import Database
from models.framework import Framework
from models.tables import CaseRow, LedgerRow, StageRow, TaskRow
from models.vocabulary import EventType as E

CASES_AT_ONCE = 500
UNITS = (
    "Arts", "Business School", "Education", "Engineering", "Health Sciences", "Law", "Medicine", "Music",
    "Nursing", "Science", "Social Work", "Veterinary Science",
)  # fmt: skip
WEIGHTS = (6, 14, 9, 15, 12, 4, 8, 2, 7, 12, 5, 6)
OFFICERS = [f"{name}.office@example.edu" for name in ("omar", "lena", "piet")]
REVIEWERS = [f"reviewer.{number:02d}@example.edu" for number in range(1, 41)]
PARTNERS = [f"partner.{number:02d}@example.com" for number in range(1, 61)]
SUBJECTS = ("Data", "Care", "Energy", "Design", "Policy", "Robotics", "Writing", "Water", "Finance", "Ethics")
AIMS = ("Foundations", "in Practice", "for Leaders", "Analysis", "Methods", "and Society")
Event = dict[str, Any]


@dataclass
class _Story:
    """One case, told from its submission on as far as ``now``."""

    case_id: str
    policy: Framework
    dice: random.Random
    now: dt.datetime
    events: list[Event] = field(default_factory=list)
    tasks: int = 0

    def tell(self, at: dt.datetime, type_: E, actor: str = "system", **data: Any) -> None:
        self.events.append({"at": at, "type": str(type_), "actor": actor, "data": data})

    def later(self, at: dt.datetime, days: float) -> dt.datetime:
        """About so many days later: seldom much sooner, sometimes much later, and at an hour of the day."""
        found = at + dt.timedelta(days=days * self.dice.lognormvariate(0, 0.55))
        by_day = found.replace(hour=self.dice.randrange(24), minute=self.dice.randrange(60)) if days > 2 else found
        return max(by_day, at + dt.timedelta(minutes=10))

    def due(self, at: dt.datetime, stage_id: str) -> dt.datetime:
        sla = self.policy.stage(stage_id).sla
        assert sla is not None
        return add_business_time(
            at, sla.within, work_calendar(self.policy.calendars[sla.calendar], sla.calendar)
        ).due_at

    def stage(
        self, at: dt.datetime, stage: str, round_: int, people: list[str], days: float, outcome: str, until: dt.datetime
    ) -> dt.datetime:
        """A passage; one that is not over ``until`` is cancelled then. Answers when it ended."""
        due_at = self.due(at, stage)
        self.tell(at, E.STAGE_OPENED, stage=stage, round=round_, due_at=due_at.isoformat(), calendar="campus")
        answers = []
        for person in people:
            self.tasks += 1
            task: dict[str, Any] = {"task_id": f"t-{self.case_id}-{self.tasks}", "stage": stage, "round": round_}
            role = "industry_partner" if person in PARTNERS else "governance_office" if person in OFFICERS else None
            self.tell(at, E.TASK_ASSIGNED, **task, assignee=person, reason="role", role=role)
            answers.append((self.later(at, days), person, task))
        for answered_at, person, task in answers:
            if answered_at < until:
                self.tell(answered_at, E.DECISION_RECORDED, person, **task, verdict="approve", comment="Well argued.")
            else:
                self.tell(until, E.TASK_CLOSED, **task, assignee=person, closure="outcome_certain", closed_by="system")
        ended_at = min(max(answer[0] for answer in answers), until)
        if due_at < ended_at:
            self.tell(due_at, E.SLA_BREACHED, stage=stage, round=round_, due_at=due_at.isoformat(), waiting_for=[])
        elif self.dice.random() < 0.6 and ended_at > at:
            self.tell(at + (ended_at - at) * 0.7, E.REMINDER_SENT, stage=stage, round=round_, assignee=people[0])
        told = outcome if ended_at < until else "cancelled"
        self.tell(ended_at, E.STAGE_CLOSED, stage=stage, round=round_, outcome=told, reason="")
        return ended_at


def _events(story: _Story, at: dt.datetime) -> list[Event]:
    dice, policy = story.dice, story.policy
    proposer = f"author.{dice.randrange(200):03d}@example.edu"
    story.tell(at, E.CASE_SUBMITTED, proposer, title="", framework=policy.id, version="1.0", digest=policy.digest)
    story.tell(at, E.PROPOSAL_VERSION_ADDED, proposer, version=1, digest="", changed=[])
    sla = policy.speed_to_market
    due_at = add_business_time(at, sla.within, work_calendar(policy.calendars[sla.calendar], sla.calendar)).due_at
    story.tell(at, E.CLOCK_STARTED, due_at=due_at.isoformat())
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    rejected = dice.random() < 0.06
    outcome = "rejected" if rejected else "approved"
    pace = {"industry-credit": 1.0, "coursework-credit": 0.75, "non-credit": 0.5}[policy.id]
    end = story.stage(at, "proposal", 1, [dice.choice(OFFICERS)], 2.2 * pace, outcome, never)
    round_ = 1
    while not rejected:
        again = round_ < 4 and dice.random() < 0.28 / round_
        if dice.random() < 0.05:
            held_at = end
            end = story.later(end, 6)
            story.tell(held_at, E.CASE_HELD, OFFICERS[0], reason="A question of fees.")
            story.tell(end, E.CASE_RESUMED, OFFICERS[0], reason="It is answered.")
        reviewers = dice.sample(REVIEWERS, 3)
        decided = story.stage(end, "quality", round_, reviewers, 6.5 * pace, _quality(again), never)
        until = decided if again else never
        signed = story.stage(end, "industry", round_, [dice.choice(PARTNERS)], 9 * pace, "approved", until)
        end = max(decided, signed)
        if not again:
            break
        round_ += 1
        story.tell(end, E.REVISION_REQUESTED, stage="quality", round=round_ - 1)
        end = story.later(end, 12 * pace)
        story.tell(end, E.PROPOSAL_VERSION_ADDED, proposer, version=round_, digest="", changed=["outcomes"])
        if dice.random() < 0.3:
            story.tell(end, E.STAGE_LAPSED, stage="industry", changed=["outcomes"])
    if due_at < end:
        story.tell(due_at, E.CASE_SLA_BREACHED, due_at=due_at.isoformat())
    if not rejected:
        story.tell(end, E.STAGE_CLOSED, stage="publication", round=round_, outcome="published", reason="")
        story.tell(end, E.CREDENTIAL_PUBLISHED, slug=story.case_id, version=round_, digest="", page_digest="")
    story.tell(end, E.CASE_CLOSED, status="rejected" if rejected else "published", reason="")
    return _withdrawn(story, proposer) if dice.random() < 0.04 else sorted(story.events, key=lambda event: event["at"])


def _quality(again: bool) -> str:
    return "changes_requested" if again else "approved"


def _withdrawn(story: _Story, proposer: str) -> list[Event]:
    """Somewhere on the way its author gives it up."""
    told = sorted(story.events, key=lambda event: event["at"])
    kept = told[: story.dice.randrange(5, max(6, len(told) - 4))]
    at = kept[-1]["at"] + dt.timedelta(hours=5)
    begun = {event["data"]["stage"]: event["data"]["round"] for event in kept if event["type"] == E.STAGE_OPENED}
    over = {(event["data"]["stage"], event["data"]["round"]) for event in kept if event["type"] == E.STAGE_CLOSED}
    story.events.clear()
    for stage, round_ in begun.items():
        if (stage, round_) not in over:
            story.tell(at, E.STAGE_CLOSED, stage=stage, round=round_, outcome="cancelled", reason="")
    story.tell(at, E.CASE_CLOSED, proposer, status="withdrawn", reason="")
    return [*kept, *story.events]


def fill(database: Database, number: int, now: dt.datetime, months: int = 24, first: int = 0) -> int:
    """So many cases, submitted in the months before ``now``; answers how many ledger events they have.

    The same ones each time; ``first`` is the number of the first of them.
    """
    dice, events = random.Random(first), 0
    policies, kinds = shipped(), ("industry-credit", "coursework-credit", "non-credit")
    with database.write() as connection:
        calendars = FrameworkCalendars(connection)
        for start in range(first, first + number, CASES_AT_ONCE):
            rows: dict[Any, list[dict[str, Any]]] = {}
            for index in range(start, min(start + CASES_AT_ONCE, first + number)):
                case_id = f"mc-{index:012d}"
                policy = policies[dice.choices(kinds, (3, 4, 3))[0]]
                # Towards today there are more.
                ago = dt.timedelta(days=30.4 * months * (1 - dice.random() ** 0.7))
                for table, row in _rows(_Story(case_id, policy, dice, now), now - ago, calendars):
                    rows.setdefault(table, []).append(row)
            events += len(rows[LedgerRow])
            for table, some in rows.items():
                connection.execute(insert(table.__table__), some)
    return events


def _rows(story: _Story, at: dt.datetime, calendars: FrameworkCalendars) -> Iterator[tuple[Any, dict[str, Any]]]:
    told = [event for event in _events(story, at) if event["at"] <= story.now]
    unit = story.dice.choices(UNITS, WEIGHTS)[0]
    ledger = [event | {"case_id": story.case_id, "position": place} for place, event in enumerate(told, 1)]
    for event in ledger:
        yield LedgerRow, event | {"previous": "", "digest": ""}
    yield CaseRow, _case_row(story, ledger, unit)
    yield from _stage_rows(story.case_id, ledger)
    yield from _task_rows(story.case_id, ledger)
    yield from time_rows(story.case_id, story.policy.id, unit, ledger, calendars, 0)


def _case_row(story: _Story, ledger: list[Event], unit: str) -> dict[str, Any]:
    types = [event["type"] for event in ledger]
    last, clock = ledger[-1], next(event for event in ledger if event["type"] == E.CLOCK_STARTED)
    breach = next((event["at"] for event in ledger if event["type"] == E.CASE_SLA_BREACHED), None)
    closed = last["type"] == E.CASE_CLOSED
    changing = [event["type"] for event in ledger if event["type"] in _STATUSES]
    return {
        "case_id": story.case_id,
        "framework_id": story.policy.id,
        "framework_version": story.policy.version,
        "framework_digest": story.policy.digest,
        "title": f"{story.dice.choice(SUBJECTS)} {story.dice.choice(AIMS)}",
        "proposer": ledger[0]["actor"],
        "unit": unit,
        "status": last["data"]["status"] if closed else _STATUSES[changing[-1]],
        "round": types.count(E.PROPOSAL_VERSION_ADDED),
        "version": types.count(E.PROPOSAL_VERSION_ADDED),
        "digest": "",
        "seq": len(ledger),
        "events": len(ledger),
        "head": "",
        "opened_at": ledger[0]["at"],
        "updated_at": last["at"],
        "closed_at": last["at"] if closed else None,
        "due_at": dt.datetime.fromisoformat(clock["data"]["due_at"]),
        "due_reason": None,
        "breached_at": breach,
        "closing_reason": "",
    }


_STATUSES: dict[str, str] = {
    E.PROPOSAL_VERSION_ADDED: "in_review",
    E.REVISION_REQUESTED: "revising",
    E.CASE_HELD: "on_hold",
    E.CASE_RESUMED: "in_review",
}


def _stage_rows(case_id: str, ledger: list[Event]) -> Iterator[tuple[Any, dict[str, Any]]]:
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for event in ledger:
        data = event["data"]
        if event["type"] == E.STAGE_OPENED:
            found[data["stage"], data["round"]] = {
                "case_id": case_id,
                "stage": data["stage"],
                "round": data["round"],
                "name": data["stage"].capitalize(),
                "status": "open",
                "outcome": None,
                "opened_at": event["at"],
                "closed_at": None,
            }
        elif event["type"] == E.STAGE_CLOSED and (data["stage"], data["round"]) in found:
            closed = {"status": "closed", "outcome": data["outcome"], "closed_at": event["at"]}
            found[data["stage"], data["round"]] |= closed
    yield from ((StageRow, row | {"reason": ""}) for row in found.values())


def _task_rows(case_id: str, ledger: list[Event]) -> Iterator[tuple[Any, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    due: dict[str, str] = {}
    for event in ledger:
        data = event["data"]
        if event["type"] == E.STAGE_OPENED:
            due[data["stage"]] = data["due_at"]
        elif event["type"] == E.TASK_ASSIGNED:
            found[data["task_id"]] = {
                "task_id": data["task_id"],
                "case_id": case_id,
                "stage": data["stage"],
                "round": data["round"],
                "assignee": data["assignee"],
                "reason": "role",
                "status": "open",
                "opened_at": event["at"],
                "due_at": dt.datetime.fromisoformat(due[data["stage"]]),
                "closed_at": None,
            }
        elif event["type"] in (E.DECISION_RECORDED, E.TASK_CLOSED):
            status = "decided" if event["type"] == E.DECISION_RECORDED else "closed"
            found[data["task_id"]] |= {"status": status, "closed_at": event["at"]}
        elif event["type"] == E.CASE_CLOSED:
            for row in found.values():
                row |= {"status": "closed"} if row["status"] == "open" else {}
    yield from ((TaskRow, row) for row in found.values())
