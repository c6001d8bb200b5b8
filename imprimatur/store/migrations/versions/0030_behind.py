"""behind: figures count what was submitted, and find the cases behind them, by indexes alone"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

KEYS = ["framework_id", "stage", "unit", "closed_at", "submitted_at"]
VALUES = ["outcome", "on_time", "seconds", "first", "first_pass"]


def upgrade() -> None:
    op.drop_index("ix_stage_time_figures", "stage_time")
    op.create_index("ix_stage_time_figures", "stage_time", [*KEYS, *VALUES, "case_id"])
    op.drop_index("ix_case_record_opened_at", "case_record")
    op.create_index("ix_case_record_submitted", "case_record", ["opened_at", "framework_id", "unit"])
