"""The part of a framework that decides a case's course.

It travels in the workflow's input, so that a replay needs nothing but the history.
"""

from models.calendars import BusinessDuration
from models.values import Value
from models.vocabulary import AtBreach, Carry, CountedOf, Recusal, StageOutcome, VotingMethod


class StagePlan(Value):
    """``positive`` is the outcome of a stage that passes; ``informs``: it passes at once and blocks nothing.

    ``deputies`` is the role that takes the place of whoever stands aside; ``goes_on_rejected``: a rejection is recorded
    as a refusal, and the case goes on; ``refers_rejection``: whoever the stage escalates to decides about it. ``skip``
    says why it does not apply to this proposal; ``within`` is what the track promises instead; in a stage that
    ``recommends`` the options are counted, not approvals; in one that ``hands_over`` the first answer decides.
    """

    id: str
    needs: tuple[str, ...] = ()
    automatic: bool = False
    publishes: bool = False
    informs: bool = False
    objection: bool = False
    positive: StageOutcome = StageOutcome.APPROVED
    quorum: int = 0
    quorum_percent: float | None = None
    method: VotingMethod = VotingMethod.COUNT
    threshold: int = 0
    threshold_percent: float | None = None
    counted_of: CountedOf = CountedOf.ASKED
    weights: dict[str, int] = {}
    veto: tuple[str, ...] = ()
    recusal: Recusal = Recusal.KEEPS_QUORUM
    deputies: str | None = None
    tie_break: str | None = None
    waits_for_all: bool = False
    at_breach: AtBreach = AtBreach.ESCALATE
    policy_clause: str = ""
    goes_on_rejected: bool = False
    refers_rejection: bool = False
    material: tuple[str, ...] | None = None
    committee: str | None = None
    carry: Carry = Carry.KEEP
    skip: str = ""
    recommends: bool = False
    hands_over: bool = False
    within: BusinessDuration | None = None

    def weight_of(self, role: str | None) -> int:
        return self.weights.get(role, 1) if role else 1


class Plan(Value):
    """``framework`` is ``id@version``; ``digest`` pins the document the plan was drawn from.

    ``two_hats``: one person may decide under several roles; ``within`` is what the track promises for the whole case,
    where it does.
    """

    framework: str
    digest: str
    stages: tuple[StagePlan, ...]
    two_hats: bool = False
    within: BusinessDuration | None = None

    def stage(self, stage_id: str) -> StagePlan:
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def informs(self, stage_id: str) -> bool:
        """Whether a stage only informs; one that the plan does not have decides nothing either."""
        return all(stage.informs for stage in self.stages if stage.id == stage_id)
