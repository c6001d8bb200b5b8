"""The runs of publications, what became of each target, and the end that makes a record public."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping, func, select

from imprimatur import ids
from imprimatur.errors import Gone, NotFound
from imprimatur.store.engine import Database
from imprimatur.store.handovers import call_on_publication
from imprimatur.store.ledger import append_event
from imprimatur.store.opening import SYSTEM, close_incidents, open_incident
from imprimatur.store.record_status import set_record_status, write_status
from models.framework import Framework
from models.messages import RunEnd
from models.tables import (
    CaseRow,
    OutboxRow,
    PublicationDateRow,
    PublicationRow,
    PublicationRunRow,
    PublicationTargetRow,
)
from models.vocabulary import (
    CaseStatus,
    EventType,
    IncidentKind,
    MailKind,
    RecordStatus,
    RunKind,
    RunStatus,
    TargetStatus,
)

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
_RUN = PublicationRunRow.__table__  # type: ignore[attr-defined]
_TARGET = PublicationTargetRow.__table__  # type: ignore[attr-defined]
_DATE = PublicationDateRow.__table__  # type: ignore[attr-defined]
EVERY_TARGET = "every target has the record"
UNDONE = "another target failed"
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Run:
    run_id: str
    case_id: str
    kind: RunKind
    status: RunStatus
    targets: tuple[str, ...]


class TargetView(BaseModel):
    target: str
    status: TargetStatus
    changed_at: dt.datetime
    detail: str


class RunView(BaseModel):
    run_id: str
    number: int
    kind: RunKind
    status: RunStatus
    targets: list[str]
    due_at: dt.datetime
    asked_by: str
    asked_at: dt.datetime
    ended_at: dt.datetime | None
    detail: str


class PublicationView(BaseModel):
    """``replaces`` and ``replaced_by`` are slugs; ``publish_on`` is the day that the office has set."""

    case_id: str
    slug: str
    version: int
    title: str
    status: RecordStatus
    status_at: dt.datetime | None
    reason: str
    replaces: str | None
    replaced_by: str | None
    published_at: dt.datetime
    publish_on: dt.date | None
    targets: list[TargetView]
    runs: list[RunView]


def publication_view(database: Database, name: str) -> PublicationView:
    """Of a case, or a slug. Raises NotFound ``publication_unknown``."""
    with database.read() as connection:
        named = (_PUBLICATION.c.case_id == name) | (_PUBLICATION.c.slug == name)
        row = connection.execute(select(_PUBLICATION).where(named)).mappings().first()
        if row is None:
            raise NotFound(
                "publication_unknown", f"{name} has published nothing.", f"See `starter.py show {name}` for the case."
            )
        of_case = row["case_id"]
        targets = connection.execute(
            select(_TARGET).where(_TARGET.c.case_id == of_case).order_by(_TARGET.c.changed_at, _TARGET.c.target)
        ).mappings()
        runs = connection.execute(select(_RUN).where(_RUN.c.case_id == of_case).order_by(_RUN.c.number)).mappings()
        told = {"reason": row["status_reason"] or "", "publish_on": publish_on(connection, of_case)}
        parts = {"targets": [dict(item) for item in targets], "runs": [dict(item) for item in runs]}
        return PublicationView.model_validate(dict(row) | told | parts)


def beginning_of(day: dt.date, framework: Framework) -> dt.datetime:
    """Midnight, where the framework's own calendar is; whether people work that day does not matter."""
    zone = ZoneInfo(framework.calendar_of(None).time_zone)
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def publish_on(connection: Connection, case_id: str) -> dt.date | None:
    """The day that the office has set."""
    found: dt.date | None = connection.execute(select(_DATE.c.publish_on).where(_DATE.c.case_id == case_id)).scalar()
    return found


def put_publish_on(connection: Connection, case_id: str, day: dt.date, by: str, at: dt.datetime) -> None:
    connection.execute(_DATE.delete().where(_DATE.c.case_id == case_id))
    connection.execute(_DATE.insert().values(case_id=case_id, publish_on=day, set_by=by, set_at=at))


def due_runs(database: Database, now: dt.datetime) -> list[Run]:
    """What is to be begun, oldest first: one run of a case at a time."""
    busy = select(_RUN.c.case_id).where(_RUN.c.status == str(RunStatus.RUNNING))
    query = select(_RUN).where(
        _RUN.c.status == str(RunStatus.QUEUED), _RUN.c.due_at <= now, _RUN.c.case_id.not_in(busy)
    )
    ordered = query.order_by(_RUN.c.due_at, _RUN.c.run_id).limit(MOST_AT_ONCE)
    with database.read() as connection:
        return [_run(row) for row in connection.execute(ordered).mappings()]


def runs_at_work(database: Database) -> list[Run]:
    """What has begun, or should have by now, and is not over."""
    at_work = [str(RunStatus.QUEUED), str(RunStatus.RUNNING)]
    query = select(_RUN).where(_RUN.c.status.in_(at_work), _RUN.c.due_at <= dt.datetime.now(dt.UTC))
    with database.read() as connection:
        return [_run(row) for row in connection.execute(query.order_by(_RUN.c.due_at).limit(MOST_AT_ONCE)).mappings()]


def begin_run(database: Database, run_id: str) -> bool:
    """False where it is superseded, or over; again it changes nothing."""
    with database.write() as connection:
        found = _locked(connection, run_id)
        if found.status is RunStatus.QUEUED:
            connection.execute(_RUN.update().where(_RUN.c.run_id == run_id).values(status=str(RunStatus.RUNNING)))
        return not found.status.is_over


def run_of(database: Database, run_id: str) -> Run:
    with database.read() as connection:
        return _run(connection.execute(select(_RUN).where(_RUN.c.run_id == run_id)).mappings().one())


def last_run(connection: Connection, case_id: str) -> Run | None:
    query = select(_RUN).where(_RUN.c.case_id == case_id).order_by(_RUN.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return _run(row) if row is not None else None


def record_status(connection: Connection, case_id: str) -> RecordStatus | None:
    found = connection.execute(select(_PUBLICATION.c.status).where(_PUBLICATION.c.case_id == case_id)).scalar()
    return RecordStatus(found) if found is not None else None


def postpone(connection: Connection, case_id: str, due_at: dt.datetime) -> bool:
    """Moves what waits for its day to another one; False where it does not wait any more."""
    waits = (_RUN.c.case_id == case_id, _RUN.c.status == str(RunStatus.QUEUED))
    return connection.execute(_RUN.update().where(*waits).values(due_at=due_at)).rowcount > 0


def is_done_at(database: Database, run_id: str, target: str, status: TargetStatus) -> bool:
    """Whether this very run has brought a target so far already."""
    query = select(_TARGET.c.status).where(_TARGET.c.target == target, _TARGET.c.run_id == run_id)
    with database.read() as connection:
        return connection.execute(query).scalar() == status


def record_target(
    database: Database, run: Run, target: str, status: TargetStatus, detail: str, reason: str = ""
) -> None:
    """What became of a target, in its row and in the ledger; once, however often it is told."""
    with database.write() as connection:
        _locked(connection, run.run_id)
        before = (
            connection.execute(select(_TARGET).where(_TARGET.c.case_id == run.case_id, _TARGET.c.target == target))
            .mappings()
            .first()
        )
        if before is not None and (before["run_id"], before["status"]) == (run.run_id, status):
            return
        told = {"target": target, "run": run.run_id, "detail": detail, "reason": reason}
        at = append_event(connection, run.case_id, _EVENTS[status], SYSTEM, dt.datetime.now(dt.UTC), **told)
        if status is TargetStatus.FAILED and before is not None and before["status"] == TargetStatus.PUBLISHED:
            # It still has what it had; that it did not hear of a change stands in the ledger and with its run.
            return
        connection.execute(_TARGET.delete().where(_TARGET.c.case_id == run.case_id, _TARGET.c.target == target))
        values = {"case_id": run.case_id, "target": target, "status": str(status), "run_id": run.run_id}
        connection.execute(_TARGET.insert().values(**values, changed_at=at, detail=detail or reason))


_EVENTS = {
    TargetStatus.PUBLISHED: EventType.TARGET_PUBLISHED,
    TargetStatus.WITHDRAWN: EventType.TARGET_WITHDRAWN,
    TargetStatus.FAILED: EventType.TARGET_FAILED,
}


def end_run(database: Database, end: RunEnd) -> str | None:
    """Closes a run, and answers the slug of what has become public by it. Again it changes nothing."""
    now = dt.datetime.now(dt.UTC)
    with database.write() as connection:
        run = _locked(connection, end.run_id)
        if run.status.is_over:
            return None
        status = RunStatus.FAILED if end.failed else RunStatus.DONE
        values = {"status": str(status), "ended_at": now, "detail": end.reason}
        connection.execute(_RUN.update().where(_RUN.c.run_id == end.run_id).values(values))
        if end.failed:
            detail = f"{run.kind} at {end.failed}: {end.reason}"
            open_incident(connection, run.case_id, IncidentKind.PUBLICATION_FAILED, run.run_id, detail, now)
            return None
        close_incidents(connection, run.case_id, IncidentKind.PUBLICATION_FAILED, "every target was reached", now)
        return _make_public(connection, run.case_id, now) if run.kind is RunKind.PUBLISH else None


def _make_public(connection: Connection, case_id: str, now: dt.datetime) -> str | None:
    row = (
        connection.execute(select(_PUBLICATION).where(_PUBLICATION.c.case_id == case_id).with_for_update())
        .mappings()
        .one()
    )
    if RecordStatus(row["status"]).is_public:
        return None
    write_status(connection, case_id, RecordStatus.OFFERED, actor=SYSTEM, reason=EVERY_TARGET, at=now)
    if row["replaces"] is not None:
        _replace(connection, row["replaces"], row["slug"], now)
    _tell_proposer(connection, case_id, row["slug"], now)
    call_on_publication(connection, case_id, now)
    return str(row["slug"])


def _tell_proposer(connection: Connection, case_id: str, slug: str, now: dt.datetime) -> None:
    """Whose approval was told when there was no address yet."""
    proposer = connection.execute(select(_CASE.c.proposer).where(_CASE.c.case_id == case_id)).scalar_one()
    values = {
        "mail_id": ids.public_mail_id(case_id),
        "case_id": case_id,
        "kind": str(MailKind.OUTCOME),
        "recipient": proposer,
        "recipient_name": "",
        "data": {"status": str(CaseStatus.PUBLISHED), "reason": EVERY_TARGET, "slug": slug, "public": True},
        "created_at": now,
        "status": "queued",
        "due_at": now,
        "attempts": 0,
        "last_reply": "",
    }
    connection.execute(_OUTBOX.insert().values(values))


def _replace(connection: Connection, old: str, new: str, now: dt.datetime) -> None:
    case_id = connection.execute(select(_PUBLICATION.c.case_id).where(_PUBLICATION.c.slug == old)).scalar()
    if case_id is None:
        return
    try:
        set_record_status(
            connection,
            case_id,
            RecordStatus.REPLACED,
            actor=SYSTEM,
            reason="a later version was published",
            at=now,
            replaced_by=new,
        )
    except Gone:
        # What was retracted meanwhile stays so.
        return


def held_by_targets(database: Database) -> dict[str, dict[TargetStatus, int]]:
    """By target the numbers of records, by what it has of them. One query."""
    found: dict[str, dict[TargetStatus, int]] = {}
    kinds = _TARGET.c.target, _TARGET.c.status
    query = select(*kinds, func.count().label("number")).group_by(*kinds).order_by(*kinds)
    with database.read() as connection:
        for row in connection.execute(query):
            found.setdefault(row.target, {})[TargetStatus(row.status)] = row.number
    return found


def _locked(connection: Connection, run_id: str) -> Run:
    return _run(connection.execute(select(_RUN).where(_RUN.c.run_id == run_id).with_for_update()).mappings().one())


def _run(row: RowMapping) -> Run:
    return Run(row["run_id"], row["case_id"], RunKind(row["kind"]), RunStatus(row["status"]), tuple(row["targets"]))
