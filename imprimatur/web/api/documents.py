"""What the programming interface takes and gives, beside the engine's own documents."""

import datetime as dt
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from imprimatur.store import desk_reading
from imprimatur.store.reading import CaseView
from models.calendars import BusinessDuration
from models.conditions import Condition
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.texts import PRINTABLE
from models.vocabulary import CaseStatus, ConditionAct, StageOutcome

Entry = TypeVar("Entry")
Text = Annotated[str, StringConstraints(max_length=20_000), PRINTABLE]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), PRINTABLE]
Email = Annotated[str, StringConstraints(min_length=3, max_length=320), PRINTABLE]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), PRINTABLE]


class Given(BaseModel):
    """A key that is not known is refused: what was misspelled must not be passed over."""

    model_config = ConfigDict(extra="forbid")


class ProblemDetails(BaseModel):
    """RFC 9457. ``code`` never changes its meaning; docs/errors.md explains each."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=["https://credentials.example.edu/docs/errors#case_unseen"])
    title: str = Field(examples=["There is no such case among those that you see."])
    status: int = Field(examples=[404])
    code: str = Field(examples=["case_unseen"])
    hint: str = Field(default="", examples=["Look for it among the cases."])


class Page(BaseModel, Generic[Entry]):
    """``next_cursor`` leads to the next page; null on the last one."""

    items: list[Entry]
    next_cursor: str | None = None


class Submission(Given):
    """``framework`` is ``ID`` or ``ID@VERSION``; without it the proposal's kind chooses."""

    proposal: Proposal
    framework: Name | None = None


class ConditionGiven(Condition):
    """``id`` may be left out: the answer gives each condition its own."""

    id: str = Field(default="", max_length=200)


class Answer(Given):
    """A decision on a task. ``scores`` by criterion; ``statement`` and ``logo`` where the stage asks for them.

    ``teach_out_on``: of a verdict that retires, until which day those who have begun are taught.
    """

    verdict: Name = Field(examples=["approve"])
    comment: Text = ""
    scores: dict[Name, Annotated[int, Field(ge=-1000, le=1000)]] = {}
    conditions: list[ConditionGiven] = Field(default=[], max_length=50)
    statement: Annotated[str, StringConstraints(max_length=1000), PRINTABLE] = ""
    logo: bool = False
    teach_out_on: dt.date | None = None


class Reasoned(Given):
    reason: Reason


class OptionalReason(Given):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), PRINTABLE] = ""


class Extension(Reasoned):
    stage: Name
    by: BusinessDuration


class Overriding(Reasoned):
    stage: Name
    outcome: StageOutcome = Field(examples=["approved"])


class OfStage(Reasoned):
    stage: Name


class Passing(OptionalReason):
    to: Email


class Nudging(Given):
    stage: Name | None = None


class Confirming(Given):
    act_id: Name


class AdviceQuestion(Given):
    adviser: Email
    question: Text = ""


class Advice(Given):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), PRINTABLE]


class Evidence(Given):
    evidence: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), PRINTABLE]


class Judgement(OptionalReason):
    act: ConditionAct


class ProposedAnswer(BaseModel):
    """What waits for a second person: ``confirm`` takes the ``act_id``."""

    act_id: str
    case: CaseAnswer


class RevisionAnswer(BaseModel):
    case_id: str
    version: int
    status: CaseStatus
    round: int
    changed: list[str]
    lapsed: list[str]
    kept: list[str]


class DecisionLine(BaseModel):
    """``actor`` is a role for whoever may not know names; ``digest`` is the ledger's."""

    decision_id: str
    task_id: str
    stage: str
    round: int
    actor: str
    verdict: str
    comment: str
    scores: dict[str, int]
    decided_at: dt.datetime
    position: int
    digest: str
    annulled_at: dt.datetime | None


class ActState(BaseModel):
    """Whether the key's person may do it; if not, ``code`` and ``why``."""

    may: bool
    code: str | None = None
    why: str | None = None


class CaseDocument(CaseView):
    """A case as far as the key's person may see it: roles in place of names for whoever may not know them."""

    decisions: list[DecisionLine]
    proposal: Proposal
    acts: dict[str, ActState]


class OwnTask(desk_reading.OwnTask):
    """``link`` leads to the task's page."""

    link: str
