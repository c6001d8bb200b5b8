"""README, terminology, operations, changelog: what they name is there, and what is there is named."""

import re
import shlex
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
import typer.main
from pydantic import SecretStr

from imprimatur.cli.doctor import PARTS
from imprimatur.cli.main import app
from imprimatur.settings import Settings
from models import vocabulary
from tests.markdown import DOCS, DOCUMENTS, ROOT, Section, anchors, code_blocks, code_spans, links, section, sections
from tests.markdown import text_of as text

README, OPERATIONS, TERMINOLOGY = ROOT / "README.md", DOCS / "operations.md", DOCS / "terminology.md"
ENVIRONMENT = ROOT / ".env.example"


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for link in links(path):
        target, _, anchor = link.partition("#")
        if re.match(r"https?://", link):
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != README], ids=lambda path: path.name)
def test_every_document_is_reached_from_the_readme(path: Path) -> None:
    assert path.relative_to(ROOT).as_posix() in links(README)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_tables_are_well_formed(path: Path) -> None:
    assert all(any(row.values()) for found in sections(path) for row in found.rows)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_folder_of_one_machine(path: Path) -> None:
    assert re.findall(r"(?<![\w.$`])/(?:home|root|work|Users|tmp)/\S+", text(path)) == []


# --- README ---------------------------------------------------------------------------------------------------------


def test_the_readme_names_the_two_commands_and_the_tests() -> None:
    assert {"make demo", "make up", "make test"} <= {*code_spans(text(README)), *_lines(README)}


def _lines(path: Path) -> list[str]:
    """Commands in its shell examples, also in those that stand inside a list."""
    unindented = re.sub(r"^   (?=\S)", "", text(path), flags=re.MULTILINE)
    return [line for block in code_blocks(unindented, "sh") for line in block.splitlines() if line.strip()]


def _commands() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        for line in [*_lines(path), *code_spans(text(path))]:
            if re.match(r"make [a-z]|(\S*python )?starter\.py [a-z]|docker compose .*starter\.py", line):
                yield path.name, line


@pytest.mark.parametrize(("where", "line"), sorted(set(_commands())))
def test_every_command_exists(where: str, line: str) -> None:
    words = shlex.split(line)
    if words[0] == "make":
        assert set(words[1:]) <= set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    elif "starter.py" in words:
        _assert_verb(words[words.index("starter.py") + 1 :])
    for word in words:
        if word.startswith("examples/"):
            assert (ROOT / word).is_file()


def _assert_verb(words: list[str]) -> None:
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("--"):
        assert words[0] in command.commands, f"there is no verb {words[0]}"
        command, *words = command.commands[words[0]], *words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def _described(title: str) -> set[str]:
    found = section(README, title)
    return {code_spans(cell)[0].rstrip("/") for row in found.rows for cell in list(row.values())[:1]}


def test_the_readme_describes_every_folder() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    rooms = {path.parent.name for path in (ROOT / "imprimatur").glob("*/__init__.py")}
    described = _described("What is where")
    assert packages | rooms | {"docs", "examples", "worker.py", "starter.py"} <= described
    for name in described:
        assert (ROOT / name).exists() or (ROOT / "imprimatur" / name).exists(), name


# --- settings -------------------------------------------------------------------------------------------------------

SETTINGS = {field.alias: field for field in Settings.model_fields.values()}


def _rows_by_name(heading: str) -> dict[str, dict[str, str]]:
    return {code_spans(row[heading])[0]: row for row in section(OPERATIONS, "Settings").rows if heading in row}


def _examples() -> set[str]:
    return set(re.findall(r"^(\w+)=", text(ENVIRONMENT), re.MULTILINE))


def test_every_setting_is_explained_and_none_that_is_gone() -> None:
    assert sorted(_rows_by_name("setting")) == sorted(map(str, SETTINGS))


@pytest.mark.parametrize("name", sorted(map(str, SETTINGS)))
def test_a_setting_is_told_with_its_default_and_its_example(name: str) -> None:
    row, default = _rows_by_name("setting")[name], SETTINGS[name].default
    assert row["default"] == ("unset" if default is None or isinstance(default, SecretStr) else f"`{default}`")
    told = row["in `.env.example`"]
    assert told == "yes" if name in _examples() else re.match(r"no: .{20,}", told)
    assert row["meaning"]


def test_every_variable_of_the_compose_file_is_explained() -> None:
    assert sorted(_rows_by_name("variable")) == sorted(_examples() - set(SETTINGS))
    for name, row in _rows_by_name("variable").items():
        found = re.search(rf"^{name}=(.*)$", text(ENVIRONMENT), re.MULTILINE)
        assert found
        assert row["default"] == (f"`{found[1]}`" if found[1] else "unset")


# --- terminology ----------------------------------------------------------------------------------------------------

VOCABULARIES: list[type[StrEnum]] = [
    value for value in vars(vocabulary).values() if isinstance(value, type) and issubclass(value, StrEnum)
]


def test_no_vocabulary_is_left_out() -> None:
    folder = Path(vocabulary.__file__).parent
    defined = [name for file in folder.glob("*.py") for name in re.findall(r"^class (\w+)\(", text(file), re.MULTILINE)]
    assert sorted(words.__name__ for words in VOCABULARIES) == sorted(defined)


def _section_of(name: str) -> Section:
    return next(found for found in sections(TERMINOLOGY) if name in code_spans(found.paragraph("In code: "))[:1])


@pytest.mark.parametrize("words", VOCABULARIES, ids=lambda words: words.__name__)
def test_every_closed_word_is_explained_and_none_that_is_gone(words: type[StrEnum]) -> None:
    rows = _section_of(words.__name__).rows
    assert sorted(code_spans(row["value"])[0] for row in rows) == sorted(words)
    assert all(row["meaning"] for row in rows)


def test_terminology_opens_with_what_the_project_is_not() -> None:
    titles = [found.title for found in sections(TERMINOLOGY)]
    assert titles[:3] == ["Terminology and non-goals", "Non-goals", "Terms"]


def test_every_incident_has_its_entry_in_the_runbook() -> None:
    titles = {found.title for found in sections(OPERATIONS)}
    assert {*vocabulary.IncidentKind, "ledger_broken"} <= titles


def test_every_check_of_doctor_is_explained() -> None:
    told = [code_spans(row["check"])[0] for row in section(OPERATIONS, "Health and doctor").rows if "check" in row]
    assert told == list(PARTS)


# --- changelog and architecture -------------------------------------------------------------------------------------


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^(##+) (.+)$", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == ("##", "[Unreleased]")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {title for level, title in headings if level == "###"} <= kinds


def test_the_import_direction_is_told_as_it_is_held() -> None:
    layers = re.search(r"^layers = \[\n(.*?)^\]", text(ROOT / "pyproject.toml"), re.MULTILINE | re.DOTALL)
    assert layers
    [told] = code_blocks(section(DOCS / "architecture.md", "Import direction").body, "")
    assert told.splitlines()[1:] == re.findall(r'"(.*)"', layers[1])


def test_every_environment_name_in_the_documents_is_a_setting() -> None:
    named = {
        span
        for path in DOCUMENTS
        for span in code_spans(text(path))
        if re.fullmatch(r"(IMPRIMATUR|DATABASE|TEMPORAL|SMTP|MAIL|PAYLOAD|IMAP|OIDC)_[A-Z_]+", span)
    }
    assert named - set(SETTINGS) - set(_rows_by_name("variable")) == set()


def test_types_of_settings_are_plain() -> None:
    """A setting is one line of text or nothing, so that `.env` can hold it."""
    for name, field in SETTINGS.items():
        parts = set(typing.get_args(field.annotation)) or {field.annotation}
        assert parts <= {str, Path, SecretStr, type(None)}, name
