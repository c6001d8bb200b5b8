"""Cases: listing, reading, following, submitting, revising, withdrawing."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from imprimatur import ids
from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Viewer
from imprimatur.errors import InputError, NotFound
from imprimatur.gateway import Gateway
from imprimatur.history.export import LedgerEvent, events_after, history
from imprimatur.store.api_keys import viewer_by_key
from imprimatur.store.case_listing import CaseLine, Filters, case_page
from imprimatur.store.case_reading import CaseSheet, acts_of, case_sheet
from imprimatur.store.engine import Database
from imprimatur.store.reading import CaseView, TaskView
from imprimatur.web.api.documents import (
    ActState,
    CaseDocument,
    DecisionLine,
    Page,
    Reasoned,
    RevisionAnswer,
    Submission,
)
from imprimatur.web.api.guard import UNCHANGED, Guard, Proposes, Reads, key_of
from imprimatur.web.api.paging import Cursor, Limit, Word
from imprimatur.web.api.repeating import HEADER, key_digest
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.vocabulary import CaseStatus

LOOK_EVERY_SECONDS = 1.0
ASK_AGAIN_EVERY = 10
PING_EVERY_SECONDS = 15


def router(database: Database, gateway: Gateway, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["cases"])

    @routes.get("/cases", summary="Cases, the newest first")
    def cases(
        viewer: Reads,
        q: Word = "",
        status: Word = "",
        framework: Word = "",
        unit: Word = "",
        need: Word = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[CaseLine]:
        filters = Filters(q.strip(), status, framework, unit, need)
        found = case_page(database, viewer.scope, filters, cursor, dt.datetime.now(dt.UTC), limit)
        return Page(items=list(found.cases), next_cursor=found.cursor)

    @routes.post("/cases", status_code=201, summary="Submit a proposal")
    async def submit(request: Request, viewer: Proposes, given: Submission) -> CaseAnswer:
        """An incomplete proposal is kept as a case, and refused with everything that it lacks (422)."""
        # The key makes the case's number: what comes again after a crash finds the first case.
        key = request.headers.get(HEADER)
        case_id = ids.keyed_case_id(key_digest(request), key) if key else None
        return await gateway.submit(
            given.proposal, proposer=viewer.person, framework_id=given.framework, case_id=case_id
        )

    @routes.get(
        "/cases/{case_id}",
        summary="One case",
        response_model=CaseDocument,
        responses={304: {"description": "it has not changed"}},
    )
    async def case(viewer: Reads, case_id: str, request: Request, response: Response) -> Any:
        await guard.admit(viewer, case_id, CaseAct.READ)
        # The tag comes first: what is read after it is never older than it says.
        tag = await guard.tag(viewer, case_id)
        if tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return document(await run_in_threadpool(case_sheet, database, viewer, case_id), viewer)

    @routes.get("/cases/{case_id}/history", summary="The ledger of a case")
    async def story(viewer: Reads, case_id: str) -> Page[LedgerEvent]:
        await guard.admit(viewer, case_id, CaseAct.READ_NAMES)
        return Page(items=await run_in_threadpool(history, database, case_id))

    @routes.get(
        "/cases/{case_id}/events",
        summary="Follow a case: server-sent events, one for each event of the ledger",
        response_class=EventSourceResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def follow(viewer: Reads, case_id: str, request: Request) -> EventSourceResponse:
        """`Last-Event-ID` goes on after that position. The stream ends with the case."""
        await guard.admit(viewer, case_id, CaseAct.READ_NAMES)
        after = request.headers.get("last-event-id", "0")
        if not after.isascii() or not after.isdecimal() or len(after) > 9:
            raise InputError("last_event_malformed", "Last-Event-ID is no position.", "Send the id of the last event.")
        may_go_on = still_good(database, key_of(request), case_id)
        return EventSourceResponse(stream(database, case_id, int(after), may_go_on), ping=PING_EVERY_SECONDS)

    @routes.post("/cases/{case_id}/versions", dependencies=[UNCHANGED], summary="Hand in a new version of the proposal")
    async def revise(
        viewer: Proposes,
        case_id: str,
        given: Proposal,
    ) -> RevisionAnswer:
        await guard.admit(viewer, case_id, CaseAct.REVISE)
        answer, changed = await gateway.revise(case_id, given, actor=viewer.person)
        return RevisionAnswer(
            case_id=case_id,
            version=answer.version,
            status=answer.status,
            round=answer.round,
            changed=changed,
            lapsed=list(answer.lapsed),
            kept=list(answer.kept),
        )

    @routes.post("/cases/{case_id}/withdraw", dependencies=[UNCHANGED], summary="Withdraw a case")
    async def withdraw(
        viewer: Proposes,
        case_id: str,
        given: Reasoned,
    ) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.WITHDRAW)
        return await gateway.withdraw(case_id, actor=viewer.person, reason=given.reason)

    return routes


async def stream(
    database: Database, case_id: str, after: int, may_go_on: Callable[[], bool]
) -> AsyncIterator[dict[str, str]]:
    """Nothing is told to whoever may no longer hear it; a stream that tells nothing asks every so often."""
    quiet = 0
    while True:
        events, status = await run_in_threadpool(events_after, database, case_id, after)
        if (events or quiet % ASK_AGAIN_EVERY == 0) and not await run_in_threadpool(may_go_on):
            return
        for event in events:
            after = event.position
            yield {"id": str(event.position), "event": str(event.type), "data": event.model_dump_json()}
        if CaseStatus(status).is_final and not events:
            return
        quiet = 0 if events else quiet + 1
        if not events:
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def still_good(database: Database, key: str, case_id: str) -> Callable[[], bool]:
    """Whether a key is still good for the names of a case."""

    def found() -> bool:
        viewer = viewer_by_key(database, key)
        try:
            return viewer is not None and acts_of(database, viewer, case_id)[CaseAct.READ_NAMES] is None
        except NotFound:
            return False

    return found


def document(sheet: CaseSheet, viewer: Viewer) -> CaseDocument:
    """Without names for whoever may not know them, and without the office's own matters for whoever is not of it."""

    def named(email: str, task_id: str) -> str:
        if sheet.names_are_seen or email == viewer.person:
            return email
        return sheet.roles.get(task_id, "reviewer")

    lines = [
        {name: row[name] for name in DecisionLine.model_fields if name in row}
        | {"actor": named(row["actor"], row["task_id"]), "digest": row["ledger_digest"]}
        for _, rows in sheet.rounds
        for row in rows
    ]
    acts = {
        str(act): ActState(may=denied is None, code=denied and denied.code, why=denied and denied.sentence)
        for act, denied in sheet.acts.items()
    }
    return CaseDocument(
        **dict(sheet.view if sheet.names_are_seen else _nameless(sheet.view, named)),
        decisions=[DecisionLine.model_validate(line) for line in lines],
        proposal=sheet.proposal,
        acts=acts,
    )


def _nameless(view: CaseView, named: Callable[[str, str], str]) -> CaseView:
    def of_task(task: TaskView) -> TaskView:
        hidden = {"assignee": named(task.assignee, task.task_id), "on_behalf_of": None, "reason": ""}
        return task.model_copy(update=hidden)

    hidden = {"set_by": "reviewer", "settled_by": None}
    return view.model_copy(
        update={
            "stages": [stage.model_copy(update={"proof": [], "extensions": []}) for stage in view.stages],
            "tasks": [of_task(task) for task in view.tasks],
            "conditions": [item.model_copy(update=hidden) for item in view.conditions],
            "held": None,
            "change": None,
            "proposed": [],
            "incidents": [],
            "mail_problems": [],
            "mails": [],
        }
    )
