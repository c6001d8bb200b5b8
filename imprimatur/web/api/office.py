"""The acts of the governance office."""

from fastapi import APIRouter, Request

from imprimatur.access.acts import CaseAct
from imprimatur.gateway import Gateway
from imprimatur.office import Office
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import (
    Confirming,
    Extension,
    Nudging,
    OfStage,
    Overriding,
    Passing,
    ProposedAnswer,
    Reasoned,
)
from imprimatur.web.api.guard import UNCHANGED, Guard, Runs
from imprimatur.web.api.repeating import act_id
from models.messages import CaseAnswer
from models.vocabulary import OfficeAct, StageOutcome


def router(database: Database, gateway: Gateway, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["office"], dependencies=[UNCHANGED])
    _add_clock(routes, Office(gateway, database), guard)
    _add_stages(routes, Office(gateway, database), guard)
    _add_tasks(routes, Office(gateway, database), guard)
    return routes


def _add_clock(routes: APIRouter, office: Office, guard: Guard) -> None:
    @routes.post("/cases/{case_id}/hold", summary="Stop the clock")
    async def hold(viewer: Runs, case_id: str, given: Reasoned) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.HOLD)
        return await office.hold(case_id, actor=viewer.person, reason=given.reason)

    @routes.post("/cases/{case_id}/resume", summary="Let the clock run again")
    async def resume(viewer: Runs, case_id: str, given: Reasoned) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.RESUME)
        return await office.resume(case_id, actor=viewer.person, reason=given.reason)

    @routes.post("/cases/{case_id}/extend", summary="Give a stage more time")
    async def extend(
        viewer: Runs,
        case_id: str,
        given: Extension,
        request: Request,
    ) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.EXTEND)
        once = act_id(request)
        return await office.extend(
            case_id, given.stage, given.by, actor=viewer.person, reason=given.reason, update_id=once
        )

    @routes.post("/cases/{case_id}/nudge", summary="Remind whoever is waited for")
    async def nudge(viewer: Runs, case_id: str, given: Nudging, request: Request) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.NUDGE)
        return await office.nudge(case_id, given.stage, actor=viewer.person, update_id=act_id(request))


def _add_stages(routes: APIRouter, office: Office, guard: Guard) -> None:
    @routes.post("/cases/{case_id}/override", summary="Decide a stage in its reviewers' place, with a second person")
    async def override(viewer: Runs, case_id: str, given: Overriding) -> ProposedAnswer:
        await guard.admit(viewer, case_id, CaseAct.OVERRIDE)
        act_id, answer = await office.propose(
            case_id, OfficeAct.OVERRIDE, given.stage, given.outcome, actor=viewer.person, reason=given.reason
        )
        return ProposedAnswer(act_id=act_id, case=answer)

    @routes.post("/cases/{case_id}/skip", summary="Skip a stage, with a second person")
    async def skip(viewer: Runs, case_id: str, given: OfStage) -> ProposedAnswer:
        await guard.admit(viewer, case_id, CaseAct.SKIP)
        act_id, answer = await office.propose(
            case_id, OfficeAct.SKIP, given.stage, StageOutcome.SKIPPED, actor=viewer.person, reason=given.reason
        )
        return ProposedAnswer(act_id=act_id, case=answer)

    @routes.post("/cases/{case_id}/confirm", summary="Confirm another's act as the second person")
    async def confirm(viewer: Runs, case_id: str, given: Confirming) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.CONFIRM)
        return await office.confirm(case_id, given.act_id, actor=viewer.person)

    @routes.post("/cases/{case_id}/send-back", summary="Have an earlier stage decided anew")
    async def send_back(viewer: Runs, case_id: str, given: OfStage) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.SEND_BACK)
        return await office.send_back(case_id, given.stage, actor=viewer.person, reason=given.reason)


def _add_tasks(routes: APIRouter, office: Office, guard: Guard) -> None:
    @routes.post("/tasks/{task_id}/reassign", summary="Give a task to somebody else")
    async def reassign(viewer: Runs, task_id: str, given: Passing) -> CaseAnswer:
        await guard.admit(viewer, await guard.case_of(task_id), CaseAct.REASSIGN)
        return await office.pass_on(task_id, given.to, actor=viewer.person, reason=given.reason)

    @routes.post("/tasks/{task_id}/annul", summary="Annul an answer; its holder is asked once more")
    async def annul(viewer: Runs, task_id: str, given: Reasoned) -> CaseAnswer:
        await guard.admit(viewer, await guard.case_of(task_id), CaseAct.ANNUL)
        return await office.annul(task_id, actor=viewer.person, reason=given.reason)
