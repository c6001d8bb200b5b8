"""figures: how long stages, answers and cases took"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _instant(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, models.tables.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "stage_time",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        _instant("submitted_at"),
        _instant("opened_at", nullable=True),
        _instant("closed_at"),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("first_pass", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "position"),
    )
    keys, values = ["framework_id", "stage", "unit"], ["outcome", "on_time", "seconds", "first", "first_pass"]
    op.create_index("ix_stage_time_figures", "stage_time", [*keys, "closed_at", "submitted_at", *values])
    op.create_table(
        "answer_time",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("framework_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        _instant("asked_at"),
        _instant("answered_at"),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "position"),
    )
    answered = ["reviewer", "framework_id", "unit", "answered_at", "seconds"]
    op.create_index("ix_answer_time_figures", "answer_time", answered)
    op.create_table(
        "case_time",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("framework_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        _instant("submitted_at"),
        _instant("closed_at"),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("author_seconds", sa.Integer(), nullable=False),
        sa.Column("reviewer_seconds", sa.Integer(), nullable=False),
        sa.Column("partner_seconds", sa.Integer(), nullable=False),
        sa.Column("office_seconds", sa.Integer(), nullable=False),
        sa.Column("system_seconds", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("changes_requested", sa.Integer(), nullable=False),
        sa.Column("lapsed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index(op.f("ix_case_time_closed_at"), "case_time", ["closed_at"])
