"""The shipped templates of mail: every shape in every language is whole and safe."""

import dataclasses
import re
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from imprimatur.mail import catalogues
from imprimatur.mail.combining import Combined, Letter
from imprimatur.mail.context import MailContext
from imprimatur.mail.environment import TEMPLATES, House, packed, quoted, shipped_house, wrapped
from imprimatur.mail.examples import LINKS, Example, examples
from imprimatur.mail.languages import SOURCE, Language
from imprimatur.mail.regular import RegularContext
from imprimatur.mail.rendering import render, text_of
from imprimatur.mail.replies.grammar import Answer, meaning, parse
from models.vocabulary import MailKind
from tests.houses import SENDER, in_language
from tests.mails import BREAKS, HEADERS, HOSTILE, quickly, read
from tests.test_mail_content import TAGS, Tags

LANGUAGES = sorted(shipped_house().languages)


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


# --- plain text -------------------------------------------------------------------------------------------------------


@given(st.text())
def test_wrapping_loses_no_word(text: str) -> None:
    assert "".join(wrapped(text).split()) == "".join(text.split()) == "".join(quoted(text).split())


@given(st.lists(st.text("ab{}:;", min_size=1, max_size=80), max_size=60))
def test_a_packed_style_is_the_same_style_in_fewer_lines(lines: list[str]) -> None:
    found = packed("\n".join(lines))
    assert found.replace("\n", "") == "".join(lines) and all(len(line) <= 800 for line in found.split("\n"))
