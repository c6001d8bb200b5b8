"""A figure: lines of cells under columns, each line and cell knowing which cases are behind it. Pure."""

import csv
import io
from dataclasses import dataclass, field
from typing import Any, Literal

from imprimatur.history.export import harmless_cell
from imprimatur.history.figures.titles import TITLES

# Times are business seconds in a cell, and business hours where they are told.
Kind = Literal["text", "count", "percent", "ratio", "time"]
WHOLE_CASE = "*"


@dataclass(frozen=True)
class Column:
    """``which`` of the line's cases a cell counts; empty: the cell counts no cases."""

    key: str
    label: str
    kind: Kind = "text"
    which: str = ""

    @property
    def name(self) -> str:
        """As a heading of a table for programs; with its unit."""
        return f"{self.key}_hours" if self.kind == "time" else self.key

    def told(self, value: Any) -> Any:
        """As programs are told it: times in hours, to two decimals."""
        return round(value / 3600, 2) if self.kind == "time" and value is not None else value


@dataclass(frozen=True)
class Line:
    """``about`` narrows the filter to the line's cases; None: there is no list of them."""

    cells: dict[str, Any]
    about: dict[str, str] | None = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """``counted`` says in a sentence what is counted."""

    name: str
    counted: str
    columns: tuple[Column, ...]
    lines: list[Line]

    @property
    def title(self) -> str:
        return TITLES[self.name]

    def as_document(self) -> dict[str, Any]:
        """JSON: a list of objects by the columns' names."""
        lines = [
            {column.name: column.told(line.cells.get(column.key)) for column in self.columns} for line in self.lines
        ]
        return {"figure": self.name, "title": self.title, "counted": self.counted, "lines": lines}

    def as_csv(self) -> str:
        """A heading and one row a line; an unknown value is empty."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        for line in self.lines:
            told = (column.told(line.cells.get(column.key)) for column in self.columns)
            writer.writerow(["" if value is None else harmless_cell(str(value)) for value in told])
        return buffer.getvalue()
