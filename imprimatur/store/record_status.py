"""What a published record says of itself: whether it is offered, paused, retracted, and by what it was replaced."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from imprimatur import ids
from imprimatur.errors import Gone, NotFound, Refused
from imprimatur.store.ledger import append_event
from models.tables import PublicationRow, PublicationRunRow, PublicationTargetRow
from models.vocabulary import EventType, RecordStatus, RunKind, RunStatus, TargetStatus

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_RUN = PublicationRunRow.__table__  # type: ignore[attr-defined]
_TARGET = PublicationTargetRow.__table__  # type: ignore[attr-defined]
FINAL = (RecordStatus.RETRACTED,)


def set_record_status(
    connection: Connection,
    case_id: str,
    status: RecordStatus,
    *,
    actor: str,
    reason: str,
    at: dt.datetime | None = None,
    replaced_by: str | None = None,
) -> bool:
    """Changes what a published record says of itself, in the ledger too, and has every target told.

    In the caller's transaction; ``at`` is now where none is given. False, and nothing written, where it says so
    already. ``replaced_by`` is a slug. Raises NotFound ``publication_unknown``, Refused ``record_not_public`` for one
    that is still to be published, and Gone ``record_retracted``, for a retracted record stays so.
    """
    row = locked_publication(connection, case_id)
    before = RecordStatus(row["status"])
    if (before, row["replaced_by"]) == (status, replaced_by):
        return False
    if not before.is_public or not status.is_public:
        raise Refused(
            "record_not_public",
            f"The record of {case_id} is {before}: it is not published yet.",
            f"See `starter.py publication show {case_id}`.",
        )
    if before in FINAL:
        raise Gone(
            "record_retracted",
            f"The record of {case_id} was retracted: {row['status_reason']}.",
            "Propose the micro-credential anew; the new proposal can say that it replaces this one.",
        )
    write_status(connection, case_id, status, actor=actor, reason=reason, at=at, replaced_by=replaced_by)
    kind = RunKind.WITHDRAW if status is RecordStatus.RETRACTED else RunKind.UPDATE
    if targets := targets_with(connection, case_id):
        queue_run(connection, case_id, kind, targets, asked_by=actor, due_at=at)
    return True


def write_status(
    connection: Connection,
    case_id: str,
    status: RecordStatus,
    *,
    actor: str,
    reason: str,
    at: dt.datetime | None = None,
    replaced_by: str | None = None,
) -> None:
    """The status and its event, whatever it was before; no target hears of it."""
    named: dict[str, Any] = {"replaced_by": replaced_by} if replaced_by else {}
    moment = at or dt.datetime.now(dt.UTC)
    told = {"status": str(status), "reason": reason, **named}
    moment = append_event(connection, case_id, EventType.RECORD_STATUS_CHANGED, actor, moment, **told)
    values = {"status": str(status), "status_at": moment, "status_reason": reason, **named}
    connection.execute(_PUBLICATION.update().where(_PUBLICATION.c.case_id == case_id).values(values))


def locked_publication(connection: Connection, case_id: str) -> RowMapping:
    """The row of a publication, until the transaction ends nobody else's. Raises NotFound ``publication_unknown``."""
    query = select(_PUBLICATION).where(_PUBLICATION.c.case_id == case_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(
            "publication_unknown", f"The case {case_id} has published nothing.", "See `starter.py show` on the case."
        )
    return row


def targets_with(connection: Connection, case_id: str) -> list[str]:
    """Names of the targets that have a publication, in the order in which they got it."""
    query = select(_TARGET.c.target).where(
        _TARGET.c.case_id == case_id, _TARGET.c.status == str(TargetStatus.PUBLISHED)
    )
    return list(connection.execute(query.order_by(_TARGET.c.changed_at, _TARGET.c.target)).scalars())


def queue_run(
    connection: Connection,
    case_id: str,
    kind: RunKind,
    targets: list[str],
    *,
    asked_by: str,
    due_at: dt.datetime | None = None,
) -> str:
    """Puts an act on the targets of a publication beside what causes it; answers its id.

    What waits and has not begun is superseded: the newest act tells all that is to be told.
    """
    now = dt.datetime.now(dt.UTC)
    numbers = select(_RUN.c.number).where(_RUN.c.case_id == case_id).order_by(_RUN.c.number.desc()).limit(1)
    number = (connection.execute(numbers).scalar() or 0) + 1
    waits = (_RUN.c.case_id == case_id, _RUN.c.status == str(RunStatus.QUEUED))
    connection.execute(_RUN.update().where(*waits).values(status=str(RunStatus.SUPERSEDED), ended_at=now))
    run_id = ids.new_publication_run_id()
    values = {
        "run_id": run_id,
        "case_id": case_id,
        "number": number,
        "kind": str(kind),
        "status": str(RunStatus.QUEUED),
        "targets": targets,
        "due_at": due_at or now,
        "asked_by": asked_by,
        "asked_at": now,
        "detail": "",
    }
    connection.execute(_RUN.insert().values(values))
    return run_id
