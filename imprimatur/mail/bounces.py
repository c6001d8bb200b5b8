"""Reads what relays say of mail that they could not deliver, or not yet: RFC 3464, and the habits of older programs.

Pure, and never raises: what cannot be read says nothing. Whether a report is believed is decided elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.errors import MessageError
from email.message import Message

from imprimatur.mail.replies.decoding import decoded, header
from imprimatur.mail.replies.letter import is_bounded
from models.vocabulary import ReportAction

LONGEST_TEXT = 20_000
MOST_RECIPIENTS = 50
MOST_IDENTIFIERS = 20
_STATUSES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_COPIES = frozenset(
    {
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-#(]+(?:\d\.\d|[a-z<(#]))", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>;:,()\"]{1,64}@[^\s<>;:,()\"]{1,255}")
_IDENTIFIER = re.compile(r"^message-id:\s*(<[!-;=?-~]{1,250}>)", re.IGNORECASE | re.MULTILINE)
_REFERRED = re.compile(r"<[!-;=?-~]{1,250}>")
# Where a program that knows no parts begins its copy of the mail.
_COPY = re.compile(
    r"^(-+ ?(below this line is a copy|this is a copy of|the header of the original|original message follows"
    r"|the attached file|unsent message)|received:|return-path:)",
    re.IGNORECASE | re.MULTILINE,
)
_LATER = re.compile(
    r"(delay(ed)?\b|still being (re)?tried|will (be retried|keep trying|retry)|not (yet )?been delivered"
    r"|warning: (could not send|message)|verz(ö|oe)ger|noch nicht zugestellt|retard|retrasad)",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"(permanent (fatal )?error|permanent(ly)? fail|fatal errors|(no such|unknown) (user|recipient|mailbox|person)"
    r"|user unknown|(does|do)(n't| not) exist|mailbox (unavailable|not found)|address(es)? failed|no mailbox here)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Told:
    """What a report says of one recipient. ``status`` is an enhanced status code, ``diagnostic`` the relay's words."""

    recipient: str
    action: ReportAction
    status: str | None
    diagnostic: str


@dataclass(frozen=True)
class Bounce:
    """``returned`` are the Message-IDs of the mails that it speaks of, the surest first."""

    told: tuple[Told, ...]
    returned: tuple[str, ...]

    def of(self, recipient: str) -> Told | None:
        """What it says of this recipient, or else of anybody: a mail may have been sent on. The worst counts."""
        own = [told for told in self.told if told.recipient == recipient.lower()] or list(self.told)
        return min(own, key=lambda told: _WORST_FIRST.index(told.action), default=None)


_WORST_FIRST = (
    ReportAction.FAILED,
    ReportAction.DELAYED,
    ReportAction.EXPANDED,
    ReportAction.RELAYED,
    ReportAction.DELIVERED,
)
NOTHING = Bounce((), ())


def read_bounce(raw: bytes) -> Bounce:
    """A report with nothing told where there is nothing to be understood."""
    if not is_bounded(raw):
        return NOTHING
    try:
        return _bounce(message_from_bytes(raw))
    except (MessageError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
        return NOTHING


def _bounce(message: Message) -> Bounce:
    told: list[Told] = []
    texts: list[str] = []
    identifiers: list[str] = []
    for part in _parts(message):
        kind = part.get_content_type()
        if kind in _STATUSES:
            told += [found for block in _blocks(part) if (found := _of_block(block)) is not None]
        elif kind in _COPIES:
            identifiers += _of_copy(part)
        elif part.get_content_maintype() == "text" and not part.is_multipart():
            texts.append(decoded(part)[:LONGEST_TEXT])
    text = "\n".join(texts[:1])
    if not told:
        told = _of_text(message, text)
    identifiers += [found for whole in texts for found in _IDENTIFIER.findall(whole)]
    for name in ("In-Reply-To", "References"):
        identifiers += reversed(_REFERRED.findall(header(message, name)))
    return Bounce(tuple(told[:MOST_RECIPIENTS]), tuple(dict.fromkeys(identifiers))[:MOST_IDENTIFIERS])


def _parts(message: Message) -> Iterator[Message]:
    """Its own parts, and not those of the mail that it returns."""
    if message.get_content_maintype() != "multipart":
        yield message
        return
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _parts(part) if part.get_content_maintype() == "multipart" else (part,)


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields; the first speaks of the report itself, and has no recipient."""
    payload = part.get_payload()
    inner = [item for item in payload if isinstance(item, Message)] if isinstance(payload, list) else []
    for block in inner:
        yield block
        rest = block.get_payload()
        # A program of today may name the part by its newer type, which the library takes for a message.
        if isinstance(rest, str) and rest.strip():
            yield from (message_from_string(group.strip()) for group in re.split(r"\r?\n\s*\r?\n", rest) if group)
    if not inner:
        text = decoded(part)[:LONGEST_TEXT]
        yield from (message_from_string(group.strip()) for group in re.split(r"\r?\n\s*\r?\n", text) if group)


def _of_block(block: Message) -> Told | None:
    recipient = _address(header(block, "Final-Recipient")) or _address(header(block, "Original-Recipient"))
    action, status = header(block, "Action").strip().lower().partition(" ")[0], header(block, "Status")
    if not recipient and not action and not status:
        return None
    diagnostic = _one_line(header(block, "Diagnostic-Code").partition(";")[2] or header(block, "Diagnostic-Code"))
    precise = _precise(status, diagnostic)
    known = ReportAction(action) if action in list(ReportAction) else _by_class(precise)
    return Told(recipient, known, precise, diagnostic) if known is not None else None


def _precise(status: str, diagnostic: str) -> str | None:
    """The status code of the report; of one that says no more than its class, the relay's own where it agrees."""
    stated, said = _STATUS.search(status), _STATUS.search(diagnostic)
    if stated is not None and not stated.group().endswith(".0.0"):
        return stated.group()
    if said is not None and (stated is None or said[1] == stated[1]):
        return said.group()
    if stated is not None:
        return stated.group()
    code = _CODE.search(diagnostic)
    return f"{code[1][0]}.0.0" if code else None


def _by_class(status: str | None) -> ReportAction | None:
    if status is None:
        return None
    return {"2": ReportAction.DELIVERED, "4": ReportAction.DELAYED, "5": ReportAction.FAILED}[status[0]]


def _of_copy(part: Message) -> list[str]:
    payload = part.get_payload()
    if isinstance(payload, list):
        return [found for item in payload if isinstance(item, Message) for found in _own_identifier(item)]
    return _IDENTIFIER.findall(decoded(part)[:LONGEST_TEXT])


def _own_identifier(message: Message) -> list[str]:
    return _REFERRED.findall(header(message, "Message-ID"))[:1]


def _of_text(message: Message, text: str) -> list[Told]:
    """Programs that write prose: qmail, old Exim and sendmail, and what nobody has a name for."""
    copy = _COPY.search(text)
    said = text[: copy.start()] if copy else text
    named = _address(header(message, "X-Failed-Recipients")) or _address(said)
    diagnostic = _one_line(_reason(said))
    later = _LATER.search(header(message, "Subject")) or (_LATER.search(said) and not _NEVER.search(said))
    status, code = _STATUS.search(said), _CODE.search(said)
    exact = status.group() if status else f"{code[1][0]}.0.0" if code else None
    if later:
        return [Told(named, ReportAction.DELAYED, exact, diagnostic)]
    if exact is None and not _NEVER.search(said):
        return []
    return [Told(named, ReportAction.FAILED, exact, diagnostic)]


def _reason(said: str) -> str:
    """From the line that names the recipient on, or from the first that holds a code."""
    lines = [line.strip() for line in said.splitlines()]
    for test in (_STATUS.search, _CODE.search, _NEVER.search, _LATER.search):
        for number, line in enumerate(lines):
            if test(line):
                return " ".join(lines[number : number + 3])
    return ""


def _address(field: str) -> str:
    found = _ADDRESS.search(field)
    return found.group().strip("'.").lower() if found else ""


def _one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()[:400]
