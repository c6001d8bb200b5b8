"""An act of the office on many cases: previewed, carried out case by case, and taken up again where it was stopped."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from imprimatur.errors import ImprimaturError, InputError, Unavailable, error_class
from imprimatur.rules.admission import refusal
from imprimatur.rules.consequences import consequences
from imprimatur.rules.migration import fates
from imprimatur.rules.plan import plan_in_force
from imprimatur.rules.transition import transition
from imprimatur.store import bulks, reading
from imprimatur.store.authority import check_act
from imprimatur.store.bulks import Begun, Item, ItemResult, Operation
from imprimatur.store.engine import Database
from models.case import CaseState
from models.events import Act, ChangeScheduled, FrameworkChanged, Migration
from models.messages import CaseAnswer
from models.plan import Plan
from models.vocabulary import BulkResult, CaseStatus

AT_ONCE = 8
# What would fail for every other case as well.
ENDS_THE_BULK = frozenset({"temporal_unavailable", "database_unavailable", "database_damaged"})


class Cases(Protocol):
    """What an act on many cases needs of the gateway."""

    async def act(self, case_id: str, event: Act | Migration, update_id: str | None = None) -> CaseAnswer: ...

    async def state(self, case_id: str) -> CaseState: ...

    async def plan(self, case_id: str) -> Plan: ...


@dataclass(frozen=True)
class Selection:
    """Cases by the filters of ``list``, of those that are not closed; or by their ids; or every one.

    ``stage`` may be said of named cases as well: then it is what is acted on, and chooses nothing.
    """

    status: str | None = None
    stage: str | None = None
    overdue: bool = False
    framework: str | None = None
    case_ids: tuple[str, ...] = ()
    everything: bool = False

    def check(self) -> None:
        """Raises InputError ``bulk_choice``: nothing is done to every case by mistake."""
        filtered, named = bool(self.status or self.overdue or self.framework), bool(self.case_ids)
        if filtered + named + self.everything > 1:
            problem = "Cases are chosen by filters, by their ids, or all: one of the three."
        elif not (filtered or named or self.everything or self.stage):
            problem = "No cases were chosen."
        else:
            return
        hint = "Give --status, --stage, --overdue or --framework; or --case and --cases; or --all."
        raise InputError("bulk_choice", problem, hint)

    @property
    def said(self) -> dict[str, Any]:
        """What was said of the choice, as JSON; nothing of what was not."""
        said: dict[str, Any] = {"status": self.status, "stage": self.stage, "framework": self.framework}
        said |= {"overdue": self.overdue, "cases": list(self.case_ids), "all": self.everything}
        return {name: value for name, value in said.items() if value}

    def chosen(self, database: Database) -> list[str]:
        """Ids, the oldest case first. Raises InputError ``status_unknown``."""
        now = dt.datetime.now(dt.UTC)
        if self.case_ids:
            return list(dict.fromkeys(self.case_ids))
        found = reading.list_cases(
            database,
            status=self.status,
            stage=self.stage,
            overdue_at=now if self.overdue else None,
            framework=self.framework,
        )
        return [case.case_id for case in reversed(found) if self.status or not CaseStatus(case.status).is_final]


@dataclass(frozen=True)
class BulkAct:
    """``choose`` answers what is acted on; ``event`` makes the event for one of them, of the bulk named."""

    operation: Operation
    choose: Callable[[], list[Item]]
    event: Callable[[Item, str], Coroutine[Any, Any, Act | Migration]]


@dataclass
class BulkReport:
    """``resumed``: an earlier run was stopped, and this one went on with it. ``bulk_id`` is empty in a preview."""

    act: str
    preview: bool
    bulk_id: str = ""
    resumed: bool = False
    results: list[ItemResult] = field(default_factory=list)

    def number(self, result: BulkResult) -> int:
        return Counter(one.result for one in self.results)[result]

    @property
    def is_whole(self) -> bool:
        return not self.number(BulkResult.REFUSED) and not self.number(BulkResult.UNANSWERED)

    def as_dict(self) -> dict[str, Any]:
        counts = {str(result): self.number(result) for result in BulkResult}
        head = {"act": self.act, "preview": self.preview, "bulk_id": self.bulk_id, "resumed": self.resumed}
        return head | {"chosen": len(self.results)} | counts | {"cases": self.results}


class Bulk:
    """One refused case does not stop the others. ``advanced`` is called after each, ``counted`` with their number."""

    def __init__(
        self,
        cases: Cases,
        database: Database,
        counted: Callable[[int], object] = lambda number: None,
        advanced: Callable[[], object] = lambda: None,
    ) -> None:
        self._cases = cases
        self._database = database
        self._counted = counted
        self._advanced = advanced

    async def preview(self, act: BulkAct) -> BulkReport:
        """What would become of each case now; changes nothing, and leaves no trace."""
        items = await asyncio.to_thread(act.choose)

        async def look(item: Item) -> ItemResult:
            event = await act.event(item, "")
            return await self._foreseen(item, event)

        return BulkReport(act.operation.act, True, results=await self._each(items, look))

    async def run(self, act: BulkAct) -> BulkReport:
        """Acts on every case; one that was stopped goes on with the cases chosen then, and does nothing twice."""
        return await self.carry_out(act, await self.begin(act))

    async def begin(self, act: BulkAct) -> Begun:
        """Writes down which cases are chosen, before anything is done to them."""
        now = dt.datetime.now(dt.UTC)
        return await asyncio.to_thread(bulks.begin, self._database, act.operation, act.choose, now)

    async def carry_out(self, act: BulkAct, begun: Begun) -> BulkReport:
        """Acts on whatever has not come to a result."""

        async def take(item: Item) -> ItemResult:
            return await self._carried_out(act, begun, item)

        report = BulkReport(act.operation.act, False, begun.bulk_id, begun.resumed)
        report.results = await self._each(begun.items, take)
        if begun.items and not report.number(BulkResult.UNANSWERED):
            await asyncio.to_thread(bulks.end, self._database, begun.bulk_id, dt.datetime.now(dt.UTC))
        return report

    async def _each(
        self, items: Sequence[Item], take: Callable[[Item], Coroutine[Any, Any, ItemResult]]
    ) -> list[ItemResult]:
        """Several at once, answered in their order. Raises what would fail for every case."""
        self._counted(len(items))
        found: dict[int, ItemResult] = {}
        queue = iter(enumerate(items))

        async def worker() -> None:
            for place, item in queue:
                try:
                    found[place] = await take(item)
                except ImprimaturError as error:
                    if error.code in ENDS_THE_BULK:
                        raise
                    found[place] = _result_of(item, error)
                self._advanced()

        workers = [asyncio.create_task(worker()) for _ in range(AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for one in workers:
                one.cancel()
        return [found[place] for place in range(len(items))]

    async def _foreseen(self, item: Item, event: Act | Migration) -> ItemResult:
        await asyncio.to_thread(check_act, self._database, item.case_id, event)
        state, plan = await asyncio.gather(self._cases.state(item.case_id), self._cases.plan(item.case_id))
        refused = refusal(state, event, plan)
        if refused is not None:
            raise error_class(refused.kind)(refused.code, refused.message, refused.hint)
        _, effects = transition(state, event, plan_in_force(plan, event), dt.datetime.now(dt.UTC))
        facts: dict[str, Any] = {"consequences": consequences(effects)}
        if isinstance(event, ChangeScheduled | FrameworkChanged):
            facts["stages"] = fates(state.stages, (stage.id for stage in event.plan.stages), event.altered)
        return _told(item, BulkResult.POSSIBLE, **facts)

    async def _carried_out(self, act: BulkAct, begun: Begun, item: Item) -> ItemResult:
        if (known := begun.results.get(item.number)) is not None:
            done = known.result is BulkResult.DONE
            return known.model_copy(update={"result": BulkResult.DONE_BEFORE}) if done else known
        if begun.resumed and await asyncio.to_thread(bulks.carried_out, self._database, begun.bulk_id, item):
            result = _told(item, BulkResult.DONE)
        else:
            try:
                event = await act.event(item, begun.bulk_id)
                await self._cases.act(item.case_id, event, f"{begun.bulk_id}-{item.number}")
                result = _told(item, BulkResult.DONE)
            except Unavailable:
                # No result: a repetition asks again.
                raise
            except ImprimaturError as error:
                result = _result_of(item, error)
        await asyncio.to_thread(bulks.record, self._database, begun.bulk_id, item, result)
        return result


def _told(item: Item, result: BulkResult, **facts: Any) -> ItemResult:
    return ItemResult(case_id=item.case_id, subject=item.subject, result=result, **facts)


def _result_of(item: Item, error: ImprimaturError) -> ItemResult:
    result = BulkResult.UNANSWERED if isinstance(error, Unavailable) else BulkResult.REFUSED
    return _told(item, result, code=error.code, message=error.message)
