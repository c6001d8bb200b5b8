"""Words of which a framework is made."""

from enum import StrEnum


class CredentialKind(StrEnum):
    """How a micro-credential comes into being; each kind has a shipped framework of its own.

    ``review`` and ``handover`` are no kinds of micro-credentials: their frameworks say how one that is published is
    reviewed, and how those who deliver it confirm that they have taken it up.
    """

    INDUSTRY_CREDIT = "industry_credit"
    COURSEWORK_CREDIT = "coursework_credit"
    NON_CREDIT = "non_credit"
    REVIEW = "review"
    HANDOVER = "handover"


# Kinds of frameworks under which nothing is proposed.
ABOUT_PUBLISHED = (CredentialKind.REVIEW, CredentialKind.HANDOVER)


class StageKind(StrEnum):
    """``information`` never blocks; ``objection`` passes unless someone with standing objects in time.

    In a ``recommendation`` of a review people say what is to become of a published micro-credential; in a ``handover``
    the first of those who deliver it to answer takes it up, or sends it back.
    """

    REVIEW = "review"
    ENDORSEMENT = "endorsement"
    INFORMATION = "information"
    OBJECTION = "objection"
    PUBLICATION = "publication"
    RECOMMENDATION = "recommendation"
    HANDOVER = "handover"


class Verdict(StrEnum):
    """What a reviewer may answer; a stage names the ones it accepts."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    ABSTAIN = "abstain"
    RECUSE = "recuse"
    ENDORSE = "endorse"
    ACKNOWLEDGE = "acknowledge"
    OBJECT = "object"
    CONTINUE = "continue"
    REVISE = "revise"
    PAUSE = "pause"
    RETIRE = "retire"
    TAKE_UP = "take_up"
    SEND_BACK = "send_back"


class VotingMethod(StrEnum):
    """How the threshold is stated; weights of roles apply to all of them."""

    COUNT = "count"
    PERCENTAGE = "percentage"
    MAJORITY = "majority"
    UNANIMITY = "unanimity"


class CountedOf(StrEnum):
    """What a percentage, a majority or unanimity is counted of: all who were asked, or the votes for and against."""

    ASKED = "asked"
    VOTES = "votes"


class Recusal(StrEnum):
    """What becomes of the quorum when a reviewer stands aside."""

    KEEPS_QUORUM = "keeps_quorum"
    LOWERS_QUORUM = "lowers_quorum"


class AtBreach(StrEnum):
    """What happens when a stage's time runs out."""

    ESCALATE = "escalate"
    REMIND = "remind"
    REASSIGN = "reassign"
    SKIP = "skip"
    APPROVE = "approve"
    REJECT = "reject"


class OnRejection(StrEnum):
    """Whether a stage's rejection ends the case, is recorded and the case goes on, or is referred to a higher place."""

    END_CASE = "end_case"
    PROCEED = "proceed"
    REFER = "refer"


class Statement(StrEnum):
    """Whether whoever approves is asked for words that are published with the micro-credential."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Pick(StrEnum):
    """How some are chosen out of those who could review."""

    LEAST_LOADED = "least_loaded"
    ROUND_ROBIN = "round_robin"
    LOTTERY = "lottery"


class Conditions(StrEnum):
    """Whether an approval of a stage may come with conditions."""

    NEVER = "never"
    ALLOWED = "allowed"


class Carry(StrEnum):
    """What an approval needs to outlive a new version that changed nothing material to it."""

    KEEP = "keep"
    CONFIRM = "confirm"


class Authentication(StrEnum):
    """How surely a stage wants its deciders to be known."""

    ANY = "any"
    SIGN_IN = "sign_in"


class LateItems(StrEnum):
    """What becomes of an item that comes after the cut-off of a sitting."""

    NEXT_SITTING = "next_sitting"
    OFFICE_ADMITS = "office_admits"


class ConsentItems(StrEnum):
    """Which items of an agenda are taken without debate; ``undisputed``: nobody before answered against them."""

    NONE = "none"
    UNDISPUTED = "undisputed"
