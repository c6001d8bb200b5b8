"""bulk: operations on many cases, and what became of each"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "bulk",
        sa.Column("bulk_id", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("begun_at", _instant(), nullable=False),
        sa.Column("ended_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("bulk_id"),
    )
    op.create_index("ix_bulk_operation", "bulk", ["operation"])
    op.create_table(
        "bulk_item",
        sa.Column("bulk_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bulk_id", "number"),
    )
