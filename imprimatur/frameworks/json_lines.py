"""On which line each value of a JSON document stands: the standard parser tells that of errors only."""

import re
from json import JSONDecoder

Place = tuple[str | int, ...]
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = JSONDecoder()


class JsonLines:
    """Walks a text that has been found to be JSON. Raises RecursionError for one deeper than ``depth_limit``.

    ``lines`` has the line of every value (of an object's member, that of its name); ``repeated`` the members that an
    object has more than once.
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
            raise RecursionError
        position = self._skip_space(position)
        self.lines.setdefault(place, self._line_at(position))
        if self._text[position] == "{":
            return self._members(position + 1, place)
        if self._text[position] == "[":
            return self._items(position + 1, place)
        return _DECODER.raw_decode(self._text, position)[1]

    def _members(self, position: int, place: Place) -> int:
        names: set[str] = set()
        position = self._skip_space(position)
        while self._text[position] != "}":
            position = self._skip_space(position + (self._text[position] == ","))
            line = self._line_at(position)
            name, position = _DECODER.raw_decode(self._text, position)
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
