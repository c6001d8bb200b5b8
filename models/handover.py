"""Handing a published micro-credential over to those who deliver it: what a framework says, and what comes of it."""

from typing import Literal

from models.strict import Identifier, Strict
from models.values import Tagged, Value
from models.vocabulary import HandoverOutcome


class HandoverDef(Strict):
    """``framework`` is one of the kind ``handover``: it says who confirms, and in what time.

    ``targets`` are names in the installation's own file; each is sent the package.
    """

    framework: Identifier
    targets: tuple[Identifier, ...] = ()


class HandoverOf(Value):
    """What the case of a hand-over is about: the ``number``-th one of the micro-credential of ``case_id``.

    ``package`` is the SHA-256 digest of what is handed over, ``head`` that of the ledger it was made from.
    """

    case_id: str
    number: int
    version: int
    package: str
    head: str


class BeginHandover(Tagged):
    kind: Literal["begin_handover"] = "begin_handover"
    about: HandoverOf


class ConcludeHandover(Tagged):
    """Without an ``outcome`` the hand-over ended before it had one."""

    kind: Literal["conclude_handover"] = "conclude_handover"
    about: HandoverOf
    outcome: HandoverOutcome | None = None
    actor: str
    reason: str = ""
