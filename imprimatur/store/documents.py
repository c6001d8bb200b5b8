"""Proposal documents by digest: immutable, written once."""

from sqlalchemy import Connection, select

from imprimatur.errors import NotFound
from models.proposal import Proposal
from models.tables import DocumentRow

_TABLE = DocumentRow.__table__  # type: ignore[attr-defined]


def put_proposal(connection: Connection, proposal: Proposal) -> str:
    """Keeps a proposal; answers its digest. Keeping it again changes nothing."""
    digest = proposal.digest
    known = connection.execute(select(_TABLE.c.digest).where(_TABLE.c.digest == digest)).first()
    if known is None:
        connection.execute(_TABLE.insert(), {"digest": digest, "body": proposal.canonical.decode()})
    return digest


def proposal_by_digest(connection: Connection, digest: str) -> Proposal:
    """Raises NotFound ``document_unknown``."""
    cached = _parsed.get(digest)
    if cached is not None:
        return cached
    body = connection.execute(select(_TABLE.c.body).where(_TABLE.c.digest == digest)).scalar()
    if body is None:
        raise NotFound("document_unknown", f"There is no document with the digest {digest[:12]}.")
    return _parsed.put(digest, Proposal.model_validate_json(body))


class _Cache:
    """The last documents parsed; a digest never changes its meaning, so nothing here grows stale."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[str, Proposal] = {}

    def get(self, digest: str) -> Proposal | None:
        return self._kept.get(digest)

    def put(self, digest: str, proposal: Proposal) -> Proposal:
        if len(self._kept) >= self._size:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[digest] = proposal
        return proposal


_parsed = _Cache(2000)
