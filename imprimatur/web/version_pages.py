"""Any two versions of a proposal side by side: what was taken out, what was put in, word by word."""

import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from imprimatur.store.versions import compared
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page

LOOKING = ["GET", "HEAD"]
_PAIR = re.compile(r"([0-9]{1,6})\.\.\.([0-9]{1,6})", re.ASCII)


def router(database: Database, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/cases/{case_id}/versions", methods=LOOKING)
    def choose(request: Request, case_id: str) -> Response:
        """Leads to the address of the pair that a form without scripts names."""
        gate.viewer(request)
        chosen = f"{request.query_params.get('from', '')}...{request.query_params.get('to', '')}"
        first, last = _pair(chosen)
        return RedirectResponse(request.url_for("compare", case_id=case_id, pair=f"{first}...{last}").path, 303)

    @routes.api_route("/cases/{case_id}/versions/{pair}", methods=LOOKING)
    def compare(request: Request, case_id: str, pair: str) -> Response:
        viewer = gate.viewer(request)
        return page(request, "versions.html", {"found": compared(database, viewer, case_id, *_pair(pair))})

    return routes


def _pair(text: str) -> tuple[int, int]:
    """Raises NotFound ``version_unknown``."""
    found = _PAIR.fullmatch(text)
    if found is None:
        raise NotFound("version_unknown", "These are not two versions.", "Choose two of them on the page of the case.")
    return int(found[1]), int(found[2])
