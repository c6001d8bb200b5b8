"""people: offers, substitutes, advice"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("task", sa.Column("on_behalf_of", sa.String(), nullable=True))
    op.add_column("task", sa.Column("offer_rule", sa.Integer(), nullable=True))
    op.add_column("task", sa.Column("offer_seats", sa.Integer(), nullable=True))
    op.create_table(
        "advice",
        sa.Column("advice_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", _instant(), nullable=False),
        sa.Column("adviser", sa.String(), nullable=False),
        sa.Column("adviser_name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("given_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("advice_id"),
    )
    op.create_index("ix_advice_case_id", "advice", ["case_id"])
