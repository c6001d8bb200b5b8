"""Looks through an institution's folder of templates before any mail is sent with it: every finding with its line."""

import difflib
import traceback
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, TemplateError, TemplateSyntaxError, UndefinedError, meta, nodes

from imprimatur.errors import InputError
from imprimatur.mail.branding import FILE, read_branding
from imprimatur.mail.combining import COMBINED
from imprimatur.mail.environment import PARTS, TEMPLATES, House, shipped_house
from imprimatur.mail.examples import LINKS, Example, examples, in_language
from imprimatur.mail.languages import FOLDER_OF_CATALOGUES, Finding, Language, catalogue_findings
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import values_of
from imprimatur.settings import Settings
from models.vocabulary import MailKind

# Whatever an institution keeps for its own templates to include or import.
OWN = "own"
SHARED = ("layout.html", "parts.html", "parts.txt", "style.css")
KINDS = (*map(str, MailKind), COMBINED)
NAMES = frozenset({*SHARED, *(f"{kind}/{part}" for kind in KINDS for part in PARTS)})


def house_of(folder: Path | None, default: str) -> House:
    """What ``MAIL_TEMPLATES`` and ``MAIL_LANGUAGE`` say, checked whole.

    Raises InputError ``mail_templates_invalid`` with everything that is wrong, or ``mail_language_unknown``.
    """
    house, findings = examined(folder, default)
    if findings:
        problems = [{"file": found.file, "line": found.line, "problem": found.problem} for found in findings]
        number = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        raise InputError(
            "mail_templates_invalid",
            f"The folder in MAIL_TEMPLATES cannot be used: {number}.",
            "Correct the files and run `starter.py mail check`.",
            problems=problems,
        )
    if house.default.tag.partition("-")[0] != default.partition("-")[0]:
        raise InputError(
            "mail_language_unknown",
            f"There is no catalogue of the language {default!r}.",
            f"Set MAIL_LANGUAGE to one of {', '.join(sorted(house.languages))}, or add a catalogue to MAIL_TEMPLATES.",
        )
    return house


def sender_of(settings: Settings) -> Sender:
    """Who sends, in which words and looks. Raises what ``house_of`` raises."""
    house = house_of(settings.mail_templates, settings.mail_language)
    mail_from = house.branding.sender_of(settings.mail_from)
    return Sender(mail_from, settings.mail_reply_domain, settings.takes_replies, house)


def examined(folder: Path | None, default: str) -> tuple[House, list[Finding]]:
    """The house of a folder, and what is wrong with the folder: then the house is the shipped one."""
    if folder is None:
        return House(default=default), []
    if not folder.is_dir():
        return House(default=default), [Finding(str(folder), None, "there is no such folder")]
    branding, logo, findings = read_branding(folder)
    for path in sorted((folder / FOLDER_OF_CATALOGUES).glob("*.po")):
        findings += catalogue_findings(path)
    findings += _unknown_files(folder, branding.logo.file if branding.logo else FILE)
    if findings:
        return House(default=default), findings
    house = House(folder, default=default, branding=branding, logo=logo)
    # One place that fails on many examples is told once.
    findings = list({(found.file, found.line): found for found in reversed(list(template_findings(house)))}.values())[
        ::-1
    ]
    return (House(default=default) if findings else house), findings


def _files(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]


def _unknown_files(folder: Path, logo: str) -> Iterator[Finding]:
    for name in _files(folder):
        known = name in NAMES or name in (FILE, Path(logo).as_posix()) or name.startswith(f"{OWN}/")
        if known or (name.startswith(f"{FOLDER_OF_CATALOGUES}/") and name.endswith(".po")):
            continue
        near = difflib.get_close_matches(name, NAMES, 1)
        meant = f"; {near[0]} is one" if near else f"; what is your own belongs into {OWN}/"
        yield Finding(name, None, f"is no template that is used{meant}")


def template_findings(house: House) -> Iterator[Finding]:
    """What cannot be read, knows no such variable, or fails on an example."""
    assert house.folder is not None
    own = [name for name in _files(house.folder) if Path(name).suffix in (".txt", ".html", ".css")]
    environment = house.environment(house.default) if _reads(house) else None
    readable = True
    for name in own:
        finding = _unreadable(house.folder, name)
        readable = readable and finding is None
        if finding is not None:
            yield finding
    if not readable or environment is None:
        return
    for name in own:
        yield from _unknown_variables(house, environment, name)
    shared = any(name in SHARED or name.startswith(f"{OWN}/") for name in own)
    failed: set[str] = set()
    for example in examples():
        kind = example.kind
        if kind not in failed and (shared or any(name.startswith(f"{kind}/") for name in own)):
            for language in house.languages.values():
                if found := list(_tried(house, example, language)):
                    failed.add(kind)
                    yield from found
                    break


def _reads(house: House) -> bool:
    """The style is read with the environment; what is wrong with it is found by its own name."""
    try:
        house.environment(house.default)
    except TemplateError:
        return False
    return True


def _unreadable(folder: Path, name: str) -> Finding | None:
    try:
        source = (folder / name).read_text(encoding="utf-8")
        Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    except TemplateSyntaxError as error:
        return Finding(name, error.lineno, error.message or "is no template")
    except UnicodeDecodeError as error:
        return Finding(name, None, f"is not UTF-8: {error}")
    return None


def _unknown_variables(house: House, environment: Environment, name: str) -> Iterator[Finding]:
    """Of the templates of one kind; what is shared is only given what its user hands on."""
    kind = name.partition("/")[0]
    if kind not in KINDS or house.folder is None:
        return
    tree = environment.parse((house.folder / name).read_text(encoding="utf-8"))
    known = variables(kind) | set(environment.globals)
    for variable in sorted(meta.find_undeclared_variables(tree) - known):
        near = difflib.get_close_matches(variable, known, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        lines = [found.lineno for found in tree.find_all(nodes.Name) if found.name == variable]
        yield Finding(name, min(lines, default=None), f"there is no variable {variable!r} in this mail{meant}")


def variables(kind: str) -> set[str]:
    """The names that every mail of a kind gives to its templates."""
    given = [set(example_values(example)) for example in examples() if example.kind == kind]
    return set.intersection(*given)


def example_values(example: Example) -> dict[str, object]:
    return values_of(example.context, LINKS, _sender(shipped_house()))


def _sender(house: House) -> Sender:
    return Sender("credentials@example.edu", "example.edu", takes_replies=True, house=house)


def _tried(house: House, example: Example, language: Language) -> Iterator[Finding]:
    letter, kind = in_language(example.context, language.tag), example.kind
    for part in PARTS:
        try:
            given = values_of(letter, LINKS, _sender(house))
            written = house.environment(language).get_template(f"{kind}/{part}").render(given)
        except UndefinedError as error:
            yield _failed(house, f"{kind}/{part}", error, f"{error.message}, in the example {example.name}")
        except (TemplateError, LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            yield _failed(house, f"{kind}/{part}", error, f"fails on the example {example.name}: {error}")
        else:
            if part == PARTS[0] and (problem := _subject_problem(written)):
                line = _second_line(house, f"{kind}/{part}")
                yield Finding(f"{kind}/{part}", line, f"{problem}, in the example {example.name}")


def _subject_problem(subject: str) -> str:
    if "\n" in subject.strip():
        return "the subject has a line break"
    return "" if subject.strip() else "the subject is empty"


def _failed(house: House, name: str, error: Exception, problem: str) -> Finding:
    """At the innermost place in a template: Jinja gives the lines of templates to a traceback."""
    place: tuple[str, int | None] = (name, None)
    for frame in traceback.extract_tb(error.__traceback__):
        for folder in (house.folder, TEMPLATES):
            if folder is not None and Path(frame.filename).is_relative_to(folder):
                place = Path(frame.filename).relative_to(folder).as_posix(), frame.lineno
    return Finding(*place, problem)


def _second_line(house: House, name: str) -> int:
    """Where the second line of a subject begins."""
    path = (house.folder or TEMPLATES) / name
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    spoken = [number for number, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("{#")]
    return spoken[1] if len(spoken) > 1 else 1
