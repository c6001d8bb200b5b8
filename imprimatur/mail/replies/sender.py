"""Who sent a message, by its From and by what the institution's own relay attests about it (RFC 8601)."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

_NAMED = re.compile(r'(?P<name>(?:"(?:[^"\\]|\\.){0,500}"|[^"<>,]){0,2000})<(?P<address>[^<>\s,;"()]{1,320})>')
_BARE = re.compile(r'[^<>\s,;"():@]{1,200}@[^<>\s,;"():@]{1,250}')
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?"
_METHOD = re.compile(rf"(?P<method>spf|dkim|dmarc)(?:/\d+)?\s*=\s*(?P<result>{_WORD})(?P<rest>.*)", re.I | re.S)
_PROPERTY = re.compile(r'(?P<name>[a-z]+\.[a-z-]+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s;"]+))', re.IGNORECASE)
LONGEST_RESULTS = 10_000


def sole_sender(values: Sequence[str]) -> str | None:
    """The address of the only From; None when there are several, or when two readers could see two different ones."""
    if len(values) != 1 or len(values[0]) > 4_000:
        return None
    value = re.sub(r"\r?\n[ \t]+", " ", values[0]).strip()
    if not value.isprintable():
        return None
    if _BARE.fullmatch(value):
        return canonical(value)
    found = _NAMED.fullmatch(value)
    if found is None or not _BARE.fullmatch(found["address"]):
        return None
    # An address as a name is a habit of some programs; another address than the real one is an attempt.
    shown = re.findall(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+", found["name"])
    address = canonical(found["address"])
    return address if all(canonical(other) == address for other in shown) else None


def canonical(address: str) -> str:
    """Lowercase, the domain as the wire spells it: the same mailbox in one spelling."""
    local, _, domain = address.strip().lower().rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    return f"{local}@{domain}"


@dataclass(frozen=True)
class Result:
    """One method's result, with its properties in lowercase."""

    method: str
    result: str
    properties: dict[str, str]


def attested_by(results: Sequence[str], authserv_id: str, sender: str, unnamed: str = "") -> str | None:
    """``dmarc``, ``dkim`` or ``spf``: what vouches for the domain of ``sender``; None when nothing does.

    Only results of the given authserv-id count, and those of the ``unnamed`` header, which is the relay's own without
    saying so. Where DMARC fails nothing else is asked.
    """
    domain = sender.rpartition("@")[2]
    found = _results(results, authserv_id, unnamed)
    if _is_disowned(found, domain):
        return None
    if any(result.result == "pass" for result in _dmarc(found, domain)):
        return "dmarc"
    passed = [result for result in found if result.result == "pass"]
    for method, names in (("dkim", ("header.d", "header.i")), ("spf", ("smtp.mailfrom", "smtp.mail"))):
        for result in passed:
            if result.method == method and any(covers(result.properties.get(name), domain) for name in names):
                return method
    return None


def is_disowned(results: Sequence[str], authserv_id: str, sender: str, unnamed: str = "") -> bool:
    """Whether the relay found that the domain of ``sender`` does not stand by the message."""
    return _is_disowned(_results(results, authserv_id, unnamed), sender.rpartition("@")[2])


def _results(values: Sequence[str], authserv_id: str, unnamed: str) -> list[Result]:
    named = [result for value in values for result in parse_results(value, authserv_id)]
    return [*named, *parse_unnamed(unnamed)]


def _is_disowned(found: Sequence[Result], domain: str) -> bool:
    return any(result.result in ("fail", "permerror") for result in _dmarc(found, domain))


def _dmarc(found: Sequence[Result], domain: str) -> list[Result]:
    of_domain = (result for result in found if result.method == "dmarc")
    return [result for result in of_domain if result.properties.get("header.from", "").rpartition("@")[2] == domain]


def covers(value: str | None, domain: str) -> bool:
    """The same domain, or one above it. One below it may be in other hands: that is DMARC's to say."""
    owner = (value or "").rpartition("@")[2]
    return "." in owner and (owner == domain or domain.endswith(f".{owner}"))


def parse_results(value: str, authserv_id: str) -> Iterator[Result]:
    """What one header says, if it is by the relay of that name; comments say nothing."""
    if len(value) > LONGEST_RESULTS or not authserv_id:
        return
    parts = _split(_without_comments(value))
    name = parts[0].strip().split(" ")[0].strip().strip('"').lower()
    if name == authserv_id.strip().lower():
        yield from _parsed(parts[1:])


def parse_unnamed(value: str) -> Iterator[Result]:
    """What a header says that names no relay: such as begins with its first result."""
    parts = _split(_without_comments(value)) if len(value) <= LONGEST_RESULTS else []
    if parts and _METHOD.fullmatch(parts[0].strip()):
        yield from _parsed(parts)


def _parsed(parts: Sequence[str]) -> Iterator[Result]:
    for part in parts:
        if (found := _METHOD.fullmatch(part.strip())) is not None:
            properties = {
                item["name"].lower(): (item["quoted"] or item["value"] or "").lower()
                for item in _PROPERTY.finditer(found["rest"])
            }
            yield Result(found["method"].lower(), found["result"].lower(), properties)


def _without_comments(value: str) -> str:
    """Parentheses nest, and mean nothing inside quotes."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in value:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif character == "(" and not quoted:
            depth += 1
            continue
        elif character == ")" and not quoted and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(" " if character in "\r\n\t" else character)
    return "".join(kept)


def _split(text: str) -> list[str]:
    """At semicolons outside of quotes."""
    parts, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == ";" and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts
