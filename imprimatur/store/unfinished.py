"""What is not over yet, said so that its indexes serve.

The words are written into the query and not bound: an index of some rows serves only a query that says by itself that
it wants no others.
"""

from sqlalchemy import ColumnElement, literal

from models.tables import StageRow, TaskRow
from models.vocabulary import StageStatus, TaskStatus

_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_PENDING = [literal(str(status), literal_execute=True) for status in TaskStatus if status.is_pending]
# Conditions of queries that read ``stage``, and ``task``.
IS_OPEN: ColumnElement[bool] = _STAGE.c.status == literal(str(StageStatus.OPEN), literal_execute=True)
IS_PENDING: ColumnElement[bool] = _TASK.c.status.in_(_PENDING)
