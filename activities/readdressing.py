"""What a proposer's other address changes in a case's rows."""

from activities.book import Book
from imprimatur.store.readdressing import READDRESSED
from models import effects as c
from models.tables import ConditionRow


def readdress_proposer(book: Book, effect: c.ReaddressProposer) -> None:
    book.event(READDRESSED, effect.actor, **{"from": effect.former, "to": effect.to})
    for condition_id in effect.conditions:
        book.rows.update(ConditionRow, {"condition_id": condition_id}, owner=effect.to)
    # What the same step says further goes to the new address.
    book.case["proposer"] = effect.to
    book.changes["proposer"] = effect.to
