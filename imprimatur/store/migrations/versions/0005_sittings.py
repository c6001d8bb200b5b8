"""committees' sittings and review windows"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("stage", sa.Column("opens_at", _instant(), nullable=True))
    op.add_column("stage", sa.Column("committee", sa.String(), nullable=True))
    op.add_column("stage", sa.Column("sits_at", _instant(), nullable=True))
    op.add_column("stage", sa.Column("begun_at", _instant(), nullable=True))
    op.create_index("ix_stage_committee", "stage", ["committee"])
    op.create_table(
        "minutes",
        sa.Column("committee", sa.String(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("present", sa.JSON(), nullable=False),
        sa.Column("apologies", sa.JSON(), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("committee", "held_on"),
    )
