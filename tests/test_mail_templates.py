"""Templates of mail: every shape in every language is whole and safe, and an institution may have its own."""

import dataclasses
import re
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel
from structlog.testing import capture_logs

from imprimatur.errors import InputError
from imprimatur.mail import catalogues
from imprimatur.mail.branding import DARK, LIGHT, contrast, contrast_problems
from imprimatur.mail.checking import examined, house_of, sender_of
from imprimatur.mail.combining import Combined, Letter
from imprimatur.mail.context import MailContext
from imprimatur.mail.environment import TEMPLATES, House, packed, quoted, shipped_house, wrapped
from imprimatur.mail.examples import LINKS, Example, examples
from imprimatur.mail.examples import in_language as examples_in
from imprimatur.mail.languages import SOURCE, Language
from imprimatur.mail.message import Sender
from imprimatur.mail.regular import RegularContext
from imprimatur.mail.rendering import render, text_of
from imprimatur.mail.replies.grammar import Answer, meaning, parse
from imprimatur.settings import Settings
from imprimatur.store.engine import Database
from imprimatur.store.reading import show_case
from models.vocabulary import MailKind
from tests.mails import BREAKS, HEADERS, HOSTILE, quickly, read
from tests.relay import GUESTS, OFFICE, Script, invite, posting
from tests.test_mail_content import TAGS, Tags

SENDER = Sender("Example Institute <credentials@example.edu>", "mail.example.edu", takes_replies=True)
LANGUAGES = sorted(shipped_house().languages)


def in_language(example: Example, tag: str) -> Letter:
    return examples_in(example.context, tag)


# --- what is shipped --------------------------------------------------------------------------------------------------


def test_every_kind_has_an_example_under_its_own_name() -> None:
    names = [example.name for example in examples()]
    assert set(MailKind) <= set(names) and len(set(names)) == len(names)
    single = [example for example in examples() if not isinstance(example.context, Combined)]
    assert all(example.kind == example.context.mail.kind for example in single)


class Heard(Language):
    """Remembers which messages were asked for, and says each in a way of its own."""

    def __init__(self) -> None:
        super().__init__(SOURCE)
        self.messages: dict[str, str] = {}

    def gettext(self, text: str) -> str:
        return self.messages.setdefault(text, f"[{len(self.messages)}]" + "".join(re.findall(r"%\(\w+\)s", text)))

    def ngettext(self, one: str, more: str, number: int) -> str:
        self.messages[one] = f"[{len(self.messages)}]"
        return super().ngettext(one, more, number)


def test_the_examples_show_every_sentence_of_every_template() -> None:
    house, heard, shown = House(), Heard(), ""
    house.languages[SOURCE] = house.default = heard
    sender = dataclasses.replace(SENDER, house=house)
    for example in examples():
        shown += "".join(text_of(example.context, LINKS, sender))
    messages = [found.text for found in catalogues.messages(TEMPLATES)]
    wanted = {text if isinstance(text, str) else text[0] for text in messages}
    unseen = {text for text in wanted if heard.messages.get(text, "?").partition("]")[0] + "]" not in shown}
    assert {text for text in unseen if not text.startswith(("%(hours)s", "%(credits)s", "%(number)s open"))} == set()


def headers_of(example: Example) -> set[str]:
    """What is about no case says so, and a link to sign in stands in no thread."""
    about_case = HEADERS if isinstance(example.context, MailContext | Combined) else HEADERS - {"X-Imprimatur-Case"}
    return about_case - ({"References", "In-Reply-To"} if example.kind == "sign_in" else set())


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_shape_is_whole_in_every_language(tag: str) -> None:
    for example in examples():
        mail = read(render(in_language(example, tag), LINKS, SENDER).content)
        assert {*mail.message.keys()} - {"Reply-To"} == headers_of(example)
        assert mail.header("Subject").strip() and mail.text.strip()
        assert f'<html lang="{tag}" dir="ltr">' in mail.html
        assert {name for name, _ in Tags(mail.html).seen} <= TAGS
        for text in (mail.text, mail.html):
            assert "None" not in text and "%(" not in text and "{{" not in text and "%%" not in text, example.name
        assert "\n\n\n" not in mail.text
        wide = [line for line in mail.text.splitlines() if len(line) > 80]
        assert all(re.search(r"https://|starter\.py|mc-example", line) for line in wide), wide


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_mail_that_is_quoted_answers_nothing(tag: str) -> None:
    for example in examples():
        text = read(render(in_language(example, tag), LINKS, SENDER).content).text
        assert not isinstance(parse(text), Answer)
        assert not any(meaning(line) for line in text.splitlines()), example.name


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_words_of_a_mail_can_be_answered_with(tag: str) -> None:
    text = " ".join(text_of(in_language(examples()[0], tag), LINKS, SENDER)[1].split())
    [words] = re.findall(r"\((\w+(?:, \w+)+)\)", text)
    assert [meaning(word) for word in words.split(", ")] == ["approve", "reject", "request_changes", "abstain"]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_button_stands_above_its_plain_address(tag: str) -> None:
    for example in examples():
        html = text_of(in_language(example, tag), LINKS, SENDER)[2]
        for address in re.findall(r'<a class="go" href="([^"]+)">', html):
            assert f'<a href="{address}">{address}</a>' in html


# --- nothing of anybody's becomes a header or markup ------------------------------------------------------------------

# What the templates choose by; nobody can write these.
CHOSEN = {
    "kind", "happened", "status", "act", "due_at", "cause", "code", "late", "known", "in_reply_to", "slug", "what",
    "was", "verdict", "every", "period", "sits_at", "expires_at", "time_zone", "edition", "committee", "on",
    "publish_on", "public", "waits",
}  # fmt: skip


def written(value: Any, text: str) -> Any:
    """Everything that somebody may have written says ``text``."""
    if isinstance(value, str):
        return text
    if isinstance(value, dict):
        return {key: found if key in CHOSEN else written(found, text) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(written(item, text) for item in value)
    if isinstance(value, BaseModel):
        names = [name for name in type(value).model_fields if isinstance(getattr(value, name), str | BaseModel | tuple)]
        return value.model_copy(update={name: written(getattr(value, name), text) for name in names})
    return value


def hostile(letter: Letter, text: str) -> Letter:
    if isinstance(letter, Combined):
        return dataclasses.replace(letter, contexts=tuple(hostile_case(context, text) for context in letter.contexts))
    if isinstance(letter, MailContext):
        return hostile_case(letter, text)
    mail = dataclasses.replace(letter.mail, data=written(letter.mail.data, text))
    if not isinstance(letter, RegularContext):
        return dataclasses.replace(letter, mail=mail, name=text)
    tasks = tuple(dataclasses.replace(task, title=text, stage_name=text) for task in letter.tasks)
    items = tuple(written(item, text) for item in letter.items)
    return dataclasses.replace(letter, mail=mail, name=text, tasks=tasks, items=items)


def hostile_case(context: MailContext, text: str) -> MailContext:
    stage = context.stage
    if stage is not None:
        criteria = tuple(criterion.model_copy(update={"question": text, "id": text}) for criterion in stage.criteria)
        stage = stage.model_copy(update={"name": text, "asks": text, "criteria": criteria})
    publication = context.framework.publication.model_copy(update={"issuer_name": text})
    task = context.task | {"role": text} if context.task else None
    return dataclasses.replace(
        context,
        mail=dataclasses.replace(context.mail, data=written(context.mail.data, text)),
        name=text,
        principal=text,
        task=task,
        stage=stage,
        case=context.case | {"proposer": text},
        framework=context.framework.model_copy(update={"name": text, "publication": publication}),
        proposal=written(context.proposal, text),
        decisions=tuple(decision | {"comment": text, "stage_name": text} for decision in context.decisions),
        package=written(context.package, text),
        conditions=tuple(found.model_copy(update={"text": text, "owner": text}) for found in context.conditions),
    )


SHAPES = st.sampled_from(examples())
LANGUAGE = st.sampled_from(LANGUAGES)
MARKUP = '<script>alert(1)</script><img src=x onerror="y">\'&amp;{{ 7*7 }}%(title)s%s'


@settings(quickly, max_examples=120)
@given(example=SHAPES, tag=LANGUAGE, text=HOSTILE)
def test_nothing_that_anybody_wrote_becomes_markup(example: Example, tag: str, text: str) -> None:
    context = in_language(example, tag)
    harmless, found = (
        Tags(text_of(hostile(context, said), LINKS, SENDER)[2]).seen for said in ("plain", MARKUP + text)
    )
    assert [name for name, _ in found] == [name for name, _ in harmless]
    assert [sorted(attributes) for _, attributes in found] == [sorted(attributes) for _, attributes in harmless]


@settings(quickly, max_examples=120)
@given(example=SHAPES, tag=LANGUAGE, text=HOSTILE, end=st.sampled_from(BREAKS))
def test_nothing_that_anybody_wrote_becomes_a_header(example: Example, tag: str, text: str, end: str) -> None:
    said = f"{text}{end}Bcc: evil@example.net{end}{end}<b>"
    content = render(hostile(in_language(example, tag), said), LINKS, SENDER).content
    message = message_from_bytes(content, policy=policy.compat32)
    assert {*message.keys()} - {"Reply-To"} == headers_of(example) and len(message.keys()) == len(set(message.keys()))
    assert content.partition(b"\n\n")[0].isascii()


# --- an institution's own ---------------------------------------------------------------------------------------------


def folder_of(tmp_path: Path, **files: str) -> Path:
    """Files by name, with two strokes for one in a path: no name of ours has two."""
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


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


# --- looks ------------------------------------------------------------------------------------------------------------

BRANDING = """name: Northern Institute
sender: {name: Northern Institute, address: credentials@northern.example}
logo: {file: logo.png, alt: The <Northern> Institute, width: 120, background: "#ffffff"}
colours:
  light: {accent: "#7a143c"}
  dark: {accent: "#f0a3bd", on_accent: "#2a0715"}
footer:
  en: Harbour Road 1, Northport.
  de: Hafenstraße 1, Nordhafen.
"""


@pytest.fixture
def branded(tmp_path: Path) -> Sender:
    Image.new("RGB", (240, 60), "#7a143c").save(folder_of(tmp_path, **{"branding.yaml": BRANDING}) / "logo.png")
    settings_ = Settings(MAIL_TEMPLATES=tmp_path, MAIL_FROM="Office <office@example.edu>", _env_file=None)
    return sender_of(settings_)


def test_a_logo_goes_with_the_mail_and_nothing_is_fetched(branded: Sender) -> None:
    message = read(render(examples()[0].context, LINKS, branded).content).message
    assert message["From"] == "Northern Institute <credentials@northern.example>"
    body, _ = message.iter_parts()
    plain, related = body.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert related.get_param("type") == "text/html"
    html, logo = related.iter_parts()
    assert logo.get_content_type() == "image/png" and logo.get_content_disposition() == "inline"
    written_html = html.get_content()
    assert f'src="cid:{logo["Content-ID"].strip("<>")}"' in written_html
    assert 'alt="The &lt;Northern&gt; Institute" width="120" height="30"' in written_html
    addresses = re.findall(r'(?:src|href)="([^"]+)"', written_html)
    assert all(address.startswith((LINKS.base_url, "cid:")) for address in addresses)


def test_name_colours_and_last_lines_are_the_institutions(branded: Sender) -> None:
    for tag, last in (("en", "Harbour Road 1"), ("de", "Hafenstraße 1"), ("fr", "Harbour Road 1")):
        _, text, html = text_of(in_language(examples()[0], tag), LINKS, branded)
        assert last in text and last in html and "Northern Institute" in text
        assert "#7a143c" in html and "#f0a3bd" in html and LIGHT.accent not in html


def test_a_sender_is_changed_only_in_what_the_branding_names(tmp_path: Path) -> None:
    folder_of(tmp_path, **{"branding.yaml": "sender: {name: Northern}\n"})
    settings_ = Settings(MAIL_TEMPLATES=tmp_path, MAIL_FROM="Office <office@example.edu>", _env_file=None)
    assert sender_of(settings_).mail_from == "Northern <office@example.edu>"


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_shipped_colours_can_be_read(palette: Any) -> None:
    assert contrast_problems(palette, "x") == []


@pytest.mark.parametrize(
    ("one", "other", "found"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1.0)]
)
def test_contrast_is_as_the_guidelines_define_it(one: str, other: str, found: float) -> None:
    assert round(contrast(one, other), 2) == round(contrast(other, one), 2) == found


# --- plain text -------------------------------------------------------------------------------------------------------


@given(st.text())
def test_wrapping_loses_no_word(text: str) -> None:
    assert "".join(wrapped(text).split()) == "".join(text.split()) == "".join(quoted(text).split())


@given(st.lists(st.text("ab{}:;", min_size=1, max_size=80), max_size=60))
def test_a_packed_style_is_the_same_style_in_fewer_lines(lines: list[str]) -> None:
    found = packed("\n".join(lines))
    assert found.replace("\n", "") == "".join(lines) and all(len(line) <= 800 for line in found.split("\n"))
