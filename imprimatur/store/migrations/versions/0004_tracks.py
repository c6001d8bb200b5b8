"""tracks: conditions of approvals, the track of a case"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("case_record", sa.Column("track", sa.String(), nullable=True))
    op.add_column("stage", sa.Column("confirms", sa.Integer(), nullable=True))
    op.create_table(
        "condition",
        sa.Column("condition_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("blocking", sa.Boolean(), nullable=False),
        sa.Column("due", sa.JSON(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("proposed_at", _instant(), nullable=False),
        sa.Column("opened_at", _instant(), nullable=True),
        sa.Column("due_at", _instant(), nullable=True),
        sa.Column("due_reason", sa.JSON(), nullable=True),
        sa.Column("breached_at", _instant(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("fulfilled_at", _instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("condition_id"),
    )
    for column in ("case_id", "owner", "due_at"):
        op.create_index(f"ix_condition_{column}", "condition", [column])
