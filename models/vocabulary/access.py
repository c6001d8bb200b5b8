"""Who may see and do what, and what is kept of signing in."""

from enum import StrEnum

# Roles of the directory whose holders belong to the governance office.
OFFICE_ROLES = frozenset({"governance_office", "admin"})


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
