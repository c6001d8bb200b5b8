"""the desk: open stages and pending tasks of every open case, without a look at those that are over."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OPEN = sa.text("status = 'open'")
PENDING = sa.text("status IN ('offered', 'open')")


def upgrade() -> None:
    promised = ["case_id", "due_at", "breached_at"]
    op.create_index("ix_stage_open", "stage", promised, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_task_pending", "task", ["case_id"], sqlite_where=PENDING, postgresql_where=PENDING)
