"""The track of a case: which of a framework's stages apply to its proposal, and what was seen in deciding so."""

from typing import Any

from models.calendars import BusinessDuration
from models.values import Value


class RuleSeen(Value):
    """One condition of the framework as it was judged: ``holds`` is None where what it asks about is not stated.

    ``values`` has what it saw, by field; a list is told by its length.
    """

    rule: str
    when: str
    holds: bool | None = None
    values: dict[str, Any] = {}


class Selection(Value):
    """What the framework's conditions came to for one version of a proposal.

    ``skipped`` has the stages that do not apply, with the reason; ``within`` the promises that the track changes.
    """

    track: str | None = None
    why: str = ""
    skipped: dict[str, str] = {}
    within: dict[str, BusinessDuration] = {}
    speed_to_market: BusinessDuration | None = None
    rules: tuple[RuleSeen, ...] = ()
