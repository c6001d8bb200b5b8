"""Certificates of relay and mailbox, and texts in which no secret stands."""

import base64
import ssl
from pathlib import Path

from imprimatur.errors import InputError

HIDDEN = "***"


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificates and host names against this system's authorities, and against those of a file.

    Raises InputError ``mail_ca_file_unusable``.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                "mail_ca_file_unusable",
                f"MAIL_CA_FILE names no certificates that can be read: {ca_file}.",
                "Name a PEM file of certificate authorities.",
            ) from error
    return context


def without(text: str, username: str | None, *secrets: str | None) -> str:
    """A text of the other side, which may repeat what we told it: plain, in base64, or as a login spells it."""
    for secret in filter(None, secrets):
        plain = f"\0{username or ''}\0{secret}"
        bearer = f"user={username or ''}\1auth=Bearer {secret}\1\1"
        for form in (base64.b64encode(said.encode()).decode() for said in (plain, bearer, secret)):
            text = text.replace(form, HIDDEN).replace(form.rstrip("="), HIDDEN)
        text = text.replace(secret, HIDDEN)
    return text
