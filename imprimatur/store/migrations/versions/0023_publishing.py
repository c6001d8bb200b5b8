"""publishing: the status of records, targets and what became of them"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def _instant(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, models.tables.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    with op.batch_alter_table("publication") as batch:
        batch.add_column(sa.Column("status", sa.String(), nullable=False, server_default="offered"))
        batch.add_column(_instant("status_at", nullable=True))
        batch.add_column(sa.Column("status_reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("replaces", sa.String(), nullable=True))
        batch.add_column(sa.Column("replaced_by", sa.String(), nullable=True))
    op.create_table(
        "publication_date",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("publish_on", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        _instant("set_at"),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "publication_run",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("targets", sa.JSON(), nullable=False),
        _instant("due_at"),
        sa.Column("asked_by", sa.String(), nullable=False),
        _instant("asked_at"),
        _instant("ended_at", nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
        sa.UniqueConstraint("case_id", "number"),
    )
    op.create_index("ix_publication_run_due", "publication_run", ["status", "due_at"])
    op.create_table(
        "publication_target",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        _instant("changed_at"),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "target"),
    )
