"""What the sweeper asks once a day: which reviews are due, what speaks for one, and what has come to its end."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from imprimatur.rules.improvement import (
    Evidence,
    below_the_line,
    partners_gone,
    sign_offs_ending,
    superseded,
)
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.frameworks import framework_by_digest, version_key
from imprimatur.store.improvement import OVER
from imprimatur.store.indicators import figures_of
from models.framework import Framework
from models.improvement import ReviewDef
from models.proposal import Proposal
from models.tables import CaseRow, FrameworkRow, ImprovementRow, PersonRow, PublicationRow, ReviewRow, StageRow
from models.vocabulary import ReviewOutcome, ReviewTrigger

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_FRAMEWORK = FrameworkRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_REVIEW = ReviewRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]


class Subject(NamedTuple):
    """A micro-credential that is offered, as evidence is looked for."""

    case_id: str
    framework: Framework
    rule: ReviewDef
    proposal: Proposal


class Waiting(NamedTuple):
    """A review that was called, or a new version that one asked for, whose case is still to be begun."""

    case_id: str
    review_case: str


def still_offered() -> ColumnElement[bool]:
    """For queries that read ``publication``: it is reviewed still."""
    offered: ColumnElement[bool] = _PUBLICATION.c.status.not_in([str(status) for status in OVER])
    return offered


def due(connection: Connection, now: dt.datetime) -> list[str]:
    query = (
        select(_IMPROVEMENT.c.case_id)
        .join(_PUBLICATION, _PUBLICATION.c.case_id == _IMPROVEMENT.c.case_id)
        .where(_IMPROVEMENT.c.next_at <= now, _IMPROVEMENT.c.open_review.is_(None), still_offered())
    )
    return list(connection.execute(query.order_by(_IMPROVEMENT.c.next_at)).scalars())


def to_retire(connection: Connection, today: dt.date) -> list[str]:
    """Taught out by the day before ``today``."""
    query = select(_IMPROVEMENT.c.case_id).where(_IMPROVEMENT.c.retire_on < today)
    return list(connection.execute(query.order_by(_IMPROVEMENT.c.retire_on)).scalars())


def to_begin(connection: Connection) -> list[Waiting]:
    query = select(_REVIEW.c.case_id, _REVIEW.c.review_case).where(_REVIEW.c.begun_at.is_(None))
    return [Waiting(*row) for row in connection.execute(query.order_by(_REVIEW.c.called_at))]


def to_draft(connection: Connection) -> list[Waiting]:
    """Reviews that asked for a new version which has no case yet."""
    query = select(_REVIEW.c.case_id, _REVIEW.c.review_case).where(
        _REVIEW.c.outcome == str(ReviewOutcome.REVISE), _REVIEW.c.replacement.is_(None)
    )
    return [Waiting(*row) for row in connection.execute(query.order_by(_REVIEW.c.concluded_at))]


def subjects(connection: Connection, case_ids: Sequence[str] | None = None) -> list[Subject]:
    """Those that are offered or paused; all, or some of them."""
    query = (
        select(_CASE.c.case_id, _CASE.c.framework_digest, _CASE.c.digest)
        .join(_IMPROVEMENT, _IMPROVEMENT.c.case_id == _CASE.c.case_id)
        .join(_PUBLICATION, _PUBLICATION.c.case_id == _CASE.c.case_id)
        .where(still_offered())
    )
    if case_ids is not None:
        query = query.where(_CASE.c.case_id.in_(case_ids))
    found = []
    for row in connection.execute(query.order_by(_CASE.c.case_id)).all():
        policy = framework_by_digest(connection, row.framework_digest)
        if policy.review is not None:
            found.append(Subject(row.case_id, policy, policy.review, proposal_by_digest(connection, row.digest)))
    return found


def evidence(
    connection: Connection, found: Sequence[Subject], now: dt.datetime, *, figures_only: bool = False
) -> list[tuple[str, Evidence]]:
    """What speaks for a review of each, whether or not it did before."""
    figures = figures_of(connection, [subject.case_id for subject in found])
    told = [
        (subject.case_id, item)
        for subject in found
        for item in below_the_line(subject.rule.thresholds, figures.get(subject.case_id, {}))
    ]
    if figures_only or not found:
        return told
    active = {row.email: row.active for row in connection.execute(select(_PERSON.c.email, _PERSON.c.active))}
    staffed = list(connection.execute(select(_PERSON.c.organisation).where(_PERSON.c.active).distinct()).scalars())
    newest, ends = _newest(connection), _ends(connection, [subject.case_id for subject in found])
    for subject in found:
        on, policy = subject.rule.triggers, subject.framework
        items: list[Evidence] = []
        if ReviewTrigger.PARTNER_LEFT in on:
            items += partners_gone(subject.proposal.partners, active, [name for name in staffed if name])
        if ReviewTrigger.SIGN_OFF_EXPIRING in on:
            items += sign_offs_ending(ends.get(subject.case_id, {}), subject.rule, now)
        if ReviewTrigger.FRAMEWORK_SUPERSEDED in on:
            items += superseded(policy.name, policy.version, newest.get(policy.id, policy.version))
        told += [(subject.case_id, item) for item in items]
    return told


def _newest(connection: Connection) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in connection.execute(select(_FRAMEWORK.c.id, _FRAMEWORK.c.version)):
        if row.id not in found or version_key(row.version) > version_key(found[row.id]):
            found[row.id] = row.version
    return found


def _ends(connection: Connection, case_ids: Sequence[str]) -> dict[str, dict[str, dt.datetime]]:
    """Until when approvals that stand hold, by case and the stage's name; a later round's counts."""
    query = select(_STAGE.c.case_id, _STAGE.c.name, _STAGE.c.valid_until).where(
        _STAGE.c.case_id.in_(case_ids), _STAGE.c.valid_until.is_not(None), _STAGE.c.outcome.is_not(None)
    )
    found: dict[str, dict[str, dt.datetime]] = {}
    for row in connection.execute(query.order_by(_STAGE.c.round)):
        found.setdefault(row.case_id, {})[row.name] = row.valid_until
    return found
