"""records: signing keys, endorsements, badges"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("alg", sa.String(), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("created_at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("retired_at", models.tables.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_index("ix_signing_key_owner", "signing_key", ["owner"])
    op.create_table(
        "endorsement",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("by_partner", sa.Boolean(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("issued_at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", "number"),
        sa.UniqueConstraint("slug", "organisation"),
    )
    op.create_table(
        "badge",
        sa.Column("badge_id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("issued_at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", models.tables.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("badge_id"),
        sa.UniqueConstraint("slug", "learner"),
        sa.UniqueConstraint("slug", "position"),
    )
    op.create_table(
        "status_list",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("updated_at", models.tables.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", "number"),
    )
