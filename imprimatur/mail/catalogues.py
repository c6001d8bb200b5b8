"""Brings the catalogues up to date: ``python -m imprimatur.mail.catalogues``, or ``make catalogues``.

Messages that are new stand there untranslated, those that are gone are removed. With the tag of a language a catalogue
is begun for it; with ``--folder`` all of this happens in an institution's own folder of templates.
"""

import argparse
import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from imprimatur.mail.environment import TEMPLATES
from imprimatur.mail.languages import CATALOGUES, FOLDER_OF_CATALOGUES, locale_of, read_catalogue
from imprimatur.mail.words import vocabulary

KEYWORDS = ("_", "gettext", "ngettext", "pgettext")
# One moment for all, so that nothing but a message changes a file.
WRITTEN_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HEADER = "# What mails say. Source texts stand in the templates and in words.py."


class Found(NamedTuple):
    """A message of a template; ``text`` is two where there is a plural."""

    file: str
    text: str | tuple[str, str]
    context: str | None


def messages(folder: Path) -> Iterator[Found]:
    """Every message in a folder of templates."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".txt", ".html"):
            continue
        name = path.relative_to(folder).as_posix()
        with path.open("rb") as file:
            for _, function, found, _ in babel_extract(file, KEYWORDS, [], {"trimmed": "true"}):
                first, second, *_ = (*((found,) if isinstance(found, str) else found or ()), "", "")
                if function == "pgettext":
                    yield Found(name, second or "", first)
                else:
                    yield Found(name, (first or "", second or "") if function == "ngettext" else first or "", None)


def source(folder: Path | None = None) -> Catalog:
    """Everything that is to be translated: in the shipped templates, in Python, and in a folder's templates."""
    catalogue = Catalog(project="Imprimatur", version="mail", header_comment=HEADER, creation_date=WRITTEN_AT)
    folders = [TEMPLATES] if folder is None else [TEMPLATES, folder]
    for one in folders:
        for found in messages(one):
            catalogue.add(found.text, locations=[(found.file, 0)], context=found.context)
    for text, note, context in vocabulary():
        catalogue.add(text, auto_comments=[note], context=context)
    return catalogue


def update(path: Path, wanted: Catalog) -> None:
    """Keeps what is translated; writes a new file where there is none."""
    if path.exists():
        catalogue = read_catalogue(path)
        catalogue.update(wanted, no_fuzzy_matching=True)
    else:
        catalogue = Catalog(locale=locale_of(path.stem))
        catalogue.update(wanted)
    catalogue.header_comment, catalogue.fuzzy = HEADER, False
    catalogue.project, catalogue.version = wanted.project, wanted.version
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "the project"
    catalogue.creation_date = catalogue.revision_date = WRITTEN_AT
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, ignore_obsolete=True, include_lineno=False)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Brings the catalogues of mail up to date with the templates.")
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help="a language to begin, such as it or pt-BR")
    parser.add_argument("--folder", type=Path, help="an institution's folder of templates; else the shipped ones")
    given = parser.parse_args(arguments)
    place = CATALOGUES if given.folder is None else given.folder / FOLDER_OF_CATALOGUES
    place.mkdir(parents=True, exist_ok=True)
    wanted = source(given.folder)
    paths = {*place.glob("*.po"), *(place / f"{language}.po" for language in given.languages)}
    for path in sorted(paths):
        update(path, wanted)
        sys.stdout.write(f"{path}: {len(read_catalogue(path))} messages\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
