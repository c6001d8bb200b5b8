"""docs/mail-templates.md against the templates: every name, variable and key, and none that is gone."""

import re

from imprimatur.mail.branding import Branding, Logo, Palette
from imprimatur.mail.checking import SHARED, variables
from imprimatur.mail.combining import COMBINED
from imprimatur.mail.environment import TEMPLATES, shipped_house
from imprimatur.mail.examples import examples
from models.vocabulary import MailKind
from tests.markdown import DOCS, code_spans, section, text_of

DOCUMENT = DOCS / "mail-templates.md"
ABOUT_PEOPLE = (MailKind.DIGEST, MailKind.AGENDA, MailKind.SIGN_IN)
# Jinja's own, and gettext's.
FOREIGN = {
    "_",
    "cycler",
    "dict",
    "gettext",
    "joiner",
    "lipsum",
    "namespace",
    "ngettext",
    "npgettext",
    "pgettext",
    "range",
}


def rows(title: str, heading: str) -> dict[str, str]:
    """What each name of a table's first column is said to be."""
    found = [row for row in section(DOCUMENT, title).rows if heading in row]
    return {name: list(row.values())[-1] for row in found for name in code_spans(row[heading])}


def test_every_template_is_told_and_none_that_is_gone() -> None:
    assert list(rows("Templates", "template")) == list(MailKind)
    assert {path.name for path in TEMPLATES.iterdir() if path.is_dir()} == {*MailKind, COMBINED}
    assert {path.name for path in TEMPLATES.iterdir() if path.is_file()} == set(SHARED)
    assert all(name in text_of(DOCUMENT) for name in SHARED)


def test_every_variable_is_told_and_none_that_is_gone() -> None:
    told, about_cases = rows("Variables", "variable"), [kind for kind in MailKind if kind not in ABOUT_PEOPLE]
    common = set.intersection(*(variables(kind) for kind in about_cases))
    assert set(told) == set.union(*(variables(kind) for kind in about_cases)) and all(told.values())
    of_people = rows("Variables", "variable of a person's mail")
    assert {"name", "base_url", *of_people} == set.union(*(variables(kind) for kind in ABOUT_PEOPLE))
    about_tasks = [kind for kind in about_cases if variables(kind) - common]
    assert {variable for kind in about_tasks for variable in variables(kind)} == set(told)
    [named] = re.findall(r"In mails about a task \((.*?)\)", section(DOCUMENT, "Variables").body, re.DOTALL)
    assert code_spans(named) == about_tasks


def test_every_key_of_one_mail_is_told_and_none_that_is_gone() -> None:
    for row in section(DOCUMENT, "Variables of one mail").rows:
        [kind] = code_spans(row["template"])
        keys = {part.strip() for part in re.sub(r" with [^,|]*?( and `\w+`|$)", "", row["keys"]).split(",")}
        told = {name for part in keys for name in code_spans(part)[:1]} - {"why"}
        given = {key for example in examples() if example.kind == kind for key in example.context.mail.data}
        assert told - {"problem"} == given, kind
    assert list(rows("Variables of one mail", "template")) == list(MailKind)


def test_every_function_and_filter_is_told_and_none_that_is_gone() -> None:
    house = shipped_house()
    known = set(house.environment(house.default).globals) - FOREIGN | {"wrap", "quoted", "hanging", "begun"}
    assert set(rows("Functions and filters", "name")) == known


def test_every_key_of_the_branding_is_told() -> None:
    told = set(rows("Branding", "key"))
    assert {name.partition(".")[0] for name in told} == set(Branding.model_fields)
    assert {name.partition(".")[2] for name in told if name.startswith("logo.")} == set(Logo.model_fields)
    assert set(Palette.model_fields) <= set(code_spans(section(DOCUMENT, "Branding").body))
