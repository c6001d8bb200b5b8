"""The languages that mails are written in: a catalogue of messages each, and how each writes times and numbers.

Catalogues are gettext's text files, read as they are: there is nothing to compile, and an institution can add its own.
"""

import datetime as dt
import gettext as standard
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

from imprimatur.settings import LANGUAGE_TAG

# The language of the templates themselves.
SOURCE = "en"
CATALOGUES = Path(__file__).with_name("locale")
FOLDER_OF_CATALOGUES = "languages"
MOMENT = "%(day)s, %(time)s (%(zone)s)"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_BRITISH = Locale("en", "GB")
# Without the comma that the locale's own full form has had in some editions of its data.
_DAY = {"en": "EEEE d MMMM y"}
Key = tuple[str | None, str]


@dataclass
class Translations:
    """Texts by context and source text; ``form`` tells which plural a number takes."""

    singular: dict[Key, str] = field(default_factory=dict)
    plural: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    form: Callable[[int], int] = lambda number: int(number != 1)


class Language:
    """Source texts for which there is no translation stay as they are."""

    def __init__(self, tag: str, translations: Translations | None = None) -> None:
        self.tag = tag
        self.locale = locale_of(tag)
        self._told = translations or Translations()

    @property
    def direction(self) -> str:
        return str(self.locale.text_direction)

    def gettext(self, text: str) -> str:
        return self._told.singular.get((None, text), text)

    def pgettext(self, context: str, text: str) -> str:
        return self._told.singular.get((context, text), text)

    def ngettext(self, one: str, more: str, number: int) -> str:
        return self._plural((None, one), more, number)

    def npgettext(self, context: str, one: str, more: str, number: int) -> str:
        return self._plural((context, one), more, number)

    def _plural(self, key: Key, more: str, number: int) -> str:
        if (forms := self._told.plural.get(key)) is not None:
            return forms[self._told.form(number)]
        return key[1] if number == 1 else more

    def day(self, day: dt.date) -> str:
        return _day(self.locale, day)

    def local(self, instant: dt.datetime, zone: dt.tzinfo) -> str:
        """An instant in a zone's own time, as people write it."""
        there = instant.astimezone(zone)
        values = {"day": self.day(there.date()), "time": f"{there:%H:%M}", "zone": there.tzname()}
        return self.gettext(MOMENT) % values

    def decimal(self, number: float) -> str:
        return str(format_decimal(number, "#.######", self.locale))


@lru_cache(1024)
def _day(locale: Locale, day: dt.date) -> str:
    return str(format_date(day, _DAY.get(locale.language, "full"), locale))


def locale_of(tag: str) -> Locale:
    """Raises LookupError for a tag of no language whose dates are known."""
    if tag == SOURCE:
        return _BRITISH
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise LookupError(f"nothing is known of the language {tag!r}") from error


def read_catalogue(path: Path) -> Catalog:
    """Raises PoFileError or UnicodeDecodeError for what is no catalogue, LookupError for an unknown language."""
    locale = locale_of(path.stem)
    with path.open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def languages_in(folders: Iterable[Path]) -> dict[str, Language]:
    """By tag, the source first; a message in a later folder outweighs the same one in an earlier."""
    found: dict[str, Translations] = {SOURCE: Translations()}
    for folder in folders:
        for path in sorted(folder.glob("*.po")):
            _add(found.setdefault(path.stem, Translations()), read_catalogue(path))
    return {tag: Language(tag, translations) for tag, translations in found.items()}


def _add(translations: Translations, catalogue: Catalog) -> None:
    translations.form = standard.c2py(catalogue.plural_expr)  # type: ignore[attr-defined]
    for message in told(catalogue):
        if message.pluralizable:
            translations.plural[message.context, sources(message)[0]] = strings(message)
        else:
            translations.singular[message.context, sources(message)[0]] = strings(message)[0]


def told(catalogue: Catalog) -> Iterator[Message]:
    """What is translated and settled."""
    for message in catalogue:
        if message.id and all(strings(message)) and not message.fuzzy:
            yield message


def sources(message: Message) -> tuple[str, ...]:
    """The source text; two where there is a plural."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def strings(message: Message) -> tuple[str, ...]:
    """The translation; one for each form where there is a plural."""
    found = message.string or ""
    return (found,) if isinstance(found, str) else tuple(text or "" for text in found)


def choose(languages: Mapping[str, Language], *wanted: str) -> Language:
    """The first of the wanted languages that there is, as it is or without its region; else the source."""
    for tag in wanted:
        for name in (tag, tag.partition("-")[0]):
            if name in languages:
                return languages[name]
    return languages[SOURCE]


@dataclass(frozen=True)
class Finding:
    """One thing wrong in a folder of templates. ``file`` is its path in the folder; ``line`` counts from 1."""

    file: str
    line: int | None
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}" if self.line else f"{self.file}: {self.problem}"


def catalogue_findings(path: Path) -> list[Finding]:
    """What is wrong with one file of translations."""
    name = f"{path.parent.name}/{path.name}"
    if not LANGUAGE_TAG.fullmatch(path.stem):
        return [Finding(name, None, f"{path.stem!r} is no language such as it or pt-BR")]
    try:
        catalogue = read_catalogue(path)
    except LookupError as error:
        return [Finding(name, None, str(error))]
    except PoFileError as error:
        return [Finding(name, (error.lineno or 0) + 1, f"is no catalogue: {error}")]
    except UnicodeDecodeError as error:
        return [Finding(name, None, f"is not UTF-8: {error}")]
    return [
        Finding(name, message.lineno, f"{shown!r} {problem}")
        for message in told(catalogue)
        for shown, problem in mismatches(message)
    ]


def mismatches(message: Message) -> Iterator[tuple[str, str]]:
    """Translations with other placeholders than their source, or with a per cent sign that is neither."""
    wanted = set(_PLACEHOLDER.findall("".join(sources(message))))
    for text in strings(message):
        found = set(_PLACEHOLDER.findall(text))
        # A form for one may spell its number out.
        if found != wanted and not (message.pluralizable and found < wanted):
            yield text, f"has the placeholders {sorted(found)}, its source {sorted(wanted)}"
        elif "%" in _PLACEHOLDER.sub("", text).replace("%%", ""):
            yield text, "has a per cent sign that stands alone: write %%"
