"""statements of those who sign off, and how long an approval holds"""

import sqlalchemy as sa
from alembic import op

import models.tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stage", sa.Column("valid_until", models.tables.UtcDateTime(timezone=True), nullable=True))
    op.add_column("decision", sa.Column("statement", sa.Text(), nullable=True))
    op.add_column("decision", sa.Column("logo", sa.Boolean(), nullable=True))
