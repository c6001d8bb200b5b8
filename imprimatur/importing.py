"""Import of many proposals: catalogue records or whole proposals, JSON Lines or CSV, reported line by line."""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from imprimatur import ids
from imprimatur.errors import ImprimaturError, InputError, ProposalIncomplete
from imprimatur.frameworks.documents import read_text
from imprimatur.gateway import Gateway
from imprimatur.store.engine import Database
from models.proposal import Proposal
from models.tables import CaseRow
from models.vocabulary import CaseStatus

DEFAULT_FRAMEWORK = "coursework-credit"
SIZE_LIMIT_BYTES = 20 * 1024 * 1024
AT_ONCE = 8
# Columns of published catalogues, and where they go in a proposal.
ALIASES = {
    "field": "field_of_study",
    "outcomes": "learning_outcomes",
    "url": "source_url",
    "ects": "workload.credits",
    "hours": "workload.hours",
    "start": "delivery.starts_on",
    "registration_deadline": "delivery.registration_deadline_on",
}
NOT_PART_OF_A_PROPOSAL = frozenset({"id", "source"})


@dataclass(frozen=True)
class Record:
    line: int
    key: str
    data: dict[str, Any] | None
    problem: str = ""


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
        return asdict(self) | {"rejected": [asdict(rejection) for rejection in self.rejected]}


def read_records(path: Path) -> list[Record]:
    """Raises InputError for a file that cannot be read at all; a bad line is a record with a problem."""
    text = read_text(path, SIZE_LIMIT_BYTES)
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return [_json_record(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        case ".csv":
            return list(_csv_records(text))
    raise InputError(
        "import_format_unknown", f"{path.name} is neither .jsonl nor .csv.", "Save the records as JSON Lines or CSV."
    )


def _json_record(number: int, line: str) -> Record:
    try:
        data = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return Record(number, "", None, f"not JSON: {error}")
    if not isinstance(data, dict):
        return Record(number, "", None, "not a JSON object")
    return Record(number, _key_of(data), data)


def _csv_records(text: str) -> Iterable[Record]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        for row in reader:
            yield _csv_record(reader.line_num, row)
    except csv.Error as error:
        # Such as a quote that is never closed: what follows cannot be told apart.
        yield Record(reader.line_num, "", None, f"not CSV from here on: {error}")


def _csv_record(line: int, row: dict[str | Any, str | Any]) -> Record:
    if None in row:
        return Record(line, "", None, "more cells than columns")
    data: dict[str, Any] = {name: value for name, value in row.items() if value not in (None, "")}
    for name in ("outcomes", "learning_outcomes"):
        if name in data:
            data[name] = [part.strip() for part in data[name].split("|") if part.strip()]
    return Record(line, _key_of(data), data)


def _key_of(data: dict[str, Any]) -> str:
    """What makes a record the same record when it comes again: its own id, else its content."""
    if data.get("id"):
        return str(data["id"])
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def proposal_of(record: dict[str, Any]) -> Proposal:
    """Raises pydantic's ValidationError; unknown columns are problems, never dropped in silence."""
    document: dict[str, Any] = {}
    for name, value in record.items():
        if name in NOT_PART_OF_A_PROPOSAL or value in (None, "", []):
            continue
        target = ALIASES.get(name, name)
        head, _, tail = target.partition(".")
        if tail:
            document.setdefault(head, {})[tail] = value
        else:
            document[head] = value
    workload = document.get("workload")
    if "ects" in record and isinstance(workload, dict) and "credits" in workload:
        workload.setdefault("credit_system", "ects")
    return Proposal.model_validate(document)


async def import_proposals(
    gateway: Gateway,
    database: Database,
    records: list[Record],
    proposer: str,
    framework_id: str | None,
    advanced: Callable[[], None],
) -> ImportReport:
    """Submits every usable record; stopping half-way and starting again imports the rest."""
    report = ImportReport()
    known = _known_cases(database)
    queue = iter(records)

    async def worker() -> None:
        for record in queue:
            await _import_one(gateway, record, proposer, framework_id or DEFAULT_FRAMEWORK, known, report)
            advanced()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return report


def _known_cases(database: Database) -> dict[str, str]:
    table = CaseRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        return {row.case_id: row.status for row in connection.execute(select(table.c.case_id, table.c.status))}


async def _import_one(
    gateway: Gateway,
    record: Record,
    proposer: str,
    framework_id: str,
    known: dict[str, str],
    report: ImportReport,
) -> None:
    if record.data is None:
        report.rejected.append(Rejection(record.line, "", record.problem))
        return
    try:
        proposal = proposal_of(record.data)
    except ValidationError as error:
        for item in error.errors():
            place = ".".join(str(part) for part in item["loc"])
            report.rejected.append(Rejection(record.line, place, item["msg"]))
        return
    case_id = ids.imported_case_id(framework_id, record.key)
    if known.get(case_id, CaseStatus.INCOMPLETE) != CaseStatus.INCOMPLETE:
        report.skipped += 1
        return
    lacking = gateway.lacking(proposal, framework_id) if case_id in known else []
    if lacking:
        report.rejected += [Rejection(record.line, item.field, item.problem) for item in lacking]
        return
    try:
        if case_id in known:
            # Returned before: once the record is complete it is that case's next version.
            await gateway.revise(case_id, proposal, actor=proposer)
        else:
            await gateway.submit(proposal, proposer=proposer, framework_id=framework_id, case_id=case_id)
    except ProposalIncomplete as error:
        report.returned += case_id not in known
        for problem in error.details["problems"]:
            report.rejected.append(Rejection(record.line, problem["field"], problem["problem"]))
    except ImprimaturError as error:
        if error.code in ("person_unknown", "person_inactive", "framework_unknown", "temporal_unavailable"):
            raise
        report.rejected.append(Rejection(record.line, "", error.message))
    else:
        report.accepted += 1
    known[case_id] = CaseStatus.IN_REVIEW
