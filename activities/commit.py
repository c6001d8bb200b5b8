"""What a case does outside itself: writes a step, idempotent by ``(case_id, seq)``; what is written first stands.

Steps that wait at the same time share a transaction: one flush to disk and one statement a table serve them all. Each
is answered only after that transaction is committed; a step that cannot be written does not take others with it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Connection, bindparam, select
from temporalio import activity

from activities.announcing import announce
from activities.book import Book, Published
from activities.effects import perform
from activities.measuring import add_times
from activities.ports import CommitPort
from activities.rows import RowBuffer
from imprimatur.publication.files import keep_record
from imprimatur.store.engine import Database
from models.commit import Occurrence, Resolution, Step, StepPlace, WrittenStep
from models.tables import CaseRow, StepRow

LARGEST_BATCH = 32
# SQLite has one writer; PostgreSQL takes several transactions at once.
POSTGRES_LANES = 4

_STEP = StepRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]

# Built once: composing a statement costs more than running it.
_WRITTEN = select(_STEP.c.case_id, _STEP.c.seq, _STEP.c.answer).where(
    _STEP.c.case_id.in_(bindparam("cases", expanding=True)), _STEP.c.seq.in_(bindparam("numbers", expanding=True))
)
_CASES = select(_CASE).where(_CASE.c.case_id.in_(bindparam("cases", expanding=True)))

Waiting = tuple[Step, "asyncio.Future[Resolution]"]


class Committer(CommitPort):
    """``after_mail`` is called when a commit has put mail into the outbox, so that the mailer need not poll for it.

    ``after_event`` likewise, when a webhook is to hear of an event.
    ``after_run`` likewise, when something is to be published by a run of its own.
    ``after_endorsed`` is called with the slug of whatever has become public with a partner's word for it, which is
    to be signed, and raises nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        base_url: str,
        published_dir: Path,
        after_mail: Callable[[], object],
        after_event: Callable[[], object] = lambda: None,
        after_endorsed: Callable[[str], object] = lambda slug: None,
        after_run: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._base_url = base_url
        self._published_dir = published_dir
        self._after_mail = after_mail
        self._after_event = after_event
        self._after_endorsed = after_endorsed
        self._after_run = after_run
        self._lanes = 1 if database.is_sqlite else POSTGRES_LANES
        self._executor = ThreadPoolExecutor(self._lanes, thread_name_prefix="commit")
        # Files of published records reach the disk beside the lanes: no other case waits for them.
        self._filing = ThreadPoolExecutor(1, thread_name_prefix="file")
        self._answering: set[asyncio.Task[None]] = set()
        self._waiting: deque[Waiting] = deque()
        self._busy: set[asyncio.Task[None] | None] = set()

    @activity.defn(name="commit_step")
    async def commit_step(self, step: Step) -> Resolution:
        answer: asyncio.Future[Resolution] = asyncio.get_running_loop().create_future()
        self._waiting.append((step, answer))
        if len(self._busy) < self._lanes:
            self._busy.add(asyncio.create_task(self._run_lane()))
        return await answer

    @activity.defn(name="recall_step")
    async def recall_step(self, place: StepPlace) -> WrittenStep | None:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.read_step, place)

    def read_step(self, place: StepPlace) -> WrittenStep | None:
        with self._database.read() as connection:
            return _written(connection, [place]).get(place.case_id)

    async def _run_lane(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._take()
                steps = [step for step, _ in batch]
                answers, records = await loop.run_in_executor(self._executor, self._write_steps, steps)
                if records:
                    task = asyncio.create_task(self._answer_once_filed(batch, answers, records))
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
                else:
                    _answer(batch, answers)
        finally:
            # Not later, as a callback of the task: who comes in between would find a lane that takes nothing any more.
            self._busy.discard(asyncio.current_task())

    async def _answer_once_filed(
        self, batch: list[Waiting], answers: Sequence[Resolution | Exception], records: Sequence[Published]
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(self._filing, self._file, records)
        _answer(batch, answers)

    def _take(self) -> list[Waiting]:
        """The next batch: a case comes once in it, for a repeated step must see what the first one wrote."""
        batch: dict[str, Waiting] = {}
        for _ in range(min(len(self._waiting), LARGEST_BATCH)):
            waiting = self._waiting.popleft()
            if waiting[0].case_id in batch:
                self._waiting.append(waiting)
            else:
                batch[waiting[0].case_id] = waiting
        return list(batch.values())

    def write_step(self, step: Step) -> Resolution:
        """Writes one step; raises what keeps it from being written."""
        [answer] = self.write_steps([step])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def write_steps(self, steps: Sequence[Step]) -> list[Resolution | Exception]:
        """Writes steps of different cases in one transaction; if that fails, each in its own."""
        answers, records = self._write_steps(steps)
        self._file(records)
        return answers

    def _write_steps(self, steps: Sequence[Step]) -> tuple[list[Resolution | Exception], list[Published]]:
        try:
            together, records = self._write_together(steps)
            return list(together), records
        except Exception as error:  # noqa: BLE001  (whatever it is, it is told to whoever waits)
            if len(steps) == 1:
                return [error], []
        each = [self._write_steps([step]) for step in steps]
        return [answer for answers, _ in each for answer in answers], [record for _, some in each for record in some]

    def _write_together(self, steps: Sequence[Step]) -> tuple[list[Resolution], list[Published]]:
        """The answers, and what has become public."""
        rows = RowBuffer()
        books: list[Book] = []
        answers: list[Resolution] = []
        with self._database.write() as connection:
            known, cases = _written(connection, steps), _cases(connection, steps)
            for step in steps:
                if step.case_id in known:
                    answers.append(_first_answer(known[step.case_id], step))
                    continue
                book = Book(connection, step, self._base_url, rows, cases.get(step.case_id, {}))
                for effect in step.effects:
                    perform(book, effect)
                answers.append(book.close())
                books.append(book)
            notified = announce(connection, rows, books)
            add_times(connection, rows, books)
            rows.flush(connection)
        if notified:
            self._after_event()
        if any(book.mails for book in books):
            self._after_mail()
        if any(book.to_publish for book in books):
            self._after_run()
        return answers, [record for book in books for record in book.published]

    def _file(self, records: Sequence[Published]) -> None:
        # Files come after the transaction: the catalogue reads the database, and a starting worker writes lost ones.
        for record in records:
            keep_record(self._published_dir, record.slug, record.achievement)
            if record.endorsed:
                self._after_endorsed(record.slug)


def _answer(batch: Sequence[Waiting], answers: Sequence[Resolution | Exception]) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Resolution):
            future.set_result(answer)
        else:
            future.set_exception(answer)


def _written(connection: Connection, steps: Sequence[Step | StepPlace]) -> dict[str, WrittenStep]:
    """What was written before at the steps' places, by case."""
    numbers = {step.case_id: step.seq for step in steps}
    given = {"cases": list(numbers), "numbers": list(set(numbers.values()))}
    return {
        row.case_id: WrittenStep.model_validate_json(row.answer)
        for row in connection.execute(_WRITTEN, given)
        if numbers[row.case_id] == row.seq
    }


def _first_answer(written: WrittenStep, step: Step) -> Resolution:
    if (written.event, written.at) == (step.event, step.at):
        return written.resolution
    return written.resolution.model_copy(update={"instead": Occurrence(event=written.event, at=written.at)})


def _cases(connection: Connection, steps: Sequence[Step]) -> dict[str, dict[str, object]]:
    begun = [step.case_id for step in steps if step.seq > 1]
    if not begun:
        return {}
    return {row["case_id"]: dict(row) for row in connection.execute(_CASES, {"cases": begun}).mappings()}
