"""The values that templates are given, in the language of the mail."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from imprimatur.mail import words
from imprimatur.mail.context import MailContext, Readable
from imprimatur.mail.languages import Language
from imprimatur.mail.links import Links
from imprimatur.mail.message import one_line
from imprimatur.mail.replies.grammar import proposed
from imprimatur.mail.replying import is_answerable
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.rules.wording import VERDICT_LABELS, asked_for, closed_because
from models.vocabulary import IncidentKind, MailKind, Statement, TaskStatus, Verdict

LONGEST_SUBJECT = 300


@dataclass(frozen=True)
class Comment:
    """What one reviewer wrote, without a name."""

    stage: str
    said: str
    text: str


def values(context: Readable, links: Links, language: Language, *, takes_replies: bool) -> dict[str, Any]:
    """``takes_replies``: the mail says how to answer by reply, where it can be answered."""
    if not isinstance(context, MailContext):
        return context.values(links, language)
    task, stage, case = context.task, context.stage, context.case

    def local(instant: dt.datetime) -> str:
        return language.local(instant, context.zone)

    found = {
        "name": context.name,
        "case": case,
        "proposal": context.proposal,
        "title": context.proposal.title or language.gettext(words.UNTITLED),
        "framework": context.framework,
        "stage": stage,
        "data": context.mail.data,
        "comments": list(_comments(context, language)),
        "conditions": context.conditions,
        "baseline": context.baseline,
        "package": context.package,
        "incident": language.gettext(words.INCIDENTS[IncidentKind(told)])
        if (told := context.mail.data.get("kind"))
        else "",
        "clock": language.gettext(words.CLOCK[case["round"] != 0]),
        "base_url": links.base_url,
        "case_page": links.case_url(case["case_id"]),
        "revise_page": f"{links.case_url(case['case_id'])}/revise",
        "act_page": partial(links.act_url, case["case_id"]),
        "incident_page": links.incident_url(context.mail.data.get("incident_id", "")),
        "by_reply": by_reply(context, language) if takes_replies and is_answerable(context) else (),
        "local": local,
        "instant": dt.datetime.fromisoformat,
        "date": lambda text: language.day(dt.date.fromisoformat(text)),
        "re": in_reply,
        "labels": VERDICT_LABELS,
    }
    if task is not None:
        # Whoever is asked for advice gets a link of their own, which opens nobody else's answer.
        reader = context.mail.recipient if context.mail.kind is MailKind.ADVICE_ASKED else task["assignee"]
        late_since = context.mail.data.get("due_at")
        due = local(dt.datetime.fromisoformat(late_since)) if late_since else None
        found |= {
            "due": local(task["due_at"]) if task["due_at"] else None,
            "sitting": _sitting(context, language),
            "on_offer": task["offer_rule"] is not None,
            "why": words.why(language, task, context.principal),
            "link": links.task_url(task["task_id"], reader),
            "wanted": asked_for(stage, task["reason"]) if stage is not None else "decision",
            "closed": language.gettext(closed_because(task["closure"])) if task["closure"] else None,
            "escalated": words.escalated(language, context.mail.data.get("cause"), due),
            "pending": TaskStatus(task["status"]).is_pending,
        }
    return found


def by_reply(context: MailContext, language: Language) -> tuple[str, ...]:
    """What can be answered to a task by reply; what is on offer has to be claimed first, and no mail signs anybody in.

    Where an approval has to come with words that are published, the page tells those from the comment.
    """
    if context.task is None or context.stage is None or context.task["status"] == TaskStatus.OFFERED:
        return ()
    if context.stage.wants_sign_in:
        return ()
    accepted = context.stage.accepted(context.task["reason"])
    if context.stage.statement is Statement.REQUIRED:
        accepted = tuple(verdict for verdict in accepted if verdict not in IN_FAVOUR)
    return tuple(proposed(verdict, language.tag) for verdict in accepted)


def _sitting(context: MailContext, language: Language) -> str:
    """The end of a sentence, for whoever is to record what a committee decides; empty for everybody else."""
    if context.sits_at is None or context.stage is None or context.stage.committee is None:
        return ""
    name = context.framework.committees[context.stage.committee].name
    return language.gettext(words.SITTING) % {
        "committee": name,
        "day": language.local(context.sits_at, context.zone),
    }


def in_reply(subject: str) -> str:
    """As mail programs write it, so that they keep the thread together."""
    bare = re.sub(
        r"^((re|aw|antw|sv|rép|ref|rif)\s*:\s*)+", "", one_line(subject)[:LONGEST_SUBJECT], flags=re.IGNORECASE
    )
    return f"Re: {bare}"


def _comments(context: MailContext, language: Language) -> Iterator[Comment]:
    """Of the round that the mail speaks of; of its stage alone, where it tells what that came to."""
    round_number = context.mail.data.get("round", context.case["round"])
    only = context.mail.data["stage"] if context.mail.kind is MailKind.STAGE_OUTCOME else None
    for decision in context.decisions:
        if decision["comment"] and decision["round"] == round_number and only in (None, decision["stage"]):
            said = language.pgettext(words.SAID_CONTEXT, words.SAID[Verdict(decision["verdict"])])
            yield Comment(decision["stage_name"], said, decision["comment"])
