"""Forms that were sent, by their one-time values."""

import datetime as dt

from sqlalchemy import select

from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import SentFormRow

_FORM = SentFormRow.__table__  # type: ignore[attr-defined]
# Longer than any value is good for; what is older proves nothing.
KEPT_FOR = dt.timedelta(days=3)


def first_sent(database: Database, form_id: str, task_id: str, digest: str) -> str:
    """The digest of what the form said when it was sent first, which may be now."""
    now = dt.datetime.now(dt.UTC)
    row = {"form_id": form_id, "task_id": task_id, "digest": digest, "sent_at": now}
    with database.write() as connection:
        connection.execute(_FORM.delete().where(_FORM.c.sent_at < now - KEPT_FOR))
        if insert_once(connection, _FORM, row):
            return digest
        return str(connection.execute(select(_FORM.c.digest).where(_FORM.c.form_id == form_id)).scalar())


def sent_before(database: Database, form_id: str) -> str | None:
    """The digest of what the form said when it was sent; None when it was not."""
    with database.read() as connection:
        return connection.execute(select(_FORM.c.digest).where(_FORM.c.form_id == form_id)).scalar()


def take_back(database: Database, form_id: str) -> None:
    """As if the form had not been sent: it was refused, and nothing came of it."""
    with database.write() as connection:
        connection.execute(_FORM.delete().where(_FORM.c.form_id == form_id))
