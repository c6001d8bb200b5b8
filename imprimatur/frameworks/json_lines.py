"""On which line each value of a JSON document stands: the standard parser tells that of errors only."""

import math
import re
from json import JSONDecoder
from typing import Any

Place = tuple[str | int, ...]
DIGITS_LIMIT = 18
_SPACE = re.compile(r"[ \t\n\r]*")


class UnusableValue(ValueError):
    """A value that is JSON, or passes for it, and that nothing else could carry; ``line`` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _whole_number(digits: str) -> int:
    if len(digits.lstrip("-")) > DIGITS_LIMIT:
        raise ValueError(f"a number has more than {DIGITS_LIMIT} digits")
    return int(digits)


def _number(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError("a number is too large")
    return value


_DECODER = JSONDecoder(parse_constant=_no_number, parse_int=_whole_number, parse_float=_number)


class JsonLines:
    """Walks a text that has been found to be JSON.

    Raises UnusableValue, also for what lies deeper than ``depth_limit``. ``lines`` has the line of every value (of an
    object's member, that of its name); ``repeated`` the members that an object has more than once.
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
        if len(place) > self._depth_limit:
            raise UnusableValue(self._line_at(position), "nested too deeply")
        position = self._skip_space(position)
        self.lines.setdefault(place, self._line_at(position))
        if self._text[position] == "{":
            return self._members(position + 1, place)
        if self._text[position] == "[":
            return self._items(position + 1, place)
        return self._scalar(position)[1]

    def _scalar(self, position: int) -> tuple[Any, int]:
        try:
            value, end = _DECODER.raw_decode(self._text, position)
            if isinstance(value, str):
                # An escaped half of a character pair is JSON, but no text that could be stored or sent.
                value.encode()
        except UnicodeEncodeError as error:
            raise UnusableValue(self._line_at(position), "half of a surrogate pair stands alone") from error
        except ValueError as error:
            raise UnusableValue(self._line_at(position), str(error)) from error
        return value, end

    def _members(self, position: int, place: Place) -> int:
        names: set[str] = set()
        position = self._skip_space(position)
        while self._text[position] != "}":
            position = self._skip_space(position + (self._text[position] == ","))
            line = self._line_at(position)
            name, position = self._scalar(position)
            if name in names:
                self.repeated.append(((*place, name), line))
            names.add(name)
            self.lines[(*place, name)] = line
            after_colon = self._skip_space(position) + 1
            position = self._skip_space(self._value(after_colon, (*place, name)))
        return position + 1

    def _items(self, position: int, place: Place) -> int:
        index, position = 0, self._skip_space(position)
        while self._text[position] != "]":
            position += self._text[position] == ","
            position = self._skip_space(self._value(position, (*place, index)))
            index += 1
        return position + 1
