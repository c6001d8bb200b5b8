"""What the documents of a policy are made of: texts and names, and mappings that reject unknown keys.

A misspelt key in a policy is found, and not ignored.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from models.texts import PRINTABLE, OneLine

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


Label = Annotated[OneLine, StringConstraints(min_length=1, max_length=200)]


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), PRINTABLE]


FieldPath = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)?$")]


Expression = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), PRINTABLE]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
