"""Messages after the habits of real mail programs, with what each of them says; for tests."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from imprimatur.mail.replies.grammar import Answer, Unclear, read_answer
from imprimatur.mail.replies.letter import Letter, take_apart

FOLDER = Path(__file__).with_name("mail_corpus")
CRITERIA = ("outcomes", "assessment", "workload", "need", "value", "fit", "no_duplication")


@dataclass(frozen=True)
class Sample:
    """``says`` holds its kind, and of a reply the verdict with comment and scores, or the doubt."""

    name: str
    says: dict[str, Any] = field(compare=False)

    @property
    def raw(self) -> bytes:
        return (FOLDER / f"{self.name}.eml").read_bytes()

    @property
    def verdict(self) -> str | None:
        return self.says.get("verdict")


@cache
def samples() -> tuple[Sample, ...]:
    document = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
    return tuple(Sample(name, says) for name, says in document.items())


def understood(raw: bytes) -> tuple[Letter, Answer | Unclear | None]:
    """What a message is and says; None of one that is no reply."""
    letter = take_apart(raw)
    return letter, read_answer(letter, CRITERIA) if letter.kind == "reply" else None
