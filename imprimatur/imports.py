"""Imports that go on by themselves: foreseen line by line, then carried out by whichever process is there."""

import asyncio
import datetime as dt

import structlog

from imprimatur.errors import DocumentInvalid, ImprimaturError, InputError, Unavailable
from imprimatur.importing import Cases, Importer, Outcome, case_of, each, known_cases, usable
from imprimatur.records import Record, records_of
from imprimatur.store import import_jobs
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework
from imprimatur.store.import_jobs import ImportJob, ImportLine
from imprimatur.store.pathways import required_problems
from models.vocabulary import CaseStatus, LineResult

LOOK_EVERY_SECONDS = 5.0
log = structlog.get_logger()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def prepare(database: Database, owner: str, framework_id: str, name: str, content: bytes, now: dt.datetime) -> str:
    """Reads a file and foresees what would become of each line; answers the id of the import. Nothing is imported.

    Raises InputError for a file that cannot be read at all, or has no record (``import_empty``).
    """
    policy = framework(database, framework_id)
    records = records_of(content, name)
    if not records:
        raise InputError("import_empty", f"{name} has no records.", "A CSV file has a heading and rows below it.")
    known = known_cases(database)
    lines = []
    with database.read() as connection:
        for number, record in enumerate(records, 1):
            title = str(record.data.get("title") or "")[:500]
            line = ImportLine(
                number=number,
                line=record.line,
                key=record.key,
                title=title,
                record=record.data,
                case_id="",
                foreseen=LineResult.REJECTED,
            )
            try:
                proposal = usable(record)
            except DocumentInvalid as error:
                line.problems = [{"field": item.where, "problem": item.problem} for item in error.problems]
                lines.append(line)
                continue
            line.case_id = case_of(record, policy.id)
            lacking = required_problems(connection, proposal, policy, line.case_id)
            line.problems = [{"field": item.field, "problem": item.problem} for item in lacking]
            status = known.get(line.case_id)
            if status not in (None, CaseStatus.INCOMPLETE):
                line.foreseen, line.problems = LineResult.SKIPPED, []
            elif status is None:
                line.foreseen = LineResult.RETURNED if lacking else LineResult.ACCEPTED
                # What stands in the file twice is there when its second line comes.
                known[line.case_id] = CaseStatus.INCOMPLETE if lacking else CaseStatus.IN_REVIEW
            else:
                line.foreseen = LineResult.REJECTED if lacking else LineResult.ACCEPTED
            lines.append(line)
    return import_jobs.keep(database, owner, policy.id, name, lines, now)


class ImportRunner:
    """Carries out what was begun. One that was stopped, with its process, is taken up by the next look of any other."""

    def __init__(self, cases: Cases, database: Database) -> None:
        self._cases = cases
        self._database = database
        self.wake = asyncio.Event()

    async def run_forever(self) -> None:
        while True:
            try:
                while await self.run_next():
                    pass
            except ImprimaturError as error:
                log.warning("imports_wait", code=error.code, reason=error.message)
            self.wake.clear()
            try:
                await asyncio.wait_for(self.wake.wait(), LOOK_EVERY_SECONDS)
            except TimeoutError:
                continue

    async def run_next(self) -> bool:
        """Takes an import to its end; False where none waits."""
        found = await asyncio.to_thread(import_jobs.claim, self._database, _now())
        if found is None:
            return False
        alive = asyncio.create_task(self._keep_lease(found.import_id))
        try:
            await self._carry_out(found)
        except Unavailable:
            # A part of the system is away for a while: nothing is lost, and it is tried again.
            await asyncio.to_thread(import_jobs.release, self._database, found.import_id)
            raise
        except ImprimaturError as error:
            await asyncio.to_thread(
                import_jobs.stop, self._database, found.import_id, error.code, f"{error.message} {error.hint}".strip()
            )
        finally:
            alive.cancel()
        return True

    async def _keep_lease(self, import_id: str) -> None:
        while True:
            await asyncio.sleep(import_jobs.LEASE.total_seconds() / 3)
            await asyncio.to_thread(import_jobs.go_on, self._database, import_id, _now())

    async def _carry_out(self, job: ImportJob) -> None:
        lines = await asyncio.to_thread(import_jobs.lines_of, self._database, job.import_id)
        known = await asyncio.to_thread(known_cases, self._database)
        importer = Importer(self._cases, job.owner, job.framework, known)
        before = frozenset(known)

        async def take(line: ImportLine) -> None:
            outcome = await self._outcome(importer, line, before)
            found = [{"field": item.field, "problem": item.problem} for item in outcome.problems]
            # A line that cannot be read was told so when the file was read.
            problems = found if line.case_id else line.problems
            about = (job.import_id, line.number, outcome.result, line.case_id, problems)
            await asyncio.to_thread(import_jobs.record, self._database, *about)

        await each([line for line in lines if line.result is None], take)
        await asyncio.to_thread(import_jobs.end, self._database, job.import_id, _now())

    async def _outcome(self, importer: Importer, line: ImportLine, before: frozenset[str]) -> Outcome:
        record = Record(line.line, line.key, line.record)
        if not line.case_id:
            return Outcome(record, LineResult.REJECTED)
        outcome = await importer.take(record)
        # A run that was killed may not have written down what it did: the case was not there when it was foreseen.
        mine = line.foreseen in (LineResult.ACCEPTED, LineResult.RETURNED) and line.case_id in before
        if mine and outcome.result is LineResult.SKIPPED:
            return Outcome(record, LineResult.ACCEPTED, line.case_id)
        if mine and outcome.result is LineResult.REJECTED and line.foreseen is LineResult.RETURNED:
            return Outcome(record, LineResult.RETURNED, line.case_id, outcome.problems)
        return outcome
