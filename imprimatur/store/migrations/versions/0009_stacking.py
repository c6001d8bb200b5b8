"""stacking: pathways, what proposals count towards and build on, skills of published frameworks"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pathway",
        sa.Column("pathway_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("changed_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("pathway_id"),
    )
    op.create_table(
        "stacking",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("credits", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "version", "kind", "target"),
    )
    op.create_index("ix_stacking_target", "stacking", ["target"])
    op.create_table(
        "skill",
        sa.Column("framework", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("imported_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("framework", "key"),
    )
