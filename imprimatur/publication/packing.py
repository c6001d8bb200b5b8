"""What a target is told of a publication, put together from what is kept."""

from imprimatur.publication.reading import published_record, served_record
from imprimatur.publication.records import FORMATS
from imprimatur.publication.targets.target import Package
from imprimatur.store.engine import Database
from models.vocabulary import RecordStatus


def package_of(database: Database, case_id: str, key: str) -> Package:
    """As it is now. Raises NotFound ``publication_unknown``."""
    record = published_record(database, case_id)
    # What a target has is offered, whether all have it yet or not.
    status = record.status if record.status.is_public else RecordStatus.OFFERED
    return Package(
        key=key,
        case_id=record.case_id,
        version=record.version,
        slug=record.slug,
        title=record.title,
        address=record.address,
        language=record.language,
        status=status,
        status_at=record.status_at,
        reason=record.status_reason,
        replaces=record.replaces_address,
        replaced_by=record.replaced_by_address,
        records={name: served_record(database, case_id, name) for name in FORMATS},
    )
