"""How verdicts and closed tasks are called, the same in mails, on pages, in refusals and in the story of a case."""

from models.framework import StageDef
from models.vocabulary import (
    AssignmentReason,
    Boundary,
    CountedOf,
    HandoverOutcome,
    StageKind,
    Strength,
    TaskClosure,
    Verdict,
    VotingMethod,
)

VERDICT_LABELS = {
    Verdict.APPROVE: "Approve",
    Verdict.REJECT: "Reject",
    Verdict.REQUEST_CHANGES: "Request changes",
    Verdict.ABSTAIN: "Abstain",
    Verdict.RECUSE: "Recuse myself",
    Verdict.ENDORSE: "Endorse",
    Verdict.ACKNOWLEDGE: "Acknowledge",
    Verdict.OBJECT: "Object",
    Verdict.CONTINUE: "Continue as it is",
    Verdict.REVISE: "Have it revised",
    Verdict.PAUSE: "Pause the intake",
    Verdict.RETIRE: "Retire it",
    Verdict.TAKE_UP: "Take it up",
    Verdict.SEND_BACK: "Send it back",
}
# What a hand-over came to; None where nobody was asked in the end.
HANDOVER_WORDS = {
    HandoverOutcome.TAKEN_UP: "those who deliver it have taken it up",
    HandoverOutcome.SENT_BACK: "those who are to deliver it have sent it back",
    None: "nobody was asked to take it up",
}
# What somebody is asked for; an objection that was raised is decided upon like anything else.
ASKED_FOR = {StageKind.INFORMATION: "acknowledgement", StageKind.OBJECTION: "objection"}
# When a case moves to another version of its framework.
BOUNDARIES = {
    Boundary.NOW: "at once",
    Boundary.NEXT_STAGE: "as soon as no stage is open",
    Boundary.NEXT_ROUND: "with the next revision",
}
_WITHOUT_VOTES = {
    StageKind.INFORMATION: "only informs",
    StageKind.OBJECTION: "passes without an objection",
    StageKind.HANDOVER: "the first answer decides",
}
# What happened, and how the person is tied to it who caused it.
_CLOSED: dict[TaskClosure, tuple[str, str]] = {
    TaskClosure.OUTCOME_CERTAIN: ("the stage was decided", "by the decision of"),
    TaskClosure.REVISION_REQUESTED: ("changes were requested and a new version is awaited", "after the decision of"),
    TaskClosure.CASE_REJECTED: ("the proposal was rejected", "by the decision of"),
    TaskClosure.CASE_WITHDRAWN: ("the proposal was withdrawn", "by"),
    TaskClosure.CASE_PUBLISHED: ("the micro-credential was published", "after the decision of"),
    TaskClosure.CASE_CONCLUDED: ("the review was concluded", "after the decision of"),
    TaskClosure.TIME_RAN_OUT: ("the time to answer ran out", "as noted by"),
    TaskClosure.STAGE_SKIPPED: ("the stage was skipped", "by"),
    TaskClosure.STAGE_OVERRIDDEN: ("the stage was decided in the reviewers' place", "by"),
    TaskClosure.SENT_BACK: ("the case was sent back to an earlier stage", "by"),
    TaskClosure.REASSIGNED: ("the task was given to someone else", "by"),
    TaskClosure.DELEGATED: ("the task was passed on", "by"),
    TaskClosure.ANNULLED: ("the answer was annulled", "by"),
    TaskClosure.CLAIMED: ("someone else claimed the task", "namely"),
    TaskClosure.RETURNED: ("the task was given back", "by"),
    TaskClosure.FRAMEWORK_CHANGED: ("the policy was changed for this case", "by"),
    TaskClosure.LEFT: ("its holder left", "as noted by"),
}


def asked_for(stage: StageDef, reason: str) -> str:
    """``acknowledgement``, ``objection``, ``handover`` or ``decision``: what an assignee of this stage can give."""
    if stage.kind is StageKind.HANDOVER:
        return "handover"
    return "decision" if reason == AssignmentReason.ESCALATION else ASKED_FOR.get(stage.kind, "decision")


def passes_by(stage: StageDef) -> str:
    """What it takes for a stage to pass, in a few words."""
    rule = stage.voting
    if rule is None:
        return _WITHOUT_VOTES.get(stage.kind, "automatic")
    people = f"{rule.quorum_percent:g} %" if rule.quorum_percent is not None else str(rule.quorum)
    if rule.method is VotingMethod.COUNT:
        weight = "a weight of " if rule.weights else ""
        return f"{weight}{rule.threshold} of at least {people}"
    of = "the votes" if rule.counted_of is CountedOf.VOTES else "those asked"
    share = {VotingMethod.MAJORITY: "a majority", VotingMethod.UNANIMITY: "all"}.get(
        rule.method, f"{rule.threshold_percent or 0:g} %"
    )
    return f"{share} of {of}{' by weight' if rule.weights else ''}, at least {people} answer"


def closed_because(closure: str) -> str:
    """Why a task closed, without saying by whom."""
    return _CLOSED[TaskClosure(closure)][0]


def closed_by(closure: str, person: str) -> str:
    """Why a task closed, and by whose doing where a person did it."""
    happened, tie = _CLOSED[TaskClosure(closure)]
    if person == "system":
        return happened
    return f"{happened} by {person}" if tie == "by" else f"{happened}, {tie} {person}"


KNOWN_BY = {
    Strength.OPERATOR: "entered by the operator",
    Strength.LINK: "by a personal link",
    Strength.MAIL_ATTESTED: "by mail that the institution's relay vouched for",
    Strength.MAIL_DKIM: "by mail whose signature was verified",
    Strength.MAIL_WAIVED: "by mail that nothing vouched for",
    Strength.SESSION: "signed in",
    Strength.OIDC: "signed in at the institution",
    Strength.API_KEY: "by a program with a key",
}
