"""What mails look like, before any is sent."""

import base64
import difflib
import tempfile
import webbrowser
from dataclasses import replace
from pathlib import Path

from imprimatur.cli.output import show, table
from imprimatur.errors import InputError, NotFound
from imprimatur.mail.checking import examined, house_of, sender_of
from imprimatur.mail.examples import LINKS, Example, examples
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import text_of
from imprimatur.settings import Settings


def check_templates(settings: Settings, as_json: bool) -> None:
    """Raises InputError ``mail_templates_invalid`` with everything that is wrong."""
    house, _ = examined(settings.mail_templates, settings.mail_language)
    house_of(settings.mail_templates, settings.mail_language)
    languages = sorted(house.languages)
    whose = f"The templates in {house.folder} can be used" if house.folder else "The shipped templates are used"
    show(
        {"ok": True, "folder": str(house.folder) if house.folder else None, "languages": languages},
        as_json,
        f"{whose}, in {', '.join(languages)}.",
    )


def list_previews(settings: Settings, language: str | None, as_json: bool) -> None:
    sender = _sender(settings, language)
    mails = [_written(sender, example) for example in examples()]
    rows = [(mail["name"], mail["subject"]) for mail in mails]
    show({"mails": mails}, as_json, table(["name", "subject"], rows))


def show_preview(
    settings: Settings, name: str, language: str | None, file: Path | None, *, browser: bool, as_json: bool
) -> None:
    """Raises NotFound ``mail_unknown``, InputError ``language_unknown``, and what the check of the templates raises."""
    mail = _written(_sender(settings, language), _named(name))
    if browser and file is None:
        with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8") as kept:
            file = Path(kept.name)
    if file is not None:
        file.write_text(mail["html"], encoding="utf-8")
    if browser and file is not None:
        webbrowser.open(file.resolve().as_uri())
    show(
        {"mails": [mail]},
        as_json,
        f"Subject: {mail['subject']}",
        "",
        mail["text"],
        *([f"The HTML is in {file}."] if file else []),
    )


def _sender(settings: Settings, language: str | None) -> Sender:
    sender = replace(sender_of(settings), takes_replies=True)
    if language is not None:
        house = sender.house
        if house.language(language).tag.partition("-")[0] != language.partition("-")[0]:
            known = ", ".join(sorted(house.languages))
            raise InputError("language_unknown", f"There is no catalogue of {language!r}.", f"There are {known}.")
        house.default = house.language(language)
    return sender


def _named(name: str) -> Example:
    names = {example.name: example for example in examples()}
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"Did you mean {near[0]}?" if near else "See `starter.py mail preview --list`."
        raise NotFound("mail_unknown", f"There is no mail {name!r}." if name else "No mail was named.", hint)
    return names[name]


def _written(sender: Sender, example: Example) -> dict[str, str]:
    """The picture of a mail stands in the page itself, for a browser knows nothing of the parts of a mail."""
    subject, text, html = text_of(example.context, LINKS, sender)
    if (logo := sender.house.logo) is not None:
        inside = f"data:image/{logo.subtype};base64,{base64.b64encode(logo.content).decode()}"
        html = html.replace(logo.source, inside)
    language = sender.house.default.tag
    return {"name": example.name, "language": language, "subject": subject, "text": text, "html": html}
