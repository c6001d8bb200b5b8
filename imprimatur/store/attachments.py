"""Files that belong to proposals, by digest; whoever sees a case gets those that its proposer handed in."""

import datetime as dt
import hashlib
from collections.abc import Iterable

from sqlalchemy import String, cast, delete, select

from imprimatur.access.viewer import Scope
from imprimatur.errors import NotFound
from imprimatur.store.access import within
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.proposal import Attachment, Proposal
from models.tables import AttachmentHolderRow, AttachmentRow, CaseRow, DocumentRow, DraftRow, VersionRow

_FILE = AttachmentRow.__table__  # type: ignore[attr-defined]
_HOLDER = AttachmentHolderRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_DRAFT = DraftRow.__table__  # type: ignore[attr-defined]
_DOCUMENT = DocumentRow.__table__  # type: ignore[attr-defined]


def keep_file(database: Database, content: bytes, person: str, at: dt.datetime) -> str:
    """Keeps a file once, whoever hands it in; answers its SHA-256 (hex)."""
    digest = hashlib.sha256(content).hexdigest()
    with database.write() as connection:
        insert_once(connection, _FILE, {"sha256": digest, "size": len(content), "content": content, "added_at": at})
        insert_once(connection, _HOLDER, {"sha256": digest, "person": person})
    return digest


def hold(database: Database, files: Iterable[Attachment], person: str, of: str) -> None:
    """Files that ``of`` holds are held by another person as well, who could read them."""
    wanted = {file.sha256 for file in files}
    with database.write() as connection:
        known = select(_HOLDER.c.sha256).where(_HOLDER.c.sha256.in_(wanted), _HOLDER.c.person == of)
        for digest in connection.execute(known).scalars().all():
            insert_once(connection, _HOLDER, {"sha256": digest, "person": person})


def kept_files(database: Database, proposal: Proposal, person: str) -> frozenset[str]:
    """Digests of those of a proposal's files whose bytes are here, and were handed in by the person."""
    wanted = {file.sha256 for file in proposal.attachments}
    if not wanted:
        return frozenset()
    query = select(_HOLDER.c.sha256).where(_HOLDER.c.sha256.in_(wanted), _HOLDER.c.person == person)
    with database.read() as connection:
        return frozenset(connection.execute(query).scalars())


def file_of(database: Database, digest: str, person: str) -> bytes:
    """Of whoever handed it in. Raises NotFound ``attachment_unknown``."""
    query = select(_FILE.c.content).join(_HOLDER, _HOLDER.c.sha256 == _FILE.c.sha256)
    with database.read() as connection:
        found = connection.execute(query.where(_FILE.c.sha256 == digest, _HOLDER.c.person == person)).scalar()
    if found is None:
        raise unknown_file()
    return bytes(found)


def file_of_case(database: Database, scope: Scope, case_id: str, digest: str) -> tuple[Attachment, bytes]:
    """A file of some version of a case. Raises NotFound ``attachment_unknown``, also outside the scope."""
    query = select(_VERSION.c.submitted_by, _VERSION.c.digest).join(_CASE, _CASE.c.case_id == _VERSION.c.case_id)
    with database.read() as connection:
        rows = connection.execute(query.where(_CASE.c.case_id == case_id, within(scope))).all()
        for row in rows:
            for file in proposal_by_digest(connection, row.digest).attachments:
                if file.sha256 == digest:
                    return file, file_of(database, digest, str(row.submitted_by))
    raise unknown_file()


def forget_unused(database: Database, digest: str, person: str) -> bool:
    """Deletes a file of one person's that no draft and no version of any proposal names any more."""
    others = select(_HOLDER.c.person).where(_HOLDER.c.sha256 == digest, _HOLDER.c.person != person)
    with database.write() as connection:
        in_use = (
            others,
            select(_DRAFT.c.draft_id).where(cast(_DRAFT.c.body, String).contains(digest)),
            select(_DOCUMENT.c.digest).where(_DOCUMENT.c.body.contains(digest)),
        )
        if any(connection.execute(query.limit(1)).first() is not None for query in in_use):
            return False
        connection.execute(delete(_HOLDER).where(_HOLDER.c.sha256 == digest))
        return connection.execute(delete(_FILE).where(_FILE.c.sha256 == digest)).rowcount == 1


def unknown_file() -> NotFound:
    """To raise; the same for a file that is not there and one that the visitor may not have."""
    return NotFound(
        "attachment_unknown", "There is no such file.", "Files are listed with the proposal they belong to."
    )
