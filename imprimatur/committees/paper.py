"""Agendas and minutes on paper: HTML by Jinja2, PDF by Typst, both from the same facts.

What people wrote reaches Typst as JSON, where it is text and never markup.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from imprimatur.committees.agenda import Agenda, AgendaItem
from imprimatur.rules.due_words import day_words
from models.vocabulary import StageOutcome

log = structlog.get_logger()
FOLDER = Path(__file__).parent / "templates"
Kind = Literal["agenda", "minutes"]
_environment = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(found: Agenda, kind: Kind) -> str:
    """One page, complete by itself."""
    return _environment.get_template("paper.html").render(paper=facts(found, kind))


def pdf(found: Agenda, kind: Kind) -> bytes:
    """A tagged PDF (PDF/UA-1), the same bytes for the same facts and fonts.

    Where no font of the machine has one of the characters, the standard cannot be kept: then it is a tagged PDF only.
    """
    written = {"paper": json.dumps(facts(found, kind), ensure_ascii=False)}
    try:
        return _set(written, found.at, "ua-1")
    except typst.TypstError as error:
        log.warning("paper_lacks_characters", committee=found.committee, on=str(found.on), reason=error.message)
        return _set(written, found.at, None)


def _set(written: dict[str, str], at: dt.datetime, standard: Literal["ua-1"] | None) -> bytes:
    paper = (FOLDER / "paper.typ").read_bytes()
    made: bytes = typst.compile(paper, format="pdf", sys_inputs=written, pdf_standards=standard or [], timestamp=at)
    return made


def facts(found: Agenda, kind: Kind) -> dict[str, Any]:
    """What stands on the paper, in words."""
    zone = ZoneInfo(found.time_zone)
    parts = [("For consent", [i for i in found.items if i.consent]), ("", [i for i in found.items if not i.consent])]
    if parts[0][1] and parts[1][1]:
        parts[1] = ("For debate", parts[1][1])
    return {
        "title": f"{'Agenda' if kind == 'agenda' else 'Minutes'}: {found.name}",
        "when": _moment(found.at, zone),
        "lines": _head(found, kind, zone),
        "parts": [{"name": name, "items": [_item(item, kind) for item in items]} for name, items in parts if items],
        "empty": "" if found.items else "There is nothing on the agenda.",
        "moved": [
            f"{moved.title} ({moved.case_id}), to {_moment(moved.to, zone)}: {moved.reason}" for moved in found.moved
        ],
        "remarks": found.remarks if kind == "minutes" else "",
    }


def _head(found: Agenda, kind: Kind, zone: ZoneInfo) -> list[tuple[str, str]]:
    if kind == "agenda":
        return [("Items taken until", _moment(found.cut_off, zone))]
    if found.recorded_by is None or found.recorded_at is None:
        return [("Status", "Nothing has been recorded of this sitting yet.")]
    return [
        ("Present", ", ".join(found.present)),
        ("Apologies", ", ".join(found.apologies) or "none"),
        ("Recorded by", f"{found.recorded_by}, {_moment(found.recorded_at, zone)}"),
    ]


def _item(item: AgendaItem, kind: Kind) -> dict[str, Any]:
    lines = [("Case", item.case_id), ("Proposed by", ", ".join(part for part in (item.proposer, item.unit) if part))]
    if kind == "agenda":
        if item.earlier:
            lines.append(("Decided before", ", ".join(f"{_words(s)} {_words(o)}" for s, o in item.earlier.items())))
        if item.late:
            lines.append(("Late", "admitted after the cut-off"))
    else:
        lines.append(("Outcome", _result(item)))
        lines += [(_words(answer.verdict).capitalize(), answer.comment) for answer in item.answers if answer.comment]
    return {"title": f"{item.number}. {item.title}", "stage": item.stage_name, "lines": lines}


def _result(item: AgendaItem) -> str:
    return _words(StageOutcome(item.outcome)) if item.outcome else "left open"


def _moment(instant: dt.datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{local:%A} {day_words(local.date())}, {local:%H:%M} ({local:%Z})"


def _words(value: str) -> str:
    return value.replace("_", " ")
