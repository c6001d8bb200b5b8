"""What a step publishes: the record, from what the case has come to, and what follows from it."""

import datetime as dt
import hashlib
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785
from sqlalchemy import select

from activities.book import SYSTEM, Book, Published
from activities.handing import call_handover
from activities.improving import schedule_review
from activities.resolving import valid_until
from imprimatur import ids
from imprimatur.publication.openbadges import build_achievement, slug
from imprimatur.publication.page import Assurance, CataloguePage, Endorsement, catalogue_page
from imprimatur.publication.record import Standing, Version, credential_record, towards
from imprimatur.publication.records import check_records
from imprimatur.rules.ledger import instant_text
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.store.pathways import pathway_titles
from imprimatur.store.published import Other, other_versions
from imprimatur.store.publishing import beginning_of, publish_on
from models import effects as c
from models.framework import StageDef
from models.proposal import Partner
from models.tables import DecisionRow, PublicationRow, PublicationRunRow, StageRow
from models.vocabulary import EventType, RecordStatus, RunKind, RunStatus, StageOutcome

_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
ASSURING = frozenset({StageOutcome.APPROVED, StageOutcome.ENDORSED})


def publish(book: Book, effect: c.Publish) -> None:
    """Public at once, or by a run of its own; reviews and hand-overs follow. Raises as :func:`publication_of` does."""
    record = publication_of(book)
    replaces = {"replaces": record["replaces"]} if record["replaces"] else {}
    book.event(
        EventType.CREDENTIAL_PUBLISHED,
        SYSTEM,
        slug=record["slug"],
        version=record["version"],
        digest=record["digest"],
        page_digest=digest_of_record(record["page"]),
        **replaces,
    )
    release = release_of(book, record["replaces"])
    if release is None:
        book.rows.insert(PublicationRow, **record)
        endorsed = bool(record["page"].get("endorsements"))
        book.published.append(Published(record["slug"], record["achievement"], endorsed))
        call_handover(book)
    else:
        book.rows.insert(PublicationRow, **record, **put_back(book, release))
        book.to_publish = True
        book.awaited = {"waits": True} | ({"publish_on": release.day.isoformat()} if release.day else {})
    schedule_review(book)


def publication_of(book: Book) -> dict[str, Any]:
    """Values of a publication row. Raises DocumentInvalid ``record_invalid``: nothing is published half."""
    case_id, version = book.step.case_id, book.step.version
    name = slug(book.proposal.display_title, case_id)
    passed, approvals = _passed(book), _approvals(book)
    page = catalogue_page(
        book.proposal,
        book.framework,
        assurances=_assurances(book, passed, approvals),
        endorsements=_endorsements(book, passed, approvals),
        case_id=case_id,
        version=version,
        ledger_digest=book.head,
        published_at=book.step.at,
    )
    before = _replaced(book)
    standing = Standing(
        pathways=towards(book.proposal, pathway_titles(book.connection, book.proposal)),
        replaces=Version(**asdict(before)) if before is not None else None,
    )
    record = credential_record(
        book.proposal,
        book.framework,
        CataloguePage.model_validate(page),
        slug=name,
        base_url=book.base_url,
        standing=standing,
    )
    check_records(record)
    achievement = build_achievement(record)
    return {
        "slug": name,
        "case_id": case_id,
        "version": version,
        "title": book.proposal.display_title,
        "digest": digest_of_record(achievement),
        "achievement": achievement,
        "page": page,
        "published_at": book.step.at,
        "replaces": before.slug if before is not None else None,
    }


@dataclass(frozen=True)
class Release:
    """What keeps a record from being public at once: ``due_at`` and its ``day`` are set where a later one is."""

    status: RecordStatus
    reason: str
    due_at: dt.datetime | None
    day: dt.date | None = None


def release_of(book: Book, replaces: str | None) -> Release | None:
    """None where nothing but the catalogue has to have the record, and its day has come."""
    if (due_at := _due(book)) is not None:
        day = due_at.astimezone(ZoneInfo(book.framework.calendar_of(None).time_zone)).date()
        return Release(RecordStatus.SCHEDULED, "it is to be published on a later day", due_at, day)
    if book.framework.publication.targets or replaces is not None:
        return Release(RecordStatus.PENDING, "its targets are to have it first", None)
    return None


def put_back(book: Book, release: Release) -> dict[str, Any]:
    """Has the record published by a run of its own; answers what its row says until then."""
    if release.due_at is not None and release.day is not None:
        book.event(
            EventType.PUBLICATION_SCHEDULED,
            SYSTEM,
            publish_on=release.day.isoformat(),
            due_at=instant_text(release.due_at),
            reason="",
        )
    book.event(EventType.RECORD_STATUS_CHANGED, SYSTEM, status=str(release.status), reason=release.reason)
    now = dt.datetime.now(dt.UTC)
    book.rows.insert(
        PublicationRunRow,
        run_id=ids.new_publication_run_id(),
        case_id=book.step.case_id,
        number=1,
        kind=str(RunKind.PUBLISH),
        status=str(RunStatus.QUEUED),
        targets=list(book.framework.publication.targets),
        due_at=release.due_at or now,
        asked_by=SYSTEM,
        asked_at=now,
        detail="",
    )
    return {"status": str(release.status), "status_at": book.step.at, "status_reason": release.reason}


def _due(book: Book) -> dt.datetime | None:
    """When the record becomes public; None where its day has come, or none was set. The office's word goes first."""
    day = publish_on(book.connection, book.step.case_id) or book.proposal.publish_on
    if day is None:
        return None
    at = beginning_of(day, book.framework)
    return at if at > book.step.at else None


def _replaced(book: Book) -> Other | None:
    named = book.proposal.replaces
    if named is None:
        return None
    query = select(_PUBLICATION.c.slug).where(_PUBLICATION.c.case_id == named)
    slug = book.connection.execute(query).scalar()
    return other_versions(book.connection, slug).get(slug)


def digest_of_record(record: dict[str, Any]) -> str:
    """SHA-256 (hex) of canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(record)).hexdigest()


@dataclass(frozen=True)
class _Approval:
    """Somebody's word for the proposal, and what of it may be published."""

    stage: str
    round: int
    task_id: str
    statement: str
    logo: bool


@dataclass(frozen=True)
class _Passed:
    """A stage's approval that stands: in which round, since when, and until when it holds."""

    round: int
    closed_at: dt.datetime
    valid_until: dt.datetime | None


def _passed(book: Book) -> dict[str, _Passed]:
    """Approved and endorsed stages, their latest round; what this very step writes counts already."""
    query = (
        select(_STAGE.c.stage, _STAGE.c.round, _STAGE.c.closed_at, _STAGE.c.valid_until)
        .where(_STAGE.c.case_id == book.step.case_id, _STAGE.c.outcome.in_(map(str, ASSURING)))
        .order_by(_STAGE.c.round)
    )
    found = {row.stage: _Passed(row.round, row.closed_at, row.valid_until) for row in book.connection.execute(query)}
    for effect in book.step.effects:
        if isinstance(effect, c.CloseStage) and effect.outcome in ASSURING:
            stage = book.stage_def(effect.stage)
            until = valid_until(book.framework, stage, book.step.at) if stage.valid_for is not None else None
            found[effect.stage] = _Passed(effect.round, book.step.at, until)
    return found


def _approvals(book: Book) -> list[_Approval]:
    query = (
        select(_DECISION)
        .where(
            _DECISION.c.case_id == book.step.case_id,
            _DECISION.c.verdict.in_(map(str, IN_FAVOUR)),
            _DECISION.c.annulled_at.is_(None),
        )
        .order_by(_DECISION.c.position)
    )
    found = [
        _Approval(row["stage"], row["round"], row["task_id"], row["statement"] or "", bool(row["logo"]))
        for row in book.connection.execute(query).mappings()
    ]
    for effect in book.step.effects:
        if isinstance(effect, c.RecordDecision) and effect.decision.verdict in IN_FAVOUR:
            said = effect.decision
            found.append(_Approval(effect.stage, effect.round, said.task_id, said.statement, said.logo))
    return found


def _assurances(book: Book, passed: dict[str, _Passed], approvals: list[_Approval]) -> list[Assurance]:
    return [
        _assurance(book, stage, passed[stage.id], approvals) for stage in book.framework.stages if stage.id in passed
    ]


def _assurance(book: Book, stage: StageDef, passed: _Passed, approvals: list[_Approval]) -> Assurance:
    tasks = [said.task_id for said in approvals if (said.stage, said.round) == (stage.id, passed.round)]
    roles = sorted({book.tasks()[task]["role"] or "reviewer" for task in tasks})
    return Assurance(
        stage=stage.name,
        by=roles,
        approvals=len(tasks),
        closed_at=passed.closed_at,
        valid_until=passed.valid_until,
    )


def _endorsements(book: Book, passed: dict[str, _Passed], approvals: list[_Approval]) -> list[Endorsement]:
    """Statements of approvals that stand, one organisation after the other."""
    found = []
    for said in approvals:
        standing = said.stage in passed and passed[said.stage].round == said.round
        partner = _partner_of(book, said.task_id)
        if standing and partner is not None and (said.statement or said.logo):
            logo = partner.logo if said.logo else None
            found.append(Endorsement(organisation=partner.organisation, statement=said.statement, logo=logo))
    return found


def _partner_of(book: Book, task_id: str) -> Partner | None:
    task = book.tasks()[task_id]
    signer = task["on_behalf_of"] or task["assignee"]
    named = (p for p in book.proposal.partners if any(email == signer for email, _ in p.signers()))
    return next(named, None)
