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


def without(text: str, *secrets: str | None) -> str:
    """A text of the other side, which may repeat what we told it, plain or in base64."""
    for secret in secrets:
        if secret:
            for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
                text = text.replace(form, HIDDEN)
    return text
