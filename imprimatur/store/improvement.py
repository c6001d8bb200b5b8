"""The reviews of a published micro-credential: called, moved, concluded; each change with its event in the ledger.

Every function that writes works in the caller's transaction, and has the row of the micro-credential locked.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select

from imprimatur import ids
from imprimatur.errors import Gone, NotFound, Refused
from imprimatur.rules.improvement import Consequence, Evidence, consequence, day_begins, months_later
from imprimatur.rules.ledger import instant_text
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.inserting import insert_once
from imprimatur.store.ledger import append_event
from imprimatur.store.record_status import queue_run, set_record_status, targets_with, write_status
from models.framework import Framework
from models.improvement import ConcludeReview, ReviewDef
from models.tables import CaseRow, EvidenceRow, ImprovementRow, PublicationRow, ReviewRow
from models.vocabulary import EventType, RecordStatus, ReviewTrigger, RunKind

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
_REVIEW = ReviewRow.__table__  # type: ignore[attr-defined]
_EVIDENCE = EvidenceRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
SYSTEM = "system"
# What is no longer offered, and will not be again, is not reviewed.
_LAST_WORDS = (RecordStatus.RETRACTED, RecordStatus.REPLACED)
OVER = (RecordStatus.TEACHING_OUT, RecordStatus.RETIRED, *_LAST_WORDS)


@dataclass(frozen=True)
class Reviewed:
    """A published micro-credential as its reviews see it; locked until the transaction ends."""

    row: RowMapping
    case: RowMapping
    status: RecordStatus
    framework: Framework
    rule: ReviewDef

    @property
    def case_id(self) -> str:
        return str(self.row["case_id"])

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.framework)


def zone_of(framework: Framework) -> ZoneInfo:
    return ZoneInfo(framework.calendar_of(None).time_zone)


def scheduled(framework: Framework, since: dt.datetime) -> dict[str, Any]:
    """When the next review is due, and how far it can be put off, counted ``since`` an instant."""
    rule = framework.review
    assert rule is not None, "asked only where there is one"
    zone = zone_of(framework)
    latest = months_later(since, rule.at_most.months, zone).astimezone(zone).date()
    return {"next_at": months_later(since, rule.every.months, zone), "since_at": since, "latest_on": latest}


def locked(connection: Connection, case_id: str) -> Reviewed:
    """Raises NotFound ``case_unknown`` or ``review_not_scheduled``."""
    case = connection.execute(select(_CASE).where(_CASE.c.case_id == case_id).with_for_update()).mappings().first()
    if case is None:
        raise NotFound("case_unknown", f"There is no case {case_id}.", "See `starter.py list`.")
    row = connection.execute(select(_IMPROVEMENT).where(_IMPROVEMENT.c.case_id == case_id)).mappings().first()
    policy = framework_by_digest(connection, case["framework_digest"])
    if row is None or policy.review is None:
        raise NotFound(
            "review_not_scheduled",
            f"The case {case_id} is no published micro-credential whose framework asks for reviews.",
            "See `starter.py reviews list`.",
        )
    status = connection.execute(select(_PUBLICATION.c.status).where(_PUBLICATION.c.case_id == case_id)).scalar_one()
    return Reviewed(row, case, RecordStatus(status), policy, policy.review)


def note(connection: Connection, case_id: str, evidence: Evidence, now: dt.datetime) -> bool:
    """Whether this very fact is new."""
    values = {"case_id": case_id, "key": evidence.key, "trigger": str(evidence.trigger), "reason": evidence.reason}
    return insert_once(connection, _EVIDENCE, values | {"noted_at": now})


def call(
    connection: Connection, case_id: str, trigger: ReviewTrigger, reason: str, *, actor: str, at: dt.datetime
) -> str:
    """Calls a review; answers its case. One that is open is told the further reason instead; the office's own call,
    said again in the same words, is answered like the first.

    Raises Refused ``review_open`` where the office calls one that is held already, ``record_not_public`` where it calls
    one of what nobody can have taken up yet, and Gone ``record_not_reviewed``.
    """
    found = locked(connection, case_id)
    if trigger is ReviewTrigger.OFFICE and not RecordStatus(found.status).is_public:
        raise Refused(
            "record_not_public",
            f"The micro-credential is {found.status}, so there is nothing to review yet.",
            "Call the review when it is public.",
        )
    if found.status in OVER:
        raise Gone(
            "record_not_reviewed",
            f"The micro-credential is {found.status.replace('_', ' ')}, so it is not reviewed any more.",
            "Propose a new one instead.",
        )
    told = {"trigger": str(trigger), "reason": reason, "at": instant_text(at)}
    if found.row["open_review"] is not None:
        if trigger is ReviewTrigger.OFFICE:
            if (same := called_before(connection, case_id, actor, reason)) is not None:
                return same
            raise _open(found)
        return _add_reason(connection, found, told, actor, at)
    number = found.row["number"] + 1
    review_case = ids.review_case_id(case_id, number)
    values = {"review_case": review_case, "case_id": case_id, "number": number, "reasons": [told], "reason": ""}
    connection.execute(_REVIEW.insert().values(**values, called_by=actor, called_at=at))
    _change(connection, case_id, number=number, open_review=review_case, next_at=None, why="")
    event: dict[str, Any] = {"review": review_case, "number": number, "trigger": str(trigger), "reason": reason}
    append_event(connection, case_id, EventType.REVIEW_CALLED, actor, at, **event)
    return review_case


def called_before(connection: Connection, case_id: str, actor: str, reason: str) -> str | None:
    """The review that is open now, where this very call of the office's has called it."""
    query = (
        select(_REVIEW.c.review_case, _REVIEW.c.reasons)
        .join(_IMPROVEMENT, _IMPROVEMENT.c.open_review == _REVIEW.c.review_case)
        .where(_IMPROVEMENT.c.case_id == case_id, _REVIEW.c.called_by == actor)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    first = row.reasons[0]
    same = (first["trigger"], first["reason"]) == (ReviewTrigger.OFFICE, reason)
    return str(row.review_case) if same else None


def _open(found: Reviewed) -> Refused:
    return Refused(
        "review_open",
        f"A review of {found.case_id} is open already: {found.row['open_review']}.",
        "One review is held at a time; see `starter.py show` on it.",
    )


def _add_reason(connection: Connection, found: Reviewed, told: Mapping[str, str], actor: str, at: dt.datetime) -> str:
    review_case = str(found.row["open_review"])
    of_it = _REVIEW.c.review_case == review_case
    reasons = connection.execute(select(_REVIEW.c.reasons).where(of_it)).scalar_one()
    connection.execute(_REVIEW.update().where(of_it).values(reasons=[*reasons, dict(told)]))
    event = {"review": review_case, "trigger": told["trigger"], "reason": told["reason"]}
    append_event(connection, found.case_id, EventType.REVIEW_EVIDENCE_ADDED, actor, at, **event)
    return review_case


def move(connection: Connection, case_id: str, on: dt.date, reason: str, *, actor: str, at: dt.datetime) -> dt.datetime:
    """Brings the next review forward, or puts it off; answers when it is due now.

    Raises Refused ``reason_required``, ``review_open`` or ``review_beyond_limit``, Gone ``record_not_reviewed``.
    """
    found = locked(connection, case_id)
    if not reason.strip():
        raise Refused("reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")
    if found.row["open_review"] is not None:
        raise _open(found)
    if found.row["next_at"] is None:
        raise Gone("record_not_reviewed", "No further review of it is to come.", "See `starter.py reviews list`.")
    if on > found.row["latest_on"]:
        raise Refused(
            "review_beyond_limit",
            f"The framework lets the review be put off to {found.row['latest_on']} at the latest.",
            "Name an earlier day.",
        )
    next_at = day_begins(on, found.zone)
    _change(connection, case_id, next_at=next_at, why=reason, announced_at=None)
    event = {"due_at": instant_text(next_at), "reason": reason}
    append_event(connection, case_id, EventType.REVIEW_SCHEDULED, actor, at, **event)
    return next_at


def carry_out(connection: Connection, ended: ConcludeReview, review_case: str, at: dt.datetime) -> None:
    """What a review came to reaches the published record: its status, the next review, the wish for a new version."""
    found = locked(connection, ended.about.case_id)
    if ended.outcome is None:
        _schedule(connection, found, at, f"the review {review_case} ended without an outcome")
        return
    on = at.astimezone(found.zone).date()
    meant = consequence(found.rule, ended.outcome, on, ended.teach_out_on)
    event: dict[str, Any] = {"review": review_case, "outcome": str(ended.outcome), "told": meant.told}
    event |= {"retire_on": meant.retire_on.isoformat()} if meant.retire_on else {}
    append_event(connection, found.case_id, EventType.REVIEW_CARRIED_OUT, SYSTEM, at, **event)
    if found.status.is_public and found.status not in (*_LAST_WORDS, RecordStatus.RETIRED):
        _tell_record(connection, found, meant, at)
    if meant.again and found.status not in OVER:
        _schedule(connection, found, at, "")
    else:
        _change(connection, found.case_id, open_review=None, next_at=None, why="", retire_on=meant.retire_on)


def _tell_record(connection: Connection, found: Reviewed, meant: Consequence, at: dt.datetime) -> None:
    """A record that stays as it is says that it was reviewed; every target hears of that too."""
    case_id = found.case_id
    if found.status is not meant.status:
        set_record_status(connection, case_id, meant.status, actor=SYSTEM, reason=meant.told, at=at)
        return
    write_status(connection, case_id, meant.status, actor=SYSTEM, reason=meant.told, at=at)
    if targets := targets_with(connection, case_id):
        queue_run(connection, case_id, RunKind.UPDATE, targets, asked_by=SYSTEM, due_at=at)


def _schedule(connection: Connection, found: Reviewed, at: dt.datetime, why: str) -> None:
    values = scheduled(found.framework, at)
    _change(connection, found.case_id, **values, why=why, open_review=None, announced_at=None)
    event = {"due_at": instant_text(values["next_at"]), "reason": why}
    append_event(connection, found.case_id, EventType.REVIEW_SCHEDULED, SYSTEM, at, **event)


def retire(connection: Connection, case_id: str, at: dt.datetime) -> bool:
    """Ends what is taught out; False where it says something else of itself by now."""
    found = locked(connection, case_id)
    _change(connection, case_id, retire_on=None)
    if found.status is not RecordStatus.TEACHING_OUT:
        return False
    reason = f"Taught out: the time that a review gave its learners ended on {found.row['retire_on']}."
    return set_record_status(connection, case_id, RecordStatus.RETIRED, actor=SYSTEM, reason=reason, at=at)


def drafted(connection: Connection, case_id: str, review_case: str, draft: str, at: dt.datetime) -> None:
    """The new version that a review asked for has its case."""
    found = locked(connection, case_id)
    if found.row["replacement"] == draft:
        return
    _change(connection, case_id, replacement=draft)
    of_it = _REVIEW.c.review_case == review_case
    connection.execute(_REVIEW.update().where(of_it).values(replacement=draft))
    append_event(connection, case_id, EventType.REPLACEMENT_DRAFTED, SYSTEM, at, draft=draft)


def _change(connection: Connection, case_id: str, **values: Any) -> None:
    connection.execute(_IMPROVEMENT.update().where(_IMPROVEMENT.c.case_id == case_id).values(values))
