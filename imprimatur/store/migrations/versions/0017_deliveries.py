"""deliveries: what became of each mail, and incidents that can be worked on"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_event",
        sa.Column("mail_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mail_id", "number"),
    )
    op.add_column("outbox", sa.Column("seen_at", models.tables.UtcDateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("reminded_at", models.tables.UtcDateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("returned", sa.Integer(), nullable=True))
    op.add_column("inbound_mail", sa.Column("mail_id", sa.String(), nullable=True))
    op.add_column("incident", sa.Column("mail_id", sa.String(), nullable=True))
    op.add_column("incident", sa.Column("task_id", sa.String(), nullable=True))
    op.add_column("incident", sa.Column("told_at", models.tables.UtcDateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("resolved_by", sa.String(), nullable=True))
    op.add_column("incident", sa.Column("resolution", sa.Text(), nullable=True))
    op.create_index("ix_incident_mail_id", "incident", ["mail_id"])
    op.add_column("person", sa.Column("formerly", sa.String(), nullable=True))
    op.create_index("ix_person_formerly", "person", ["formerly"])
