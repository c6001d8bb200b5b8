"""Awarding and revoking badges. A learner has one badge of a micro-credential, however often it is awarded."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from imprimatur import ids
from imprimatur.errors import Gone, NotFound, Refused
from imprimatur.publication.badges import Learner, badge_credential
from imprimatur.publication.keys import Keyring
from imprimatur.publication.reading import published_record
from imprimatur.publication.record import PublishedCredential
from imprimatur.publication.status_lists import SIZE, place_of, status_list_credential
from imprimatur.store import badges as kept
from imprimatur.store.badges import KeptBadge
from imprimatur.store.published import sources
from models.vocabulary import RecordStatus

AWARDED, PRESENT, REVOKED = "awarded", "present", "revoked"


@dataclass(frozen=True)
class Award:
    """``result``: ``awarded`` now, ``present`` before, or ``revoked`` before and not awarded anew."""

    badge_id: str
    url: str
    result: str


class Awarder:
    """Awards one published micro-credential; a number of learners share a transaction.

    Raises NotFound ``publication_unknown``, Refused ``key_missing``.
    """

    def __init__(self, keyring: Keyring, name: str) -> None:
        self._database, self._vault = keyring.database, keyring.vault
        self.record = published_record(self._database, name)
        self._achievement = sources(self._database, name).achievement
        self._signer = keyring.signer()

    def award(self, learners: Sequence[Learner], at: dt.datetime, *, again: bool = False) -> list[Award]:
        """One answer a learner, in their order; ``again`` awards anew what was revoked.

        Raises NotFound ``publication_unknown`` for what is still to be published, Gone ``record_retracted``.
        """
        self._check_status()
        marks = [self._marks(learner.email) for learner in learners]
        with self._database.write() as connection:
            kept.take_turns(connection)
            present = kept.badges_of(connection, self.record.slug, [mark for some in marks for mark in some])
            position = kept.next_position(connection, self.record.slug)
            made: list[KeptBadge] = []
            answers = []
            for learner, some in zip(learners, marks, strict=True):
                before = next((present[mark] for mark in some if mark in present), None)
                if before is not None and not (again and before.revoked_at):
                    answers.append(self._answer(before, REVOKED if before.revoked_at else PRESENT))
                    continue
                if before is not None:
                    # The place of the learner's badge is free again; the revoked one stays what it is.
                    kept.rename_learner(connection, before.badge_id, f"{before.learner} {before.badge_id}")
                found = self._made(learner, some[0], position + len(made), at)
                made.append(found)
                present[some[0]] = found
                answers.append(self._answer(found, AWARDED))
            kept.add_badges(connection, made)
            for number in sorted({place_of(found.position)[0] for found in made}):
                if not kept.has_status_list(connection, self.record.slug, number):
                    self._sign_list(connection, number, at)
        return answers

    def _check_status(self) -> None:
        """What is taught out or replaced goes on being awarded: its last learners finish later."""
        if not self.record.status.is_public:
            raise NotFound(
                "publication_unknown",
                f"{self.record.title} is not public yet.",
                "Award its badges once it is: see `starter.py publication show`.",
            )
        if self.record.status is RecordStatus.RETRACTED:
            raise Gone(
                "record_retracted",
                f"{self.record.title} was retracted, so no more badges of it are awarded.",
                "Badges that were awarded before stay as they are.",
            )

    def revoke(self, badge_id: str, reason: str, at: dt.datetime) -> KeptBadge:
        """Again it changes nothing. Raises Refused ``reason_required``, NotFound ``badge_unknown``."""
        if not reason.strip():
            raise Refused("reason_required", "A badge is revoked for a reason.", "Give it with --reason.")
        with self._database.write() as connection:
            kept.take_turns(connection)
            found = kept.badge_in(connection, badge_id)
            if found.revoked_at is None:
                kept.revoke(connection, badge_id, at, reason.strip())
                self._sign_list(connection, place_of(found.position)[0], at)
                found = found.model_copy(update={"revoked_at": at, "reason": reason.strip()})
        return found

    def _marks(self, email: str) -> list[str]:
        return self._vault.marks(f"{self.record.slug} {email.strip().lower()}")

    def _made(self, learner: Learner, mark: str, position: int, at: dt.datetime) -> KeptBadge:
        badge_id = ids.new_badge_id()
        credential = badge_credential(
            self.record, self._achievement, learner, badge_id=badge_id, position=position, at=at
        )
        return KeptBadge(
            badge_id=badge_id,
            slug=self.record.slug,
            position=position,
            learner=mark,
            token=self._signer.sign(credential),
            issued_at=at,
        )

    def _answer(self, found: KeptBadge, result: str) -> Award:
        return Award(found.badge_id, badge_address(self.record, found.badge_id), result)

    def _sign_list(self, connection: Connection, number: int, at: dt.datetime) -> None:
        first = (number - 1) * SIZE
        revoked = kept.revoked_positions(connection, self.record.slug, first, first + SIZE)
        token = self._signer.sign(status_list_credential(self.record, number, revoked, at))
        kept.put_status_list(connection, self.record.slug, number, token, at)


def badge_address(record: PublishedCredential, badge_id: str) -> str:
    return f"{record.base_url}/badges/{badge_id}"


def revoke_badge(keyring: Keyring, badge_id: str, reason: str, at: dt.datetime) -> KeptBadge:
    found = kept.badge(keyring.database, badge_id)
    return Awarder(keyring, found.slug).revoke(badge_id, reason, at)
