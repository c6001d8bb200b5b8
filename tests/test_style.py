"""The stylesheet: nothing in it is dead, and nothing is said twice in two places."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

WEB = Path(__file__).parents[1] / "imprimatur" / "web"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SHEET = COMMENT.sub("", (WEB / "static" / "style.css").read_text(encoding="utf-8"))
CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
# Made from a number in charts, one for each series.
NUMBERED = re.compile(r"s\d")


def rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selectors and declarations that hold on every screen."""
    depth, begin = 0, 0
    for at, letter in enumerate(sheet):
        if letter == "{":
            if depth == 0:
                head, body = sheet[begin:at].strip(), at + 1
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                begin = at + 1
                if not head.startswith("@"):
                    yield head, sheet[body:at]


def sources() -> str:
    files = [path for path in WEB.rglob("*") if path.suffix in (".html", ".py", ".js") and path.name != "htmx.min.js"]
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))


def test_every_class_is_used_on_some_page() -> None:
    known = {name for head in re.findall(r"[^{}]+(?=\{)", SHEET) for name in CLASS.findall(head)}
    words = set(re.findall(r"[\w-]+", sources()))
    assert {name for name in known - words if not NUMBERED.fullmatch(name)} == set()
    assert len(known) > 100


def test_no_rule_is_altered_by_one_for_the_same_thing_elsewhere() -> None:
    told = Counter(
        (head, declaration.partition(":")[0].strip())
        for head, body in rules(SHEET)
        for declaration in body.split(";")
        if declaration.strip()
    )
    assert [entry for entry, number in told.items() if number > 1] == []


@pytest.mark.parametrize(
    ("sheet", "found"),
    [("a{b:c}", [("a", "b:c")]), ("@media print{a{b:c}} d , e{f:g}", [("d , e", "f:g")]), ("", [])],
)
def test_rules_are_read(sheet: str, found: list[tuple[str, str]]) -> None:
    assert list(rules(sheet)) == found
