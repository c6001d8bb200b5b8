"""Where cases, stages, tasks and conditions stand, and what happens to them."""

from enum import StrEnum


class CaseStatus(StrEnum):
    """``concluded``: a review, or a hand-over, that has come to its outcome."""

    INCOMPLETE = "incomplete"
    IN_REVIEW = "in_review"
    REVISING = "revising"
    ON_HOLD = "on_hold"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CONCLUDED = "concluded"

    @property
    def is_final(self) -> bool:
        return self in (CaseStatus.PUBLISHED, CaseStatus.REJECTED, CaseStatus.WITHDRAWN, CaseStatus.CONCLUDED)

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
    RECOMMENDED = "recommended"
    TAKEN_UP = "taken_up"
    SENT_BACK = "sent_back"

    @property
    def lets_pass(self) -> bool:
        """Stages that need this one may open."""
        return self.stays_valid or self in (StageOutcome.SKIPPED, StageOutcome.PUBLISHED, StageOutcome.REFUSED)

    @property
    def stays_valid(self) -> bool:
        """A result that outlives a revision which changes nothing material to it."""
        return self in (
            StageOutcome.APPROVED,
            StageOutcome.ENDORSED,
            StageOutcome.INFORMED,
            StageOutcome.RECOMMENDED,
            StageOutcome.TAKEN_UP,
        )


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
    CASE_CONCLUDED = "case_concluded"
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


class LineResult(StrEnum):
    """What became of one line of an import, or would: ``returned`` is a case that its proposer has to complete."""

    ACCEPTED = "accepted"
    RETURNED = "returned"
    SKIPPED = "skipped"
    REJECTED = "rejected"


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


class EventType(StrEnum):
    """Ledger events; each is a recorded fact, subject first, past tense."""

    CASE_SUBMITTED = "case_submitted"
    CASE_RETURNED = "case_returned"
    PROPOSAL_VERSION_ADDED = "proposal_version_added"
    TRACK_SELECTED = "track_selected"
    PROPOSER_READDRESSED = "proposer_readdressed"
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
    INCIDENT_RESOLVED = "incident_resolved"
    MAIL_RESENT = "mail_resent"
    CREDENTIAL_PUBLISHED = "credential_published"
    PUBLICATION_SCHEDULED = "publication_scheduled"
    TARGET_PUBLISHED = "target_published"
    TARGET_WITHDRAWN = "target_withdrawn"
    TARGET_FAILED = "target_failed"
    RECORD_STATUS_CHANGED = "record_status_changed"
    CASE_CLOSED = "case_closed"
    REVIEW_SCHEDULED = "review_scheduled"
    REVIEW_CALLED = "review_called"
    REVIEW_EVIDENCE_ADDED = "review_evidence_added"
    REVIEW_BEGUN = "review_begun"
    REVIEW_CONCLUDED = "review_concluded"
    REVIEW_CARRIED_OUT = "review_carried_out"
    REPLACEMENT_DRAFTED = "replacement_drafted"
    INDICATORS_RECEIVED = "indicators_received"
    HANDOVER_CALLED = "handover_called"
    HANDOVER_BEGUN = "handover_begun"
    HANDOVER_SENT = "handover_sent"
    HANDOVER_FAILED = "handover_failed"
    HANDOVER_CONCLUDED = "handover_concluded"


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
    PUBLICATION_FAILED = "publication_failed"
    HANDOVER_FAILED = "handover_failed"
    HANDOVER_SENT_BACK = "handover_sent_back"
