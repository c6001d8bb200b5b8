"""What the reviews of published micro-credentials write with the steps of cases."""

from typing import Any

from activities.book import OFFICE_ROLE, SYSTEM, Book
from imprimatur.rules.ledger import instant_text
from imprimatur.store.improvement import carry_out, scheduled
from imprimatur.store.people import holders
from models.improvement import BeginReview, ConcludeReview
from models.tables import ImprovementRow, ReviewRow
from models.vocabulary import EventType, MailKind


def schedule_review(book: Book) -> None:
    """The first review of what has just been published, where the framework asks for reviews."""
    if book.framework.review is None:
        return
    values = scheduled(book.framework, book.step.at)
    book.rows.insert(ImprovementRow, case_id=book.step.case_id, number=0, why="", **values)
    book.event(EventType.REVIEW_SCHEDULED, SYSTEM, due_at=instant_text(values["next_at"]), reason="")


def begin_review(book: Book, effect: BeginReview) -> None:
    about = effect.about
    book.rows.update(ReviewRow, {"review_case": book.step.case_id}, begun_at=book.step.at)
    book.event(
        EventType.REVIEW_BEGUN,
        SYSTEM,
        of=about.case_id,
        number=about.number,
        trigger=str(about.trigger),
        reason=about.reason,
    )
    _tell(book, happened="begun", of=about.case_id, number=about.number, reason=about.reason)


def conclude_review(book: Book, effect: ConcludeReview) -> None:
    """In one transaction with what it means for the published record."""
    outcome = str(effect.outcome) if effect.outcome else None
    until = effect.teach_out_on.isoformat() if effect.teach_out_on else None
    book.rows.update(
        ReviewRow,
        {"review_case": book.step.case_id},
        concluded_at=book.step.at,
        outcome=outcome,
        teach_out_on=effect.teach_out_on,
        reason=effect.reason,
    )
    book.event(
        EventType.REVIEW_CONCLUDED,
        SYSTEM,
        of=effect.about.case_id,
        outcome=outcome,
        recommended={stage: str(verdict) for stage, verdict in effect.recommended.items()},
        teach_out_on=until,
        reason=effect.reason,
    )
    carry_out(book.connection, effect, book.step.case_id, book.step.at)
    if outcome is not None:
        _tell(
            book,
            happened="concluded",
            of=effect.about.case_id,
            number=effect.about.number,
            reason=effect.reason,
            outcome=outcome,
        )


def _tell(book: Book, **data: Any) -> None:
    told = {person.email: person.name for person in holders(book.connection, OFFICE_ROLE)}
    for email, name in ({book.proposer: ""} | told).items():
        book.mail(MailKind.REVIEW, email, name, **data)


def wanted_anew(book: Book) -> list[dict[str, str]]:
    """What a draft lacks that a review asked for: the changes themselves."""
    revises = getattr(book.step.event, "revises", None)
    if revises is None:
        return []
    problem = f"a review ({revises}) asked for a new version of what is published"
    return [{"field": "proposal", "problem": problem, "why": ""}]
