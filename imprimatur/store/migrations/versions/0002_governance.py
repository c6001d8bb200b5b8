"""governance: office acts, interests, delegations, absences"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("stage", sa.Column("clock_remaining_seconds", sa.Integer(), nullable=True))
    op.add_column("decision", sa.Column("annulled_at", _instant(), nullable=True))
    op.create_table(
        "proposed_act",
        sa.Column("act_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_at", _instant(), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("act_id"),
    )
    op.create_index("ix_proposed_act_case_id", "proposed_act", ["case_id"])
    op.create_table(
        "interest",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("person", "kind", "subject"),
    )
    op.create_table(
        "delegation",
        sa.Column("delegation_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("deputy", sa.String(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("framework", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("declared_at", _instant(), nullable=False),
        sa.Column("ended_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("delegation_id"),
    )
    op.create_index("ix_delegation_person", "delegation", ["person"])
    op.create_table(
        "absence",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", "first_on"),
    )
