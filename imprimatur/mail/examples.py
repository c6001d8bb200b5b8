"""A mail of every kind, in every shape that its templates know: for previews, for checks, and for tests."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from imprimatur.mail.combining import COMBINED, Combined, Letter
from imprimatur.mail.context import MailContext, Readable
from imprimatur.mail.example_parts import (
    DUE,
    LINKS,
    OFFICE,
    PROPOSER,
    REVIEWER,
    SLUG,
    TASK,
    about_case,
    about_task,
    baseline,
    case_of,
    condition,
    decisions,
    handover_stage,
    package,
    stage_of,
    task_of,
)
from imprimatur.mail.examples_sent import sent_examples
from imprimatur.store.baselines import Baseline
from imprimatur.store.preferences import Preferences
from models.framework import StageDef
from models.proposal import Proposal
from models.vocabulary import (
    AssignmentReason,
    Authentication,
    IncidentKind,
    MailKind,
    StageKind,
    TaskClosure,
    TaskStatus,
)

__all__ = ["LINKS", "Example", "examples", "in_language"]


@dataclass(frozen=True)
class Example:
    """``name`` is the kind, and behind a stroke what is particular, such as ``task/objection``."""

    name: str
    context: Letter

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


def in_language(letter: Letter, tag: str) -> Letter:
    """The same mail to somebody who prefers a language."""
    if isinstance(letter, Combined):
        return replace(letter, contexts=tuple(replace(c, preferences=_speaking(c, tag)) for c in letter.contexts))
    return replace(letter, preferences=_speaking(letter, tag))


def _speaking(context: Readable, tag: str) -> Preferences:
    return replace(context.preferences, language=tag)


def _tasks() -> Iterator[tuple[str, MailContext]]:
    kind = MailKind.TASK
    plain = about_task(kind)
    yield "", plain
    yield "offered", about_task(kind, task=task_of(status=str(TaskStatus.OFFERED), offer_rule=0))
    yield "again", replace(plain, task=task_of(round=2), case=case_of(round=2, version=2), baseline=baseline())
    unchanged = Baseline(1, (), None)
    yield "unchanged", replace(plain, task=task_of(round=2, due_at=None), baseline=unchanged)
    yield "without-criteria", about_task(kind, stage=stage_of(criteria=()))
    instead = task_of(reason=str(AssignmentReason.DELEGATION), on_behalf_of="rosa.lindt@example.edu")
    yield "in-place-of", replace(about_task(kind, task=instead), principal="Rosa Lindt")
    committee = about_task(kind, stage=stage_of(committee="board"))
    yield "signed-in", about_task(kind, stage=stage_of(authentication=Authentication.SIGN_IN))
    yield "committee", replace(committee, sits_at=DUE)
    yield "information", about_task(kind, stage=stage_of(kind=StageKind.INFORMATION, criteria=()))
    yield "objection", about_task(kind, stage=_objection())
    yield "handover", replace(about_task(kind, stage=handover_stage()), package=package())
    bare = Proposal.model_validate({"workload": {"hours": 1, "credits": 1}})
    yield "untitled", replace(plain, proposal=bare)


def _objection() -> StageDef:
    stage = stage_of()
    sla = (
        stage.sla.model_copy(update={"policy_clause": "Regulation 12, clause 3: silence is consent."})
        if stage.sla
        else None
    )
    return stage.model_copy(update={"kind": StageKind.OBJECTION, "sla": sla, "criteria": ()})


def _reminders() -> Iterator[tuple[str, MailContext]]:
    yield "", about_task(MailKind.REMINDER)
    yield "late", about_task(MailKind.REMINDER, late=True)
    yield "objection", about_task(MailKind.REMINDER, stage=_objection())


def _escalations() -> Iterator[tuple[str, MailContext]]:
    task = task_of(reason=str(AssignmentReason.ESCALATION), role="academic_director")
    yield "", about_task(MailKind.ESCALATION, task=task, cause="breach", due_at=DUE.isoformat())
    for cause in ("objection", "refusal", "no_decision"):
        yield cause.replace("_", "-"), about_task(MailKind.ESCALATION, task=task, cause=cause)


def _outcomes() -> Iterator[tuple[str, MailContext]]:
    kind = MailKind.OUTCOME
    published = about_case(kind, stage=False, status="published", reason="every stage passed", slug=SLUG)
    conditions = (condition(1, DUE), condition(2, None))
    yield "", replace(published, conditions=conditions, decisions=decisions())
    reason = "0 approved (2 needed), 2 rejected, 0 requested changes"
    waits: dict[str, Any] = {"status": "published", "reason": "every stage passed", "waits": True}
    yield "waits", about_case(kind, stage=False, **waits)
    yield "scheduled", about_case(kind, stage=False, **waits, publish_on="2027-02-01")
    public: dict[str, Any] = {
        "status": "published",
        "reason": "every target has the record",
        "slug": SLUG,
        "public": True,
    }
    yield "public", about_case(kind, stage=False, **public)
    yield "rejected", replace(about_case(kind, stage=False, status="rejected", reason=reason), decisions=decisions())
    yield "withdrawn", about_case(kind, stage=False, status="withdrawn", reason="the partner has left")


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
        yield "" if happened == "set" else happened, about_case(MailKind.CONDITION, **told)


def _incidents() -> Iterator[tuple[str, MailContext]]:
    detail = "1 person can review this stage, 2 are needed; Sam Okoye is away until 2026-03-20"
    for kind in IncidentKind:
        bounced = kind is IncidentKind.MAIL_BOUNCED
        told = "mail (task) to mere.tane@harbour.example could not be delivered: 550 5.1.1 no such mailbox"
        data = {"kind": str(kind), "detail": told if bounced else detail}
        name = "" if kind is IncidentKind.QUORUM_OUT_OF_REACH else kind.replace("_", "-")
        yield name, about_case(MailKind.INCIDENT, office=True, stage=not bounced, **data)
    told = "mail (task) to quinn.abara@example.edu could not be delivered: 550 5.1.1 no such mailbox"
    known: dict[str, Any] = {
        "kind": str(IncidentKind.MAIL_BOUNCED),
        "detail": told,
        "incident_id": "i-exampleexample23",
    }
    yield "mail-bounced-task", about_case(MailKind.INCIDENT, office=True, **known, task_id=TASK)


def _replies() -> Iterator[tuple[str, MailContext]]:
    thread: dict[str, Any] = {"in_reply_to": "<reply@example.edu>", "subject": "AW: Your review: Battery Systems"}
    recorded: dict[str, Any] = {
        "label": "Request changes",
        "comment": "The second outcome is not assessed.",
        "position": 12,
    }
    decided = task_of(status=str(TaskStatus.DECIDED))
    scores: dict[str, Any] = {"scores": {"outcomes": 3, "no_duplication": 4}}
    yield "reply_recorded", about_task(MailKind.REPLY_RECORDED, task=decided, **thread, **recorded, **scores)
    short: dict[str, Any] = {"label": "Approve", "comment": "", "position": 12, "scores": {}}
    yield "reply_recorded/short", about_task(MailKind.REPLY_RECORDED, task=decided, **short)
    kind = MailKind.REPLY_NOT_RECORDED
    unclear: dict[str, Any] = {
        "code": "reply_unclear",
        "message": 'The first line is no answer that is offered: "Looks good to me".',
        "hint": "Write one word alone on the first line.",
    }
    yield "reply_not_recorded", about_task(kind, known=True, **thread, **unclear)
    foreign: dict[str, Any] = {"code": "sender_not_assignee", "hint": "Use the link in the mail instead."}
    message = "The message came from someone@elsewhere.example."
    yield "reply_not_recorded/unknown", about_task(kind, known=False, message=message, **foreign)
    late: dict[str, Any] = {
        "code": "task_closed",
        "message": f"This task closed: the stage was decided, by the decision of {OFFICE}.",
        "hint": "Nothing is asked of you any more.",
    }
    closed = task_of(status=str(TaskStatus.CLOSED), closure=str(TaskClosure.OUTCOME_CERTAIN))
    yield "reply_not_recorded/late", about_task(kind, task=closed, known=True, **thread, **late)


def _others() -> Iterator[tuple[str, MailContext]]:
    waiting = [{"who": "Quinn Abara", "stage": "Quality review"}, {"who": "Mere Tane", "stage": "Industry sign-off"}]
    due_at = DUE.isoformat()
    yield "breach", about_case(MailKind.BREACH, office=True, stage=False, due_at=due_at, waiting_for=waiting)
    closed = task_of(status=str(TaskStatus.CLOSED), closure=str(TaskClosure.OUTCOME_CERTAIN))
    yield "task_closed", about_task(MailKind.TASK_CLOSED, task=closed)
    missing = [
        {"field": "summary", "problem": "is missing", "why": ""},
        {"field": "partners", "problem": "needs at least 2 entries, has 1", "why": "It is developed with industry."},
    ]
    yield "returned", replace(about_case(MailKind.RETURNED, stage=False, missing=missing), case=case_of(round=0))
    yield "revision", replace(about_case(MailKind.REVISION, round=1), decisions=decisions())
    act: dict[str, Any] = {
        "act_id": "a-example",
        "actor": "omar.haddad@example.edu",
        "reason": "The board met and said so.",
    }
    for name, what, outcome in (("", "override", "approved"), ("/skip", "skip", "approved")):
        facts: dict[str, Any] = {"act": what, "outcome": outcome}
        yield f"confirmation{name}", about_case(MailKind.CONFIRMATION, office=True, **act, **facts)
    question = "Is one practical test enough for three outcomes?"
    yield "advice_asked", about_task(MailKind.ADVICE_ASKED, asked_by=REVIEWER, question=question)
    text = "Yes, if each outcome is judged on its own."
    yield "advice_given", about_task(MailKind.ADVICE_GIVEN, adviser="ivo.adler@example.org", text=text)


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
    found = [Example(name, context) for name, context in (*named, *_others(), *_replies(), *sent_examples())]
    order = [*map(str, MailKind), COMBINED]
    return tuple(sorted(found, key=lambda example: (order.index(example.kind), "/" in example.name)))
