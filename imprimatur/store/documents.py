"""Proposal documents by digest: immutable, written once."""

from sqlalchemy import Connection, select

from imprimatur.errors import NotFound
from imprimatur.store.inserting import insert_once
from imprimatur.store.remembering import Memory
from models.proposal import Proposal
from models.tables import DocumentRow

_TABLE = DocumentRow.__table__  # type: ignore[attr-defined]
_parsed: Memory[Proposal] = Memory(1000)


def put_proposal(connection: Connection, proposal: Proposal) -> str:
    """Keeps a proposal; answers its digest. Keeping it again changes nothing."""
    digest = proposal.digest
    known = connection.execute(select(_TABLE.c.digest).where(_TABLE.c.digest == digest)).first()
    if known is None:
        insert_once(connection, _TABLE, {"digest": digest, "body": proposal.canonical.decode()})
    return digest


def proposal_by_digest(connection: Connection, digest: str) -> Proposal:
    """Raises NotFound ``document_unknown``."""
    found = _parsed.get(digest)
    if found is not None:
        return found
    body = connection.execute(select(_TABLE.c.body).where(_TABLE.c.digest == digest)).scalar()
    if body is None:
        raise NotFound("document_unknown", f"There is no document with the digest {digest[:12]}.")
    return _parsed.put(digest, Proposal.model_validate_json(body))
