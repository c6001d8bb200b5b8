"""What a proposal can state, by dotted path, as far as a framework's rules need to know."""

import types
import typing
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel

from models.proposal import Proposal

FieldKind = Literal["text", "number", "list", "texts", "other"]


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside ``tuple[Model, ...]``, ``dict[str, Model]``, ``Model | None`` and the like."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next(filter(None, map(model_in, typing.get_args(annotation))), None)


def annotation_of(path: str) -> Any:
    """The type of a field such as ``workload.hours`` or ``partners.contact_email``; None when there is none."""
    name, _, part = path.partition(".")
    info = Proposal.model_fields.get(name)
    if info is None or not part:
        return info and info.annotation
    model = model_in(info.annotation)
    inner = model.model_fields.get(part) if model else None
    return inner and inner.annotation


def is_proposal_field(path: str) -> bool:
    return annotation_of(path) is not None


def kind_of(path: str) -> FieldKind:
    """What sort of value stands at a path; ``texts`` is a list of texts, ``list`` one of anything else."""
    annotation = _without_none(annotation_of(path))
    if typing.get_origin(annotation) is tuple:
        return "texts" if _is_text(typing.get_args(annotation)[0]) else "list"
    if _is_text(annotation):
        return "text"
    is_number = isinstance(annotation, type) and annotation.__name__ in ("int", "float", "Decimal")
    return "number" if is_number else "other"


def closed_values(path: str) -> tuple[str, ...] | None:
    """The values that a field can have at all; None when any text will do."""
    annotation = _without_none(annotation_of(path))
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(str(member) for member in annotation)
    return None


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(choice for choice in typing.get_args(annotation) if choice is not type(None))
    return _bare(annotation)


def _bare(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def _is_text(annotation: Any) -> bool:
    bare = _bare(annotation)
    return typing.get_origin(bare) is Literal or (isinstance(bare, type) and issubclass(bare, str))
