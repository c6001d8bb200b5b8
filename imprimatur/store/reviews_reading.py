"""Reviews as the office, the reviewers and the case of a micro-credential see them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, select

from imprimatur.access.viewer import Scope
from imprimatur.errors import NotFound
from imprimatur.store.access import overseen
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest, stage_in
from imprimatur.store.indicators import IndicatorView, indicators_of
from models.framework import Framework
from models.improvement import ReviewDef, Threshold
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, ImprovementRow, PublicationRow, ReviewRow, TaskRow
from models.vocabulary import RecordStatus, ReviewOutcome, ReviewTrigger, Verdict

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_REVIEW = ReviewRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_EVERYTHING = Scope("", everything=True)


@dataclass(frozen=True)
class Called:
    """What a review that was called begins with."""

    number: int
    trigger: ReviewTrigger
    reason: str
    proposer: str
    digest: str
    proposal: Proposal
    rule: ReviewDef
    framework_id: str


def review_called(database: Database, review_case: str) -> Called:
    """Raises NotFound ``review_unknown``."""
    with database.read() as connection:
        query = (
            select(_REVIEW, _CASE.c.proposer, _CASE.c.digest, _CASE.c.framework_digest, _CASE.c.framework_id)
            .join(_CASE, _CASE.c.case_id == _REVIEW.c.case_id)
            .where(_REVIEW.c.review_case == review_case)
        )
        row = connection.execute(query).mappings().first()
        rule = framework_by_digest(connection, row["framework_digest"]).review if row is not None else None
        if row is None or rule is None:
            raise NotFound("review_unknown", f"There is no review {review_case}.", "See `starter.py reviews list`.")
        first = row["reasons"][0]
        return Called(
            row["number"],
            ReviewTrigger(first["trigger"]),
            first["reason"],
            row["proposer"],
            row["digest"],
            proposal_by_digest(connection, row["digest"]),
            rule,
            row["framework_id"],
        )


class Reason(BaseModel):
    trigger: ReviewTrigger
    reason: str
    at: dt.datetime


class ReviewLine(BaseModel):
    """A micro-credential in the list of reviews. ``status`` is what its record says of itself.

    ``next_at`` is when the next review is due, ``why`` so where the office moved it; ``open_review`` is the case of
    the one that is held now, called for its ``reasons``. ``last_outcome`` is that of the last review that had one.
    """

    case_id: str
    title: str
    unit: str | None
    status: RecordStatus
    next_at: dt.datetime | None
    why: str
    latest_on: dt.date
    open_review: str | None
    reasons: list[Reason]
    last_outcome: ReviewOutcome | None
    last_at: dt.datetime | None
    replacement: str | None
    retire_on: dt.date | None
    overdue: bool


def review_lines(
    database: Database, now: dt.datetime, scope: Scope = _EVERYTHING, *, first: int = 0, most: int | None = None
) -> list[ReviewLine]:
    """Open reviews first, then by when the next is due, what awaits none last; from the ``first`` on. Two queries."""
    query = (
        select(_IMPROVEMENT, _CASE.c.title, _CASE.c.unit, _PUBLICATION.c.status)
        .join(_CASE, _CASE.c.case_id == _IMPROVEMENT.c.case_id)
        .join(_PUBLICATION, _PUBLICATION.c.case_id == _IMPROVEMENT.c.case_id)
        .where(overseen(scope))
        .order_by(_IMPROVEMENT.c.open_review.is_(None), _IMPROVEMENT.c.next_at.nulls_last(), _CASE.c.title)
        .order_by(_IMPROVEMENT.c.case_id)
    )
    query = query if most is None else query.offset(first).limit(most)
    with database.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        reviews = _reviews(connection, _REVIEW.c.case_id.in_([row["case_id"] for row in rows]))
    lines = []
    for row in rows:
        held = reviews.get(row["case_id"], [])
        last = next((review for review in reversed(held) if review.outcome is not None), None)
        opened = next((review for review in held if review.review_case == row["open_review"]), None)
        known = row | {
            "reasons": opened.reasons if opened else [],
            "last_outcome": last.outcome if last else None,
            "last_at": last.concluded_at if last else None,
            "overdue": row["next_at"] is not None and row["next_at"] <= now,
        }
        lines.append(ReviewLine.model_validate(known))
    return lines


class ReviewView(BaseModel):
    """One review; ``of`` is the case of the micro-credential."""

    review_case: str
    of: str
    number: int
    reasons: list[Reason]
    called_by: str
    called_at: dt.datetime
    begun_at: dt.datetime | None
    concluded_at: dt.datetime | None
    outcome: ReviewOutcome | None
    teach_out_on: dt.date | None
    reason: str


def _reviews(connection: Connection, chosen: ColumnElement[bool]) -> dict[str, list[ReviewView]]:
    """By the case of the micro-credential, the first review first."""
    found: dict[str, list[ReviewView]] = {}
    for row in connection.execute(select(_REVIEW).where(chosen).order_by(_REVIEW.c.number)).mappings():
        found.setdefault(row["case_id"], []).append(ReviewView.model_validate({**row, "of": row["case_id"]}))
    return found


@dataclass(frozen=True)
class ReviewsOfCase:
    """``held`` are those of a micro-credential whose case it is; ``itself`` is there where the case is a review."""

    held: Sequence[ReviewView]
    itself: ReviewView | None
    next_at: dt.datetime | None = None
    why: str = ""
    latest_on: dt.date | None = None
    replacement: str | None = None
    retire_on: dt.date | None = None
    scheduled: bool = False


def reviews_of_case(database: Database, case_id: str) -> ReviewsOfCase:
    """Two queries."""
    with database.read() as connection:
        found = _reviews(connection, (_REVIEW.c.case_id == case_id) | (_REVIEW.c.review_case == case_id))
        row = connection.execute(select(_IMPROVEMENT).where(_IMPROVEMENT.c.case_id == case_id)).mappings().first()
    itself = next((view for views in found.values() for view in views if view.review_case == case_id), None)
    held = found.get(case_id, [])
    if row is None:
        return ReviewsOfCase(held, itself)
    names = ("next_at", "why", "latest_on", "replacement", "retire_on")
    return ReviewsOfCase(held, itself, **{name: row[name] for name in names}, scheduled=True)


class PastDecision(BaseModel):
    stage: str
    verdict: Verdict
    by: str
    comment: str
    decided_at: dt.datetime


@dataclass(frozen=True)
class ReviewSheet:
    """What reviewers see: why it is reviewed, how it was approved, and how it has done since."""

    review: ReviewView
    title: str
    status: RecordStatus
    slug: str
    published_at: dt.datetime
    thresholds: tuple[Threshold, ...]
    teach_out_months: int
    indicators: Sequence[IndicatorView]
    decisions: Sequence[PastDecision]
    conditions: Sequence[ConditionView]
    before: Sequence[ReviewView]


def review_sheet(database: Database, review_case: str) -> ReviewSheet | None:
    """None where the case is no review; a constant number of queries."""
    with database.read() as connection:
        found = _reviews(connection, _REVIEW.c.review_case == review_case)
        review = next((view for views in found.values() for view in views), None)
        if review is None:
            return None
        query = (
            select(_CASE.c.title, _CASE.c.framework_digest, _PUBLICATION)
            .join(_PUBLICATION, _PUBLICATION.c.case_id == _CASE.c.case_id)
            .where(_CASE.c.case_id == review.of)
        )
        row = connection.execute(query).mappings().one()
        policy = framework_by_digest(connection, row["framework_digest"])
        earlier = _reviews(connection, (_REVIEW.c.case_id == review.of) & (_REVIEW.c.number < review.number))
        before = earlier.get(review.of, [])
        # What was decided last: in the last review that was held, else when it was approved.
        last = before[-1].review_case if before else review.of
        return ReviewSheet(
            review,
            row["title"],
            RecordStatus(row["status"]),
            row["slug"],
            row["published_at"],
            policy.review.thresholds if policy.review else (),
            policy.review.teach_out.months if policy.review else 12,
            indicators_of(connection, review.of),
            _decisions(connection, policy, sorted({review.of, last})),
            conditions_of(connection, [review.of]).get(review.of, []),
            before,
        )


def _decisions(connection: Connection, policy: Framework, case_ids: Sequence[str]) -> list[PastDecision]:
    """Without names: who decided is told by role, as everywhere that reviewers look."""
    query = (
        select(_DECISION, _TASK.c.role, _CASE.c.framework_digest)
        .join(_TASK, _TASK.c.task_id == _DECISION.c.task_id)
        .join(_CASE, _CASE.c.case_id == _DECISION.c.case_id)
        .where(_DECISION.c.case_id.in_(case_ids), _DECISION.c.annulled_at.is_(None))
        .order_by(_DECISION.c.decided_at, _DECISION.c.position)
    )
    found = []
    for row in connection.execute(query).mappings():
        of = framework_by_digest(connection, row["framework_digest"])
        found.append(
            PastDecision(
                stage=stage_in(connection, of, row["stage"]).name,
                verdict=row["verdict"],
                by=(row["role"] or "reviewer").replace("_", " "),
                comment=row["comment"],
                decided_at=row["decided_at"],
            )
        )
    return found
