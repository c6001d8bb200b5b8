"""lists: of cases, and the desk: which are open, and what can be filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0025"
branch_labels = None
depends_on = None

OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.create_index("ix_case_record_open", "case_record", ["opened_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_case_record_used", "case_record", ["framework_id", "framework_digest"])
    op.create_index("ix_case_record_unit", "case_record", ["unit"])
