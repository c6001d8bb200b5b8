"""What people write: texts free of what no page, mail header or database can carry; times and numbers as meant."""

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

NOT_PRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _on_one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _printable(value: str) -> str:
    if found := NOT_PRINTABLE.search(value):
        raise ValueError(f"the character U+{ord(found.group()):04X} cannot be part of a text")
    return value


def _written_time(value: object) -> object:
    # A bare number would be taken for seconds since midnight.
    if isinstance(value, dt.time):
        return value
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value if value[2] == ":" else f"0{value}"
    raise PydanticCustomError("time_type", 'a time of day is written like "09:00"')


def _written_date(value: object) -> object:
    # A bare number would be taken for seconds since 1970.
    if isinstance(value, dt.date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise PydanticCustomError("date_type", "a date is written like 2026-12-24")


def _no_truth_value(kind: Literal["float_type", "int_type"]) -> BeforeValidator:
    def check(value: object) -> object:
        # True would be taken for 1.
        if isinstance(value, bool):
            raise PydanticCustomError(kind, "a number is neither true nor false")
        return value

    return BeforeValidator(check)


PRINTABLE = AfterValidator(_printable)
OneLine = Annotated[str, BeforeValidator(_on_one_line), PRINTABLE]
# JSON Schema knows times of day with an offset only, and these have none.
_TIME_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"})
TimeOfDay = Annotated[dt.time, BeforeValidator(_written_time), _TIME_SCHEMA]
Day = Annotated[dt.date, BeforeValidator(_written_date)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,1000}$"), PRINTABLE]
Number = Annotated[float, _no_truth_value("float_type")]
WholeNumber = Annotated[int, _no_truth_value("int_type")]
