"""Mutations of the corpus and plain noise against the reading of replies; `make fuzz` runs 100,000 of them.

Whatever comes in: nothing is raised, and nobody's verdict comes out that nobody has written at the beginning of a line.
"""

import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from functools import cache

from imprimatur.mail.replies.decoding import decoded, text_of_bytes
from imprimatur.mail.replies.grammar import Answer, meaning
from imprimatur.mail.replies.letter import take_apart
from imprimatur.mail.replies.markup import text_of_html
from models.vocabulary import InboundKind, Verdict
from tests.corpus import Sample, samples, understood

INPUTS = 100_000
FRAGMENTS = [
    b"\r\n\r\n", b"--b1_Qx\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
    b"Content-Type: text/html\r\n\r\n", b"=?utf-8?b?", b"> ", b"<blockquote>", b"</div>", b"<!--", b"\x00",
    b"\xff\xfe", b"-- \r\n", b"From: x@y.example\r\n",
    b"charset=punycode", b"charset=utf-7", b"Content-Transfer-Encoding: base64\r\n", b"=3D=\r\n", b"wrote:\r\n",
    b"Auto-Submitted: auto-replied\r\n", b"outcomes: 4\r\n", b"&#x0;&nbsp", b"begin 644 x\r\n", b"\r",
]  # fmt: skip


@dataclass(frozen=True)
class Input:
    """``allowed``: the verdicts that begin a line of what it was made of."""

    raw: bytes
    allowed: frozenset[Verdict]
    by_machine: bool = False


@cache
def written(sample: Sample) -> frozenset[Verdict]:
    """Also in quotes, attachments and hidden places, and where more stands beside it: what a mutation might bring to
    light, or cut free."""
    texts = [text_of_bytes(sample.raw, "utf-8")]
    for part in message_from_bytes(sample.raw).walk():
        if part.get_content_maintype() == "text":
            texts += [decoded(part), text_of_html(decoded(part).replace("display:none", ""))]
    lines = [re.sub(r"^[>\s~]+|[\s~]+$", "", line) for text in texts for line in text.split("\n")]
    found = {meaning(words) for line in lines if line for words in (line, line.split()[0])}
    return frozenset(verdict for verdict in found if verdict)


@cache
def is_marked_by_its_head(sample: Sample) -> bool:
    """Whether the headers alone tell that a machine sent it."""
    kind = take_apart(sample.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n").kind
    return kind in (InboundKind.AUTOMATIC, InboundKind.BOUNCE, InboundKind.LIST)


def _flipped(raw: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 12)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)


def _cut(raw: bytearray, chance: random.Random) -> None:
    begin = chance.randrange(len(raw))
    del raw[begin : begin + chance.choice([1, 10, 100, 5_000])]


def _inserted(raw: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(raw) + 1)
        raw[at:at] = chance.choice(FRAGMENTS) * chance.choice([1, 1, 1, 50])


def _repeated(raw: bytearray, chance: random.Random) -> None:
    begin = chance.randrange(len(raw))
    raw[begin:begin] = raw[begin : begin + chance.randint(1, 400)] * chance.randint(1, 8)


def _lines_moved(raw: bytearray, chance: random.Random) -> None:
    lines = raw.split(b"\r\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    raw[:] = b"\r\n".join(lines)


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [_flipped, _cut, _inserted, _repeated, _lines_moved]


def make(number: int) -> Input:
    """The same number makes the same input."""
    chance = random.Random(number)
    sample = chance.choice(samples())
    way = chance.random()
    if way < 0.05:
        return Input(chance.randbytes(chance.randint(0, 2_000)), frozenset())
    if way < 0.15:
        other = chance.choice(samples())
        at, to = chance.randrange(len(sample.raw)), chance.randrange(len(other.raw))
        return Input(sample.raw[:at] + other.raw[to:], written(sample) | written(other))
    head, blank, body = sample.raw.partition(b"\r\n\r\n")
    by_machine = is_marked_by_its_head(sample)
    # What a machine sent stays a machine's, whatever is done to its body.
    whole = bytearray(body if by_machine else sample.raw)
    for _ in range(chance.randint(1, 3)):
        if whole:
            chance.choice(MUTATIONS)(whole, chance)
    raw = head + blank + bytes(whole) if by_machine else bytes(whole)
    return Input(raw, written(sample), by_machine)


def problem(made: Input) -> str | None:
    """What is wrong with how an input is understood; None when nothing is."""
    letter, said = understood(made.raw)
    if made.by_machine and letter.kind is InboundKind.REPLY:
        return "what a machine sent counts as a person's reply"
    if isinstance(said, Answer) and said.verdict not in made.allowed:
        return f"{said.verdict} was decided, which nobody wrote"
    return None


def run(numbers: range) -> Iterator[str]:
    for number in numbers:
        found = problem(make(number))
        if found is not None:
            yield f"input {number}: {found}"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else INPUTS
    problems = list(run(range(count)))
    print("\n".join([*problems, f"{count} inputs, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
