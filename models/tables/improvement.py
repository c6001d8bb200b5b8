"""What is known of published micro-credentials while they are offered, and when and why they are reviewed."""

import datetime as dt

from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class ImprovementRow(SQLModel, table=True):
    """How the reviews of a published micro-credential stand.

    ``next_at`` is when the next one is due, ``why`` so, and ``latest_on`` the last day to which the office can put it
    off; ``since_at`` is the publication or the last review. ``open_review`` is the case of the one that is held now,
    ``replacement`` the draft that a review asked for, ``retire_on`` the day on which teaching ends. ``announced_at``:
    the office was told of the coming review.
    """

    __tablename__ = "improvement"
    case_id: str = Field(primary_key=True)
    number: int = 0
    next_at: dt.datetime | None = maybe_instant(index=True)
    why: str = long_text()
    since_at: dt.datetime = instant()
    latest_on: dt.date
    open_review: str | None = None
    replacement: str | None = None
    retire_on: dt.date | None = Field(default=None, index=True)
    announced_at: dt.datetime | None = maybe_instant()


class ReviewRow(SQLModel, table=True):
    """One review of a published micro-credential; ``review_case`` is its own case.

    ``reasons`` are mappings of trigger, reason and at, the one that called it first. It is begun when its case has.
    ``replacement`` is the case of the new version that it asked for.
    """

    __tablename__ = "review"
    review_case: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    number: int
    reasons: list[dict[str, str]] = json_value()
    called_by: str
    called_at: dt.datetime = instant()
    begun_at: dt.datetime | None = maybe_instant()
    concluded_at: dt.datetime | None = maybe_instant()
    outcome: str | None = None
    teach_out_on: dt.date | None = None
    reason: str = long_text()
    replacement: str | None = None


class IndicatorRow(SQLModel, table=True):
    """What was measured of a micro-credential in a period, and where that comes from. Times are real."""

    __tablename__ = "indicator"
    case_id: str = Field(primary_key=True)
    indicator: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    value: float
    source: str
    imported_by: str
    imported_at: dt.datetime = instant()


class EvidenceRow(SQLModel, table=True):
    """What spoke for a review, so that it does so once; ``key`` names the very fact."""

    __tablename__ = "evidence"
    case_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    trigger: str
    reason: str = long_text()
    noted_at: dt.datetime = instant()
