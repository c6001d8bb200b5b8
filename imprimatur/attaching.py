"""Files of a draft: attached within what is taken here, and forgotten when nothing names them any more."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imprimatur.errors import InputError
from imprimatur.store import attachments, drafts
from imprimatur.store.drafts import Draft
from imprimatur.store.engine import Database

MOST_FILES = 20


@dataclass(frozen=True)
class UploadRules:
    """How large an attached file may be, and of which media types."""

    most_bytes: int
    media_types: frozenset[str]

    def check(self, name: str, content: bytes, media_type: str) -> None:
        """Raises InputError ``attachment_too_large`` or ``attachment_type``."""
        if len(content) > self.most_bytes:
            raise InputError(
                "attachment_too_large",
                f"{name} has {len(content) / 1_048_576:.1f} MiB; at most {self.most_bytes // 1_048_576} MiB are taken.",
                "Attach a smaller file, or say where it is kept.",
            )
        if media_type not in self.media_types:
            raise InputError(
                "attachment_type",
                f"Files such as {name} are not taken.",
                "Save it as PDF, or as one of the kinds named beside the field.",
            )


def attached(
    database: Database, rules: UploadRules, found: Draft, name: str, content: bytes, media_type: str, now: dt.datetime
) -> dict[str, Any]:
    """Keeps the file; answers the draft's body with it, which is still to be saved.

    Raises InputError ``attachment_too_large``, ``attachment_type`` or ``attachments_full``.
    """
    rules.check(name, content, media_type)
    before = list(found.body.get("attachments") or ())
    if len(before) >= MOST_FILES:
        raise InputError("attachments_full", f"A proposal has at most {MOST_FILES} files.", "Remove one first.")
    digest = attachments.keep_file(database, content, found.owner, now)
    named = {"name": name, "sha256": digest, "media_type": media_type}
    return found.body | {"attachments": [item for item in before if item["sha256"] != digest] + [named]}


def without(found: Draft, digest: str) -> dict[str, Any]:
    """The draft's body without the file, which is still to be saved; then it can be forgotten."""
    kept = [file for file in found.body.get("attachments") or () if file["sha256"] != digest]
    return found.body | {"attachments": kept}


def file_named(database: Database, found: Draft, digest: str) -> tuple[Mapping[str, Any], bytes]:
    """A file that a draft names, with what it is called. Raises NotFound ``attachment_unknown``."""
    named = next((item for item in found.body.get("attachments") or () if item["sha256"] == digest), None)
    if named is None:
        raise attachments.unknown_file()
    return named, attachments.file_of(database, digest, found.owner)


def discard(database: Database, found: Draft) -> None:
    """Deletes a draft, and its files where nothing else names them."""
    drafts.remove(database, found.owner, found.draft_id)
    for file in found.body.get("attachments") or ():
        attachments.forget_unused(database, file["sha256"], found.owner)
