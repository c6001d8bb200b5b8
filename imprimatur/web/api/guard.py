"""Who calls, whether they may, and whether the case is still the one that they have seen."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed, Refused
from imprimatur.store.case_reading import acts_of, case_tag
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from imprimatur.web.bearer import bearer
from models.vocabulary import KeyScope

# Only described here: what a key is good for is looked up by ``bearer``.
SCHEME = HTTPBearer(scheme_name="key", description="A key of `starter.py key add`.", auto_error=False)
IfMatch = Annotated[str | None, Header(description="An ETag of the case: the act is refused when it has changed.")]
IdempotencyKey = Annotated[
    str | None, Header(max_length=200, description="The same request again gets the first answer for two days.")
]


class Changed(Refused):
    http_status = 412


def _holder(scope: KeyScope) -> Callable[..., Viewer]:
    def viewer(request: Request, _: Annotated[object, Depends(SCHEME)] = None) -> Viewer:
        return bearer(request.app.state.database, scope)(request)

    return viewer


# Whoever brings a key with the scope; what they may do with it is asked case by case.
Reads = Annotated[Viewer, Depends(_holder(KeyScope.READ))]
Proposes = Annotated[Viewer, Depends(_holder(KeyScope.PROPOSE))]
Reviews = Annotated[Viewer, Depends(_holder(KeyScope.REVIEW))]
Runs = Annotated[Viewer, Depends(_holder(KeyScope.OFFICE))]


class Guard:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(self, viewer: Viewer, case_id: str, act: CaseAct, if_match: str | None = None) -> None:
        """Raises NotFound ``case_unseen``, NotAllowed with the reason's own code, Refused ``case_changed`` (412)."""
        denied = (await run_in_threadpool(acts_of, self._database, viewer, case_id))[act]
        if denied is not None:
            raise NotAllowed(denied.code, denied.sentence, "The case says which acts are yours.")
        if if_match is not None and if_match.strip() not in ("*", await self.tag(case_id)):
            raise Changed("case_changed", "The case has changed meanwhile.", "Read it again, then decide anew.")

    async def tag(self, case_id: str) -> str:
        return await run_in_threadpool(case_tag, self._database, case_id)

    async def case_of(self, task_id: str) -> str:
        """Whether the viewer sees the case is for ``admit`` to say. Raises NotFound ``task_unknown``."""
        place = await run_in_threadpool(task_place, self._database, task_id)
        return place.case_id
