"""Pages from templates."""

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from imprimatur.errors import ImprimaturError
from imprimatur.rules.due_words import day_words, why_then
from imprimatur.web.tones import TONES

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


def when(instant: dt.datetime | str | None, zone: str = "UTC") -> str:
    if not instant:
        return ""
    found = dt.datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return found.astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M %Z")


def _day(instant: dt.datetime | dt.date | str | None) -> str:
    """The day alone; a stored one is text."""
    if not instant:
        return ""
    found = dt.datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return day_words(found)


def _moment(instant: dt.datetime | None, now: dt.datetime) -> str:
    """How far away an instant is, roughly: enough to tell what is pressing."""
    if instant is None:
        return ""
    seconds = (instant - now).total_seconds()
    amount = abs(seconds)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if amount >= length:
            number = int(amount // length)
            told = f"{number} {unit}{'s' * (number != 1)}"
            return f"in {told}" if seconds > 0 else f"{told} ago"
    return "now"


def _grouped(number: int) -> str:
    """Thousands apart, as everywhere on the pages."""
    return f"{number:,}"


def _words(text: str | None) -> str:
    return (text or "").replace("_", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["TONES"] = TONES
# A page that is exported as a file stands in another frame, and leads to files.
_environment.globals |= {"layout": "base.html", "link": str, "exported": False}
_environment.filters |= {
    "when": when,
    "day": _day,
    "words": _words,
    "sentence": _sentence,
    "why_then": why_then,
    "moment": _moment,
    "grouped": _grouped,
}


def page(request: Request, template: str, values: dict[str, Any] | None = None, status: int = 200) -> Response:
    context = {"embedded": request.app.state.embedded, "path": request.url.path, "now": dt.datetime.now(dt.UTC)}
    context |= _visitor(request) | (values or {})
    return HTMLResponse(_environment.get_template(template).render(context), status)


def rendered(template: str, values: dict[str, Any]) -> str:
    """A page that belongs to no request."""
    return _environment.get_template(template).render(values)


def _visitor(request: Request) -> dict[str, Any]:
    """Who is signed in, for the head of the page; where nobody can be looked up, nobody is."""
    gate = request.app.state.gate
    try:
        signed = gate.signed(request)
    except ImprimaturError:
        signed = None
    return {"viewer": signed.viewer if signed else None, "form_token": gate.form_token(request) if signed else ""}


def wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted
