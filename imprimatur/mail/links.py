"""Signed personal links. A link names a task and a person; what it may do is decided when it is used."""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from itsdangerous import BadSignature, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode

from imprimatur.errors import Gone, InputError, NotFound
from imprimatur.settings import Settings

# A task can stay open for long; the limit only stops links from living for ever.
LINK_DAYS = 180
LINK_SALT = b"imprimatur.task-link"
SIGNATURE_LENGTH = 22
REPLY_SALT = b"imprimatur.reply-address"
SIGN_IN_SALT = b"imprimatur.sign-in"
BOUNCE_SALT = b"imprimatur.bounce-address"
# How long a page may stay open before its form is sent.
FORM_HOURS = 24
FORM_SALT = b"imprimatur.form"


@dataclass(frozen=True)
class LinkClaim:
    task_id: str
    person: str
    signed_at: dt.datetime


def secret_keys(settings: Settings) -> list[str]:
    """Of the installation, the one that signs first. Raises InputError ``secret_keys_missing``."""
    given = settings.secret_keys.get_secret_value() if settings.secret_keys else ""
    keys = [key.strip() for key in given.split(",") if key.strip()]
    if not keys or any(len(key) < 32 for key in keys):
        raise InputError(
            "secret_keys_missing",
            "IMPRIMATUR_SECRET_KEYS holds no key of at least 32 characters.",
            "Make one with: python -c 'import secrets;print(secrets.token_urlsafe(48))'",
        )
    return keys


class Links:
    """The first key signs, every key verifies, so keys can be rotated."""

    def __init__(self, secret_keys: list[str], base_url: str) -> None:
        # itsdangerous signs with the last key of its list.
        keys = list(reversed(secret_keys))
        self.keys = keys
        self._signer = TimestampSigner(keys, salt=LINK_SALT, sep=".")
        self._reply_signer = TimestampSigner(keys, salt=REPLY_SALT, sep=".")
        self._bounce_signer = TimestampSigner(keys, salt=BOUNCE_SALT, sep=".")
        self.base_url = base_url

    @classmethod
    def from_settings(cls, settings: Settings, base_url: str) -> "Links":
        """Raises InputError ``secret_keys_missing``."""
        return cls(secret_keys(settings), base_url)

    def task_url(self, task_id: str, person: str) -> str:
        return f"{self.base_url}/t/{self.token(task_id, person)}"

    def token(self, task_id: str, person: str) -> str:
        payload = base64_encode(f"{task_id} {person}").decode()
        return self._signer.sign(payload).decode()

    def case_url(self, case_id: str) -> str:
        """Its page, for whoever signs in and may see it."""
        return f"{self.base_url}/cases/{case_id}"

    def act_url(self, case_id: str, act: str, **chosen: str) -> str:
        """The form of an act on a case; ``chosen`` is what the form has filled in already."""
        return f"{self.case_url(case_id)}/acts/{act}?{urlencode(chosen)}"

    def incident_url(self, incident_id: str) -> str:
        return f"{self.base_url}/incidents/{incident_id}"

    def signer(self, purpose: bytes) -> TimestampSigner:
        """For something else that is to be known again; what is signed for one purpose is good for no other."""
        return TimestampSigner(self.keys, salt=purpose, sep=".")

    def sign_in_url(self, link_id: str) -> str:
        return f"{self.base_url}/sign-in/{self.signer(SIGN_IN_SALT).sign(link_id).decode()}"

    def read_sign_in(self, token: str) -> str:
        """The link's id; how old it may be is known where it is kept. Raises NotFound ``sign_in_link_unknown``."""
        try:
            return self.signer(SIGN_IN_SALT).unsign(token).decode()
        except (BadSignature, ValueError) as error:
            raise NotFound(
                "sign_in_link_unknown",
                "This link to sign in is not one of ours, or it was cut off.",
                "Ask for a new link.",
            ) from error

    def reply_secret(self, task_id: str, person: str) -> str:
        """Part of a reply address: letters, digits, dots and dashes only, bound to task and person."""
        signed = self._reply_signer.get_signature(f"{task_id} {person}").decode()
        return f"{task_id}.{signed[:SIGNATURE_LENGTH]}"

    def is_reply_secret(self, task_id: str, person: str, signature: str) -> bool:
        """Whichever key signed it, and in any case of its letters, for relays may change that."""
        return _is_signed(self._reply_signer, f"{task_id} {person}", signature)

    def bounce_secret(self, mail_id: str) -> str:
        """Part of the address to which relays report on a mail: it names the mail, and nobody can make up another."""
        signed = self._bounce_signer.get_signature(mail_id).decode()
        return f"{mail_id}.{signed[:SIGNATURE_LENGTH]}"

    def is_bounce_secret(self, mail_id: str, signature: str) -> bool:
        """As for the secret of a reply address."""
        return _is_signed(self._bounce_signer, mail_id, signature)

    def form_value(self, task_id: str, person: str) -> str:
        """A one-time value for a form on the page of a task; nothing is kept of it until it comes back."""
        return self._form_signer(task_id, person).sign(secrets.token_urlsafe(12)).decode()

    def read_form_value(self, value: str, task_id: str, person: str) -> str | None:
        """What tells the value from others; None when it was not made for them, or too long ago."""
        try:
            hours = dt.timedelta(hours=FORM_HOURS).total_seconds()
            return self._form_signer(task_id, person).unsign(value, max_age=int(hours)).decode()
        except (BadSignature, ValueError):
            return None

    def _form_signer(self, task_id: str, person: str) -> TimestampSigner:
        return TimestampSigner(self.keys, salt=FORM_SALT + f" {task_id} {person}".encode(), sep=".")

    def read(self, token: str) -> LinkClaim:
        """Raises NotFound ``link_invalid`` for a forged or damaged link, Gone ``link_expired`` for an old one."""
        try:
            payload, signed_at = self._signer.unsign(token, return_timestamp=True)
            task_id, _, person = base64_decode(payload).decode().partition(" ")
        except (BadSignature, ValueError) as error:
            raise NotFound(
                "link_invalid",
                "This link is not one of ours, or it was cut off.",
                "Open it again from the mail, or copy it whole.",
            ) from error
        # One that another machine's clock dates into the future is not old.
        if dt.datetime.now(dt.UTC) - signed_at > dt.timedelta(days=LINK_DAYS):
            raise Gone(
                "link_expired",
                f"This link is older than {LINK_DAYS} days.",
                "Ask the governance office to send you a new one.",
            )
        return LinkClaim(task_id, person, signed_at)


def _is_signed(signer: TimestampSigner, value: str, signature: str) -> bool:
    found = False
    for key in signer.secret_keys:
        signed = base64_encode(signer.algorithm.get_signature(signer.derive_key(key), value.encode())).decode()
        found |= hmac.compare_digest(signed[:SIGNATURE_LENGTH].lower(), signature.lower())
    return found
