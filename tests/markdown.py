"""Reads our own documents as GitHub would: headings, tables, code, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md")))
_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")
_CELL = re.compile(r"((?:`[^`]*`|\\\||[^|`])*)\|")
Row = dict[str, str]


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, up to the next heading of whatever level."""

    title: str
    body: str

    @property
    def rows(self) -> list[Row]:
        """Rows of all its tables; cells by the heading of their column."""
        return [row for table in _tables(self.prose) for row in table]

    @property
    def prose(self) -> str:
        return _FENCE.sub("", self.body)

    def blocks(self, language: str) -> list[str]:
        return code_blocks(self.body, language)

    def paragraph(self, beginning: str) -> str:
        """The paragraph that begins so, without its beginning; empty when there is none."""
        found = re.search(rf"^{re.escape(beginning)}(.*?)(?:\n\n|\Z)", self.prose, re.MULTILINE | re.DOTALL)
        return found[1] if found else ""


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def sections(path: Path) -> list[Section]:
    text = text_of(path)
    hidden = [match.span() for match in _FENCE.finditer(text)]
    headings = [
        match for match in _HEADING.finditer(text) if not any(start < match.start() < end for start, end in hidden)
    ]
    ends = [match.start() for match in headings[1:]] + [len(text)]
    return [Section(match[2], text[match.end() : end]) for match, end in zip(headings, ends, strict=True)]


def section(path: Path, title: str) -> Section:
    return next(found for found in sections(path) if found.title == title)


def code_blocks(text: str, language: str) -> list[str]:
    return [match[2] for match in _FENCE.finditer(text) if match[1] == language]


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def _tables(text: str) -> Iterator[list[Row]]:
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        heading, _, *lines = block.splitlines()
        names = _cells(heading)
        rows = [dict(zip(names, _cells(line), strict=True)) for line in lines]
        yield rows


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELL.findall(line.strip().removeprefix("|"))]


def links(path: Path) -> list[str]:
    return _LINK.findall(_FENCE.sub("", text_of(path)))


def anchors(path: Path) -> set[str]:
    """The names by which the headings of a document can be linked to."""
    found: set[str] = set()
    for heading in sections(path):
        plain = re.sub(r"[^\w\- ]", "", heading.title.lower()).replace(" ", "-")
        number = 0
        while (name := f"{plain}-{number}" if number else plain) in found:
            number += 1
        found.add(name)
    return found
