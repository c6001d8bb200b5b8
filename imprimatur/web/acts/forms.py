"""What the form of an act asks for, by what the case has to choose from."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Viewer
from imprimatur.committees.bodies import committee
from imprimatur.errors import ImprimaturError
from imprimatur.rules.sittings import sittings
from imprimatur.store.case_reading import CaseSheet
from imprimatur.store.engine import Database
from imprimatur.store.owed import Owed
from models.vocabulary import ConditionStatus, StageStatus, TaskStatus

Kind = Literal["text", "email", "choice", "radio", "date"]
REASON_LENGTH = 2000
SITTINGS_OFFERED = 6


@dataclass(frozen=True)
class Option:
    value: str
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Field:
    """``options`` are what a choice offers; one that must be made and has a single option is made already."""

    name: str
    label: str
    kind: Kind = "text"
    required: bool = True
    hint: str = ""
    options: tuple[Option, ...] = ()


REASON = Field("reason", "Why", hint="It becomes part of the case's record.")
SPAN = (
    Field("amount", "How much more", "choice", options=tuple(Option(str(n), str(n)) for n in range(1, 31))),
    Field("unit", "Of what", "radio", options=(Option("d", "business days"), Option("h", "business hours"))),
)


@dataclass(frozen=True)
class Facts:
    """All that the fields of a form depend on."""

    sheet: CaseSheet
    viewer: Viewer
    database: Database


def fields(act: CaseAct, facts: Facts) -> tuple[Field, ...]:
    """Of an act that has a form, which not all have: answers and new versions have pages of their own."""
    return _FIELDS[act](facts)


def has_form(act: CaseAct) -> bool:
    return act in _FIELDS


def _stages(facts: Facts, *statuses: StageStatus) -> tuple[Option, ...]:
    return tuple(
        Option(stage.stage, stage.name, "open" if stage.status is StageStatus.OPEN else str(stage.outcome or ""))
        for stage in facts.sheet.view.stages
        if stage.status in (statuses or (StageStatus.OPEN,))
    )


def _stage(facts: Facts, *statuses: StageStatus) -> Field:
    return Field("stage", "Which stage", "radio", options=_stages(facts, *statuses))


def _tasks(facts: Facts, status: TaskStatus, own: bool) -> Field:
    sheet = facts.sheet
    options = tuple(
        Option(
            task.task_id,
            sheet.called(task.assignee, sheet.roles.get(task.task_id)) if not own else sheet.stage_name(task.stage),
            sheet.stage_name(task.stage) if not own else "",
        )
        for task in sheet.view.tasks
        if task.status is status and (not own or task.assignee == facts.viewer.person)
    )
    return Field("task", "Which task", "radio", options=options)


def _answers(facts: Facts) -> Field:
    """Decisions of open stages in the same round, which are the ones that can be annulled."""
    sheet = facts.sheet
    opened = {(stage.stage, stage.round) for stage in sheet.view.stages if stage.status is StageStatus.OPEN}
    options = tuple(
        Option(
            row["task_id"],
            f"{sheet.called(row['actor'], sheet.roles.get(row['task_id']))}: {row['verdict'].replace('_', ' ')}",
            sheet.stage_name(row["stage"]),
        )
        for _, rows in sheet.rounds
        for row in rows
        if (row["stage"], row["round"]) in opened and row["annulled_at"] is None
    )
    return Field("task", "Which answer", "radio", options=options)


def _waiting_acts(facts: Facts) -> Field:
    sheet = facts.sheet
    options = tuple(
        Option(
            act.act_id,
            f"{act.act.replace('_', ' ').capitalize()} {sheet.stage_name(act.stage)}: {act.outcome.replace('_', ' ')}",
            f"{sheet.names.get(act.actor, act.actor)}: {act.reason}",
        )
        for act in sheet.view.proposed
        if act.actor != facts.viewer.person
    )
    return Field("act_id", "Which act", "radio", options=options)


def _conditions(facts: Facts, own: bool) -> Field:
    asked = (ConditionStatus.OPEN,) if own else (ConditionStatus.OPEN, ConditionStatus.FULFILLED)
    person, by_office = facts.viewer.person, facts.sheet.names_are_seen
    options = tuple(
        Option(item.condition_id, item.text, item.evidence or item.status.replace("_", " "))
        for item in facts.sheet.view.conditions
        if item.status in asked
        and (item.owner == person if own else item.owner != person and (by_office or item.set_by == person))
    )
    return Field("condition", "Which condition", "radio", options=options)


FULFIL_EVIDENCE = Field("evidence", "What was done, or where it can be seen", hint="It is recorded as the proof.")


def fields_of_owner(owed: Owed) -> tuple[Field, ...]:
    """Of whoever is to see to conditions of a case that they do not see."""
    options = tuple(
        Option(item.condition_id, item.text) for item in owed.conditions if item.status is ConditionStatus.OPEN
    )
    return Field("condition", "Which condition", "radio", options=options), FULFIL_EVIDENCE


def _items(facts: Facts) -> tuple[Field, ...]:
    stages = [
        stage for stage in facts.sheet.view.stages if stage.status is StageStatus.OPEN and stage.committee is not None
    ]
    days: dict[dt.date, str] = {}
    for name in dict.fromkeys(str(stage.committee) for stage in stages):
        days |= dict(_days(facts.database, name))
    return (
        Field("stage", "Which item", "radio", options=tuple(Option(stage.stage, stage.name) for stage in stages)),
        Field("on", "To which sitting", "radio", options=tuple(Option(d.isoformat(), t) for d, t in days.items())),
        REASON,
    )


def _days(database: Database, name: str) -> Iterable[tuple[dt.date, str]]:
    try:
        body = committee(database, name)
    except ImprimaturError:
        # The framework of the case names a committee that no framework in force knows any more.
        return []
    now = dt.datetime.now(dt.UTC)
    coming = islice(sittings(body.definition, body.calendar, body.calendar.date(now)), SITTINGS_OFFERED)
    return [(sitting.on, f"{sitting.on:%A, %-d %B %Y}") for sitting in coming]


TO_WHOM = Field("to", "To whom", "email", hint="The mail address of somebody in the directory.")
_FIELDS: Mapping[CaseAct, Callable[[Facts], tuple[Field, ...]]] = {
    CaseAct.HOLD: lambda facts: (REASON,),
    CaseAct.RESUME: lambda facts: (REASON,),
    CaseAct.WITHDRAW: lambda facts: (REASON,),
    CaseAct.EXTEND: lambda facts: (_stage(facts), *SPAN, REASON),
    CaseAct.SEND_BACK: lambda facts: (_stage(facts, StageStatus.OPEN, StageStatus.CLOSED), REASON),
    CaseAct.REASSIGN: lambda facts: (_tasks(facts, TaskStatus.OPEN, False), TO_WHOM, REASON),
    CaseAct.DELEGATE: lambda facts: (
        _tasks(facts, TaskStatus.OPEN, True),
        TO_WHOM,
        Field("reason", "Why", required=False, hint="The new holder reads it."),
    ),
    CaseAct.NUDGE: lambda facts: (
        Field("stage", "Whom", "radio", False, options=(Option("", "Everybody who is waited for"), *_stages(facts))),
    ),
    CaseAct.SKIP: lambda facts: (_stage(facts), REASON),
    CaseAct.OVERRIDE: lambda facts: (
        _stage(facts),
        Field(
            "outcome",
            "With which outcome",
            "radio",
            options=(Option("approved", "Approved"), Option("rejected", "Rejected", "it may end the case")),
        ),
        REASON,
    ),
    CaseAct.CONFIRM: lambda facts: (_waiting_acts(facts),),
    CaseAct.ANNUL: lambda facts: (_answers(facts), REASON),
    CaseAct.CLAIM: lambda facts: (_tasks(facts, TaskStatus.OFFERED, True),),
    CaseAct.MOVE_ITEM: _items,
    CaseAct.FULFIL: lambda facts: (
        _conditions(facts, True),
        FULFIL_EVIDENCE,
    ),
    CaseAct.JUDGE: lambda facts: (
        _conditions(facts, False),
        Field(
            "judgement",
            "What you find",
            "radio",
            options=(
                Option("accept", "Accepted", "of one that is reported as fulfilled"),
                Option("reopen", "Not enough: ask for more", "of one that is reported as fulfilled"),
                Option("waive", "Done without"),
            ),
        ),
        Field("reason", "Why", required=False, hint="Needed to ask for more, and to do without."),
    ),
    CaseAct.RETRACT: lambda facts: (REASON,),
    CaseAct.RETRY_PUBLICATION: lambda facts: (),
    CaseAct.SCHEDULE_PUBLICATION: lambda facts: (Field("on", "From which day it may be public", "date"), REASON),
    CaseAct.CALL_REVIEW: lambda facts: (REASON,),
    CaseAct.MOVE_REVIEW: lambda facts: (Field("on", "On which day it is due instead", "date"), REASON),
    CaseAct.HAND_OVER_AGAIN: lambda facts: (REASON,),
    CaseAct.RETRY_HANDOVER: lambda facts: (),
}


def known(given: Mapping[str, Any], form: Sequence[Field]) -> dict[str, str]:
    """Of what was given, what the form asks for."""
    return {field.name: str(given[field.name]) for field in form if field.name in given}
