"""A case's stages as a drawing: what needs what, from left to right, and where the case stands."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from imprimatur.store.reading import CaseView, StageView
from imprimatur.web.tones import TONES
from models.framework import Framework
from models.vocabulary import StageStatus

# In units of the drawing's view box, which are pixels where there is room.
WIDTH, HEIGHT, ACROSS, DOWN = 210, 78, 54, 18
LETTERS, LINES = 25, 2


@dataclass(frozen=True)
class Box:
    """One stage; ``lines`` are its name, ``told`` how it stands, ``waits`` for whom and until when."""

    x: int
    y: int
    tone: str
    lines: tuple[str, ...]
    told: str
    waits: str


@dataclass(frozen=True)
class Drawing:
    """``links`` are paths in the notation of SVG; ``text`` says the same in words."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    links: tuple[str, ...]
    text: str


def drawing(framework: Framework, view: CaseView, now: dt.datetime) -> Drawing:
    """A stage is late as soon as its time has passed, also while nothing has noted it yet."""
    stages = {stage.stage: stage for stage in view.stages}
    needs = {stage.id: [n for n in stage.needs if n in stages] for stage in framework.stages if stage.id in stages}
    columns = _columns(needs)
    tallest = max((len(column) for column in columns), default=0)
    places: dict[str, tuple[int, int]] = {}
    for number, column in enumerate(columns):
        above = (tallest - len(column)) * (HEIGHT + DOWN) // 2
        for row, stage_id in enumerate(column):
            places[stage_id] = (number * (WIDTH + ACROSS), above + row * (HEIGHT + DOWN))
    zone = ZoneInfo(framework.calendar_of(None).time_zone)
    waiting = {stage_id: sum(task.stage == stage_id for task in view.tasks) for stage_id in places}
    late = {stage.stage for stage in view.stages if stage.is_late or (stage.due_at and stage.due_at < now)}
    boxes = tuple(
        _box(stages[stage_id], *place, waiting[stage_id], zone, late=stage_id in late)
        for stage_id, place in places.items()
    )
    links = tuple(_link(places[need], places[stage_id]) for stage_id in places for need in _nearest(stage_id, needs))
    return Drawing(
        max(len(columns) * (WIDTH + ACROSS) - ACROSS, WIDTH),
        max(tallest * (HEIGHT + DOWN) - DOWN, HEIGHT),
        boxes,
        links,
        "; ".join(f"{' '.join(box.lines)}: {box.told}" + (f", {box.waits}" if box.waits else "") for box in boxes),
    )


def _columns(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Each stage as far to the right as what it needs makes it; in one column stand stages that run side by side."""
    depth: dict[str, int] = {}

    def depth_of(stage_id: str) -> int:
        if stage_id not in depth:
            depth[stage_id] = 1 + max((depth_of(need) for need in needs[stage_id]), default=-1)
        return depth[stage_id]

    found: list[list[str]] = []
    for stage_id in sorted(needs, key=depth_of):
        if depth_of(stage_id) == len(found):
            found.append([])
        found[depth_of(stage_id)].append(stage_id)
    return found


def _nearest(stage_id: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """What a stage needs, without what that needs itself: a line for each would hide the way."""
    farther: set[str] = set()
    waiting = [farthest for need in needs[stage_id] for farthest in needs[need]]
    while waiting:
        name = waiting.pop()
        if name not in farther:
            farther.add(name)
            waiting += needs[name]
    return [need for need in needs[stage_id] if need not in farther]


def _link(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = start, end
    x, half = x + WIDTH, HEIGHT // 2
    bend = (to_x - x) // 2
    return f"M{x} {y + half} C{x + bend} {y + half} {to_x - bend} {to_y + half} {to_x} {to_y + half}"


def _box(stage: StageView, x: int, y: int, waiting: int, zone: ZoneInfo, *, late: bool) -> Box:
    told = (stage.outcome or str(stage.status)).replace("_", " ").capitalize()
    if stage.status is not StageStatus.OPEN:
        return Box(x, y, TONES.get(stage.outcome or "", "quiet"), _lines(stage.name), told, _later(stage, zone))
    parts = [f"waits for {waiting}" if waiting else "waits for nobody"]
    parts += [f"due {_day(stage.due_at, zone)}"] if stage.due_at else []
    tone, told = ("late", "Late") if late else ("open", told)
    return Box(x, y, tone, _lines(stage.name), told, ", ".join(parts))


def _later(stage: StageView, zone: ZoneInfo) -> str:
    if stage.opens_at:
        return f"opens {_day(stage.opens_at, zone)}"
    return _day(stage.closed_at, zone) if stage.closed_at else ""


def _day(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Short, for there is little room; the list beside the drawing gives the year and the hour."""
    return instant.astimezone(zone).strftime("%-d %b")


def _lines(name: str) -> tuple[str, ...]:
    """At most two lines; what is left over is cut, and told in the list beside the drawing."""
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LETTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    shown = lines[:LINES]
    if len(lines) > LINES or any(len(line) > LETTERS for line in shown):
        shown = [line[:LETTERS] for line in shown]
        shown[-1] = f"{shown[-1][: LETTERS - 1].rstrip()}…"
    return tuple(shown)
