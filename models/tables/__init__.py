"""Tables. Documents, people, the ledger and the read model live here; the process state's truth is the workflow.

Instants are UTC. A row's times are its case's own time, so a case under virtual time is consistent.
"""

from models.tables.access import ApiAnswerRow, ApiKeyRow, SessionRow, SignInLinkRow, SignInRecordRow
from models.tables.bulk import BulkItemRow, BulkRow
from models.tables.cases import (
    AdviceRow,
    CaseRow,
    ConditionRow,
    DecisionRow,
    DocumentRow,
    FrameworkRow,
    IncidentRow,
    LedgerRow,
    MinutesRow,
    ProposedActRow,
    RefusalRow,
    StageRow,
    StepRow,
    TaskRow,
    VersionRow,
)
from models.tables.columns import UtcDateTime
from models.tables.drafts import AttachmentHolderRow, AttachmentRow, DraftRow, ImportLineRow, ImportRow
from models.tables.handovers import HandoverRow, HandoverTargetRow
from models.tables.improvement import EvidenceRow, ImprovementRow, IndicatorRow, ReviewRow
from models.tables.mail import InboundContentRow, InboundMailRow, MailboxRow, MailEventRow, OutboxRow, SentFormRow
from models.tables.pages import AnswerDraftRow, SavedViewRow
from models.tables.people import (
    AbsenceRow,
    DelegationRow,
    InterestRow,
    PersonAliasRow,
    PersonRoleRow,
    PersonRow,
    PersonUnitRow,
)
from models.tables.publishing import PublicationDateRow, PublicationRunRow, PublicationTargetRow
from models.tables.records import BadgeRow, EndorsementRow, PublicationRow, SigningKeyRow, StatusListRow
from models.tables.stacking import PathwayRow, SkillRow, StackingRow
from models.tables.times import AnswerTimeRow, CaseTimeRow, StageTimeRow
from models.tables.webhooks import WebhookDeliveryRow, WebhookRow

__all__ = [
    "AbsenceRow",
    "AdviceRow",
    "AnswerDraftRow",
    "AnswerTimeRow",
    "ApiAnswerRow",
    "ApiKeyRow",
    "AttachmentHolderRow",
    "AttachmentRow",
    "BadgeRow",
    "BulkItemRow",
    "BulkRow",
    "CaseRow",
    "CaseTimeRow",
    "ConditionRow",
    "DecisionRow",
    "DelegationRow",
    "DocumentRow",
    "DraftRow",
    "EndorsementRow",
    "EvidenceRow",
    "FrameworkRow",
    "HandoverRow",
    "HandoverTargetRow",
    "ImportLineRow",
    "ImportRow",
    "ImprovementRow",
    "InboundContentRow",
    "InboundMailRow",
    "IncidentRow",
    "IndicatorRow",
    "InterestRow",
    "LedgerRow",
    "MailEventRow",
    "MailboxRow",
    "MinutesRow",
    "OutboxRow",
    "PathwayRow",
    "PersonAliasRow",
    "PersonRoleRow",
    "PersonRow",
    "PersonUnitRow",
    "ProposedActRow",
    "PublicationDateRow",
    "PublicationRow",
    "PublicationRunRow",
    "PublicationTargetRow",
    "RefusalRow",
    "ReviewRow",
    "SavedViewRow",
    "SentFormRow",
    "SessionRow",
    "SignInLinkRow",
    "SignInRecordRow",
    "SigningKeyRow",
    "SkillRow",
    "StackingRow",
    "StageRow",
    "StageTimeRow",
    "StatusListRow",
    "StepRow",
    "TaskRow",
    "UtcDateTime",
    "VersionRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
