"""Templates, languages and looks of one installation: what is shipped, and what a folder puts in its place."""

import textwrap
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    select_autoescape,
)
from markupsafe import Markup

from imprimatur.mail.branding import Branding, Picture
from imprimatur.mail.languages import CATALOGUES, FOLDER_OF_CATALOGUES, SOURCE, Language, choose, languages_in
from imprimatur.mail.translating import SandboxedTranslatingEnvironment, TranslatingEnvironment
from imprimatur.mail.words import field_words, retold

TEMPLATES = Path(__file__).with_name("templates")
PARTS = ("subject.txt", "body.txt", "body.html")
# A template of a folder extends the one it takes the place of under this name.
SHIPPED = "shipped"
WIDTH = 76
LONGEST_STYLE_LINE = 700


class House:
    """Cheap to make: templates are read when they are first used. ``folder`` None is the shipped house."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        default: str = SOURCE,
        branding: Branding | None = None,
        logo: Picture | None = None,
    ) -> None:
        self.folder = folder
        self.branding = branding or Branding()
        self.logo = logo
        self.languages = languages_in([CATALOGUES] if folder is None else [CATALOGUES, folder / FOLDER_OF_CATALOGUES])
        self.default = choose(self.languages, default)
        self._environments: dict[str, Environment] = {}
        self._templates: dict[tuple[str, str], tuple[Template, Template, Template]] = {}

    def language(self, wanted: str) -> Language:
        """A person's language where mail is written in it, else the default."""
        return choose(self.languages, wanted, self.default.tag)

    def templates(self, kind: str, language: Language) -> tuple[Template, Template, Template]:
        """Subject, text and HTML. ``kind`` is that of a mail, or ``combined`` for several mails as one."""
        key = language.tag, kind
        if (found := self._templates.get(key)) is None:
            environment = self.environment(language)
            subject, text, html = (environment.get_template(f"{kind}/{part}") for part in PARTS)
            found = self._templates[key] = subject, text, html
        return found

    def environment(self, language: Language) -> Environment:
        if (found := self._environments.get(language.tag)) is None:
            found = self._environments[language.tag] = self._environment(language)
        return found

    def _environment(self, language: Language) -> Environment:
        """What an institution has written runs in a sandbox; what is shipped need not."""
        cls = TranslatingEnvironment if self.folder is None else SandboxedTranslatingEnvironment
        environment = cls(
            loader=loader(self.folder),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        environment.language = language
        environment.policies["ext.i18n.trimmed"] = True
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            language.gettext,
            language.ngettext,
            newstyle=True,
            pgettext=language.pgettext,
            npgettext=language.npgettext,
        )
        environment.filters |= {"wrap": wrapped, "quoted": quoted, "hanging": hanging, "begun": begun}
        environment.globals |= self._globals(language)
        # The same in every mail: written once.
        environment.globals["style"] = Markup(packed(environment.get_template("style.css").render()))  # noqa: S704
        return environment

    def _globals(self, language: Language) -> dict[str, Any]:
        """What every template and every macro knows."""
        word: Callable[[str], str] = lambda text: retold(language, text)  # noqa: E731
        return {
            "language": language.tag,
            "direction": language.direction,
            "brand": self.branding,
            "logo": self.logo,
            "footer_text": self.branding.footer_in(language.tag, self.default.tag, SOURCE),
            "word": word,
            "field": lambda path: field_words(language, path),
            "decimal": language.decimal,
            "whole": lambda number: int(number) if number == int(number) else 2,
        }


def loader(folder: Path | None) -> BaseLoader:
    """A file of the folder takes the place of the shipped one."""
    shipped = FileSystemLoader(TEMPLATES)
    if folder is None:
        return shipped
    return ChoiceLoader([FileSystemLoader(folder), shipped, PrefixLoader({SHIPPED: shipped})])


@cache
def shipped_house() -> House:
    return House()


@lru_cache(1024)
def wrapped(text: str, width: int = WIDTH) -> str:
    """Reviewers of a case read the same texts, which are wrapped once."""
    return "\n".join(line for given in text.splitlines() for line in _lines(given, width))


def _lines(line: str, width: int) -> Iterator[str]:
    if len(line) <= width:
        yield line
    else:
        yield from textwrap.wrap(
            line, width, expand_tabs=False, replace_whitespace=False, break_long_words=False, break_on_hyphens=True
        )


def quoted(text: str) -> str:
    """Moved in by two, as what somebody else has written."""
    return "\n".join(f"  {line}" if line else "" for line in wrapped(text, WIDTH - 2).split("\n"))


def begun(text: str) -> str:
    """As a sentence begins."""
    return text[:1].upper() + text[1:]


def hanging(text: str) -> str:
    """Behind a bullet: lines after the first are moved in."""
    return wrapped(text, WIDTH - 2).replace("\n", "\n  ")


def packed(style: str) -> str:
    """Few lines in place of many, none too long for a mail."""
    lines = [""]
    for line in filter(None, map(str.strip, style.splitlines())):
        if len(lines[-1]) + len(line) > LONGEST_STYLE_LINE:
            lines.append("")
        lines[-1] += line
    return "\n".join(lines)
