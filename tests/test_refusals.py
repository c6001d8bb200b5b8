"""Every refusal has a code, leaves a row in the ledger's side table, and changes nothing."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from imprimatur.errors import DocumentInvalid, ImprimaturError, InputError, NotAllowed, NotFound, Refused, Unavailable
from imprimatur.gateway import Gateway
from imprimatur.store.engine import Database
from models.proposal import Proposal
from models.tables import CaseRow, LedgerRow, RefusalRow
from models.vocabulary import Channel
from tests.engine import Engine
from tests.facts import PROPOSER, example
from tests.stories import REASON

INACTIVE = "tove.reviewer@example.edu"
ADMIN = "eva.admin@example.edu"
Act = Callable[[Engine, str], Awaitable[Any]]


def rows(database: Database, table: type[Any]) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table.__table__)).mappings()]


def submit(proposal: Proposal | None = None, proposer: str = PROPOSER, framework: str | None = None) -> Act:
    found = proposal or example("industry-credit")
    return lambda engine, case_id: engine.gateway.submit(found, proposer=proposer, framework_id=framework)


def decide(verdict: str = "approve", actor: str | None = None, task_id: str | None = None, **more: Any) -> Act:
    def act(engine: Engine, case_id: str) -> Awaitable[Any]:
        [task] = engine.tasks(case_id)
        return engine.gateway.decide(
            task_id=task_id or task.task_id, verdict=verdict, actor=actor or task.assignee, **more
        )

    return act


REFUSED: list[tuple[str, Act, str, type[ImprimaturError], str]] = [
    ("submit", submit(proposer="nobody@example.edu"), "person_unknown", NotFound, "nobody@example.edu"),
    ("submit", submit(proposer=f" {INACTIVE.upper()}"), "person_inactive", Refused, INACTIVE),
    ("submit", submit(framework="non-credit"), "framework_kind_mismatch", Refused, PROPOSER),
    ("submit", submit(framework="non-credits"), "framework_unknown", NotFound, PROPOSER),
    ("submit", submit(framework="industry-credit@7"), "framework_unknown", NotFound, PROPOSER),
    ("submit", submit(Proposal(title="Kindless")), "framework_required", InputError, PROPOSER),
    ("decide", decide(task_id="t-nowhere", actor=ADMIN), "task_unknown", NotFound, ADMIN),
    ("decide", decide(actor=ADMIN), "not_your_task", NotAllowed, ADMIN),
    ("decide", decide("maybe", ADMIN), "verdict_not_offered", InputError, ADMIN),
    ("decide", decide("recuse", ADMIN), "verdict_not_offered", InputError, ADMIN),
    ("decide", decide("reject", ADMIN, comment=" "), "comment_required", DocumentInvalid, ADMIN),
    ("decide", decide(actor=ADMIN, scores={"fit": 9}), "score_out_of_range", DocumentInvalid, ADMIN),
    ("decide", decide(actor=ADMIN, comment="x" * 20_001), "comment_too_long", DocumentInvalid, ADMIN),
    (
        "revise",
        lambda e, c: e.gateway.revise("mc-nowhere", example("non-credit"), actor=PROPOSER),
        "case_unknown",
        NotFound,
        PROPOSER,
    ),
    (
        "revise",
        lambda e, c: e.gateway.revise(c, example("non-credit"), actor=PROPOSER),
        "revision_not_requested",
        Refused,
        PROPOSER,
    ),
    (
        "withdraw",
        lambda e, c: e.gateway.withdraw("mc-nowhere", actor=PROPOSER, reason=REASON),
        "case_unknown",
        NotFound,
        PROPOSER,
    ),
    ("withdraw", lambda e, c: e.gateway.withdraw(c, actor=INACTIVE, reason=REASON), "not_the_proposer", NotAllowed, ""),
    ("withdraw", lambda e, c: e.gateway.withdraw(c, actor=PROPOSER, reason=""), "reason_required", Refused, PROPOSER),
]


@pytest.mark.parametrize(("act", "refused", "code", "kind", "actor"), REFUSED, ids=[r[2] for r in REFUSED])
async def test_a_refusal_leaves_a_row_and_changes_nothing(
    live: Engine, act: str, refused: Act, code: str, kind: type[ImprimaturError], actor: str
) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    before = rows(live.database, LedgerRow), rows(live.database, CaseRow)
    with pytest.raises(kind) as found:
        await refused(live, case_id)
    assert found.value.code == code
    assert found.value.message.endswith(".") and found.value.hint
    [row] = rows(live.database, RefusalRow)
    assert (row["act"], row["code"], row["message"]) == (act, code, found.value.message)
    assert row["actor"] == (actor or INACTIVE)
    assert (rows(live.database, LedgerRow), rows(live.database, CaseRow)) == before


async def test_a_refusal_names_case_task_and_channel(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id)
    with pytest.raises(NotAllowed):
        await live.gateway.decide(task_id=task.task_id, verdict="approve", actor=ADMIN, channel=Channel.LINK)
    [row] = rows(live.database, RefusalRow)
    assert (row["case_id"], row["task_id"], row["channel"]) == (case_id, task.task_id, "link")
    assert abs(row["at"] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


class Unable:
    """Stands for a Temporal client whose server fails in a way of its choice."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_workflow_handle_for(self, *known: object) -> "Unable":
        return self

    async def execute_update(self, *given: object, **options: object) -> object:
        raise self.error

    async def execute_update_with_start_workflow(self, *given: object, **options: Any) -> object:
        options["start_workflow_operation"]._workflow_handle.set_exception(self.error)
        raise self.error

    query = execute_update


ACTS: dict[str, Act] = {
    "submit": submit(),
    "decide": decide(),
    "revise": lambda engine, case_id: engine.gateway.revise(case_id, example("non-credit"), actor=PROPOSER),
    "withdraw": lambda engine, case_id: engine.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON),
}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b""), "temporal_unavailable"),
        (RPCError("too busy", RPCStatusCode.RESOURCE_EXHAUSTED, b""), "temporal_unavailable"),
        (WorkflowUpdateRPCTimeoutOrCancelledError(), "not_recorded_yet"),
        (TimeoutError(), "not_recorded_yet"),
    ],
)
async def test_what_is_unavailable_refuses_nobody(live: Engine, error: Exception, code: str) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    cut_off = replace(live, gateway=Gateway(Unable(error), live.database))  # type: ignore[arg-type]
    for act in ACTS.values():
        with pytest.raises(Unavailable) as found:
            await act(cut_off, case_id)
        assert (found.value.code, bool(found.value.hint)) == (code, True)
    assert rows(live.database, RefusalRow) == []


async def test_an_error_that_nobody_expects_is_not_disguised(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    broken = replace(live, gateway=Gateway(Unable(ZeroDivisionError()), live.database))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await ACTS["withdraw"](broken, case_id)
