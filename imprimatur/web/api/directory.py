"""What the cases stand on: people, frameworks, incidents."""

from fastapi import APIRouter

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed
from imprimatur.store import desk_reading
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import FrameworkEntry, framework, list_frameworks
from imprimatur.store.people import PersonEntry, list_people
from imprimatur.web.api.documents import Page
from imprimatur.web.api.guard import Reads
from models.framework import Framework


def router(database: Database) -> APIRouter:
    routes = APIRouter(tags=["directory"])

    @routes.get("/frameworks", summary="Approval policies, every version")
    def frameworks(viewer: Reads) -> Page[FrameworkEntry]:
        return Page(items=list_frameworks(database))

    @routes.get("/frameworks/{framework_id}/{version}", summary="One version of an approval policy")
    def one_framework(viewer: Reads, framework_id: str, version: str) -> Framework:
        return framework(database, framework_id, version)

    @routes.get("/people", summary="The directory")
    def people(viewer: Reads) -> Page[PersonEntry]:
        _oversees(viewer)
        return Page(items=list_people(database))

    @routes.get("/incidents", summary="What the office must look at, the newest first")
    def incidents(viewer: Reads) -> Page[desk_reading.Incident]:
        _oversees(viewer)
        return Page(items=desk_reading.open_incidents(database, viewer.scope))

    return routes


def _oversees(viewer: Viewer) -> None:
    if not viewer.oversees:
        raise NotAllowed(
            "oversight_only", "This is for the governance office and for auditors.", "Use a key of one of them."
        )
