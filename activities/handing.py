"""What hand-overs of published micro-credentials write with the steps of cases."""

from activities.book import SYSTEM, Book
from imprimatur.store.handovers import PUBLIC, begun, called, carry_out, told_of_call
from models.events import Decided
from models.handover import BeginHandover, ConcludeHandover
from models.tables import HandoverRow
from models.vocabulary import EventType, MailKind


def call_handover(book: Book) -> None:
    """Of what this very step has made public, where the framework asks for it."""
    if book.framework.handover is None:
        return
    values = called(book.framework.handover, book.step.case_id, 1, book.step.version) | {"reason": PUBLIC}
    book.rows.insert(HandoverRow, **values, called_by=SYSTEM, called_at=book.step.at)
    book.event(EventType.HANDOVER_CALLED, SYSTEM, **told_of_call(values))
    book.to_publish = True


def begin_handover(book: Book, effect: BeginHandover) -> None:
    about = effect.about
    begun(book.connection, book.step.case_id, book.step.at)
    told = {"of": about.case_id, "number": about.number, "version": about.version}
    book.event(EventType.HANDOVER_BEGUN, SYSTEM, **told, package=about.package, head=about.head)


def conclude_handover(book: Book, effect: ConcludeHandover) -> None:
    """In one transaction with what it means at the published case."""
    comment = book.step.event.comment if isinstance(book.step.event, Decided) else ""
    outcome = str(effect.outcome) if effect.outcome else None
    told = {"handover": book.step.case_id, "of": effect.about.case_id, "outcome": outcome, "comment": comment}
    book.event(EventType.HANDOVER_CONCLUDED, effect.actor, **told, reason=effect.reason)
    carry_out(book.connection, effect, book.step.case_id, comment, book.step.at)
    if outcome is not None:
        book.mail(MailKind.HANDED_OVER, book.proposer, of=effect.about.case_id, outcome=outcome, comment=comment)
