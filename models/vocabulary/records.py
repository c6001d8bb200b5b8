"""What is published, and what is awarded from it."""

from enum import StrEnum


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
