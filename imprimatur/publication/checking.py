"""A record is checked before it is published: by a model of what its standard demands, which nothing is fetched for."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from imprimatur.errors import DocumentInvalid, Problem

Checked = TypeVar("Checked", bound="Record")


def _says_something(value: str) -> str:
    if not value.strip():
        raise ValueError("nothing is said")
    return value


NonEmpty = Annotated[str, AfterValidator(_says_something)]
Address = Annotated[str, StringConstraints(pattern=r"^(https?://\S+|mailto:\S+|urn:\S+)$")]


class Record(BaseModel):
    """Names are the standard's own; a key that it does not know is a mistake of ours."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def checked(model: type[Checked], content: dict[str, Any]) -> dict[str, Any]:
    """The record as JSON without what is unstated. Raises DocumentInvalid ``record_invalid``, with every problem."""
    try:
        found = model.model_validate(content)
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in item["loc"]), item["msg"], code="invalid") for item in error.errors()
        ]
        raise DocumentInvalid(
            "record_invalid",
            f"The record {model.__name__} would not be valid, so nothing is published.",
            problems,
            "Correct what is named; if the proposal says it rightly, please report it.",
        ) from error
    return found.model_dump(mode="json", by_alias=True, exclude_none=True)
