"""What mails say of the closed words of a case, and how what was worded elsewhere is told in another language.

Everything here is a source text of the catalogues: :func:`vocabulary` lists all of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args, get_origin

from imprimatur.mail.languages import MOMENT, SOURCE, Language
from imprimatur.mail.phrases import FORMS, NUMBER, PHRASES
from imprimatur.mail.replies.grammar import proposed
from imprimatur.rules.wording import VERDICT_LABELS, closed_because
from models.proposal import Proposal
from models.vocabulary import AssignmentReason, IncidentKind, TaskClosure, Verdict

WHY = {
    AssignmentReason.ROLE: "you hold the role %(role)s",
    AssignmentReason.UNIT: "you belong to the unit concerned",
    AssignmentReason.PARTNER: "the proposal names you as its industry partner's contact",
    AssignmentReason.ADDRESS: "the framework names your address for this stage",
    AssignmentReason.ESCALATION: "you answer for the role %(role)s, to which this stage was escalated",
    AssignmentReason.DEPUTY: "you hold the role %(role)s, which takes the place of a reviewer here",
    AssignmentReason.REASSIGNMENT: "the governance office asks you in someone else's place",
    AssignmentReason.DELEGATION: "whoever was asked first has passed it on to you",
    AssignmentReason.REPETITION: "your earlier answer was annulled, so you are asked once more",
    AssignmentReason.SUCCESSION: "you take the place of someone who is no longer there",
    AssignmentReason.CONFIRMATION: "you approved the version before, and are asked to confirm it for this one",
}
# In somebody's place: both names are told.
WHY_INSTEAD = {
    AssignmentReason.REASSIGNMENT: "the governance office asks you in the place of %(principal)s",
    AssignmentReason.DELEGATION: "%(principal)s has passed it on to you",
    AssignmentReason.SUCCESSION: "you take the place of %(principal)s",
}
STANDS_IN = "you stand in for %(principal)s"
SAID_CONTEXT = "said"
SAID = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.REQUEST_CHANGES: "asks for changes",
    Verdict.ABSTAIN: "abstained",
    Verdict.RECUSE: "stood aside",
    Verdict.ENDORSE: "endorsed",
    Verdict.ACKNOWLEDGE: "acknowledged",
    Verdict.OBJECT: "objected",
    Verdict.CONTINUE: "recommends to go on as it is",
    Verdict.REVISE: "recommends a new version",
    Verdict.PAUSE: "recommends to pause the intake",
    Verdict.RETIRE: "recommends to retire it",
    Verdict.TAKE_UP: "took it up",
    Verdict.SEND_BACK: "sent it back",
}
INCIDENTS = {
    IncidentKind.NO_REVIEWER: "Nobody can review a stage",
    IncidentKind.QUORUM_OUT_OF_REACH: "Too few people can review a stage",
    IncidentKind.NO_ESCALATION_TARGET: "Nobody is there to whom a stage could be escalated",
    IncidentKind.NO_DEPUTY: "Nobody takes the place of a reviewer",
    IncidentKind.REVIEWER_ABSENT: "Somebody is asked who is away",
    IncidentKind.CONFLICT_OF_INTEREST: "A reviewer has a conflict of interest",
    IncidentKind.NO_SUCCESSOR: "Nobody can take over a task",
    IncidentKind.NO_SITTING: "No further sitting is announced",
    IncidentKind.NO_WINDOW: "No further review window is announced",
    IncidentKind.MAIL_BOUNCED: "A mail could not be delivered",
    IncidentKind.PUBLICATION_FAILED: "A target of a publication could not be reached",
    IncidentKind.HANDOVER_FAILED: "What is published could not be handed over",
    IncidentKind.HANDOVER_SENT_BACK: "Those who are to deliver it have sent it back",
}
ESCALATED = {
    "objection": "Someone with standing has objected. You decide: approve to overrule the objection, reject or request "
    "changes to uphold it.",
    "refusal": "Those who were asked refused it. You decide: approve to override their refusal, which is recorded with "
    "your reasons, or reject to uphold it.",
    "no_decision": "The answers given can no longer decide this stage, so the decision is yours.",
    "breach": "This stage was to be decided by %(due)s and was not, so it comes to you as well. "
    "Your answer counts like any other reviewer's.",
    "late": "This stage was to be decided in time and was not, so it comes to you as well. "
    "Your answer counts like any other reviewer's.",
}
SITTING = "%(committee)s meets on this on %(day)s; its decision can be recorded from then on."
CLOCK = {False: "The clock has not started.", True: "The clock stands still until then."}
# How something is taught; of a proposal's field.
MODES = ("online", "onsite", "blended", "workplace")
UNTITLED = "Untitled proposal"
# Of the open tasks in a digest.
GROUPS = {"quick": "A click or two", "review": "To be reviewed", "offer": "On offer, for whoever claims it first"}
DUE = "Due: %(title)s (%(stage)s)"
WHERE_THE_LINK_IS = "Case %(case)s. The link is in the mail \u201c%(subject)s\u201d."


def field_names() -> Iterator[str]:
    """The fields of a proposal, as a comparison names them: those of a list are compared as a whole."""
    for name, field in Proposal.model_fields.items():
        yield name.replace("_", " ")
        for inner in () if get_origin(field.annotation) is tuple else get_args(field.annotation):
            yield from (part.replace("_", " ") for part in getattr(inner, "model_fields", ()))


def vocabulary() -> Iterator[tuple[str, str, str | None]]:
    """Source texts that stand in no template, each with a note for whoever translates it, and its context."""
    for text in SAID.values():
        yield text, "after: a reviewer", SAID_CONTEXT
    notes: list[tuple[str, Iterable[str]]] = [
        ("after: You are asked because", [*WHY.values(), *WHY_INSTEAD.values(), STANDS_IN]),
        ("what needs the governance office", INCIDENTS.values()),
        ("why somebody is asked to decide a stage that was escalated", ESCALATED.values()),
        ("of a committee", [SITTING]),
        ("whether the time promised for the case runs", CLOCK.values()),
        ("a day, a time of that day, and the time zone", [MOMENT]),
        ("in place of a title", [UNTITLED]),
        ("how a micro-credential is taught", MODES),
        ("heads open tasks", GROUPS.values()),
        ("a date in a calendar: what is due, and where its link is", [DUE, WHERE_THE_LINK_IS]),
        ("after: is no longer needed:", map(closed_because, TaskClosure)),
        ("a verdict, in a receipt", VERDICT_LABELS.values()),
        ("a field of a proposal", field_names()),
        ("told of a case or a reply", PHRASES),
    ]
    for note, texts in notes:
        yield from ((text, note, None) for text in texts)


def retold(language: Language, text: str) -> str:
    """What was worded elsewhere, in the mail's language where its form is known; else as it is."""
    return text if language.tag == SOURCE else _retold(language, text)


@lru_cache(4096)
def _retold(language: Language, text: str) -> str:
    # A text of somebody may be the very source of a phrase with placeholders.
    if "%(" not in text and (translated := language.gettext(text)) != text:
        return translated.replace("%%", "%")
    for source, form in _forms():
        if found := form.fullmatch(text):
            return language.gettext(source) % {
                name: _part(language, name, value) for name, value in found.groupdict().items()
            }
    if "; " in text:
        return "; ".join(_retold(language, part) for part in text.split("; "))
    return f"{_retold(language, text[:-1])}." if text.endswith(".") else text


def _part(language: Language, name: str, value: str) -> str:
    match name:
        case "closure" | "why" | "problem" | "status":
            return _retold(language, value)
        case "verdict":
            label = VERDICT_LABELS.get(value.strip("'"))  # type: ignore[call-overload]
            return language.gettext(label) if label else value
        case "option":
            return language.gettext(VERDICT_LABELS[Verdict(value)])
        case "verdicts":
            return ", ".join(proposed(Verdict(verdict), language.tag) for verdict in value.split(", "))
    return value


@lru_cache(1)
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((source, _form(source)) for source in PHRASES if "%(" in source)


def _form(source: str) -> re.Pattern[str]:
    """``re.split`` answers texts and names in turn."""
    parts = re.split(r"%\((\w+)\)s", source)
    return re.compile(
        "".join(
            f"(?P<{part}>{FORMS.get(part, NUMBER)})" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        ),
        re.DOTALL,
    )


def field_words(language: Language, path: str) -> str:
    """A field such as ``assessment.description``, in words."""
    return ", ".join(retold(language, name.replace("_", " ")) for name in path.split("."))


def why(language: Language, task: Mapping[str, Any], principal: str) -> str:
    """Why its assignee is asked; the end of a sentence."""
    reason, role = AssignmentReason(task["reason"]), (task["role"] or "").replace("_", " ")
    if not task["on_behalf_of"]:
        return language.gettext(WHY[reason]) % {"role": role}
    named = f"{principal} ({task['on_behalf_of']})" if principal else task["on_behalf_of"]
    return language.gettext(WHY_INSTEAD.get(reason, STANDS_IN)) % {"principal": named}


def escalated(language: Language, cause: str | None, due: str | None) -> str:
    """Why a stage comes to whoever it is escalated to; ``due`` is when it should have been decided."""
    known = cause if cause in ("objection", "refusal", "breach") else "no_decision"
    if known == "breach" and due is None:
        known = "late"
    return language.gettext(ESCALATED[known]) % {"due": due}
