"""On which line each value of a JSON document stands: the standard parser tells that of errors only."""

import re
from json import JSONDecoder
from json.decoder import py_scanstring  # type: ignore[attr-defined]
from typing import Any

Place = tuple[str | int, ...]
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = JSONDecoder()


class JsonLines:
    """Walks a text that has been found to be JSON, no deeper than ``depth_limit``.

    ``lines`` has the line of every value (of an object's member, that of its name); ``repeated`` the places of
    names that an object has twice.
    """

    def __init__(self, text: str, depth_limit: int) -> None:
        self.lines: dict[Place, int] = {}
        self.repeated: list[tuple[Place, int]] = []
        self._text = text
        self._depth_limit = depth_limit
        self._counted_to, self._line = 0, 1
        self._value(0, ())

    def _skip_space(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        return match.end() if match else position

    def _line_at(self, position: int) -> int:
        self._line += self._text.count("\n", self._counted_to, position)
        self._counted_to = position
        return self._line

    def _value(self, position: int, place: Place) -> int:
        """Notes the value at ``position`` and returns where the text goes on after it."""
        position = self._skip_space(position)
        self.lines.setdefault(place, self._line_at(position))
        if len(place) > self._depth_limit:
            raise RecursionError
        if self._text[position] == "{":
            return self._members(position + 1, place)
        if self._text[position] == "[":
            return self._items(position + 1, place)
        return _SCALAR.raw_decode(self._text, position)[1]

    def _members(self, position: int, place: Place) -> int:
        names: set[str] = set()
        position = self._skip_space(position)
        while self._text[position] != "}":
            position = self._skip_space(position + (self._text[position] == ","))
            line = self._line_at(position)
            name, position = _name(self._text, position + 1)
            if name in names:
                self.repeated.append(((*place, name), line))
            names.add(name)
            self.lines[(*place, name)] = line
            position = self._skip_space(position) + len(":")
            position = self._skip_space(self._value(position, (*place, name)))
        return position + 1

    def _items(self, position: int, place: Place) -> int:
        index, position = 0, self._skip_space(position)
        while self._text[position] != "]":
            position += self._text[position] == ","
            position = self._skip_space(self._value(position, (*place, index)))
            index += 1
        return position + 1


def _name(text: str, position: int) -> tuple[str, int]:
    found: tuple[str, int] = py_scanstring(text, position, True)
    return found


def parse_json(text: str) -> Any:
    """Raises json.JSONDecodeError, also for NaN and Infinity (which are not JSON), and RecursionError."""
    return JSONDecoder(parse_constant=_refuse).decode(text)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
