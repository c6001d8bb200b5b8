"""The closed vocabularies of the domain; every value is lowercase and stable (it is stored and exported)."""

from enum import StrEnum


class CredentialKind(StrEnum):
    """How a micro-credential comes into being; each kind has a shipped framework of its own."""

    INDUSTRY_CREDIT = "industry_credit"
    COURSEWORK_CREDIT = "coursework_credit"
    NON_CREDIT = "non_credit"


class StageKind(StrEnum):
    """``information`` never blocks; ``objection`` passes unless someone with standing objects in time."""

    REVIEW = "review"
    ENDORSEMENT = "endorsement"
    INFORMATION = "information"
    OBJECTION = "objection"
    PUBLICATION = "publication"


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


class ConditionStatus(StrEnum):
    """``proposed`` until the stage has passed; ``fulfilled`` is its owner's word, which somebody else has to accept."""

    PROPOSED = "proposed"
    OPEN = "open"
    FULFILLED = "fulfilled"
    ACCEPTED = "accepted"
    WAIVED = "waived"
    LAPSED = "lapsed"

    @property
    def is_settled(self) -> bool:
        return self in (ConditionStatus.ACCEPTED, ConditionStatus.WAIVED, ConditionStatus.LAPSED)


class ConditionAct(StrEnum):
    """What whoever set a condition, or the office, can do about it."""

    ACCEPT = "accept"
    REOPEN = "reopen"
    WAIVE = "waive"


class CaseStatus(StrEnum):
    INCOMPLETE = "incomplete"
    IN_REVIEW = "in_review"
    REVISING = "revising"
    ON_HOLD = "on_hold"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        return self in (CaseStatus.PUBLISHED, CaseStatus.REJECTED, CaseStatus.WITHDRAWN)

    @property
    def waits_for_proposer(self) -> bool:
        """The clock stands still in these."""
        return self in (CaseStatus.INCOMPLETE, CaseStatus.REVISING)


class StageStatus(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class StageOutcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"
    SKIPPED = "skipped"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    ENDORSED = "endorsed"
    INFORMED = "informed"
    REFUSED = "refused"

    @property
    def lets_pass(self) -> bool:
        """Stages that need this one may open."""
        return self.stays_valid or self in (StageOutcome.SKIPPED, StageOutcome.PUBLISHED, StageOutcome.REFUSED)

    @property
    def stays_valid(self) -> bool:
        """A result that outlives a revision which changes nothing material to it."""
        return self in (StageOutcome.APPROVED, StageOutcome.ENDORSED, StageOutcome.INFORMED)


class TaskStatus(StrEnum):
    """``offered``: several people may take it, and nobody has yet."""

    OFFERED = "offered"
    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"

    @property
    def is_pending(self) -> bool:
        """Something may still come of it."""
        return self in (TaskStatus.OFFERED, TaskStatus.OPEN)


class TaskClosure(StrEnum):
    """Why a task closed without its assignee's decision."""

    OUTCOME_CERTAIN = "outcome_certain"
    REVISION_REQUESTED = "revision_requested"
    CASE_REJECTED = "case_rejected"
    CASE_WITHDRAWN = "case_withdrawn"
    CASE_PUBLISHED = "case_published"
    TIME_RAN_OUT = "time_ran_out"
    STAGE_SKIPPED = "stage_skipped"
    STAGE_OVERRIDDEN = "stage_overridden"
    SENT_BACK = "sent_back"
    REASSIGNED = "reassigned"
    DELEGATED = "delegated"
    ANNULLED = "annulled"
    CLAIMED = "claimed"
    RETURNED = "returned"
    LEFT = "left"
    FRAMEWORK_CHANGED = "framework_changed"


class AssignmentReason(StrEnum):
    """Why this person: said in the task mail."""

    ROLE = "role"
    UNIT = "unit"
    PARTNER = "partner"
    ADDRESS = "address"
    ESCALATION = "escalation"
    DEPUTY = "deputy"
    REASSIGNMENT = "reassignment"
    DELEGATION = "delegation"
    REPETITION = "repetition"
    SUCCESSION = "succession"
    CONFIRMATION = "confirmation"


class InterestKind(StrEnum):
    """What a declared interest is about."""

    PARTNER = "partner"
    UNIT = "unit"
    PERSON = "person"


class Party(StrEnum):
    """Whose time runs in a case."""

    AUTHOR = "author"
    REVIEWER = "reviewer"
    PARTNER = "partner"
    OFFICE = "office"
    SYSTEM = "system"


class OfficeAct(StrEnum):
    """Acts of the governance office that need the word of a second person."""

    SKIP = "skip"
    OVERRIDE = "override"


class Boundary(StrEnum):
    """When a case moves to another version of its framework."""

    NOW = "now"
    NEXT_STAGE = "next_stage"
    NEXT_ROUND = "next_round"


class StageFate(StrEnum):
    """What becomes of a stage when its case moves to another version of its framework.

    ``kept``: its result stands; ``goes_on``: it stays open as it is; ``repeated``: it is done anew; ``waits``: its turn
    is still to come, or comes again with the new version of the proposal; ``added`` and ``removed``: only one of the
    two versions has it.
    """

    KEPT = "kept"
    GOES_ON = "goes_on"
    REPEATED = "repeated"
    WAITS = "waits"
    ADDED = "added"
    REMOVED = "removed"


class BulkResult(StrEnum):
    """What became of one case in an act on many; ``possible`` is told by a preview, ``done_before`` by a later run."""

    POSSIBLE = "possible"
    DONE = "done"
    DONE_BEFORE = "done_before"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Channel(StrEnum):
    """Way a decision came in."""

    LINK = "link"
    COMMAND_LINE = "command_line"
    MAIL = "mail"
    API = "api"


class Strength(StrEnum):
    """How surely whoever decided was known to be the person that the decision names.

    ``mail_attested``: the institution's relay vouched for the sender; ``mail_dkim``: a signature verified here did.
    """

    OPERATOR = "operator"
    LINK = "link"
    MAIL_ATTESTED = "mail_attested"
    MAIL_DKIM = "mail_dkim"
    MAIL_WAIVED = "mail_waived"
    SESSION = "session"
    OIDC = "oidc"
    API_KEY = "api_key"

    @property
    def is_sign_in(self) -> bool:
        return self in (Strength.SESSION, Strength.OIDC)


class Authentication(StrEnum):
    """How surely a stage wants its deciders to be known."""

    ANY = "any"
    SIGN_IN = "sign_in"


class InboundKind(StrEnum):
    """What an incoming message is; only a reply can decide anything, and only a reply is answered."""

    REPLY = "reply"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    LIST = "list"
    UNREADABLE = "unreadable"


class LateItems(StrEnum):
    """What becomes of an item that comes after the cut-off of a sitting."""

    NEXT_SITTING = "next_sitting"
    OFFICE_ADMITS = "office_admits"


class ConsentItems(StrEnum):
    """Which items of an agenda are taken without debate; ``undisputed``: nobody before answered against them."""

    NONE = "none"
    UNDISPUTED = "undisputed"


class InformationProfile(StrEnum):
    """Whose list of what must be said of a micro-credential a framework demands."""

    EU = "eu"
    AU = "au"
    NZ = "nz"


class BadgeStatus(StrEnum):
    """What verifying a signed credential comes to."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    TAMPERED = "tampered"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNRECORDED = "unrecorded"


class EventType(StrEnum):
    """Ledger events; each is a recorded fact, subject first, past tense."""

    CASE_SUBMITTED = "case_submitted"
    CASE_RETURNED = "case_returned"
    PROPOSAL_VERSION_ADDED = "proposal_version_added"
    TRACK_SELECTED = "track_selected"
    STAGE_OPENED = "stage_opened"
    STAGE_SKIPPED = "stage_skipped"
    STAGE_AWAITED = "stage_awaited"
    AGENDA_ITEM_PLACED = "agenda_item_placed"
    SITTING_BEGUN = "sitting_begun"
    STAGE_CLOSED = "stage_closed"
    APPROVAL_EXPIRED = "approval_expired"
    STAGE_LAPSED = "stage_lapsed"
    STAGE_KEPT = "stage_kept"
    CONFIRMATION_SOUGHT = "confirmation_sought"
    TASK_ASSIGNED = "task_assigned"
    TASK_OFFERED = "task_offered"
    TASK_CLAIMED = "task_claimed"
    TASK_RETURNED = "task_returned"
    TASK_CLOSED = "task_closed"
    REVIEWERS_DRAWN = "reviewers_drawn"
    REVIEWERS_PASSED_OVER = "reviewers_passed_over"
    ADVICE_ASKED = "advice_asked"
    ADVICE_GIVEN = "advice_given"
    DECISION_RECORDED = "decision_recorded"
    REVISION_REQUESTED = "revision_requested"
    REMINDER_SENT = "reminder_sent"
    SLA_BREACHED = "sla_breached"
    STAGE_ESCALATED = "stage_escalated"
    REVIEWERS_SOUGHT = "reviewers_sought"
    CASE_SLA_BREACHED = "case_sla_breached"
    CLOCK_STARTED = "clock_started"
    CLOCK_PAUSED = "clock_paused"
    CLOCK_RESUMED = "clock_resumed"
    CASE_HELD = "case_held"
    CASE_RESUMED = "case_resumed"
    STAGE_EXTENDED = "stage_extended"
    STAGE_OVERRIDDEN = "stage_overridden"
    STAGE_SENT_BACK = "stage_sent_back"
    ACT_PROPOSED = "act_proposed"
    TASK_PASSED_ON = "task_passed_on"
    DECISION_ANNULLED = "decision_annulled"
    CONDITION_SET = "condition_set"
    CONDITION_FULFILLED = "condition_fulfilled"
    CONDITION_ACCEPTED = "condition_accepted"
    CONDITION_REOPENED = "condition_reopened"
    CONDITION_WAIVED = "condition_waived"
    CONDITION_LAPSED = "condition_lapsed"
    CONDITION_REMINDED = "condition_reminded"
    CONDITION_BREACHED = "condition_breached"
    FRAMEWORK_CHANGE_SCHEDULED = "framework_change_scheduled"
    FRAMEWORK_CHANGED = "framework_changed"
    INCIDENT_OPENED = "incident_opened"
    CREDENTIAL_PUBLISHED = "credential_published"
    CASE_CLOSED = "case_closed"


class DeliveryStatus(StrEnum):
    """What became of one event on its way to one webhook."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def is_waiting(self) -> bool:
        return self in (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)


class IncidentKind(StrEnum):
    """What the governance office must look at; none of them lets a case hang silently."""

    NO_REVIEWER = "no_reviewer"
    QUORUM_OUT_OF_REACH = "quorum_out_of_reach"
    NO_ESCALATION_TARGET = "no_escalation_target"
    NO_DEPUTY = "no_deputy"
    REVIEWER_ABSENT = "reviewer_absent"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    NO_SUCCESSOR = "no_successor"
    NO_SITTING = "no_sitting"
    NO_WINDOW = "no_window"
    MAIL_BOUNCED = "mail_bounced"


class MailKind(StrEnum):
    """Template names under ``imprimatur/mail/templates``."""

    TASK = "task"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    BREACH = "breach"
    TASK_CLOSED = "task_closed"
    RETURNED = "returned"
    REVISION = "revision"
    OUTCOME = "outcome"
    INCIDENT = "incident"
    CONFIRMATION = "confirmation"
    ADVICE_ASKED = "advice_asked"
    ADVICE_GIVEN = "advice_given"
    CONDITION = "condition"
    DELEGATION = "delegation"
    PASSED_ON = "passed_on"
    CHANGED = "changed"
    RECEIPT = "receipt"
    STAGE_OUTCOME = "stage_outcome"
    DIGEST = "digest"
    AGENDA = "agenda"
    REPLY_RECORDED = "reply_recorded"
    REPLY_NOT_RECORDED = "reply_not_recorded"
    SIGN_IN = "sign_in"


class Digest(StrEnum):
    """How often a person gets a list of their open tasks."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"


class MailStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


class MailState(StrEnum):
    """What became of a mail: its state as the office sees it (down to ``seen``), and all that its journal can tell.

    ``unknown``: it may have been handed over, but no answer came. ``seen``: its reader has acted on it; opening the
    page counts for nothing, for mail scanners open every link.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    UNKNOWN = "unknown"
    REMINDED = "reminded"
    SEEN = "seen"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    RESENT = "resent"


class ReportAction(StrEnum):
    """What a delivery report says of a mail (RFC 3464, 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class AccessRole(StrEnum):
    """What somebody is in the pages; derived from the directory and from tasks, never stored."""

    PROPOSER = "proposer"
    REVIEWER = "reviewer"
    OFFICE = "office"
    ADMIN = "admin"
    AUDITOR = "auditor"


class KeyScope(StrEnum):
    """What a key may be used for, within what the person may do in whose name it was made."""

    READ = "read"
    PROPOSE = "propose"
    REVIEW = "review"
    OFFICE = "office"


class SignInEvent(StrEnum):
    """What is kept of signing in and out."""

    LINK_ASKED = "link_asked"
    LINK_WITHHELD = "link_withheld"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
