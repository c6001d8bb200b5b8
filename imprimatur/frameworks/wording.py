"""Problems of a document in the words of the person who wrote it."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from pydantic_core import ErrorDetails

# Code, problem, what was expected.
Description = tuple[str, str, str]
Describe = Callable[[ErrorDetails], Description]


def described(item: ErrorDetails, known_keys: Callable[[], Iterable[str]]) -> Description:
    """What a validation error says; ``known_keys`` names the keys that may stand where it occurred."""
    if item["type"] == "extra_forbidden":
        return _unknown_key(str(item["loc"][-1])[:80], sorted(known_keys()))
    return _DESCRIPTIONS.get(item["type"], _other)(item)


def is_consequence(item: ErrorDetails) -> bool:
    """A list is found too short as well when its entries cannot be used, which is said already."""
    return item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'this'?``, or nothing when nothing is near."""
    near = difflib.get_close_matches(word[:80], list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def shown(value: Any) -> str:
    """A value as it can stand in a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _unknown_key(key: str, known: list[str]) -> Description:
    return "unknown_key", f"there is no key {key!r} here{nearest(key, known)}", f"one of {', '.join(known)}"


def _missing_key(item: ErrorDetails) -> Description:
    return "missing_key", "this key is missing", "a value"


def _no_text(item: ErrorDetails) -> Description:
    value = item["input"]
    if isinstance(value, bool | int | float):
        kind = "a truth value" if isinstance(value, bool) else "a number"
        return "wrong_type", f"{shown(value)} is {kind} here", f'text in quotes: "{shown(value)}"'
    return "wrong_type", f"{shown(value)} is not text", "text"


def _not_allowed(item: ErrorDetails) -> Description:
    expected = str(item["ctx"]["expected"])
    near = nearest(str(item["input"]), expected.replace("'", " ").split())
    return "not_allowed", f"{shown(item['input'])} is not allowed here{near}", f"one of {expected}"


def _wrong_form(item: ErrorDetails) -> Description:
    meaning = PATTERN_MEANINGS[item["ctx"]["pattern"]]
    return "wrong_form", f"{shown(item['input'])} is not {meaning}", meaning


def _wrong_type(expected: str) -> Describe:
    def describe(item: ErrorDetails) -> Description:
        return "wrong_type", f"{shown(item['input'])} is not {expected}", expected

    return describe


def _out_of_range(limit: str, how: str, expected: str) -> Describe:
    def describe(item: ErrorDetails) -> Description:
        return "out_of_range", f"{shown(item['input'])} is {how}", f"{expected} {item['ctx'][limit]:,g}"

    return describe


def _too_many_digits(limit: str, where: str) -> Describe:
    def describe(item: ErrorDetails) -> Description:
        return "out_of_range", f"{shown(item['input'])} has too many digits", f"at most {item['ctx'][limit]} {where}"

    return describe


def _wrong_length(item: ErrorDetails) -> Description:
    value, limits = item["input"], item["ctx"]
    what, units = ("text", "character") if isinstance(value, str) else ("list", "entry")
    if isinstance(value, dict):
        what = "mapping"
    size = limits.get("actual_length", len(value.strip())) if isinstance(value, str) else len(value)
    problem = f"the {what} has {_counted(size, units)}" if size else f"the {what} is empty"
    bound, limit = ("at least", "min_length") if "min_length" in limits else ("at most", "max_length")
    return "wrong_length", problem, f"{bound} {_counted(limits[limit], units)}"


def _counted(number: int, unit: str) -> str:
    plural = "entries" if unit == "entry" else f"{unit}s"
    return f"{number:,} {unit if number == 1 else plural}"


def _rule(item: ErrorDetails) -> Description:
    """A rule of ours, which says itself what it wants, or the form of a mail address."""
    reason = item.get("ctx", {}).get("reason")
    if reason is not None:
        problem = f"{shown(item['input'])} is no mail address: {str(reason).rstrip('.')}"
        return "wrong_form", problem, "a mail address such as name@example.org"
    return "invalid", item["msg"].removeprefix("Value error, "), ""


def _half_character(item: ErrorDetails) -> Description:
    return "wrong_type", "half of a surrogate pair stands alone", "text"


def _other(item: ErrorDetails) -> Description:
    return "invalid", item["msg"], ""


_WHOLE_NUMBER, _NUMBER = _wrong_type("a whole number"), _wrong_type("a number")
_MAPPING, _LIST = _wrong_type("a mapping of keys to values"), _wrong_type("a list")
_TIME, _DATE = _wrong_type('a time of day such as "09:00"'), _wrong_type('a date such as "2026-12-24"')
_DESCRIPTIONS: dict[str, Describe] = {
    "missing": _missing_key,
    "string_type": _no_text,
    "string_unicode": _half_character,
    "enum": _not_allowed,
    "literal_error": _not_allowed,
    "string_pattern_mismatch": _wrong_form,
    "value_error": _rule,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": _too_many_digits("max_digits", "digits"),
    "decimal_whole_digits": _too_many_digits("whole_digits", "digits before the point"),
    "decimal_max_places": _too_many_digits("decimal_places", "digits after the point"),
    "greater_than": _out_of_range("gt", "too small", "more than"),
    "greater_than_equal": _out_of_range("ge", "too small", "at least"),
    "less_than_equal": _out_of_range("le", "too large", "at most"),
    "too_short": _wrong_length,
    "too_long": _wrong_length,
    "string_too_short": _wrong_length,
    "string_too_long": _wrong_length,
    "bool_type": _wrong_type("true or false"),
    "bool_parsing": _wrong_type("true or false"),
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
}
# A test holds these together with the patterns of the models.
PATTERN_MEANINGS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "small letters and digits, in words joined by hyphens",
    r"^mc-[a-z0-9-]+$": "the id of a case, such as mc-4f7q2xk3abcd",
    r"^[a-z][a-z0-9_-]{0,62}$": "a short name: a small letter, then small letters, digits, - or _",
    r"^[a-z_]+(\.[a-z_]+)?$": "a field of a proposal such as title or workload.hours",
    r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$": "a day of the year such as 04-13",
    r"^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$": "a picture as data:image/png;base64,...",
    r"^[A-Z]{2}$": "a country code of two capital letters such as NZ",
    r"^[A-Z]{3}$": "a currency code of three capital letters such as EUR",
    r"^https?://[^\s]{1,1000}$": "a web address that begins with https:// or http://",
    r"^[0-9]{1,6}(\.[0-9]{1,6}){0,2}$": 'a version such as "1.0"',
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": "a language code such as en or pt-BR",
    r"^[0-9a-f]{64}$": "a SHA-256 digest of 64 hexadecimal digits",
}
