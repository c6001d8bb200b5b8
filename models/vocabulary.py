"""The closed vocabularies of the domain; every value is lowercase and stable (it is stored and exported)."""

from enum import StrEnum


class CredentialKind(StrEnum):
    """How a micro-credential comes into being; each kind has a shipped framework of its own."""

    INDUSTRY_CREDIT = "industry_credit"
    COURSEWORK_CREDIT = "coursework_credit"
    NON_CREDIT = "non_credit"


class StageKind(StrEnum):
    REVIEW = "review"
    PUBLICATION = "publication"


class Verdict(StrEnum):
    """What a reviewer may answer; a stage names the ones it accepts."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    ABSTAIN = "abstain"
    RECUSE = "recuse"


class CaseStatus(StrEnum):
    INCOMPLETE = "incomplete"
    IN_REVIEW = "in_review"
    REVISING = "revising"
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

    @property
    def lets_pass(self) -> bool:
        """Stages that need this one may open."""
        return self in (StageOutcome.APPROVED, StageOutcome.SKIPPED, StageOutcome.PUBLISHED)


class TaskStatus(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"


class TaskClosure(StrEnum):
    """Why a task closed without its assignee's decision."""

    OUTCOME_CERTAIN = "outcome_certain"
    REVISION_REQUESTED = "revision_requested"
    CASE_REJECTED = "case_rejected"
    CASE_WITHDRAWN = "case_withdrawn"


class AssignmentReason(StrEnum):
    """Why this person: said in the task mail."""

    ROLE = "role"
    UNIT = "unit"
    PARTNER = "partner"
    ADDRESS = "address"
    ESCALATION = "escalation"


class Channel(StrEnum):
    """Way a decision came in."""

    LINK = "link"
    COMMAND_LINE = "command_line"


class EventType(StrEnum):
    """Ledger events; each is a recorded fact, subject first, past tense."""

    CASE_SUBMITTED = "case_submitted"
    CASE_RETURNED = "case_returned"
    PROPOSAL_VERSION_ADDED = "proposal_version_added"
    STAGE_OPENED = "stage_opened"
    STAGE_SKIPPED = "stage_skipped"
    STAGE_CLOSED = "stage_closed"
    STAGE_LAPSED = "stage_lapsed"
    STAGE_KEPT = "stage_kept"
    TASK_ASSIGNED = "task_assigned"
    TASK_CLOSED = "task_closed"
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
    INCIDENT_OPENED = "incident_opened"
    CREDENTIAL_PUBLISHED = "credential_published"
    CASE_CLOSED = "case_closed"


class IncidentKind(StrEnum):
    """What the governance office must look at; none of them lets a case hang silently."""

    NO_REVIEWER = "no_reviewer"
    QUORUM_OUT_OF_REACH = "quorum_out_of_reach"
    NO_ESCALATION_TARGET = "no_escalation_target"
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


class MailStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
