"""Conditions of an approval: what a reviewer asks for with it, how it stands, and what can happen to it."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from models.calendars import BusinessDuration
from models.values import Instant, Tagged, Value
from models.vocabulary import ConditionAct, ConditionStatus


class Condition(Value):
    """What is asked for. Until when says ``due`` (from when the stage has passed), or ``due_on``, or nothing does.

    ``owner`` sees to it: the proposer, where nobody is named. A ``blocking`` one holds up the publication.
    """

    id: str
    text: str
    owner: str = ""
    due: BusinessDuration | None = None
    due_on: dt.date | None = None
    blocking: bool = False


class ConditionState(Value):
    """Its text stays in the database. It is in force once its stage has passed; ``set_by`` is the reviewer."""

    id: str
    stage: str
    task: str
    owner: str
    set_by: str
    blocking: bool = False
    status: ConditionStatus = ConditionStatus.PROPOSED
    due_at: Instant | None = None
    remind_at: tuple[Instant, ...] = ()
    breached: bool = False


class ConditionFulfilled(Tagged):
    """Its owner says that it is met, and what shows it."""

    kind: Literal["condition_fulfilled"] = "condition_fulfilled"
    actor: str
    condition_id: str
    evidence: str


class ConditionJudged(Tagged):
    """Whoever set it, or the office, accepts what was done, asks for more, or does without."""

    kind: Literal["condition_judged"] = "condition_judged"
    actor: str
    condition_id: str
    act: ConditionAct
    reason: str = ""
    by_office: bool = False


ConditionEvent = Annotated[ConditionFulfilled | ConditionJudged, Field(discriminator="kind")]


class OpenCondition(Tagged):
    """Its stage has passed: from now on it is in force, and its time runs."""

    kind: Literal["open_condition"] = "open_condition"
    condition: str


class FulfilCondition(Tagged):
    kind: Literal["fulfil_condition"] = "fulfil_condition"
    condition: str
    actor: str
    evidence: str


class JudgeCondition(Tagged):
    kind: Literal["judge_condition"] = "judge_condition"
    condition: str
    actor: str
    act: ConditionAct
    reason: str


class LapseCondition(Tagged):
    """The approval that it belongs to is gone."""

    kind: Literal["lapse_condition"] = "lapse_condition"
    condition: str
    reason: str


class RemindOfCondition(Tagged):
    kind: Literal["remind_of_condition"] = "remind_of_condition"
    condition: str


class BreachCondition(Tagged):
    kind: Literal["breach_condition"] = "breach_condition"
    condition: str
    due_at: Instant


class ConditionResolution(Value):
    """When a condition that came into force is due."""

    condition: str
    due_at: Instant | None = None
    remind_at: tuple[Instant, ...] = ()
