"""An institution's own templates of mail, and what is found wrong with them before any mail is sent."""

import dataclasses
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from imprimatur.errors import InputError
from imprimatur.mail.checking import examined, house_of
from imprimatur.mail.examples import LINKS, examples
from imprimatur.mail.examples import in_language as examples_in
from imprimatur.mail.languages import SOURCE
from imprimatur.mail.rendering import text_of
from imprimatur.store.engine import Database
from imprimatur.store.reading import show_case
from tests.houses import SENDER, folder_of
from tests.relay import GUESTS, OFFICE, Script, invite, posting

# --- an institution's own ---------------------------------------------------------------------------------------------


def written_by(folder: Path, name: str = "task", language: str = "") -> tuple[str, str, str]:
    context = next(example.context for example in examples() if example.name == name)
    sender = dataclasses.replace(SENDER, house=house_of(folder, SOURCE))
    return text_of(examples_in(context, language), LINKS, sender)


def test_a_file_of_the_folder_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"task__subject.txt": "Kia ora {{ name }}: {{ title }}"})
    subject, text, _ = written_by(folder)
    assert subject == "Kia ora Quinn Abara: Battery Systems for Electric Vehicles"
    assert "You are asked to review" in text, "what is not overridden is the shipped one"


def test_a_template_can_extend_the_one_it_takes_the_place_of(tmp_path: Path) -> None:
    body = '{% extends "shipped/task/body.html" %}{% block heading %}{{ super() }} (by us){% endblock %}'
    html = written_by(folder_of(tmp_path, **{"task__body.html": body}))[2]
    assert "Your review is asked for: Quality review (by us)</h1>" in html and "Read the proposal and answer" in html


def test_a_folder_can_say_a_sentence_otherwise_and_in_another_language(tmp_path: Path) -> None:
    english = 'msgid "Read the proposal and answer here:"\nmsgstr "Your answer, please:"\n'
    italian = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Nothing."\nmsgstr "Niente."\n'
    italian += '\nmsgid "Dear %(name)s,"\nmsgstr "Gentile %(name)s,"\n'
    folder = folder_of(tmp_path, **{"languages__en.po": english, "languages__it.po": italian})
    assert "Your answer, please:" in written_by(folder)[1]
    text = written_by(folder, language="it")[1]
    assert text.startswith("Gentile Quinn Abara,") and "venerdì 6 marzo 2026, 08:30 (NZDT)" in text


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ local.__globals__ }}",
    "{{ proposal.__init__.__globals__ }}",
    "{{ proposal._abc_impl }}",
    "{% set x = case.update({'case_id': 'x'}) %}{{ case.case_id }}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_a_template_of_a_folder_reaches_nothing_but_its_values(tmp_path: Path, template: str) -> None:
    findings = examined(folder_of(tmp_path, **{"task__body.txt": template}), SOURCE)[1]
    assert findings and all(found.file == "task/body.txt" for found in findings)


async def test_a_template_that_fails_at_run_time_puts_the_mail_off_and_tells_the_office(
    sqlite_database: Database, tmp_path: Path
) -> None:
    body = "{% if name == 'Guest' or not name %}{{ data.nothing.at_all }}{% endif %}Hello"
    house = house_of(folder_of(tmp_path / "mail", **{"task__body.txt": body}), SOURCE)
    play = invite(sqlite_database, tmp_path, GUESTS[0])
    script = Script()
    sender = dataclasses.replace(SENDER, house=house)
    with capture_logs() as logs:
        async with posting(sqlite_database, script, sender=sender) as post:
            await post.run()
            assert (post.row(GUESTS[0])["status"], post.row(GUESTS[0])["attempts"]) == ("deferred", 1)
            assert script.recipients == OFFICE, "the office is told, and nobody gets half a mail"
            post.now = post.row(GUESTS[0])["due_at"]
            await post.run()
    assert script.recipients == OFFICE, "it is told once"
    assert {log["event"] for log in logs} == {"mail_not_rendered"}
    [incident] = show_case(sqlite_database, play.case_id).incidents
    assert "could not be rendered" in incident.detail and "data.nothing" not in script.received[0][1].decode()


# --- what is found before any mail is sent ----------------------------------------------------------------------------

BROKEN: list[tuple[dict[str, str], str]] = [
    ({"task__body.txt": "one\n{% if name %}\n"}, "task/body.txt:2: Unexpected end of template"),
    ({"task__body.txt": "one\n\n{{ nmae }}"}, "task/body.txt:3: there is no variable 'nmae' in this mail; did"),
    ({"outcome__body.html": "{{ link }}"}, "outcome/body.html:1: there is no variable 'link' in this mail"),
    ({"task__body.html": "x\n{{ proposal.nothing }}"}, "task/body.html:2: "),
    ({"task__subject.txt": "Hello\n{{ name }}"}, "task/subject.txt:2: the subject has a line break"),
    ({"task__subject.txt": "{# nothing #}"}, "task/subject.txt:1: the subject is empty"),
    ({"tsak__body.txt": "x"}, "tsak/body.txt: is no template that is used; task/body.txt is one"),
    ({"notes.txt": "x"}, "notes.txt: is no template that is used"),
    ({"layout.html": "<p>\n{{ nothing }}</p>"}, "layout.html:2: 'nothing' is undefined"),
    ({"languages__de.po": 'msgid "Dear %(name)s,"\nmsgstr "Hallo,"\n'}, "languages/de.po:1: 'Hallo,' has the"),
    ({"languages__de.po": 'msgid "Nothing."\nmsgstr "100 %"\n'}, "languages/de.po:1: '100 %' has a per cent sign"),
    ({"languages__klingon.po": ""}, "languages/klingon.po: 'klingon' is no language"),
    ({"languages__qq.po": ""}, "languages/qq.po: nothing is known of the language 'qq'"),
    ({"languages__it.po": 'msgid "x"\nnonsense "y"\n'}, "languages/it.po:2: is no catalogue"),
    ({"branding.yaml": "name: [x\n"}, "branding.yaml:2: is not YAML"),
    ({"branding.yaml": "name: X\nnmae: Y\n"}, "branding.yaml:2: nmae: "),
    ({"branding.yaml": 'name: "X\\nBcc: y"\n'}, "branding.yaml:1: name: "),
    ({"branding.yaml": "name: X\ncolours:\n  light: {accent: red}\n"}, "branding.yaml:3: colours.light.accent: "),
    ({"branding.yaml": 'colours:\n  dark:\n    quiet: "#333333"\n'}, "branding.yaml:2: dark: quiet (#333333) on sheet"),
    ({"branding.yaml": "sender: {address: nobody}\n"}, "branding.yaml:1: sender.address: "),
    ({"branding.yaml": "logo: {file: no.png, alt: X}\n"}, "branding.yaml:1: there is no logo no.png"),
    ({"branding.yaml": "logo: {file: ../x.png, alt: X}\n"}, "branding.yaml:1: the logo ../x.png lies outside"),
    ({"branding.yaml": "logo: {file: own/x.png, alt: X}\n", "own__x.png": "no"}, "branding.yaml:1: the logo own/x.png"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "told"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, files: dict[str, str], told: str) -> None:
    folder = folder_of(tmp_path, **files)
    found = [str(finding) for finding in examined(folder, SOURCE)[1]]
    assert any(finding.startswith(told) for finding in found), found
    with pytest.raises(InputError) as raised:
        house_of(folder, SOURCE)
    assert raised.value.code == "mail_templates_invalid" and len(raised.value.details["problems"]) == len(found)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"task__body.txt": "{{ nmae }}", "outcome__body.txt": "{{ clsoed }}"})
    assert {found.file for found in examined(folder, SOURCE)[1]} == {"task/body.txt", "outcome/body.txt"}


def test_a_folder_that_is_not_there_and_a_language_that_is_not_known_are_told(tmp_path: Path) -> None:
    for folder, language, code in (
        (tmp_path / "nowhere", "en", "mail_templates_invalid"),
        (None, "it", "mail_language_unknown"),
    ):
        with pytest.raises(InputError) as raised:
            house_of(folder, language)
        assert raised.value.code == code
