"""sent: what people prefer of their mail, and which message carried it"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("time_zone", "quiet_hours", "digest"):
        op.add_column("person", sa.Column(name, sa.String(), nullable=True))
    op.add_column("person", sa.Column("receipts", sa.Boolean(), nullable=True))
    op.add_column("outbox", sa.Column("carried_by", sa.String(), nullable=True))
    op.create_index("ix_outbox_carried_by", "outbox", ["carried_by"])
