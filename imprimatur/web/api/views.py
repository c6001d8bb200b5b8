"""Searches of the list of cases that people have saved under a name."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed
from imprimatur.store import saved_views
from imprimatur.store.engine import Database
from imprimatur.store.saved_views import SavedView
from imprimatur.web.api.documents import Given, Name, Page
from imprimatur.web.api.guard import Reads
from imprimatur.web.api.paging import Cursor, Limit, page_of
from models.texts import PRINTABLE
from models.vocabulary import KeyScope

Words = Annotated[str, StringConstraints(max_length=200), PRINTABLE]


class FiltersGiven(Given):
    """As `/cases` takes them; what is empty does not filter."""

    q: Words = ""
    status: Words = ""
    need: Words = ""
    framework: Words = ""
    unit: Words = ""


class ViewChanged(Given):
    """``shared``: with the office's units, or with everybody who oversees cases."""

    name: Name = Field(examples=["Mine, overdue"])
    shared: bool = False


class ViewGiven(ViewChanged):
    filters: FiltersGiven = FiltersGiven()


def router(database: Database) -> APIRouter:
    routes = APIRouter(tags=["views"])

    @routes.get("/views", summary="One's own saved views, then those that others share")
    def views(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[SavedView]:
        return page_of(saved_views.views_of(database, viewer), lambda view: view.view_id, cursor, limit)

    @routes.post("/views", status_code=201, summary="Save a search of the list of cases")
    def save(viewer: Reads, given: ViewGiven, response: Response) -> SavedView:
        """The same search again under the same name is the same view."""
        _may_share(viewer, given.shared)
        now = dt.datetime.now(dt.UTC)
        view_id = saved_views.save_view(database, viewer, given.name, given.filters.model_dump(), given.shared, now)
        response.headers["Location"] = f"/api/v1/views/{view_id}"
        return saved_views.own_view(database, viewer, view_id)

    @routes.get("/views/{view_id}", summary="One of one's own views")
    def one(viewer: Reads, view_id: str) -> SavedView:
        return saved_views.own_view(database, viewer, view_id)

    @routes.put("/views/{view_id}", summary="Rename one of one's own views, share it or share it no more")
    def change(viewer: Reads, view_id: str, given: ViewChanged) -> SavedView:
        _may_share(viewer, given.shared or saved_views.own_view(database, viewer, view_id).shared)
        saved_views.change_view(database, viewer, view_id, given.name, given.shared)
        return saved_views.own_view(database, viewer, view_id)

    @routes.delete("/views/{view_id}", status_code=204, summary="Remove one of one's own views")
    def remove(viewer: Reads, view_id: str) -> None:
        _may_share(viewer, saved_views.own_view(database, viewer, view_id).shared)
        saved_views.remove_view(database, viewer, view_id)

    return routes


def _may_share(viewer: Viewer, shared: bool) -> None:
    """Raises NotAllowed ``key_scope_missing``: what others see is no longer one's own matter."""
    if shared and not viewer.allows(KeyScope.OFFICE):
        raise NotAllowed(
            "key_scope_missing", "This key was made without the scope office.", "Make one that has it, or do not share."
        )
