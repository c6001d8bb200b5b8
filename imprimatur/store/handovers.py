"""Hand-overs of what is published: called, made, sent, concluded; each change with its event in the ledger."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from imprimatur import ids
from imprimatur.errors import Gone, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_of_case
from imprimatur.store.inserting import insert_once
from imprimatur.store.ledger import append_event
from imprimatur.store.opening import SYSTEM, close_incidents, open_incident
from imprimatur.store.record_status import locked_publication
from models.framework import Framework
from models.handover import ConcludeHandover, HandoverDef
from models.messages import HandoverEnd
from models.tables import HandoverRow, HandoverTargetRow
from models.vocabulary import EventType, HandoverOutcome, IncidentKind, RecordStatus, RunStatus

_HANDOVER = HandoverRow.__table__  # type: ignore[attr-defined]
_TARGET = HandoverTargetRow.__table__  # type: ignore[attr-defined]
PUBLIC = "the record is public"
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Handing:
    """A hand-over as the machine carries it out."""

    handover_case: str
    case_id: str
    attempt: int
    status: RunStatus
    targets: tuple[str, ...]
    begun: bool


def called(rule: HandoverDef, case_id: str, number: int, version: int) -> dict[str, Any]:
    """Values of a row that are so however a hand-over came to be called."""
    return {
        "handover_case": ids.handover_case_id(case_id, number),
        "case_id": case_id,
        "number": number,
        "version": version,
        "targets": list(rule.targets),
        "status": str(RunStatus.QUEUED),
        "attempt": 1,
        "package": None,
        "detail": "",
        "comment": "",
    }


def told_of_call(values: dict[str, Any]) -> dict[str, Any]:
    """What the event of a call says."""
    names = ("number", "version", "targets", "reason")
    return {"handover": values["handover_case"], **{name: values[name] for name in names}}


def call_on_publication(connection: Connection, case_id: str, at: dt.datetime) -> str | None:
    """The hand-over of what has become public, where its framework asks for one; in the caller's transaction."""
    policy = framework_of_case(connection, case_id)
    return _call(connection, policy, case_id, SYSTEM, PUBLIC, at) if policy.handover is not None else None


def call_again(connection: Connection, case_id: str, *, actor: str, reason: str, at: dt.datetime) -> str:
    """A hand-over at the office's wish; answers its case.

    Raises NotFound ``publication_unknown``, Refused ``handover_not_asked``, ``record_not_public`` or
    ``handover_open``, Gone ``record_not_handed_over``.
    """
    policy = framework_of_case(connection, case_id)
    if policy.handover is None:
        raise Refused(
            "handover_not_asked",
            f"{policy.id}@{policy.version} hands nothing over.",
            "Move the case to a version of the framework with the key `handover`.",
        )
    status = RecordStatus(locked_publication(connection, case_id)["status"])
    if not status.is_public:
        raise Refused(
            "record_not_public",
            f"The record of {case_id} is {status}: it is not published yet.",
            "It is handed over when it becomes public.",
        )
    if not status.is_listed:
        raise Gone(
            "record_not_handed_over",
            f"The record of {case_id} is {status}: nobody is to deliver it any more.",
            f"See `starter.py publication show {case_id}`.",
        )
    last = _last(connection, case_id)
    if last is not None and last["concluded_at"] is None:
        raise Refused(
            "handover_open",
            f"The hand-over {last['handover_case']} is open already.",
            f"See `starter.py handover show {case_id}`; what failed is done once more by `handover retry`.",
        )
    return _call(connection, policy, case_id, actor, reason, at)


def _call(connection: Connection, policy: Framework, case_id: str, actor: str, reason: str, at: dt.datetime) -> str:
    assert policy.handover is not None, "asked only where there is one"
    row, last = locked_publication(connection, case_id), _last(connection, case_id)
    values = called(policy.handover, case_id, last["number"] + 1 if last else 1, row["version"]) | {"reason": reason}
    at = append_event(connection, case_id, EventType.HANDOVER_CALLED, actor, at, **told_of_call(values))
    connection.execute(_HANDOVER.insert().values(**values, called_by=actor, called_at=at))
    now = dt.datetime.now(dt.UTC)
    for kind in (IncidentKind.HANDOVER_FAILED, IncidentKind.HANDOVER_SENT_BACK):
        close_incidents(connection, case_id, kind, f"it is handed over anew: {values['handover_case']}", now)
    return str(values["handover_case"])


def retry(connection: Connection, case_id: str) -> str:
    """What failed of the last hand-over is done once more. Raises Refused ``handover_not_failed``."""
    last = _last(connection, case_id)
    if last is None or last["status"] != RunStatus.FAILED:
        raise Refused(
            "handover_not_failed",
            f"Nothing of the hand-over of {case_id} has failed.",
            f"See `starter.py handover show {case_id}`.",
        )
    values = {"status": str(RunStatus.QUEUED), "attempt": last["attempt"] + 1, "detail": ""}
    still = _HANDOVER.c.handover_case == last["handover_case"], _HANDOVER.c.status == str(RunStatus.FAILED)
    connection.execute(_HANDOVER.update().where(*still).values(values))
    return str(last["handover_case"])


# --- the machine's part ---------------------------------------------------------------------------------------


def due(database: Database) -> list[Handing]:
    """What is to be begun, oldest first."""
    query = select(_HANDOVER).where(_HANDOVER.c.status == str(RunStatus.QUEUED))
    with database.read() as connection:
        found = connection.execute(query.order_by(_HANDOVER.c.called_at).limit(MOST_AT_ONCE)).mappings()
        return [_handing(row) for row in found]


def at_work(database: Database) -> list[Handing]:
    """What has begun, or should have, and is not over."""
    at_work = [str(RunStatus.QUEUED), str(RunStatus.RUNNING)]
    query = select(_HANDOVER).where(_HANDOVER.c.status.in_(at_work)).order_by(_HANDOVER.c.called_at)
    with database.read() as connection:
        return [_handing(row) for row in connection.execute(query.limit(MOST_AT_ONCE)).mappings()]


def mark_running(database: Database, handover_case: str) -> None:
    waits = (_HANDOVER.c.handover_case == handover_case, _HANDOVER.c.status == str(RunStatus.QUEUED))
    with database.write() as connection:
        connection.execute(_HANDOVER.update().where(*waits).values(status=str(RunStatus.RUNNING)))


def handing(database: Database, handover_case: str) -> Handing:
    with database.read() as connection:
        return _handing(_row(connection, handover_case))


def package_in(database: Database, handover_case: str) -> tuple[dict[str, Any], str] | None:
    """What is handed over, with its digest; None as long as it has not been made."""
    with database.read() as connection:
        row = _row(connection, handover_case)
    return (row["package"], row["package_digest"]) if row["package"] is not None else None


def put_package(database: Database, handover_case: str, package: dict[str, Any], digest: str) -> None:
    """Once: what was made first is what is handed over."""
    unmade = (_HANDOVER.c.handover_case == handover_case, _HANDOVER.c.package_digest.is_(None))
    with database.write() as connection:
        connection.execute(_HANDOVER.update().where(*unmade).values(package=package, package_digest=digest))


def is_sent(database: Database, handover_case: str, target: str) -> bool:
    query = select(_TARGET.c.target).where(_TARGET.c.handover_case == handover_case, _TARGET.c.target == target)
    with database.read() as connection:
        return connection.execute(query).first() is not None


def record_sent(database: Database, found: Handing, target: str, detail: str) -> None:
    """In its row and in the ledger; once, however often it is told."""
    now = dt.datetime.now(dt.UTC)
    with database.write() as connection:
        locked_publication(connection, found.case_id)
        digest = _row(connection, found.handover_case)["package_digest"]
        values = {"handover_case": found.handover_case, "target": target, "sent_at": now, "detail": detail}
        if insert_once(connection, _TARGET, values):
            told = {"handover": found.handover_case, "target": target, "package": digest, "detail": detail}
            append_event(connection, found.case_id, EventType.HANDOVER_SENT, SYSTEM, now, **told)


def end(database: Database, ended: HandoverEnd) -> bool:
    """Closes an attempt; whether the office is told that it failed.

    Again it changes nothing, and neither does the end of an attempt that another one has followed.
    """
    now = dt.datetime.now(dt.UTC)
    with database.write() as connection:
        found = _handing(_row(connection, ended.handover))
        locked_publication(connection, found.case_id)
        found = _handing(_row(connection, ended.handover))
        if found.status.is_over or ended.attempt not in (None, found.attempt):
            return False
        status = RunStatus.FAILED if ended.failed else RunStatus.DONE
        values = {"status": str(status), "ended_at": now, "detail": ended.reason}
        connection.execute(_HANDOVER.update().where(_HANDOVER.c.handover_case == ended.handover).values(values))
        if not ended.failed:
            resolution = "people were asked, and every target was told"
            close_incidents(connection, found.case_id, IncidentKind.HANDOVER_FAILED, resolution, now)
            return False
        told = {"handover": ended.handover, "target": ended.failed, "reason": ended.reason}
        append_event(connection, found.case_id, EventType.HANDOVER_FAILED, SYSTEM, now, **told)
        about = f"{ended.handover} {found.attempt}"
        open_incident(connection, found.case_id, IncidentKind.HANDOVER_FAILED, about, ended.reason, now)
        return True


def begun(connection: Connection, handover_case: str, at: dt.datetime) -> None:
    connection.execute(_HANDOVER.update().where(_HANDOVER.c.handover_case == handover_case).values(begun_at=at))


def carry_out(
    connection: Connection, ended: ConcludeHandover, handover_case: str, comment: str, at: dt.datetime
) -> None:
    """What those who deliver it answered, at the published case; what they sent back is an incident of the office."""
    case_id = ended.about.case_id
    outcome = str(ended.outcome) if ended.outcome else None
    told = {"handover": handover_case, "outcome": outcome, "comment": comment, "reason": ended.reason}
    append_event(connection, case_id, EventType.HANDOVER_CONCLUDED, ended.actor, at, **told)
    values = {"concluded_at": at, "outcome": outcome, "concluded_by": ended.actor, "comment": comment}
    connection.execute(_HANDOVER.update().where(_HANDOVER.c.handover_case == handover_case).values(values))
    if ended.outcome is HandoverOutcome.SENT_BACK:
        detail = f"the hand-over {handover_case} was sent back: {comment or ended.reason}"
        now = dt.datetime.now(dt.UTC)
        open_incident(connection, case_id, IncidentKind.HANDOVER_SENT_BACK, f"{handover_case} answer", detail, now)


def _last(connection: Connection, case_id: str) -> RowMapping | None:
    query = select(_HANDOVER).where(_HANDOVER.c.case_id == case_id).order_by(_HANDOVER.c.number.desc()).limit(1)
    return connection.execute(query).mappings().first()


def _row(connection: Connection, handover_case: str) -> RowMapping:
    row = connection.execute(select(_HANDOVER).where(_HANDOVER.c.handover_case == handover_case)).mappings().first()
    if row is None:
        raise NotFound("handover_unknown", f"There is no hand-over {handover_case}.", "See `starter.py handover list`.")
    return row


def _handing(row: RowMapping) -> Handing:
    return Handing(
        row["handover_case"],
        row["case_id"],
        row["attempt"],
        RunStatus(row["status"]),
        tuple(row["targets"]),
        row["begun_at"] is not None,
    )
