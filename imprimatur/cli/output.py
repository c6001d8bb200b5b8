"""How a command speaks: one JSON document under --json, else text for a person; errors in one clear line."""

import datetime as dt
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imprimatur.errors import ImprimaturError

# What is copied into the next command stays in one piece, however narrow the terminal.
COPIED = frozenset({"case", "task", "open task", "condition", "id", "email"})
# Where no terminal folds the lines they are for grep and mail: wide enough for a row, and yet an end to padding.
WIDTH_OF_NO_TERMINAL = 240
# A terminal obeys these, whoever wrote the text that holds them.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(value: Any) -> Any:
    """JSON for what is not JSON by itself."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)


def show(document: dict[str, Any], as_json: bool, *text: Any) -> None:
    """Prints the document, or the text in its place."""
    if as_json:
        _write_json(document)
        return
    width = None if sys.stdout.isatty() else WIDTH_OF_NO_TERMINAL
    console = Console(highlight=False, soft_wrap=True, width=width)
    for part in text:
        console.print(harmless(part) if isinstance(part, str) else part)


def _write_json(document: dict[str, Any]) -> None:
    # Where the stream cannot carry every character JSON has a spelling of its own for them.
    escaped = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")
    sys.stdout.write(json.dumps(document, default=plain, ensure_ascii=escaped, indent=2) + "\n")


def harmless(text: str) -> Text:
    """As written: no markup, and nothing that would move the cursor or change the window's title."""
    return Text(_OBEYED.sub("\ufffd", text))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> Table:
    grid = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, header_style="bold")
    for heading in headings:
        grid.add_column(heading, overflow="fold", no_wrap=heading in COPIED)
    for row in rows:
        grid.add_row(*(harmless("" if cell is None else str(cell)) for cell in row))
    return grid


def when(instant: dt.datetime | None) -> str:
    """An instant for a person, in UTC."""
    return instant.astimezone(dt.UTC).strftime("%a %Y-%m-%d %H:%M UTC") if instant else ""


def show_error(error: ImprimaturError, as_json: bool) -> None:
    if as_json:
        body: dict[str, Any] = {"error": error.as_dict()}
        # What a refused act left behind is as interesting as why it was refused.
        body |= {key: error.details[key] for key in ("case_id", "status", "stages", "problems") if key in error.details}
        _write_json(body)
        return
    lines = [f"{error.message} [{error.code}]"]
    for problem in error.details.get("problems", ()):
        lines.append("  - " + _problem_line(problem))
    if error.hint:
        lines.append(error.hint)
    sys.stderr.write(_OBEYED.sub("\ufffd", "\n".join(lines)) + "\n")


def _problem_line(problem: dict[str, Any]) -> str:
    place = ":".join(str(problem[key]) for key in ("file", "line") if problem.get(key) is not None)
    name = problem.get("where") or problem.get("field") or ""
    text = ": ".join(part for part in (place, name, problem["problem"]) if part)
    expected = problem.get("expected")
    return f"{text} (expected {expected})" if expected else text


def leave(status: int) -> NoReturn:
    """Ends the process. A finished Temporal client can abort the interpreter while it finalises (sdk-python issue 300),
    which would make the exit status a lie; so streams are flushed and the process leaves at once."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            status = status or 1
    os._exit(status)


JSON_OPTION = typer.Option("--json", help="Print one JSON document and nothing else.")
