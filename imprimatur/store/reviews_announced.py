"""Mail to the office about reviews that are coming, one for each person and review."""

import datetime as dt

from sqlalchemy import select

from imprimatur import ids
from imprimatur.rules.ledger import instant_text
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from imprimatur.store.people import holders
from imprimatur.store.regular import mail_row
from imprimatur.store.reviews_due import still_offered
from models.tables import ImprovementRow, OutboxRow, PublicationRow
from models.vocabulary import MailKind

_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
OFFICE_ROLE = "governance_office"
AHEAD = dt.timedelta(days=60)


def announce(database: Database, now: dt.datetime) -> int:
    """Tells the office of every review that is due in the next 60 days and was not told of; answers how many mails."""
    of_record = _PUBLICATION.c.case_id == _IMPROVEMENT.c.case_id
    columns = _IMPROVEMENT.c.case_id, _IMPROVEMENT.c.next_at, _IMPROVEMENT.c.why
    coming = (
        select(*columns)
        .join(_PUBLICATION, of_record)
        .where(
            still_offered(),
            _IMPROVEMENT.c.next_at > now,
            _IMPROVEMENT.c.next_at <= now + AHEAD,
            _IMPROVEMENT.c.announced_at.is_(None),
        )
    )
    written = 0
    with database.write() as connection:
        people = holders(connection, OFFICE_ROLE)
        for row in connection.execute(coming.order_by(_IMPROVEMENT.c.next_at)).all():
            data = {"happened": "coming", "of": row.case_id, "due_at": instant_text(row.next_at), "reason": row.why}
            for person in people:
                mail_id = ids.review_mail_id(row.case_id, str(data["due_at"]), person.email)
                mail = mail_row(mail_id, MailKind.REVIEW, person.email, person.name, data, now)
                written += insert_once(connection, _OUTBOX, mail | {"case_id": row.case_id})
            of_it = _IMPROVEMENT.c.case_id == row.case_id
            connection.execute(_IMPROVEMENT.update().where(of_it).values(announced_at=now))
    return written
