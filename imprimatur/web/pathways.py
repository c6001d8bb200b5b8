"""Public pages of pathways: what counts towards what, drawn and as CTDL."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from imprimatur.publication.pathways import chain, pathway_record
from imprimatur.store import pathways as store
from imprimatur.store.engine import Database
from imprimatur.web.catalogue import LD_JSON
from imprimatur.web.documents import LOOKING, document
from imprimatur.web.rendering import page, wants_json
from models.stacking import Pathway

# The drawing's measures, in units of its view box.
BOX_WIDTH, BOX_HEIGHT, GAP_ACROSS, GAP_DOWN = 260, 54, 70, 16
LETTERS = 30


@dataclass(frozen=True)
class Box:
    """Something in the drawing; ``line`` leads from its right side to that of what it counts towards."""

    title: str
    hint: str
    href: str
    x: int
    y: int
    line: str = ""


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    boxes: tuple[Box, ...]


def router(database: Database, base_url: str) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/pathways", methods=LOOKING)
    def pathways(request: Request) -> Response:
        return page(request, "pathways.html", {"pathways": store.pathways(database)})

    @routes.api_route("/pathways/{pathway_id}", methods=LOOKING)
    def pathway(request: Request, pathway_id: str) -> Response:
        found = store.pathway(database, pathway_id)
        members = store.members(database, pathway_id)
        if wants_json(request):
            record = pathway_record(found, [(m.slug, m.title, m.credits) for m in members], base_url=base_url)
            return document(request, record, LD_JSON)
        climb = chain(found, {other.id: other for other in store.pathways(database)})
        values = {"pathway": found, "members": members, "larger": climb[1:], "drawing": drawing(members, climb)}
        answer = page(request, "pathway.html", values)
        answer.headers["Vary"] = "Accept"
        return answer

    return routes


def drawing(members: list[store.Member], larger: list[Pathway]) -> Drawing:
    """Credentials on the left, one above the other; to their right the pathway and what that counts towards."""
    rows = max(len(members), 1)
    middle = (rows - 1) * (BOX_HEIGHT + GAP_DOWN) // 2
    step = BOX_WIDTH + GAP_ACROSS
    begins = 1 if members else 0
    boxes = []
    for number, member in enumerate(members):
        y = number * (BOX_HEIGHT + GAP_DOWN)
        worth = f"{member.credits:g} credits" if member.credits else ""
        line = _line(BOX_WIDTH, y, step, middle)
        boxes.append(Box(_cut(member.title), worth, f"/catalogue/{member.slug}", 0, y, line))
    for number, pathway in enumerate(larger):
        x = (begins + number) * step
        hint = f"{pathway.kind}, {pathway.credits:g} {pathway.credit_system.upper()}"
        line = _line(x + BOX_WIDTH, middle, x + step, middle) if number + 1 < len(larger) else ""
        boxes.append(Box(_cut(pathway.title), hint, f"/pathways/{pathway.id}", x, middle, line))
    width = (begins + len(larger)) * step - GAP_ACROSS
    return Drawing(width, rows * (BOX_HEIGHT + GAP_DOWN) - GAP_DOWN, tuple(boxes))


def _line(x: int, y: int, to_x: int, to_y: int) -> str:
    half, bend = BOX_HEIGHT // 2, (to_x - x) // 2
    return f"M{x} {y + half} C{x + bend} {y + half} {to_x - bend} {to_y + half} {to_x} {to_y + half}"


def _cut(title: str) -> str:
    return title if len(title) <= LETTERS else f"{title[: LETTERS - 1].rstrip()}…"
