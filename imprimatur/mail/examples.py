"""A mail of every kind, in every shape that its templates know: for previews, for checks, and for tests."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from imprimatur.frameworks.loader import shipped
from imprimatur.mail.context import MailContext
from imprimatur.mail.links import Links
from imprimatur.rules.delta import FieldChange, Piece
from imprimatur.store.baselines import Baseline
from imprimatur.store.conditions import ConditionView
from imprimatur.store.outbox import Mail
from models.framework import Framework, StageDef
from models.meetings import CommitteeDef, Sittings
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, TaskRow
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    ConditionStatus,
    IncidentKind,
    MailKind,
    StageKind,
    TaskClosure,
    TaskStatus,
    Verdict,
)

LINKS = Links(["for examples only, nothing is signed with it"], "https://credentials.example.edu")
CASE, TASK = "mc-example2345", "t-examplexample234"
PROPOSER, REVIEWER, OFFICE = "ana.silva@example.edu", "quinn.abara@example.edu", "lena.virtanen@example.edu"
AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DUE = dt.datetime(2026, 3, 5, 19, 30, tzinfo=dt.UTC)
SLUG = "battery-systems-for-electric-vehicles-example2345"
PROPOSAL = Proposal.model_validate(
    {
        "title": "Battery Systems for Electric Vehicles",
        "summary": "Learners plan, test and document the battery system of a light vehicle, from the requirements of "
        "its use to a safe handover. It was developed with two manufacturers of the region.",
        "provider": "Example University",
        "unit": "School of Engineering",
        "learning_outcomes": [
            "Choose cells and a topology for a given use, and justify the choice.",
            "Test a battery system according to a plan, and judge what the results say about its safety.",
            "Document a battery system so that others can maintain and recycle it.",
        ],
        "workload": {"hours": 75, "credits": 2.5},
        "level": {"framework": "EQF", "value": "6"},
        "partners": [
            {"organisation": "Harbour Mobility Ltd", "contact_email": "mere.tane@harbour.example"},
            {"organisation": "Fieldnote Cells GmbH"},
        ],
    }
)


@dataclass(frozen=True)
class Example:
    """``name`` is the kind, and behind a stroke what is particular, such as ``task/objection``."""

    name: str
    context: MailContext


def _row(table: Any, **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = table(**values).model_dump()
    return found


def _framework() -> Framework:
    sittings = Sittings(dates=(dt.date(2026, 3, 6),), at=dt.time(8, 30))
    committee = CommitteeDef(name="Curriculum Board", calendar="campus", sittings=sittings)
    return shipped()["industry-credit"].model_copy(update={"committees": {"board": committee}})


def _stage(**changes: Any) -> StageDef:
    found = next(stage for stage in _framework().stages if stage.id == "quality")
    return found.model_copy(update=changes)


def _case(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "case_id": CASE,
        "framework_id": "industry-credit",
        "framework_version": "1.0",
        "framework_digest": "",
        "title": PROPOSAL.title,
        "proposer": PROPOSER,
        "unit": PROPOSAL.unit,
        "status": str(CaseStatus.IN_REVIEW),
        "round": 1,
        "version": 1,
        "digest": "",
        "opened_at": AT,
        "updated_at": AT,
    }
    return _row(CaseRow, **(values | changes))


def _task(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "task_id": TASK,
        "case_id": CASE,
        "stage": "quality",
        "round": 1,
        "assignee": REVIEWER,
        "assignee_name": "Quinn Abara",
        "reason": str(AssignmentReason.ROLE),
        "role": "quality_reviewer",
        "status": str(TaskStatus.OPEN),
        "opened_at": AT,
        "due_at": DUE,
    }
    return _row(TaskRow, **(values | changes))


def _mail(
    of: MailKind, /, *, to: str = REVIEWER, name: str = "Quinn Abara", about_task: bool = True, **data: Any
) -> Mail:
    return Mail("m-example", CASE, TASK if about_task else None, of, to, name, data, AT, 0)


def _about_task(of: MailKind, /, *, stage: StageDef | None = None, task: Any = None, **data: Any) -> MailContext:
    return MailContext(
        mail=_mail(of, **data),
        name="Quinn Abara",
        principal="",
        case=_case(),
        framework=_framework(),
        proposal=PROPOSAL,
        task=task or _task(),
        stage=stage or _stage(),
        decisions=(),
    )


def _about_case(of: MailKind, /, *, office: bool = False, stage: bool = True, **data: Any) -> MailContext:
    to, name = (OFFICE, "Lena Virtanen") if office else (PROPOSER, "Ana Silva")
    return MailContext(
        mail=_mail(of, to=to, name=name, about_task=False, **data),
        name=name,
        principal="",
        case=_case(),
        framework=_framework(),
        proposal=PROPOSAL,
        task=None,
        stage=_stage() if stage else None,
        decisions=(),
    )


def _decisions() -> tuple[dict[str, Any], ...]:
    said = [
        (
            Verdict.REQUEST_CHANGES,
            "The second outcome is not assessed.\n\nPlease say how the plan of the test is judged.",
        ),
        (Verdict.APPROVE, "Well thought out."),
    ]
    return tuple(
        _row(
            DecisionRow,
            decision_id=f"d-{number}",
            task_id=f"t-{number}",
            case_id=CASE,
            stage="quality",
            round=1,
            actor=REVIEWER,
            verdict=str(verdict),
            comment=comment,
            digest="",
            channel="page",
            decided_at=AT,
            position=number,
            ledger_digest="",
            case_status="in_review",
        )
        | {"stage_name": "Quality review"}
        for number, (verdict, comment) in enumerate(said, 5)
    )


def _baseline() -> Baseline:
    pieces = (
        Piece("same", "Test a battery system"),
        Piece("removed", "and report the results"),
        Piece("added", "according to a plan, and judge what the results say about its safety"),
    )
    added = (Piece("added", "A test is planned, carried out and defended before two examiners."),)
    changes = (FieldChange("learning_outcomes", (pieces,)), FieldChange("assessment.description", (added,)))
    return Baseline(1, changes, {"verdict": str(Verdict.APPROVE)})


def _condition(number: int, due_at: dt.datetime | None) -> ConditionView:
    return ConditionView(
        condition_id=f"c-example-{number}",
        decision_id="d-6",
        stage="quality",
        round=1,
        text="Name the second examiner of the practical test.",
        owner=PROPOSER,
        set_by=REVIEWER,
        blocking=False,
        status=ConditionStatus.OPEN,
        due_at=due_at,
        due_reason=None,
        breached_at=None,
        evidence="",
        reason="",
        settled_by=None,
        settled_at=None,
    )


def _tasks() -> Iterator[tuple[str, MailContext]]:
    kind = MailKind.TASK
    plain = _about_task(kind)
    yield "", plain
    yield "offered", _about_task(kind, task=_task(status=str(TaskStatus.OFFERED), offer_rule=0))
    yield "again", replace(plain, task=_task(round=2), case=_case(round=2, version=2), baseline=_baseline())
    unchanged = Baseline(1, (), None)
    yield "unchanged", replace(plain, task=_task(round=2, due_at=None), baseline=unchanged)
    yield "without-criteria", _about_task(kind, stage=_stage(criteria=()))
    instead = _task(reason=str(AssignmentReason.DELEGATION), on_behalf_of="rosa.lindt@example.edu")
    yield "in-place-of", replace(_about_task(kind, task=instead), principal="Rosa Lindt")
    committee = _about_task(kind, stage=_stage(committee="board"))
    yield "committee", replace(committee, sits_at=DUE)
    yield "information", _about_task(kind, stage=_stage(kind=StageKind.INFORMATION, criteria=()))
    yield "objection", _about_task(kind, stage=_objection())
    bare = Proposal.model_validate({"workload": {"hours": 1, "credits": 1}})
    yield "untitled", replace(plain, proposal=bare)


def _objection() -> StageDef:
    stage = _stage()
    sla = (
        stage.sla.model_copy(update={"policy_clause": "Regulation 12, clause 3: silence is consent."})
        if stage.sla
        else None
    )
    return stage.model_copy(update={"kind": StageKind.OBJECTION, "sla": sla, "criteria": ()})


def _reminders() -> Iterator[tuple[str, MailContext]]:
    yield "", _about_task(MailKind.REMINDER)
    yield "late", _about_task(MailKind.REMINDER, late=True)
    yield "objection", _about_task(MailKind.REMINDER, stage=_objection())


def _escalations() -> Iterator[tuple[str, MailContext]]:
    task = _task(reason=str(AssignmentReason.ESCALATION), role="academic_director")
    yield "", _about_task(MailKind.ESCALATION, task=task, cause="breach", due_at=DUE.isoformat())
    for cause in ("objection", "refusal", "no_decision"):
        yield cause.replace("_", "-"), _about_task(MailKind.ESCALATION, task=task, cause=cause)


def _outcomes() -> Iterator[tuple[str, MailContext]]:
    kind = MailKind.OUTCOME
    published = _about_case(kind, stage=False, status="published", reason="every stage passed", slug=SLUG)
    conditions = (_condition(1, DUE), _condition(2, None))
    yield "", replace(published, conditions=conditions, decisions=_decisions())
    reason = "0 approved (2 needed), 2 rejected, 0 requested changes"
    yield "rejected", replace(_about_case(kind, stage=False, status="rejected", reason=reason), decisions=_decisions())
    yield "withdrawn", _about_case(kind, stage=False, status="withdrawn", reason="the partner has left")


def _conditions() -> Iterator[tuple[str, MailContext]]:
    said: dict[str, Any] = {
        "condition_id": "c-example-1",
        "text": "Name the second examiner of the practical test.",
        "owner": PROPOSER,
        "set_by": REVIEWER,
        "blocking": True,
        "due_at": DUE.isoformat(),
        "reason": "",
        "evidence": "",
    }
    more: dict[str, dict[str, Any]] = {
        "set": {},
        "reminder": {"blocking": False, "due_at": None},
        "late": {},
        "fulfilled": {"evidence": "Dr Mere Tane has agreed; see the minutes of 3 March."},
        "accepted": {},
        "reopened": {"reason": "The minutes name no deputy."},
        "waived": {"reason": "The test has one examiner by the new rules."},
        "lapsed": {"reason": "the case was withdrawn"},
    }
    for happened, data in more.items():
        told = said | data | {"happened": happened}
        yield "" if happened == "set" else happened, _about_case(MailKind.CONDITION, **told)


def _incidents() -> Iterator[tuple[str, MailContext]]:
    detail = "1 person can review this stage, 2 are needed; Sam Okoye is away until 2026-03-20"
    for kind in IncidentKind:
        bounced = kind is IncidentKind.MAIL_BOUNCED
        told = "mail (task) to mere.tane@harbour.example could not be delivered: 550 5.1.1 no such mailbox"
        data = {"kind": str(kind), "detail": told if bounced else detail}
        name = "" if kind is IncidentKind.QUORUM_OUT_OF_REACH else kind.replace("_", "-")
        yield name, _about_case(MailKind.INCIDENT, office=True, stage=not bounced, **data)


def _replies() -> Iterator[tuple[str, MailContext]]:
    thread: dict[str, Any] = {"in_reply_to": "<reply@example.edu>", "subject": "AW: Your review: Battery Systems"}
    recorded: dict[str, Any] = {
        "label": "Request changes",
        "comment": "The second outcome is not assessed.",
        "position": 12,
    }
    decided = _task(status=str(TaskStatus.DECIDED))
    scores: dict[str, Any] = {"scores": {"outcomes": 3, "no_duplication": 4}}
    yield "reply_recorded", _about_task(MailKind.REPLY_RECORDED, task=decided, **thread, **recorded, **scores)
    short: dict[str, Any] = {"label": "Approve", "comment": "", "position": 12, "scores": {}}
    yield "reply_recorded/short", _about_task(MailKind.REPLY_RECORDED, task=decided, **short)
    kind = MailKind.REPLY_NOT_RECORDED
    unclear: dict[str, Any] = {
        "code": "reply_unclear",
        "message": 'The first line is no answer that is offered: "Looks good to me".',
        "hint": "Write one word alone on the first line.",
    }
    yield "reply_not_recorded", _about_task(kind, known=True, **thread, **unclear)
    foreign: dict[str, Any] = {"code": "sender_not_assignee", "hint": "Use the link in the mail instead."}
    message = "The message came from someone@elsewhere.example."
    yield "reply_not_recorded/unknown", _about_task(kind, known=False, message=message, **foreign)
    late: dict[str, Any] = {
        "code": "task_closed",
        "message": f"This task closed: the stage was decided, by the decision of {OFFICE}.",
        "hint": "Nothing is asked of you any more.",
    }
    closed = _task(status=str(TaskStatus.CLOSED), closure=str(TaskClosure.OUTCOME_CERTAIN))
    yield "reply_not_recorded/late", _about_task(kind, task=closed, known=True, **thread, **late)


def _others() -> Iterator[tuple[str, MailContext]]:
    waiting = [{"who": "Quinn Abara", "stage": "Quality review"}, {"who": "Mere Tane", "stage": "Industry sign-off"}]
    due_at = DUE.isoformat()
    yield "breach", _about_case(MailKind.BREACH, office=True, stage=False, due_at=due_at, waiting_for=waiting)
    closed = _task(status=str(TaskStatus.CLOSED), closure=str(TaskClosure.OUTCOME_CERTAIN))
    yield "task_closed", _about_task(MailKind.TASK_CLOSED, task=closed)
    missing = [
        {"field": "summary", "problem": "is missing", "why": ""},
        {"field": "partners", "problem": "needs at least 2 entries, has 1", "why": "It is developed with industry."},
    ]
    yield "returned", replace(_about_case(MailKind.RETURNED, stage=False, missing=missing), case=_case(round=0))
    yield "revision", replace(_about_case(MailKind.REVISION, round=1), decisions=_decisions())
    act: dict[str, Any] = {
        "act_id": "a-example",
        "actor": "omar.haddad@example.edu",
        "reason": "The board met and said so.",
    }
    for name, what, outcome in (("", "override", "approved"), ("/skip", "skip", "approved")):
        facts: dict[str, Any] = {"act": what, "outcome": outcome}
        yield f"confirmation{name}", _about_case(MailKind.CONFIRMATION, office=True, **act, **facts)
    question = "Is one practical test enough for three outcomes?"
    yield "advice_asked", _about_task(MailKind.ADVICE_ASKED, asked_by=REVIEWER, question=question)
    text = "Yes, if each outcome is judged on its own."
    yield "advice_given", _about_task(MailKind.ADVICE_GIVEN, adviser="ivo.adler@example.org", text=text)


@cache
def examples() -> tuple[Example, ...]:
    """The plain shape of each kind comes first, under the kind's own name."""
    grouped = {
        MailKind.TASK: _tasks(),
        MailKind.REMINDER: _reminders(),
        MailKind.ESCALATION: _escalations(),
        MailKind.OUTCOME: _outcomes(),
        MailKind.CONDITION: _conditions(),
        MailKind.INCIDENT: _incidents(),
    }
    named = [
        (f"{kind}/{name}" if name else str(kind), context) for kind, all_ in grouped.items() for name, context in all_
    ]
    found = [Example(name, context) for name, context in (*named, *_others(), *_replies())]
    order = list(MailKind)
    return tuple(sorted(found, key=lambda example: (order.index(example.context.mail.kind), "/" in example.name)))
