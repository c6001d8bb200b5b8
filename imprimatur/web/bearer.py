"""Programs that bring a key: whom they act for. Routes of the programming interface depend on it."""

from collections.abc import Callable

from fastapi import Request

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed
from imprimatur.store.api_keys import viewer_by_key
from imprimatur.store.engine import Database
from models.vocabulary import KeyScope


class _NotKnown(NotAllowed):
    http_status = 401


def bearer(database: Database, needed: KeyScope = KeyScope.READ) -> Callable[[Request], Viewer]:
    """A dependency: ``Depends(bearer(database, KeyScope.REVIEW))`` answers the viewer that a request's key stands for.

    It raises NotAllowed ``key_required`` or ``key_invalid`` (HTTP 401), or ``key_scope_missing`` (HTTP 403).
    """

    def viewer(request: Request) -> Viewer:
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not key.strip():
            raise _NotKnown(
                "key_required", "This address needs a key.", "Send it in the header Authorization: Bearer KEY."
            )
        found = viewer_by_key(database, key.strip())
        if found is None:
            raise _NotKnown(
                "key_invalid", "This key is not one of ours, or it was revoked.", "See `starter.py key list`."
            )
        if not found.allows(needed):
            raise NotAllowed(
                "key_scope_missing", f"This key was made without the scope {needed}.", "Make one that has it."
            )
        return found

    return viewer
