"""What micro-credentials count towards: pathways with their credits, levels and limits."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.proposal import CreditSystem, Level, Line, PathwayId, Prose
from models.texts import Number, OneLine, WebAddress


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PathwayLink(Part):
    """Something larger that a pathway itself counts towards, with ``credits`` of its own."""

    pathway: PathwayId
    credits: Number | None = Field(default=None, gt=0, le=1000)


class Pathway(Part):
    """A degree, a certificate or a series that micro-credentials count towards.

    Credits are in ``credit_system`` units. ``most_stacked``: no more of them may come from micro-credentials;
    ``lowest_level``: in the framework of ``level``, no credential below it counts.
    """

    id: PathwayId
    title: Annotated[OneLine, StringConstraints(min_length=1, max_length=500)]
    kind: Literal["degree", "certificate", "diploma", "series"]
    provider: Line | None = None
    description: Prose | None = None
    url: WebAddress | None = None
    credits: Number = Field(gt=0, le=1000)
    credit_system: CreditSystem
    level: Level | None = None
    lowest_level: Annotated[OneLine, StringConstraints(min_length=1, max_length=80)] | None = None
    most_stacked: Number | None = Field(default=None, gt=0, le=1000)
    counts_towards: tuple[PathwayLink, ...] = ()

    @property
    def limit(self) -> float:
        """The most credits that micro-credentials can bring."""
        return min(self.credits, self.most_stacked or self.credits)
