"""The record of a publication, from what the case has come to."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import select

from activities.book import Book
from activities.resolving import valid_until
from imprimatur.publication.openbadges import build_achievement, slug
from imprimatur.publication.page import Assurance, CataloguePage, Endorsement, catalogue_page
from imprimatur.publication.record import credential_record
from imprimatur.publication.records import check_records
from imprimatur.rules.voting import IN_FAVOUR
from models import effects as c
from models.framework import StageDef
from models.proposal import Partner
from models.tables import DecisionRow, StageRow
from models.vocabulary import StageOutcome

_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
ASSURING = frozenset({StageOutcome.APPROVED, StageOutcome.ENDORSED})


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
    record = credential_record(
        book.proposal, book.framework, CataloguePage.model_validate(page), slug=name, base_url=book.base_url
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
    }


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
