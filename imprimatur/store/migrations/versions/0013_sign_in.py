"""sign-in: links, sessions, keys, and the record of it"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _instant() -> models.tables.UtcDateTime:
    return models.tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sign_in_link",
        sa.Column("link_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("return_to", sa.String(), nullable=False),
        sa.Column("asked_at", _instant(), nullable=False),
        sa.Column("expires_at", _instant(), nullable=False),
        sa.Column("used_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("link_id"),
    )
    op.create_table(
        "web_session",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("began_at", _instant(), nullable=False),
        sa.Column("expires_at", _instant(), nullable=False),
        sa.Column("ended_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("session_id"),
        sa.UniqueConstraint("token_digest"),
    )
    op.create_index("ix_web_session_email", "web_session", ["email"])
    op.create_table(
        "sign_in_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sign_in_record_email_at", "sign_in_record", ["email", "at"])
    op.create_index("ix_sign_in_record_client_at", "sign_in_record", ["client", "at"])
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("secret_digest", sa.String(), nullable=False),
        sa.Column("made_at", _instant(), nullable=False),
        sa.Column("revoked_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("ix_api_key_email", "api_key", ["email"])
