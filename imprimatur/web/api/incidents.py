"""Incidents as the office works on them: resolved for a reason, mail sent again, tasks given to somebody else."""

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotFound, Refused
from imprimatur.gateway import Gateway
from imprimatur.incidents import Incidents, Resent
from imprimatur.office import Office
from imprimatur.store import desk_reading, incidents
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Page, Passing, Reasoned
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee, oversee_case, run_case
from models.messages import CaseAnswer

LISTED = 5000


class Rerouting(Passing):
    reason: str = Field(min_length=1, max_length=2000)


def router(database: Database, gateway: Gateway) -> APIRouter:
    routes = APIRouter(tags=["incidents"])
    working, office = Incidents(database), Office(gateway, database)

    @routes.get("/incidents", summary="What the office must look at, the newest first")
    def open_incidents(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[desk_reading.Incident]:
        oversee(viewer)
        found = desk_reading.open_incidents(database, viewer.scope, LISTED)
        return page_of(found, lambda incident: incident.incident_id, cursor, limit)

    @routes.get("/incidents/{incident_id}", summary="One incident, also when it is closed")
    def one(viewer: Reads, incident_id: str) -> incidents.IncidentEntry:
        oversee(viewer)
        return _seen(database, viewer, incident_id, acting=False)

    @routes.post("/incidents/{incident_id}/resolve", summary="Close an incident about which nothing is left to do")
    def resolve(viewer: Runs, incident_id: str, given: Reasoned) -> incidents.IncidentEntry:
        _seen(database, viewer, incident_id)
        return working.resolve(incident_id, actor=viewer.person, reason=given.reason)

    @routes.post("/incidents/{incident_id}/resend", summary="Send a mail that bounced again")
    async def resend(viewer: Runs, incident_id: str) -> Resent:
        """To the address that the directory has for its reader by now."""
        await run_in_threadpool(_seen, database, viewer, incident_id)
        return await working.resend(incident_id, gateway, actor=viewer.person)

    @routes.post("/incidents/{incident_id}/reroute", summary="Give the task of an incident to somebody else")
    async def reroute(viewer: Runs, incident_id: str, given: Rerouting) -> CaseAnswer:
        found = await run_in_threadpool(_seen, database, viewer, incident_id)
        if found.task_id is None:
            raise Refused(
                "incident_without_task", "This incident is about no task.", "See docs/operations.md for what to do."
            )
        return await office.pass_on(found.task_id, given.to, actor=viewer.person, reason=given.reason)

    return routes


def _seen(database: Database, viewer: Viewer, incident_id: str, *, acting: bool = True) -> incidents.IncidentEntry:
    """Raises NotFound ``incident_unknown``, also for one of a case that the viewer does not see."""
    found = incidents.incident(database, incident_id)
    try:
        (run_case if acting else oversee_case)(database, viewer, found.case_id)
    except NotFound as error:
        raise NotFound(
            "incident_unknown", f"There is no incident {incident_id}.", "Look for it among the incidents."
        ) from error
    return found
