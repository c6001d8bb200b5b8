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


class RecordStatus(StrEnum):
    """What a published record says of itself.

    ``pending``: not every target has it yet; ``scheduled``: it is to be published on a later day. Neither is public.
    """

    PENDING = "pending"
    SCHEDULED = "scheduled"
    OFFERED = "offered"
    PAUSED = "paused"
    TEACHING_OUT = "teaching_out"
    RETIRED = "retired"
    RETRACTED = "retracted"
    REPLACED = "replaced"

    @property
    def is_public(self) -> bool:
        """Whoever has its address may read it, be it only that it was retracted."""
        return self not in (RecordStatus.PENDING, RecordStatus.SCHEDULED)

    @property
    def is_listed(self) -> bool:
        """The catalogue names it among what can be taken up, or will be again."""
        return self in (RecordStatus.OFFERED, RecordStatus.PAUSED, RecordStatus.TEACHING_OUT)


class RunKind(StrEnum):
    """What is done at the targets of a publication: all of them get it, or hear of its status, or give it back."""

    PUBLISH = "publish"
    UPDATE = "update"
    WITHDRAW = "withdraw"


class RunStatus(StrEnum):
    """``superseded``: another act came before it was begun."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def is_over(self) -> bool:
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class TargetStatus(StrEnum):
    """What one target has of a publication."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


class TargetKind(StrEnum):
    """How a target is reached."""

    FOLDER = "folder"
    WEBHOOK = "webhook"
    CREDENTIAL_REGISTRY = "credential_registry"
