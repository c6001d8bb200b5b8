"""Tasks: what waits for the key's person, and everything that they can do about it."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.desk import Desk
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.office import Office
from imprimatur.settling import Settling
from imprimatur.store import desk_reading
from imprimatur.store.answer_drafts import forget_draft
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import (
    Advice,
    AdviceQuestion,
    Answer,
    Evidence,
    Judgement,
    OptionalReason,
    OwnTask,
    Page,
    Passing,
)
from imprimatur.web.api.guard import UNCHANGED, Guard, Reads, Reviews
from models.conditions import Condition
from models.messages import CaseAnswer, DecisionReceipt
from models.vocabulary import Channel


def router(database: Database, gateway: Gateway, links: Links, guard: Guard) -> APIRouter:
    routes, acts = APIRouter(tags=["tasks"]), APIRouter(dependencies=[UNCHANGED])
    desk, office, settling = Desk(gateway, database), Office(gateway, database), Settling(gateway, database)

    @routes.get("/tasks", summary="What waits for the key's person, the earliest due first")
    async def tasks(viewer: Reads) -> Page[OwnTask]:
        found = await run_in_threadpool(desk_reading.own_tasks, database, viewer)
        items = [OwnTask(**task.model_dump(), link=links.task_url(task.task_id, viewer.person)) for task in found]
        return Page(items=items)

    @acts.post("/tasks/{task_id}/decision", summary="Decide")
    async def decide(viewer: Reviews, task_id: str, given: Answer) -> DecisionReceipt:
        """The same answer again gets the first receipt. What was kept as a draft of it is forgotten."""
        receipt = await gateway.decide(
            task_id=task_id,
            verdict=given.verdict,
            actor=viewer.person,
            comment=given.comment,
            scores=given.scores,
            conditions=[Condition(**item.model_dump()) for item in given.conditions],
            statement=given.statement,
            logo=given.logo,
            teach_out_on=given.teach_out_on,
            channel=Channel.API,
        )
        await run_in_threadpool(forget_draft, database, task_id, viewer.person)
        return receipt

    @acts.post("/tasks/{task_id}/claim", summary="Claim a task that is on offer")
    async def claim(viewer: Reviews, task_id: str) -> CaseAnswer:
        return await desk.claim(task_id, actor=viewer.person)

    @acts.post("/tasks/{task_id}/return", summary="Give a claimed task back")
    async def give_back(viewer: Reviews, task_id: str, given: OptionalReason) -> CaseAnswer:
        return await desk.give_back(task_id, actor=viewer.person, reason=given.reason)

    @acts.post("/tasks/{task_id}/delegate", summary="Pass one's own task on")
    async def delegate(viewer: Reviews, task_id: str, given: Passing) -> CaseAnswer:
        case_id = await guard.case_of(task_id)
        await guard.admit(viewer, case_id, CaseAct.DELEGATE)
        return await office.pass_on(task_id, given.to, actor=viewer.person, reason=given.reason)

    @acts.post("/tasks/{task_id}/advice-requests", summary="Ask somebody for advice")
    async def ask_advice(viewer: Reviews, task_id: str, given: AdviceQuestion) -> CaseAnswer:
        return await desk.ask_advice(task_id, given.adviser, actor=viewer.person, question=given.question)

    @acts.post("/tasks/{task_id}/advice", summary="Give advice that one was asked for")
    async def advise(viewer: Reviews, task_id: str, given: Advice) -> CaseAnswer:
        return await desk.advise(task_id, actor=viewer.person, text=given.text)

    @acts.post("/conditions/{condition_id}/fulfil", summary="Say that a condition is met, and what shows it")
    async def fulfil(viewer: Reviews, condition_id: str, given: Evidence) -> CaseAnswer:
        return await settling.fulfil(condition_id, actor=viewer.person, evidence=given.evidence)

    @acts.post("/conditions/{condition_id}/judge", summary="Accept, reopen or waive a condition")
    async def judge(viewer: Reviews, condition_id: str, given: Judgement) -> CaseAnswer:
        return await settling.judge(condition_id, given.act, actor=viewer.person, reason=given.reason)

    routes.include_router(acts)
    return routes
