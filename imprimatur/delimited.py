"""Rows of delimited text (CSV), each with its line. A row that cannot be read never swallows those after it."""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

DELIMITERS = (",", ";", "\t")


class Row(NamedTuple):
    """``line`` is the one on which the row begins, counted from 1; ``cells`` is None when it is no CSV."""

    line: int
    cells: list[str] | None


def read_rows(text: str, lines_of_one_row: int) -> tuple[list[str], Iterator[Row]]:
    """The names in the heading, small and trimmed, and the rows below it that say anything.

    The delimiter is the one that the heading uses most. A quoted cell may run over several lines; a quote that is
    never closed is one that is not closed within ``lines_of_one_row``.
    """
    lines = re.split("\r\n|\r|\n", text)
    delimiter = max(DELIMITERS, key=lambda mark: lines[0].count(mark))
    heading, _ = _row_at(lines, 0, delimiter, 1)
    return [name.strip().lower() for name in heading or []], _rows(lines, delimiter, lines_of_one_row)


def _rows(lines: Sequence[str], delimiter: str, lines_of_one_row: int) -> Iterator[Row]:
    index = 1
    while index < len(lines):
        cells, length = _row_at(lines, index, delimiter, lines_of_one_row)
        if cells is None or any(cell.strip() for cell in cells):
            yield Row(index + 1, cells)
        index += length


def _row_at(lines: Sequence[str], index: int, delimiter: str, most: int) -> tuple[list[str] | None, int]:
    """The cells of one row and how many lines it takes."""
    following = (f"{lines[n]}\n" for n in range(index, min(index + most, len(lines))))
    reader = csv.reader(following, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        return next(reader, []), reader.line_num
    except csv.Error:
        return None, 1


def repeated(names: Sequence[str]) -> list[str]:
    """Names that head more than one column."""
    return sorted({name for name in names if name and names.count(name) > 1})
