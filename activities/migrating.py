"""What a change of a case's framework writes."""

from typing import Any

from activities.assigning import resolve_incidents
from activities.book import Book
from models import effects as c
from models.tables import StageRow
from models.vocabulary import EventType, StageStatus


def schedule_change(book: Book, effect: c.ScheduleChange) -> None:
    to = {"version": effect.version, "digest": effect.digest}
    facts = {"from": _version_of_case(book), "to": to, "at": str(effect.at), "reason": effect.reason}
    book.event(EventType.FRAMEWORK_CHANGE_SCHEDULED, effect.actor, **facts)


def change_framework(book: Book, effect: c.ChangeFramework) -> None:
    """What stages that are done anew had come to no longer stands; the ledger keeps it."""
    before, framework = _version_of_case(book), book.framework
    to = {"version": framework.version, "digest": book.step.framework_digest}
    for stage in (*effect.repeated, *effect.removed):
        resolve_incidents(book, stage)
    for key in book.reopened_rounds(effect.repeated):
        reason = f"the policy changed to version {framework.version}: {effect.reason}"
        book.rows.update(StageRow, key, status=str(StageStatus.WAITING), outcome=None, reason=reason)
    book.changes |= {"framework_version": to["version"], "framework_digest": to["digest"]}
    lists = ("kept", "goes_on", "repeated", "added", "removed")
    facts: dict[str, Any] = {name: list(getattr(effect, name)) for name in lists}
    facts |= {"from": before, "to": to, "at": str(effect.at), "round": book.step.round, "reason": effect.reason}
    book.event(EventType.FRAMEWORK_CHANGED, effect.actor, **facts)


def _version_of_case(book: Book) -> dict[str, str]:
    return {"version": book.case["framework_version"], "digest": book.case["framework_digest"]}
