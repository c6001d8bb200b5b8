"""Takes an incoming message apart: who sent it, what it says, what is attached. Nothing in it is trusted or run.

Memory is bounded before the standard library parses anything: it makes an object of every part, and calls itself for
every level.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

from imprimatur.mail.replies.automatic import kind_of
from imprimatur.mail.replies.decoding import decoded, header, unflowed
from imprimatur.mail.replies.markup import text_of_html
from imprimatur.mail.replies.sender import sole_sender
from models.vocabulary import InboundKind

LONGEST_HEADERS_BYTES = 256 * 1024
MOST_NESTED = 40
MOST_BOUNDARIES = 10_000
LONGEST_TEXT = 100_000
LONGEST_HTML = 300_000
MOST_ATTACHMENTS = 200
RESULTS = "authentication-results"
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_CONTAINER = re.compile(rb"content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_IDENTIFIER = re.compile(r"<[!-;=?-~]{1,250}>")
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_BODIES = frozenset({"text/plain", "text/html"})


@dataclass(frozen=True)
class Attachment:
    """``size`` is in bytes, ``digest`` the SHA-256 of the decoded content."""

    name: str
    media_type: str
    size: int
    digest: str


@dataclass(frozen=True)
class Letter:
    """``sender`` is None unless the message names exactly one. ``texts`` says the same twice when it has two forms.

    ``sealed``: what it says is encrypted, or wrapped in a signature that cannot be opened here. ``results`` are its
    Authentication-Results, topmost first; so many ``hops``, Received headers, stand above the first of them.
    """

    kind: InboundKind
    message_id: str | None = None
    sender: str | None = None
    subject: str = ""
    texts: tuple[str, ...] = ()
    sealed: bool = False
    attachments: tuple[Attachment, ...] = ()
    results: tuple[str, ...] = ()
    hops: int = 0


UNREADABLE = Letter(InboundKind.UNREADABLE)


def take_apart(raw: bytes, *, with_content: bool = True) -> Letter:
    """Never raises: what cannot be read is a letter of the kind ``unreadable``.

    Without its content a letter has neither texts nor attachments: of a stranger's mail the head is enough.
    """
    if not is_bounded(raw):
        return UNREADABLE
    try:
        return _letter(message_from_bytes(raw), with_content)
    except (MessageError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
        return UNREADABLE


def is_bounded(raw: bytes) -> bool:
    """Whether the library can parse a message without more memory or depth than any honest one needs."""
    head = raw[: LONGEST_HEADERS_BYTES + 4]
    endless = _HEADERS_END.search(head) is None and len(raw) > LONGEST_HEADERS_BYTES
    return not endless and raw.count(b"\n--") <= MOST_BOUNDARIES and len(_CONTAINER.findall(raw)) <= MOST_NESTED


def _letter(message: Message, with_content: bool) -> Letter:
    found = _Parts()
    if with_content:
        found.read(message)
    identifier = _IDENTIFIER.search(header(message, "Message-ID"))
    return Letter(
        kind_of(message),
        identifier.group() if identifier else None,
        sole_sender([str(value) for value in message.get_all("From", [])]),
        header(message, "Subject"),
        tuple(text[:LONGEST_TEXT] for text in found.texts() if text.strip()),
        found.sealed,
        tuple(found.attachments[:MOST_ATTACHMENTS]),
        tuple(str(value) for value in message.get_all(RESULTS, [])),
        _hops_above_results(message),
    )


def _hops_above_results(message: Message) -> int:
    names = [name.lower() for name in message.keys()]  # noqa: SIM118  (a message is not iterable by its names)
    above = names[: names.index(RESULTS)] if RESULTS in names else names
    return above.count("received")


class _Parts:
    """Walks a message as its reader's program shows it: the inline texts in order, everything else an attachment."""

    def __init__(self) -> None:
        self.plain: list[str] = []
        self.html: list[str] = []
        self.attachments: list[Attachment] = []
        self.sealed = False

    def texts(self) -> Iterator[str]:
        yield "\n".join(self.plain)
        yield "\n".join(self.html)

    def read(self, part: Message) -> None:
        kind = part.get_content_type()
        if kind in _ENCRYPTED:
            self.sealed = True
            self._attach(part)
        elif kind == "message/rfc822" or part.get_content_maintype() == "message":
            self._attach(part)
        elif part.is_multipart():
            self._read_several(part, kind)
        elif kind in _BODIES and not _is_file(part):
            self._read_text(part, kind)
        elif kind not in _SIGNATURES:
            self._attach(part)

    def _read_several(self, part: Message, kind: str) -> None:
        children = [child for child in _children(part) if isinstance(child, Message)]
        if kind == "multipart/signed":
            # The second part is the signature over the first.
            children = children[:1]
        for child in children:
            self.read(child)

    def _read_text(self, part: Message, kind: str) -> None:
        text = decoded(part)
        if kind == "text/html":
            self.html.append(text_of_html(text[:LONGEST_HTML]))
        else:
            self.plain.append(unflowed(text, part))

    def _attach(self, part: Message) -> None:
        content = _content(part)
        digest = hashlib.sha256(content).hexdigest()
        name = part.get_filename() or ""
        self.attachments.append(Attachment(str(name)[:250], part.get_content_type()[:100], len(content), digest))


def _children(part: Message) -> list[object]:
    payload = part.get_payload()
    return list(payload) if isinstance(payload, list) else []


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _content(part: Message) -> bytes:
    if part.is_multipart():
        # A forwarded message or a sealed one, as it came. The library cannot write down again all that it reads.
        try:
            return part.as_bytes()
        except (MessageError, LookupError, ValueError, TypeError, AttributeError):
            return b""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
