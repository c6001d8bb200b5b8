"""Which cases a proposal resembles: their titles and outcomes, kept in memory and brought up to date when asked."""

import threading
from collections.abc import Iterable

from sqlalchemy import func, select

from imprimatur.rules.overlap import Corpus, Overlap
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from models.proposal import Proposal
from models.tables import CaseRow, HandoverRow, ReviewRow
from models.vocabulary import CaseStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_HANDOVER = HandoverRow.__table__  # type: ignore[attr-defined]
_REVIEW = ReviewRow.__table__  # type: ignore[attr-defined]
_STATE = select(func.count(), func.coalesce(func.sum(_CASE.c.seq), 0)).select_from(_CASE)
# A review, or a hand-over, is about a micro-credential that is there already.
_CASES = select(_CASE.c.case_id, _CASE.c.digest, _CASE.c.status).where(
    _CASE.c.case_id.not_in(select(_REVIEW.c.review_case)), _CASE.c.case_id.not_in(select(_HANDOVER.c.handover_case))
)
# What was given up is no credential that could be made twice.
GIVEN_UP = frozenset({str(CaseStatus.REJECTED), str(CaseStatus.WITHDRAWN)})


class Overlaps:
    """One for each process: the first question reads every proposal, later ones only those that have changed since."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._corpus = Corpus()
        self._seen: dict[str, tuple[str, str]] = {}
        self._state: tuple[int, int] | None = None
        self._turn = threading.Lock()

    def of(self, proposal: Proposal, *, besides: Iterable[str] = ()) -> list[Overlap]:
        """Live and published cases like the proposal, the most alike first."""
        with self._turn:
            self._catch_up()
            return self._corpus.overlaps(proposal, besides=besides)

    def _catch_up(self) -> None:
        with self.database.read() as connection:
            # Every commit raises its case's seq: as long as the sum stands nothing has changed.
            state = connection.execute(_STATE).one()
            if tuple(state) == self._state:
                return
            for case, digest, status in connection.execute(_CASES).all():
                if self._seen.get(case) == (digest, status):
                    continue
                if status in GIVEN_UP:
                    self._corpus.remove(case)
                else:
                    self._corpus.put(case, proposal_by_digest(connection, digest))
                self._seen[case] = (digest, status)
        self._state = (state[0], state[1])
