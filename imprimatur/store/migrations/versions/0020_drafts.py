"""drafts: proposals being written, files that belong to proposals, imports of many"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_INSTANT = models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("draft_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("framework", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("tab", sa.String(), nullable=False),
        sa.Column("begun_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("draft_id"),
    )
    op.create_index("ix_draft_owner", "draft", ["owner"])
    op.create_table(
        "attachment",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "attachment_holder",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "person"),
    )
    _make_imports()


def _make_imports() -> None:
    op.create_table(
        "import",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("framework", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("begun_at", _INSTANT, nullable=True),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.Column("leased_until", _INSTANT, nullable=True),
        sa.Column("stopped", sa.String(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id"),
    )
    op.create_index("ix_import_owner", "import", ["owner"])
    op.create_table(
        "import_line",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("foreseen", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
