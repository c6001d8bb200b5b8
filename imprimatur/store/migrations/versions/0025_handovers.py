"""handovers: what is published, handed over to those who deliver it"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def _instant(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, models.tables.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("handover_case", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("called_by", sa.String(), nullable=False),
        _instant("called_at"),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("package", sa.JSON(), nullable=True),
        sa.Column("package_digest", sa.String(), nullable=True),
        _instant("ended_at", nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        _instant("begun_at", nullable=True),
        _instant("concluded_at", nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("concluded_by", sa.String(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("handover_case"),
        sa.UniqueConstraint("case_id", "number"),
    )
    op.create_index("ix_handover_status", "handover", ["status"])
    op.create_table(
        "handover_target",
        sa.Column("handover_case", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        _instant("sent_at"),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("handover_case", "target"),
    )
