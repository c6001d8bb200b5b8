"""Who calls, whether they may, and whether the case is still the one that they have seen."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed, Refused
from imprimatur.store.access import facts_of
from imprimatur.store.api_keys import viewer_by_key
from imprimatur.store.case_reading import acts_of, case_tag, same_case
from imprimatur.store.conditions import case_of_condition
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from models.tables import TaskRow
from models.vocabulary import KeyScope

_TASK = TaskRow.__table__  # type: ignore[attr-defined]
# Only described here: what a key is good for is looked up below.
SCHEME = HTTPBearer(scheme_name="key", description="A key of `starter.py key add`.", auto_error=False)
IfMatch = Annotated[str | None, Header(description="An ETag of the case: the act is refused when it has changed.")]


class Changed(Refused):
    http_status = 412


class _NotKnown(NotAllowed):
    http_status = 401


def key_of(request: Request) -> str:
    """What a request brings as its key; empty without one."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else ""


def holder(request: Request) -> Viewer:
    """Whom a request's key stands for, looked up once. Raises NotAllowed ``key_required`` or ``key_invalid`` (401)."""
    if not hasattr(request.state, "holder"):
        key = key_of(request)
        if not key:
            raise _NotKnown(
                "key_required", "This address needs a key.", "Send it in the header Authorization: Bearer KEY."
            )
        found = viewer_by_key(request.app.state.database, key)
        if found is None:
            raise _NotKnown(
                "key_invalid", "This key is not one of ours, or it was revoked.", "See `starter.py key list`."
            )
        request.state.holder = found
    known: Viewer = request.state.holder
    return known


def has_good_key(request: Request) -> bool:
    """Whether a request's key stands for somebody."""
    try:
        holder(request)
    except NotAllowed:
        return False
    return True


def _with_scope(scope: KeyScope) -> Callable[..., Viewer]:
    def viewer(request: Request, _: Annotated[object, Depends(SCHEME)] = None) -> Viewer:
        """Raises as ``holder``, and NotAllowed ``key_scope_missing``."""
        found = holder(request)
        if not found.allows(scope):
            raise NotAllowed(
                "key_scope_missing", f"This key was made without the scope {scope}.", "Make one that has it."
            )
        return found

    return viewer


# Whoever brings a key with the scope; what they may do with it is asked case by case.
Reads = Annotated[Viewer, Depends(_with_scope(KeyScope.READ))]
Proposes = Annotated[Viewer, Depends(_with_scope(KeyScope.PROPOSE))]
Reviews = Annotated[Viewer, Depends(_with_scope(KeyScope.REVIEW))]
Runs = Annotated[Viewer, Depends(_with_scope(KeyScope.OFFICE))]


def unchanged(request: Request, if_match: IfMatch = None) -> None:
    """For every act on a case, or on a task or condition of it. Raises Refused ``case_changed`` (412).

    Of a case that the key's person does not see nothing is told (NotFound ``case_unseen``). A case, task or condition
    that is not there is left to the act itself.
    """
    if if_match is None:
        return
    database: Database = request.app.state.database
    viewer, case_id = holder(request), _case_of(request, database)
    if case_id is not None:
        check_unchanged(database, viewer, case_id, if_match)


def check_unchanged(database: Database, viewer: Viewer, case_id: str, seen: str) -> None:
    """``seen``: tags, as ``If-Match`` brings them. Raises NotFound ``case_unseen``, Refused ``case_changed`` (412)."""
    with database.read() as connection:
        facts_of(connection, viewer, case_id)
    tag = case_tag(database, viewer, case_id)
    if not any(given.strip() == "*" or same_case(given.strip(), tag) for given in seen.split(",")):
        raise Changed("case_changed", "The case has changed meanwhile.", "Read it again, then decide anew.")


UNCHANGED = Depends(unchanged)


def _case_of(request: Request, database: Database) -> str | None:
    named = request.path_params
    if condition := named.get("condition_id"):
        return case_of_condition(database, condition)
    if task := named.get("task_id"):
        with database.read() as connection:
            return connection.execute(select(_TASK.c.case_id).where(_TASK.c.task_id == task)).scalar()
    return named.get("case_id")


class Guard:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(self, viewer: Viewer, case_id: str, act: CaseAct) -> None:
        """Raises NotFound ``case_unseen``, NotAllowed with the reason's own code."""
        denied = (await run_in_threadpool(acts_of, self._database, viewer, case_id))[act]
        if denied is not None:
            raise NotAllowed(denied.code, denied.sentence, "The case says which acts are yours.")

    async def tag(self, viewer: Viewer, case_id: str) -> str:
        return await run_in_threadpool(case_tag, self._database, viewer, case_id)

    async def case_of(self, task_id: str) -> str:
        """Whether the viewer sees the case is for ``admit`` to say. Raises NotFound ``task_unknown``."""
        place = await run_in_threadpool(task_place, self._database, task_id)
        return place.case_id
