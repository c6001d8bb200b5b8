"""What every value of a case has in common: frozen, and free of I/O."""

import datetime as dt

from pydantic import BaseModel, ConfigDict

Instant = dt.datetime
Date = dt.date


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Tagged(Value):
    """Told apart by ``kind``, which therefore counts as set: payloads leave out what is not."""

    def model_post_init(self, context: object) -> None:
        self.__pydantic_fields_set__.add("kind")
