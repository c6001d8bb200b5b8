"""Proposals that are being written: each of its owner alone, and never overwritten by an older page unawares."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import and_, delete, false, func, or_, select

from imprimatur import ids
from imprimatur.errors import NotFound, Refused
from imprimatur.store.engine import Database
from models.tables import DraftRow

_DRAFT = DraftRow.__table__  # type: ignore[attr-defined]
MOST_DRAFTS = 100
LONGEST_TITLE = 500


class Draft(BaseModel):
    """``case_id``: the case whose next version this becomes; ``version`` the one it began from."""

    draft_id: str
    owner: str
    framework: str
    title: str
    body: dict[str, Any]
    case_id: str | None
    version: int
    revision: int
    tab: str
    begun_at: dt.datetime
    changed_at: dt.datetime


class DraftLine(BaseModel):
    draft_id: str
    framework: str
    title: str
    case_id: str | None
    changed_at: dt.datetime


def begin(
    database: Database,
    owner: str,
    framework: str,
    body: dict[str, Any],
    at: dt.datetime,
    *,
    case: str = "",
    of: int = 0,
) -> str:
    """Makes a draft, or answers the one that there is for the next version of a case. Raises ``drafts_full``."""
    with database.write() as connection:
        if case:
            known = select(_DRAFT.c.draft_id).where(_DRAFT.c.owner == owner, _DRAFT.c.case_id == case)
            if (found := connection.execute(known).scalar()) is not None:
                return str(found)
        count = select(func.count()).select_from(_DRAFT).where(_DRAFT.c.owner == owner)
        if connection.execute(count).scalar_one() >= MOST_DRAFTS:
            raise Refused("drafts_full", f"You have {MOST_DRAFTS} drafts.", "Submit some of them, or delete some.")
        draft_id = ids.random_id("dr-")
        connection.execute(
            _DRAFT.insert().values(
                draft_id=draft_id,
                owner=owner,
                framework=framework,
                title=_title(body),
                body=body,
                case_id=case or None,
                version=of,
                revision=1,
                tab="",
                begun_at=at,
                changed_at=at,
            )
        )
    return draft_id


def drafts_of(database: Database, owner: str) -> Sequence[DraftLine]:
    """The one that was worked on last comes first."""
    columns = [_DRAFT.c[name] for name in DraftLine.model_fields]
    query = select(*columns).where(_DRAFT.c.owner == owner).order_by(_DRAFT.c.changed_at.desc(), _DRAFT.c.draft_id)
    with database.read() as connection:
        return [DraftLine.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def draft(database: Database, owner: str, draft_id: str) -> Draft:
    """Raises NotFound ``draft_unknown``, also for somebody else's."""
    with database.read() as connection:
        query = select(_DRAFT).where(_DRAFT.c.draft_id == draft_id, _DRAFT.c.owner == owner)
        row = connection.execute(query).mappings().first()
    if row is None:
        raise _unknown()
    return Draft.model_validate(dict(row))


def draft_for(database: Database, owner: str, case_id: str) -> str | None:
    """The draft of a case's next version, where there is one."""
    with database.read() as connection:
        found = select(_DRAFT.c.draft_id).where(_DRAFT.c.owner == owner, _DRAFT.c.case_id == case_id)
        return connection.execute(found).scalar()


def save(
    database: Database, found: Draft, body: dict[str, Any], at: dt.datetime, *, revision: int, tab: str, anyway: bool
) -> int:
    """Keeps what was typed; answers the new revision.

    ``revision`` is the one that the page has read. A page that saved last has all that is there, whatever it has heard
    of that. Raises Refused ``draft_changed`` where another has saved since, unless ``anyway``; NotFound
    ``draft_unknown``.
    """
    mine = and_(_DRAFT.c.draft_id == found.draft_id, _DRAFT.c.owner == found.owner)
    saved_here = _DRAFT.c.tab == tab if tab else false()
    fresh = mine if anyway else and_(mine, or_(_DRAFT.c.revision == revision, saved_here))
    values = {"body": body, "title": _title(body), "revision": _DRAFT.c.revision + 1, "tab": tab, "changed_at": at}
    with database.write() as connection:
        number = connection.execute(_DRAFT.update().where(fresh).values(values).returning(_DRAFT.c.revision)).scalar()
        if number is None and connection.execute(select(_DRAFT.c.draft_id).where(mine)).first() is None:
            raise _unknown()
    if number is None:
        raise Refused(
            "draft_changed",
            "This draft was changed on another page since this one was opened; nothing of this page was saved.",
            "Look at what was saved there, or keep what stands here.",
        )
    return int(number)


def remove(database: Database, owner: str, draft_id: str) -> None:
    with database.write() as connection:
        connection.execute(delete(_DRAFT).where(_DRAFT.c.draft_id == draft_id, _DRAFT.c.owner == owner))


def rebase(database: Database, found: Draft, version: int) -> None:
    """From now on it is compared with a later version of its case."""
    with database.write() as connection:
        connection.execute(_DRAFT.update().where(_DRAFT.c.draft_id == found.draft_id).values(version=version))


def _title(body: dict[str, Any]) -> str:
    return " ".join(str(body.get("title") or "").split())[:LONGEST_TITLE]


def _unknown() -> NotFound:
    return NotFound("draft_unknown", "There is no such draft of yours.", "It may have been submitted; see your drafts.")
