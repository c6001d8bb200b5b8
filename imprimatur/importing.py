"""Import of many proposals, reported line by line; stopping half-way and starting again imports the rest."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import select

from imprimatur import ids
from imprimatur.errors import DocumentInvalid, ImprimaturError, ProposalIncomplete
from imprimatur.records import Record, proposal_of
from imprimatur.rules.completeness import FieldProblem
from imprimatur.store.engine import Database
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.tables import CaseRow
from models.vocabulary import CaseStatus, LineResult

Item = TypeVar("Item")
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


@dataclass(frozen=True)
class Outcome:
    """What became of a record. ``case_id`` is empty where the record could not be read."""

    record: Record
    result: LineResult
    case_id: str = ""
    problems: tuple[Rejection, ...] = ()


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

    def add(self, outcome: Outcome) -> None:
        self.accepted += outcome.result is LineResult.ACCEPTED
        self.skipped += outcome.result is LineResult.SKIPPED
        self.returned += outcome.result is LineResult.RETURNED
        self.rejected += outcome.problems

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
    report = ImportReport()
    importer = Importer(cases, proposer, framework_id or DEFAULT_FRAMEWORK, known_cases(database))

    async def take(record: Record) -> None:
        report.add(await importer.take(record))
        advanced()

    await each(records, take)
    return report


async def each(items: Sequence[Item], take: Callable[[Item], Awaitable[None]]) -> None:
    """Several at once, begun in their order."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await take(item)

    workers = [asyncio.create_task(worker()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for one in workers:
            one.cancel()


def known_cases(database: Database) -> dict[str, str]:
    table = CaseRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        return {row.case_id: row.status for row in connection.execute(select(table.c.case_id, table.c.status))}


class Importer:
    """Takes records one by one. ``known`` has the status of every case that was there before or has come since."""

    def __init__(self, cases: Cases, proposer: str, framework_id: str, known: dict[str, str]) -> None:
        self._cases = cases
        self._proposer = proposer
        self._framework_id = framework_id
        self._known = known
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, record: Record) -> Outcome:
        """Raises what would fail for every record: see ENDS_THE_IMPORT."""
        try:
            proposal = usable(record)
        except DocumentInvalid as error:
            return _rejected(record, "", [(problem.where, problem.problem) for problem in error.problems])
        case_id = case_of(record, self._framework_id)
        # A record that stands twice in a file must find at its second place what became of the first.
        async with self._turns[case_id]:
            return await self._submit(record, case_id, proposal)

    async def _submit(self, record: Record, case_id: str, proposal: Proposal) -> Outcome:
        status = self._known.get(case_id)
        if status not in (None, CaseStatus.INCOMPLETE):
            return Outcome(record, LineResult.SKIPPED, case_id)
        try:
            if status is None:
                await self._cases.submit(
                    proposal, proposer=self._proposer, framework_id=self._framework_id, case_id=case_id
                )
            elif lacking := await asyncio.to_thread(self._cases.lacking, proposal, self._framework_id):
                return _rejected(record, case_id, [(item.field, item.problem) for item in lacking])
            else:
                # Returned before: once the record is complete it is that case's next version.
                await self._cases.revise(case_id, proposal, actor=self._proposer)
        except ProposalIncomplete as error:
            self._known[case_id] = CaseStatus.INCOMPLETE
            result = LineResult.RETURNED if status is None else LineResult.REJECTED
            problems = [(problem["field"], problem["problem"]) for problem in error.details["problems"]]
            return _rejected(record, case_id, problems, result)
        except ImprimaturError as error:
            if error.code in ENDS_THE_IMPORT:
                raise
            return _rejected(record, case_id, [("", error.message)])
        self._known[case_id] = CaseStatus.IN_REVIEW
        return Outcome(record, LineResult.ACCEPTED, case_id)


def usable(record: Record) -> Proposal:
    """Raises DocumentInvalid ``proposal_invalid``."""
    if record.problems:
        raise DocumentInvalid("proposal_invalid", "The line cannot be read.", record.problems)
    return proposal_of(record.data)


def case_of(record: Record, framework_id: str) -> str:
    return ids.imported_case_id(framework_id.partition("@")[0], record.key)


def _rejected(
    record: Record, case_id: str, problems: Sequence[tuple[str, str]], result: LineResult = LineResult.REJECTED
) -> Outcome:
    return Outcome(record, result, case_id, tuple(Rejection(record.line, where, what) for where, what in problems))
