"""Workflow patterns, each declared by the test that proves it, and the document that is made of them."""

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

import yaml

from tests.governed import review
from tests.markdown import DOCS

DOCUMENT = DOCS / "patterns.md"
CONTROL, RESOURCE = "WCP", "WRP"
Test = Callable[..., None]
MODULES = (
    "test_branches",
    "test_choices",
    "test_instances",
    "test_cancelling",
    "test_triggers",
    "test_distribution",
    "test_queues",
    "test_detours",
)


@dataclass(frozen=True)
class Pattern:
    """``how`` says in a sentence how it is realised, ``lacks`` what of it is not; ``acts`` are commands beside it."""

    family: str
    number: int
    name: str
    how: str
    snippet: str
    acts: tuple[str, ...]
    lacks: str
    test: str
    module: str

    @property
    def id(self) -> str:
        return f"{self.family}{self.number}"

    @property
    def title(self) -> str:
        return f"{self.id} {self.name}"

    @property
    def anchor(self) -> str:
        kept = "".join(letter for letter in self.title.lower() if letter.isalnum() or letter in " -_")
        return kept.replace(" ", "-")


PATTERNS: dict[str, Pattern] = {}


def control(number: int, name: str, how: str, snippet: str, *acts: str, lacks: str = "") -> Callable[[Test], Test]:
    """Declares a control-flow pattern; its test runs the very snippet that the document shows."""
    return _declared(CONTROL, number, name, how, snippet, acts, lacks)


def resource(number: int, name: str, how: str, snippet: str, *acts: str, lacks: str = "") -> Callable[[Test], Test]:
    """Declares a resource pattern; its test runs the very snippet that the document shows."""
    return _declared(RESOURCE, number, name, how, snippet, acts, lacks)


def _declared(
    family: str, number: int, name: str, how: str, snippet: str, acts: tuple[str, ...], lacks: str
) -> Callable[[Test], Test]:
    def declare(test: Test) -> Test:
        text = textwrap.dedent(snippet).strip()
        module = test.__module__.rpartition(".")[2]
        found = Pattern(family, number, name, how, text, acts, lacks, test.__name__, module)
        assert found.id not in PATTERNS, f"{found.id} is declared twice"
        PATTERNS[found.id] = found
        test.pattern = found  # type: ignore[attr-defined]
        return test

    return declare


def declared() -> list[Pattern]:
    """All patterns, control flow first, by number."""
    for name in MODULES:
        import_module(f"tests.patterns.{name}")
    return sorted(PATTERNS.values(), key=lambda found: (found.family, found.number))


# --- the document ---------------------------------------------------------------------------------------------------

_HEAD = """\
# Workflow patterns

Which workflow patterns an approval engine needs, and how far Imprimatur realises each of them; none is missing
altogether. Numbers and names are those of the [Workflow Patterns Initiative](http://www.workflowpatterns.com):
control flow (WCP) as revised by Russell, ter Hofstede, van der Aalst and Mulyar in 2006, resources (WRP) by Russell,
van der Aalst, ter Hofstede and Edmond in 2005.

This page is made of the tests: `python -m tests.patterns` writes it, and each snippet is the one that its test plays
through the rules and the commit. "In part" means that the core of a pattern is there and something of it is not; the
entry says what.

- [At a glance](#at-a-glance)
- [How to read the snippets](#how-to-read-the-snippets)
- [Control flow](#control-flow)
- [Resources](#resources)

## At a glance

"""

_READING = """\
## How to read the snippets

A snippet is the part of a [framework](framework-reference.md) that makes the pattern. What a stage leaves out of it
is as in the review below, and what it leaves out of its `sla` as in that review's. Stages of another kind have the
verdicts that are usual for it; a stage of kind `information` has no `voting` and no `sla`, one of kind `objection` no
`voting`. The publication comes last and needs all other stages. Everything else is as in
[industry-credit.yaml](../imprimatur/frameworks/industry-credit.yaml).

Where people act beside the framework, their commands are given; `CASE`, `TASK`, `ACT` and `CONDITION` stand for ids.

"""

_INTRODUCTIONS = {
    CONTROL: "## Control flow\n\nIn what order stages and tasks come, and what ends them.\n",
    RESOURCE: "## Resources\n\nWho gets a task, who sees it, and how it passes from one to another.\n",
}


def page(found: Iterable[Pattern]) -> str:
    """docs/patterns.md."""
    patterns = list(found)
    parts = [_HEAD, _glance(patterns), "\n", _READING, _block("yaml", _pattern_review())]
    for family, introduction in _INTRODUCTIONS.items():
        parts += ["\n", introduction]
        parts += [_entry(pattern) for pattern in patterns if pattern.family == family]
    return "".join(parts)


def _glance(patterns: list[Pattern]) -> str:
    lines = ["| pattern | realised |", "|---|---|"]
    for pattern in patterns:
        link = f"[{pattern.title}](#{pattern.anchor})"
        lines.append(f"| {link} | {'in part' if pattern.lacks else 'yes'} |")
    return "\n".join(lines) + "\n"


def _entry(pattern: Pattern) -> str:
    parts = ["", f"### {pattern.title}", "", _filled(pattern.how), ""]
    if pattern.lacks:
        parts += [_filled(f"In part: {pattern.lacks}"), ""]
    parts.append(_block("yaml", pattern.snippet))
    if pattern.acts:
        parts.append(_block("sh", "\n".join(pattern.acts)))
    file = f"tests/patterns/{pattern.module}.py"
    parts.append(f"Proved by `{pattern.test}` in [{file}](../{file}).\n")
    return "\n".join(parts)


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 125, break_long_words=False, break_on_hyphens=False)


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


def _pattern_review() -> str:
    stage = {key: value for key, value in review().items() if key != "needs"}
    return yaml.safe_dump({"stages": [stage]}, sort_keys=False, default_flow_style=None, width=120)
