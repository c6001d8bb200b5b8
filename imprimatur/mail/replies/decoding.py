"""Bytes to text, whatever a message says about them: what it says may be wrong, missing or hostile."""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

LONGEST_HEADER = 4_000
# Codecs that are no character sets, or that take quadratic time.
_NO_CHARSETS = frozenset({"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})
_LABELS = {"iso-8859-8-i": "iso-8859-8", "x-sjis": "cp932", "shift_jis": "cp932",
           "iso-8859-1": "cp1252", "us-ascii": "utf-8", "ks_c_5601-1987": "cp949",
           "gb2312": "gb18030", "unicode-1-1-utf-7": "utf-7"}  # fmt: skip
# What no reader sees, and what would hide a word from the grammar: controls, zero-width characters, directions.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)
_BLANK = re.compile(r"[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_BREAK = re.compile(r"\r\n|[\r\x85\u2028\u2029]")


def decoded(part: Message) -> str:
    """The text of a part, without what nobody can see."""
    payload = part.get_payload(decode=True)
    return cleaned(text_of_bytes(payload if isinstance(payload, bytes) else b"", _charset(part)))


def text_of_bytes(content: bytes, charset: str) -> str:
    """By the charset named if it fits, else as UTF-8, else by the one that Windows writes in the west."""
    for name in (charset, "utf-8"):
        codec = _codec(name)
        if codec is None:
            continue
        try:
            return content.decode(codec)
        except (UnicodeError, ValueError):
            continue
    fallback = _codec(charset) or "cp1252"
    try:
        return content.decode(fallback, "replace")
    except (UnicodeError, ValueError):
        return content.decode("cp1252", "replace")


def cleaned(text: str) -> str:
    """Lines ended by a line feed, blanks that are blanks, and nothing unseen."""
    return _BLANK.sub(" ", _UNSEEN.sub("", _BREAK.sub("\n", text)))


def _charset(part: Message) -> str:
    try:
        return str(part.get_content_charset() or "us-ascii")
    except (LookupError, UnicodeError, ValueError):
        return "us-ascii"


def _codec(label: str) -> str | None:
    name = label.strip().strip("'\"").lower()
    try:
        found = codecs.lookup(_LABELS.get(name, name))
    except (LookupError, ValueError, UnicodeError):
        return None
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name.replace("-", "_") not in _NO_CHARSETS else None


def header(message: Message, name: str) -> str:
    """A header as a person reads it, on one line; empty when there is none."""
    # As it came: the library answers bytes that are not ASCII with signs of doubt.
    found = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    value = text_of_bytes(found[:LONGEST_HEADER].encode("utf-8", "surrogateescape"), "utf-8")
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        parts = [(value, None)]
    texts = [part if isinstance(part, str) else text_of_bytes(part, charset or "us-ascii") for part, charset in parts]
    return " ".join(cleaned("".join(texts)).split())


def unflowed(text: str, part: Message) -> str:
    """Joins the lines that `format=flowed` (RFC 3676) has broken; quoted lines stay as they are."""
    if str(part.get_param("format", "")).lower() != "flowed":
        return text
    delete = str(part.get_param("delsp", "")).lower() == "yes"
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        own = not line.startswith(">")
        plain = line[1:] if own and line.startswith(" ") else line
        if open_line and own and plain != "-- ":
            lines[-1] = (lines[-1][:-1] if delete else lines[-1]) + plain
        else:
            lines.append(plain)
        open_line = own and plain.endswith(" ") and plain != "-- "
    return "\n".join(lines)
