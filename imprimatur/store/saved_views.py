"""Searches of the list of cases that people have saved under a name."""

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel
from sqlalchemy import Connection, and_, func, or_, select

from imprimatur.access.viewer import Viewer
from imprimatur.errors import InputError, NotAllowed, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import PersonRow, SavedViewRow

_VIEW = SavedViewRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
FILTERS = ("q", "status", "need", "framework", "unit")
LONGEST_NAME = 60
MOST = 50


class SavedView(BaseModel):
    """``own``: the viewer's, who alone can change it. ``by`` is the name of whoever shares it."""

    view_id: str
    name: str
    filters: dict[str, str]
    shared: bool
    units: list[str]
    own: bool
    by: str

    @property
    def address(self) -> str:
        return address_of(self.filters)


def address_of(filters: Mapping[str, str]) -> str:
    """Of the list of cases with these filters."""
    kept = urlencode({name: filters[name] for name in FILTERS if filters.get(name)})
    return f"/cases?{kept}".rstrip("?")


def views_of(database: Database, viewer: Viewer) -> list[SavedView]:
    """The viewer's own by name, then those that others share with them. One query."""
    seen = or_(_VIEW.c.owner == viewer.person, _VIEW.c.shared)
    with database.read() as connection:
        rows = connection.execute(_views().where(seen).order_by(_VIEW.c.name, _VIEW.c.view_id)).mappings()
        found = [_view(dict(row), viewer) for row in rows if _is_seen(dict(row), viewer)]
    return sorted(found, key=lambda view: not view.own)


def own_view(database: Database, viewer: Viewer, view_id: str) -> SavedView:
    """Raises NotFound ``view_unknown``, NotAllowed ``not_your_view``."""
    with database.read() as connection:
        return _view(_own(connection, viewer, view_id), viewer)


def save_view(
    database: Database, viewer: Viewer, name: str, filters: Mapping[str, str], shared: bool, at: dt.datetime
) -> str:
    """Its id. The same view again under the same name is the same.

    Raises InputError ``view_name``, Refused ``view_name_taken`` or ``too_many_views``, NotAllowed ``not_the_office``.
    """
    name, kept = _name(name), {key: filters[key] for key in FILTERS if filters.get(key)}
    facts = {"name": name, "filters": kept} | _sharing(viewer, shared)
    mine = _VIEW.c.owner == viewer.person
    with database.write() as connection:
        query = select(_VIEW.c.view_id, _VIEW.c.filters).where(mine, _VIEW.c.name == name)
        known = connection.execute(query).first()
        if known is not None and known.filters == kept:
            return str(known.view_id)
        if known is not None:
            raise _taken(name)
        if connection.execute(select(func.count()).select_from(_VIEW).where(mine)).scalar_one() >= MOST:
            raise Refused("too_many_views", f"You have {MOST} views already.", "Remove one first.")
        view_id = f"v-{secrets.token_hex(8)}"
        if not insert_once(connection, _VIEW, facts | {"view_id": view_id, "owner": viewer.person, "saved_at": at}):
            raise _taken(name)
        return view_id


def change_view(database: Database, viewer: Viewer, view_id: str, name: str, shared: bool) -> None:
    """Raises as ``own_view`` and ``save_view`` do."""
    name = _name(name)
    with database.write() as connection:
        before = _own(connection, viewer, view_id)
        same = and_(_VIEW.c.owner == viewer.person, _VIEW.c.name == name, _VIEW.c.view_id != view_id)
        if connection.execute(select(_VIEW.c.view_id).where(same)).first() is not None:
            raise _taken(name)
        # What is shared stays shared with the units of that time.
        sharing = {} if shared == before["shared"] else _sharing(viewer, shared)
        connection.execute(_VIEW.update().where(_VIEW.c.view_id == view_id).values(name=name, **sharing))


def remove_view(database: Database, viewer: Viewer, view_id: str) -> None:
    """Raises as ``own_view`` does."""
    with database.write() as connection:
        _own(connection, viewer, view_id)
        connection.execute(_VIEW.delete().where(_VIEW.c.view_id == view_id))


def _views() -> Any:
    by = func.coalesce(_PERSON.c.name, _VIEW.c.owner).label("by")
    return select(_VIEW, by).select_from(_VIEW.outerjoin(_PERSON, _PERSON.c.email == _VIEW.c.owner))


def _own(connection: Connection, viewer: Viewer, view_id: str) -> dict[str, Any]:
    row = connection.execute(_views().where(_VIEW.c.view_id == view_id)).mappings().first()
    if row is None or not _is_seen(dict(row), viewer):
        raise NotFound("view_unknown", "There is no such view among yours.", "The list of cases shows them.")
    if row["owner"] != viewer.person:
        raise NotAllowed("not_your_view", "Only who saved a view can change it.", "Save it under a name of your own.")
    return dict(row)


def _is_seen(row: Mapping[str, Any], viewer: Viewer) -> bool:
    if row["owner"] == viewer.person:
        return True
    with_them = bool(viewer.units.intersection(row["units"])) if row["units"] else viewer.oversees
    return bool(row["shared"]) and (with_them or (viewer.oversees and viewer.scope.everything))


def _view(row: dict[str, Any], viewer: Viewer) -> SavedView:
    return SavedView.model_validate(row | {"own": row["owner"] == viewer.person})


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise InputError("view_name", "A view needs a name.", f"Give it one of up to {LONGEST_NAME} letters.")
    return name


def _sharing(viewer: Viewer, shared: bool) -> dict[str, Any]:
    if shared and not viewer.is_office:
        raise NotAllowed("not_the_office", "Only the governance office shares views.", "Save it for yourself.")
    return {"shared": shared, "units": sorted(viewer.units) if shared else []}


def _taken(name: str) -> Refused:
    return Refused("view_name_taken", f"You have a view called {name} already.", "Choose another name.")
