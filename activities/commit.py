"""The one activity of a case: writes a step in one transaction, idempotent by ``(case_id, seq)``."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select
from temporalio import activity

from activities.book import Book
from activities.effects import perform
from activities.ports import CommitPort
from imprimatur.publication.files import write_record
from imprimatur.store.engine import Database
from models.case import Resolution, Step
from models.tables import StepRow


class Committer(CommitPort):
    """``after_mail`` is called when a commit has put mail into the outbox, so that the mailer need not poll for it."""

    def __init__(
        self, database: Database, *, base_url: str, published_dir: Path, after_mail: Callable[[], object]
    ) -> None:
        self._database = database
        self._base_url = base_url
        self._published_dir = published_dir
        self._after_mail = after_mail

    @activity.defn(name="commit_step")
    def commit_step(self, step: Step) -> Resolution:
        with self._database.write() as connection:
            first = _first_answer(connection, step)
            if first is not None:
                return Resolution.model_validate_json(first)
            book = Book(connection, step, self._base_url)
            for effect in step.effects:
                perform(book, effect)
            answer = book.close()
        # Files come after the transaction: the catalogue reads the database, and `up` writes lost files anew.
        for slug, achievement in book.published:
            write_record(self._published_dir, slug, achievement)
        if book.mails:
            self._after_mail()
        return answer


def _first_answer(connection: Connection, step: Step) -> str | None:
    table = StepRow.__table__  # type: ignore[attr-defined]
    found = select(table.c.answer).where(table.c.case_id == step.case_id, table.c.seq == step.seq)
    answer: str | None = connection.execute(found).scalar()
    return answer
