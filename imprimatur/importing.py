"""Import of many proposals, reported line by line; stopping half-way and starting again imports the rest."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from sqlalchemy import select

from imprimatur import ids
from imprimatur.errors import DocumentInvalid, ImprimaturError, ProposalIncomplete
from imprimatur.records import Record, proposal_of
from imprimatur.rules.completeness import FieldProblem
from imprimatur.store.engine import Database
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.tables import CaseRow
from models.vocabulary import CaseStatus

DEFAULT_FRAMEWORK = "coursework-credit"
AT_ONCE = 8
# What would fail for every other record as well.
ENDS_THE_IMPORT = frozenset(
    {"person_unknown", "person_inactive", "framework_unknown", "temporal_unavailable", "database_unavailable"}
)


class Cases(Protocol):
    """What an import needs of the gateway."""

    def lacking(self, proposal: Proposal, framework_id: str) -> Sequence[FieldProblem]: ...

    async def submit(
        self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
    ) -> CaseAnswer: ...

    async def revise(self, case_id: str, proposal: Proposal, *, actor: str) -> tuple[CaseAnswer, list[str]]: ...


@dataclass(frozen=True)
class Rejection:
    line: int
    field: str
    problem: str


@dataclass
class ImportReport:
    """``rejected`` has an entry per problem; incomplete proposals are kept as cases (``returned``) all the same."""

    accepted: int = 0
    skipped: int = 0
    returned: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def rejected_lines(self) -> set[int]:
        return {rejection.line for rejection in self.rejected}

    def as_dict(self) -> dict[str, Any]:
        self.rejected.sort(key=lambda rejection: rejection.line)
        return asdict(self)


async def import_proposals(
    cases: Cases,
    database: Database,
    records: list[Record],
    proposer: str,
    framework_id: str | None,
    advanced: Callable[[], None],
) -> ImportReport:
    """Submits every usable record; ``advanced`` is called after each.

    Raises what would fail for every record: see ENDS_THE_IMPORT.
    """
    running = _Import(cases, proposer, framework_id or DEFAULT_FRAMEWORK, _known_cases(database))
    queue = iter(records)

    async def worker() -> None:
        for record in queue:
            await running.take(record)
            advanced()

    workers = [asyncio.create_task(worker()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for one in workers:
            one.cancel()
    return running.report


def _known_cases(database: Database) -> dict[str, str]:
    table = CaseRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        return {row.case_id: row.status for row in connection.execute(select(table.c.case_id, table.c.status))}


class _Import:
    """``known`` has the status of every case that was there before or has come since."""

    def __init__(self, cases: Cases, proposer: str, framework_id: str, known: dict[str, str]) -> None:
        self.report = ImportReport()
        self._cases = cases
        self._proposer = proposer
        self._framework_id = framework_id
        self._known = known
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, record: Record) -> None:
        try:
            if record.problems:
                raise DocumentInvalid("proposal_invalid", "The line cannot be read.", record.problems)
            proposal = proposal_of(record.data)
        except DocumentInvalid as error:
            for problem in error.problems:
                self._reject(record, problem.where, problem.problem)
            return
        case_id = ids.imported_case_id(self._framework_id.partition("@")[0], record.key)
        # A record that stands twice in a file must find at its second place what became of the first.
        async with self._turns[case_id]:
            await self._submit(record, case_id, proposal)

    async def _submit(self, record: Record, case_id: str, proposal: Proposal) -> None:
        status = self._known.get(case_id)
        if status not in (None, CaseStatus.INCOMPLETE):
            self.report.skipped += 1
            return
        try:
            if status is None:
                await self._cases.submit(
                    proposal, proposer=self._proposer, framework_id=self._framework_id, case_id=case_id
                )
            elif lacking := self._cases.lacking(proposal, self._framework_id):
                for item in lacking:
                    self._reject(record, item.field, item.problem)
                return
            else:
                # Returned before: once the record is complete it is that case's next version.
                await self._cases.revise(case_id, proposal, actor=self._proposer)
        except ProposalIncomplete as error:
            self.report.returned += status is None
            self._known[case_id] = CaseStatus.INCOMPLETE
            for problem in error.details["problems"]:
                self._reject(record, problem["field"], problem["problem"])
        except ImprimaturError as error:
            if error.code in ENDS_THE_IMPORT:
                raise
            self._reject(record, "", error.message)
        else:
            self.report.accepted += 1
            self._known[case_id] = CaseStatus.IN_REVIEW

    def _reject(self, record: Record, field_: str, problem: str) -> None:
        self.report.rejected.append(Rejection(record.line, field_, problem))
