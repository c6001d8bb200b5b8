"""To which of our addresses a message came, by its headers."""

import re
from email.errors import MessageError
from email.parser import BytesHeaderParser

LONGEST_HEAD_BYTES = 256 * 1024
_REPLY_ADDRESS = re.compile(r"(?:review|bounce)\+[\w.-]+@[\w.-]+", re.IGNORECASE)
_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")


def reply_addresses(raw: bytes) -> list[str]:
    """Those that the headers name as recipients; those of the delivery come first."""
    head = raw[:LONGEST_HEAD_BYTES].partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]
    try:
        headers = BytesHeaderParser().parsebytes(head + b"\n\n")
        values = [str(value) for name in _HEADERS for value in headers.get_all(name, [])]
    except (MessageError, ValueError, LookupError):
        return []
    return _REPLY_ADDRESS.findall("\n".join(values))
