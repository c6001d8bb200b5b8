"""identity: how surely a decider was known, further addresses of people, and forms that were sent"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decision", sa.Column("strength", sa.String(), nullable=True))
    op.create_table(
        "person_alias",
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["email"], ["person.email"]),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("ix_person_alias_email", "person_alias", ["email"])
    op.create_table(
        "sent_form",
        sa.Column("form_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sent_at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("form_id"),
    )
