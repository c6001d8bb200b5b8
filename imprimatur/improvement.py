"""Reviews of published micro-credentials: called when they are due, on evidence or by the office, and carried on."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from pydantic import BaseModel

from imprimatur import ids
from imprimatur.errors import ImprimaturError, Refused
from imprimatur.frameworks.tracks import course_of
from imprimatur.gateway import Gateway
from imprimatur.office import Office
from imprimatur.rules.plan import plan_of
from imprimatur.store import improvement, reviews_due
from imprimatur.store.documents import put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework
from imprimatur.store.indicators import IndicatorReport, put_indicators
from imprimatur.store.indicators_file import read_file, read_lines
from imprimatur.store.reviews_announced import announce
from imprimatur.store.reviews_due import Waiting
from imprimatur.store.reviews_reading import review_called
from models.events import Submitted
from models.improvement import ReviewOf
from models.plan import Plan
from models.vocabulary import ReviewTrigger

log = structlog.get_logger()
SYSTEM = "system"
DUE = "the time that the framework gives between reviews is over"


class Sweep(BaseModel):
    """What one round came to: reviews called, cases begun, micro-credentials retired, mails; and what could not be."""

    called: list[str] = []
    begun: list[str] = []
    drafted: list[str] = []
    retired: list[str] = []
    announced: int = 0
    problems: list[str] = []

    @property
    def number(self) -> int:
        return len(self.called) + len(self.begun) + len(self.drafted) + len(self.retired) + self.announced


class Improvement:
    """One method an act. Who acts for the office must belong to it; what the sweeper does is done by the system."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database
        self._office = Office(gateway, database)

    async def call(self, case_id: str, *, actor: str, reason: str) -> str:
        """Calls a review at the office's wish; answers its case. Called again in the same words while it is held, it
        is the same: where the workflow service was silent, the case begins then.

        Raises NotAllowed ``not_the_office``, Refused ``reason_required`` or ``review_open``, and what beginning raises.
        """
        email = await asyncio.to_thread(self._office.standing_in_office, actor)
        if not reason.strip():
            raise Refused("reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")
        review_case = await asyncio.to_thread(
            self._call, case_id, ReviewTrigger.OFFICE, reason.strip(), email, dt.datetime.now(dt.UTC)
        )
        await self._begin(Waiting(case_id, review_case))
        return review_case

    def called_before(self, case_id: str, *, actor: str, reason: str) -> bool:
        """Whether this very call was made, and its review is still held."""
        with self._database.read() as connection:
            return improvement.called_before(connection, case_id, actor, reason.strip()) is not None

    async def move(self, case_id: str, on: dt.date, *, actor: str, reason: str) -> dt.datetime:
        """Brings the next review forward, or puts it off; answers when it is due now."""
        email = await asyncio.to_thread(self._office.standing_in_office, actor)
        return await asyncio.to_thread(self._move, case_id, on, reason.strip(), email)

    async def import_file(self, text: str, *, source: str, actor: str, preview: bool = False) -> IndicatorReport:
        """Takes a CSV file of indicators; what it says calls reviews at once."""
        return await self._receive(*read_file(text, source), actor=actor, preview=preview)

    async def import_lines(
        self, lines: Sequence[Mapping[str, object]], *, source: str, actor: str, preview: bool = False
    ) -> IndicatorReport:
        """The same for lines that a program gives, counted from 1."""
        return await self._receive(*read_lines(enumerate(lines, 1), source), actor=actor, preview=preview)

    async def _receive(self, measured: Any, rejected: Any, *, actor: str, preview: bool) -> IndicatorReport:
        email = await asyncio.to_thread(self._office.standing_in_office, actor)
        report = await asyncio.to_thread(
            put_indicators, self._database, measured, rejected, actor=email, preview=preview
        )
        if report.cases and not preview:
            now = dt.datetime.now(dt.UTC)
            report.reviews = await asyncio.to_thread(self._call_on_evidence, now, report.cases, True)
            await self._begin_waiting(Sweep())
        return report

    async def sweep(self, now: dt.datetime) -> Sweep:
        """Everything that is due ``now``. Repeating it is safe; what could not be done is told, and done next time."""
        done = Sweep()
        done.retired = await asyncio.to_thread(self._retire, now)
        done.called = await asyncio.to_thread(self._call_due, now)
        done.called += await asyncio.to_thread(self._call_on_evidence, now, None, False)
        await self._begin_waiting(done)
        for waiting in await asyncio.to_thread(self._read, reviews_due.to_draft):
            await self._attempt(done, done.drafted, waiting, self._draft(waiting, now))
        done.announced = await asyncio.to_thread(announce, self._database, now)
        return done

    async def _begin_waiting(self, done: Sweep) -> None:
        for waiting in await asyncio.to_thread(self._read, reviews_due.to_begin):
            await self._attempt(done, done.begun, waiting, self._begin(waiting))

    async def _attempt(self, done: Sweep, names: list[str], waiting: Waiting, act: Any) -> None:
        """One that cannot be begun keeps no other waiting."""
        try:
            names.append(await act)
        except ImprimaturError as error:
            log.warning("review_not_begun", case_id=waiting.case_id, code=error.code, message=error.message)
            done.problems.append(f"{waiting.review_case}: {error.message}")

    # --- in the database ------------------------------------------------------------------------------------

    def _read(self, query: Any) -> Any:
        with self._database.read() as connection:
            return query(connection)

    def _call(self, case_id: str, trigger: ReviewTrigger, reason: str, actor: str, at: dt.datetime) -> str:
        with self._database.write() as connection:
            return improvement.call(connection, case_id, trigger, reason, actor=actor, at=at)

    def _move(self, case_id: str, on: dt.date, reason: str, actor: str) -> dt.datetime:
        with self._database.write() as connection:
            return improvement.move(connection, case_id, on, reason, actor=actor, at=dt.datetime.now(dt.UTC))

    def _call_due(self, now: dt.datetime) -> list[str]:
        cases = self._read(lambda connection: reviews_due.due(connection, now))
        return [self._call(case_id, ReviewTrigger.DUE, DUE, SYSTEM, now) for case_id in cases]

    def _call_on_evidence(self, now: dt.datetime, case_ids: Sequence[str] | None, figures_only: bool) -> list[str]:
        """Each fact calls, or adds to, one review, once."""
        with self._database.read() as connection:
            found = reviews_due.subjects(connection, case_ids)
            told = reviews_due.evidence(connection, found, now, figures_only=figures_only)
        called: list[str] = []
        for case_id, item in told:
            with self._database.write() as connection:
                if improvement.note(connection, case_id, item, now):
                    called.append(
                        improvement.call(connection, case_id, item.trigger, item.reason, actor=SYSTEM, at=now)
                    )
        return list(dict.fromkeys(called))

    def _retire(self, now: dt.datetime) -> list[str]:
        retired = []
        for case_id in self._read(lambda connection: reviews_due.to_retire(connection, now.date())):
            with self._database.write() as connection:
                if improvement.retire(connection, case_id, now):
                    retired.append(case_id)
        return retired

    # --- cases ----------------------------------------------------------------------------------------------

    async def _begin(self, waiting: Waiting) -> str:
        plan, event = await asyncio.to_thread(self._review, waiting)
        await self._gateway.begin(waiting.review_case, plan, event)
        return waiting.review_case

    def _review(self, waiting: Waiting) -> tuple[Plan, Submitted]:
        """Raises NotFound ``framework_unknown``, Refused ``framework_not_for_reviews``."""
        called = review_called(self._database, waiting.review_case)
        policy = framework(self._database, called.rule.framework)
        if not policy.reviews:
            raise Refused(
                "framework_not_for_reviews",
                f"{policy.id} is for {policy.credential_kind}, and so for no reviews.",
                "Add a framework of the kind review under the name that `review.framework` gives.",
            )
        plan, selection = course_of(policy, called.proposal)
        about = ReviewOf(
            case_id=waiting.case_id,
            number=called.number,
            trigger=called.trigger,
            reason=called.reason,
            decided_by=called.rule.decided_by,
        )
        chosen: dict[str, Any] = {"selection": selection} if selection else {}
        return plan, Submitted(actor=called.proposer, digest=called.digest, complete=True, reviews=about, **chosen)

    async def _draft(self, waiting: Waiting, now: dt.datetime) -> str:
        """The case of a new version, which waits for its proposer with what is published now."""
        draft = ids.replacement_case_id(waiting.review_case)
        plan, event = await asyncio.to_thread(self._replacement, waiting)
        await self._gateway.begin(draft, plan, event)
        await asyncio.to_thread(self._link, waiting, draft, now)
        return draft

    def _link(self, waiting: Waiting, draft: str, now: dt.datetime) -> None:
        with self._database.write() as connection:
            improvement.drafted(connection, waiting.case_id, waiting.review_case, draft, now)

    def _replacement(self, waiting: Waiting) -> tuple[Plan, Submitted]:
        called = review_called(self._database, waiting.review_case)
        policy = framework(self._database, called.framework_id)
        with self._database.write() as connection:
            digest = put_proposal(connection, called.proposal.model_copy(update={"replaces": waiting.case_id}))
        event = Submitted(actor=called.proposer, digest=digest, complete=False, revises=waiting.review_case)
        return plan_of(policy), event
