"""The record of a committee's sitting, as its secretary writes it down."""

from typing import Annotated

from pydantic import Field, model_validator

from models.strict import Identifier, Label, Strict, Text
from models.texts import Day, WholeNumber
from models.vocabulary import Verdict

Count = Annotated[WholeNumber, Field(ge=0, le=1000)]


class Votes(Strict):
    in_favour: Count
    against: Count = 0
    abstained: Count = 0

    def __str__(self) -> str:
        return f"{self.in_favour} in favour, {self.against} against, {self.abstained} abstained"


class ItemRecord(Strict):
    """What came of one item: a verdict, or another sitting."""

    case: str
    verdict: Verdict | None = None
    votes: Votes | None = None
    comment: Text | None = None
    scores: dict[Identifier, WholeNumber] = Field(default_factory=dict)
    defer_to: Day | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _one_result(self) -> "ItemRecord":
        if (self.verdict is None) == (self.defer_to is None):
            raise ValueError("give exactly one of verdict and defer_to")
        if self.defer_to is not None and self.reason is None:
            raise ValueError("an item that is put off needs a reason")
        return self

    @property
    def told(self) -> str:
        """The comment that stands in the ledger: the votes, then the words."""
        return ". ".join(part.rstrip(".") for part in (str(self.votes or ""), self.comment or "") if part)


class SittingRecord(Strict):
    """Decisions of a whole agenda. ``consent`` is the verdict on every consent item that is not listed."""

    committee: Identifier
    held_on: Day
    present: tuple[Label, ...] = Field(min_length=1)
    apologies: tuple[Label, ...] = ()
    consent: Verdict | None = None
    remarks: Text | None = None
    items: tuple[ItemRecord, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> "SittingRecord":
        cases = [item.case for item in self.items]
        if twice := sorted({case for case in cases if cases.count(case) > 1}):
            raise ValueError(f"{', '.join(twice)} is listed twice")
        return self
