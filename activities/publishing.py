"""The record of a publication, from what the case has come to."""

import hashlib
from typing import Any

import rfc8785
from sqlalchemy import select

from activities.book import Book
from imprimatur.publication.openbadges import build_achievement, slug
from imprimatur.publication.page import Assurance, catalogue_page
from models import effects as c
from models.tables import DecisionRow, StageRow
from models.vocabulary import StageOutcome, Verdict

_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]


def publication_of(book: Book) -> dict[str, Any]:
    """Values of a publication row; the achievement is valid by its model or this raises."""
    case_id, version = book.step.case_id, book.step.version
    name = slug(book.proposal.display_title, case_id)
    achievement = build_achievement(
        book.proposal, book.framework, slug=name, base_url=book.base_url, case_id=case_id, version=version
    )
    page = catalogue_page(
        book.proposal,
        book.framework,
        assurances=_assurances(book),
        case_id=case_id,
        version=version,
        ledger_digest=book.head,
        published_at=book.step.at,
    )
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


def _assurances(book: Book) -> list[Assurance]:
    """Approved stages, their latest round; this very step's decision and closing count, though not yet written."""
    rounds = {
        row.stage: (row.round, row.closed_at)
        for row in book.connection.execute(
            select(_STAGE.c.stage, _STAGE.c.round, _STAGE.c.closed_at)
            .where(_STAGE.c.case_id == book.step.case_id, _STAGE.c.outcome == str(StageOutcome.APPROVED))
            .order_by(_STAGE.c.round)
        )
    }
    approvals = [
        (row.stage, row.round, row.task_id)
        for row in book.connection.execute(
            select(_DECISION.c.stage, _DECISION.c.round, _DECISION.c.task_id).where(
                _DECISION.c.case_id == book.step.case_id, _DECISION.c.verdict == str(Verdict.APPROVE)
            )
        )
    ]
    for effect in book.step.effects:
        if isinstance(effect, c.CloseStage) and effect.outcome is StageOutcome.APPROVED:
            rounds[effect.stage] = (effect.round, book.step.at)
        if isinstance(effect, c.RecordDecision) and effect.decision.verdict is Verdict.APPROVE:
            approvals.append((effect.stage, effect.round, effect.decision.task_id))
    return [
        _assurance(book, stage.id, *rounds[stage.id], approvals)
        for stage in book.framework.stages
        if stage.id in rounds
    ]


def _assurance(book: Book, stage: str, round_number: int, closed_at: Any, approvals: list[Any]) -> Assurance:
    tasks = [task for stage_id, number, task in approvals if (stage_id, number) == (stage, round_number)]
    roles = sorted({book.tasks()[task]["role"] or "reviewer" for task in tasks})
    return Assurance(stage=book.stage_def(stage).name, by=roles, approvals=len(tasks), closed_at=closed_at)
