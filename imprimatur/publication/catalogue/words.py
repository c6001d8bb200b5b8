"""What is searched for and found by its words: one normal form of them. The exported site's script does the same."""

import hashlib
import re
import unicodedata

# Of scripts that write no spaces each character is a word of its own.
_ALONE = "\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")
_NO_KEY = re.compile(r"[^\w+#]+|_")
LONGEST_KEY = 60


def normal(text: str) -> str:
    """Small letters without accents: who looks for it may not know how it is written."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def words(text: str) -> list[str]:
    return _WORD.findall(normal(text))


def key_of(label: str) -> str:
    """What names a value in an address and a file; spellings that differ in case, accents or signs are one value."""
    plain = _NO_KEY.sub("-", normal(label)).strip("-").replace("+", "-plus").replace("#", "-sharp")
    if len(plain) <= LONGEST_KEY:
        return plain or "other"
    return f"{plain[:LONGEST_KEY]}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
