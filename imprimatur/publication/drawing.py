"""The picture of a badge: drawn from the title and the issuer, as SVG and as PNG."""

import textwrap
from functools import lru_cache
from pathlib import Path

import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from imprimatur.publication.record import PublishedCredential

FOLDER = Path(__file__).parent / "templates"
LINE_LENGTH, MOST_LINES = 22, 5
LINE_HEIGHT = 34
_environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
# 300 points at this resolution are the 400 pixels of the drawing.
_PAGE = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg", width: 300pt)'
_PIXELS_PER_INCH = 96.0


def badge_svg(record: PublishedCredential) -> str:
    return _svg(record.title, record.issuer.name)


def badge_png(record: PublishedCredential) -> bytes:
    """The same picture. A character for which there is no font is an empty frame."""
    return _png(badge_svg(record))


def _svg(title: str, issuer: str) -> str:
    lines = textwrap.wrap(title, LINE_LENGTH, max_lines=MOST_LINES, placeholder=" …")
    first = 205 - (len(lines) - 1) * LINE_HEIGHT / 2
    placed = [(first + number * LINE_HEIGHT, line) for number, line in enumerate(lines)]
    name = textwrap.shorten(issuer, 34, placeholder=" …")
    return _environment.get_template("badge.svg").render(title=title, lines=placed, issuer=name)


@lru_cache(maxsize=256)
def _png(svg: str) -> bytes:
    made: bytes = typst.compile(_PAGE, format="png", sys_inputs={"svg": svg}, ppi=_PIXELS_PER_INCH)
    return made
