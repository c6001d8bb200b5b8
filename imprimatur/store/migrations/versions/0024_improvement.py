"""improvement: reviews of published micro-credentials, and the figures that speak for them"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _instant(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, models.tables.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "improvement",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _instant("next_at", nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        _instant("since_at"),
        sa.Column("latest_on", sa.Date(), nullable=False),
        sa.Column("open_review", sa.String(), nullable=True),
        sa.Column("replacement", sa.String(), nullable=True),
        sa.Column("retire_on", sa.Date(), nullable=True),
        _instant("announced_at", nullable=True),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("ix_improvement_next_at", "improvement", ["next_at"])
    op.create_index("ix_improvement_retire_on", "improvement", ["retire_on"])
    op.create_table(
        "review",
        sa.Column("review_case", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("called_by", sa.String(), nullable=False),
        _instant("called_at"),
        _instant("begun_at", nullable=True),
        _instant("concluded_at", nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("teach_out_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("replacement", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("review_case"),
    )
    op.create_index("ix_review_case_id", "review", ["case_id"])
    op.create_table(
        "indicator",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        _instant("imported_at"),
        sa.PrimaryKeyConstraint("case_id", "indicator", "period"),
    )
    op.create_table(
        "evidence",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _instant("noted_at"),
        sa.PrimaryKeyConstraint("case_id", "key"),
    )
