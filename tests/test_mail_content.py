"""What recipients read: every kind of mail, whole in plain text, safe in HTML, and safe in its headers."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings

from imprimatur.mail.context import MailContext, load
from imprimatur.mail.languages import Language
from imprimatur.mail.regular import REGULAR
from imprimatur.mail.rendering import REPLIES, render
from imprimatur.mail.replies.grammar import WORDS, Answer, meaning, parse
from imprimatur.mail.words import SAID, WHY
from imprimatur.rules.wording import closed_because
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from models.vocabulary import AssignmentReason, IncidentKind, MailKind, TaskClosure, Verdict
from tests.facts import BASE_URL, example
from tests.governed import review, submitted
from tests.mails import (
    HEADERS,
    HOSTILE,
    LATER,
    LINKS,
    SENDER,
    Mails,
    can_be_answered,
    changed,
    every_mail,
    one,
    quickly,
    read,
    rendered,
)

TAGS = {
    "del", "ins",
    "html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "p", "a", "strong", "span", "br", "ul", "li",
    "table", "tr", "th", "td", "blockquote", "code",
}  # fmt: skip
ENGLISH = Language("en")
EMPTY_TAGS = {"meta", "br"}


@pytest.fixture(scope="module")
def found(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Mails:
    return every_mail(migrated_file, tmp_path_factory.mktemp("mails"))


class Tags(HTMLParser):
    """Tags as a browser meets them; an unbalanced one fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in EMPTY_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_these_are_mails_of_every_kind_and_for_every_reason(found: Mails) -> None:
    assert {context.mail.kind for context in found} == set(MailKind) - REGULAR - {MailKind.SIGN_IN}
    tasks = [context.task for context in found if context.task is not None]
    assert {task["reason"] for task in tasks} == set(AssignmentReason)
    assert {task["closure"] for task in tasks if task["closure"]} == set(TaskClosure)
    incidents = {context.mail.data["kind"] for context in found if context.mail.kind is MailKind.INCIDENT}
    assert incidents == set(IncidentKind)
    outcomes = {context.mail.data["status"] for context in found if context.mail.kind is MailKind.OUTCOME}
    assert outcomes == {"published", "rejected", "withdrawn"}
    happened = {context.mail.data["happened"] for context in found if context.mail.kind is MailKind.REVIEW}
    assert happened == {"coming", "begun", "concluded"}


CLOSED = {closure: closed_because(closure) for closure in TaskClosure}


@pytest.mark.parametrize(("words", "vocabulary"), [(WHY, AssignmentReason), (SAID, Verdict), (CLOSED, TaskClosure)])
def test_every_word_of_the_vocabularies_has_words_for_people(words: dict[str, str], vocabulary: type[str]) -> None:
    assert list(words) == list(vocabulary)  # type: ignore[call-overload]
    assert len(set(words.values())) == len(words)


def test_every_mail_is_whole_and_readable(found: Mails) -> None:
    for context in found:
        mail = rendered(context)
        assert {*mail.message.keys()} - {"Reply-To"} == HEADERS and len(mail.message.keys()) == len({*mail.message})
        types = [part.get_content_type() for part in mail.message.walk() if not part.is_multipart()]
        assert types in (["text/plain", "text/html"], ["text/plain", "text/html", "text/calendar"])
        assert mail.header("Auto-Submitted") == ("auto-replied" if context.mail.kind in REPLIES else "auto-generated")
        assert mail.header("From") == "Example Institute <credentials@example.edu>"
        assert context.mail.recipient in mail.header("To")
        for text in (mail.text, mail.html):
            assert context.proposal.display_title in " ".join(text.split()).replace("&#39;", "'")
            assert f"Case {context.case['case_id']}." in text
            assert "None" not in text and "{{" not in text and "_" not in re.sub(r"\S*(https?:|@|-)\S*", "", text)
        assert mail.text.startswith("Dear ") or context.name == ""
        assert "<" not in mail.text and "\n\n\n" not in mail.text


def test_the_html_is_well_formed_and_holds_nothing_foreign(found: Mails) -> None:
    for context in found:
        html = rendered(context).html
        tags = Tags(html)
        assert {tag for tag, _ in tags.seen} <= TAGS
        addresses = {attributes.get("href") or attributes.get("src") for _, attributes in tags.seen} - {None}
        assert all(str(address).startswith(BASE_URL) for address in addresses)
        assert "url(" not in html and "@import" not in html, "nothing is fetched, so nobody is tracked"


def test_a_task_mail_says_what_by_when_why_and_where(found: Mails) -> None:
    for context in found:
        if not can_be_answered(context):
            continue
        assert context.task is not None and context.stage is not None
        mail = rendered(context)
        link = LINKS.task_url(context.task["task_id"], context.task["assignee"]).rsplit(".", 2)[0]
        for text in (mail.text, mail.html):
            words = " ".join(text.split()).replace("&#39;", "'")
            assert context.stage.asks in words
            assert context.task["due_at"] is None or ENGLISH.local(context.task["due_at"], context.zone) in words
            why = WHY[AssignmentReason(context.task["reason"])].split("%")[0]
            # Whoever is asked in somebody's place is told in whose.
            assert f"You are asked because {'' if context.task['on_behalf_of'] else why}" in words
            assert (context.task["on_behalf_of"] or "") in words
            assert link in text
            assert all(outcome in words for outcome in context.proposal.learning_outcomes)
            assert all(criterion.question in words for criterion in context.stage.criteria)
            assert (context.proposal.summary or "") in words


def test_a_task_mail_says_how_to_answer_by_reply_where_replies_are_taken(found: Mails) -> None:
    for context in found:
        if not can_be_answered(context):
            continue
        assert context.task is not None and context.stage is not None
        mail = read(render(context, LINKS, dataclasses.replace(SENDER, takes_replies=True)).content)
        words = [WORDS[verdict][0] for verdict in context.stage.accepted(context.task["reason"])]
        for text in (mail.text, mail.html):
            assert f"first line ({', '.join(words)})" in " ".join(text.split())
            for criterion in context.stage.criteria:
                needed = " (needed)" if criterion.required else ""
                scale = f"{criterion.scale.minimum} to {criterion.scale.maximum}{needed}"
                assert f"{criterion.id.replace('_', ' ')}: {scale}" in text
        assert "Or reply to this mail" not in rendered(context).text
        # Quoted whole and answered by nothing it decides nothing, nor does any of its lines say a verdict.
        assert not isinstance(parse(mail.text), Answer)
        assert not any(meaning(line) for line in mail.text.splitlines())
        # Nor does it become part of a comment where no mail program has marked it as quoted.
        assert not isinstance(parse(f"approve\n\n{mail.text}"), Answer)


def test_a_due_time_is_told_in_the_calendars_own_time(found: Mails) -> None:
    text = rendered(one(found, MailKind.TASK)).text
    assert "Please answer by Friday 6 March 2026, 08:30 (NZDT)." in text


SAYS: list[tuple[MailKind, dict[str, str], list[str]]] = [
    (
        MailKind.ESCALATION,
        {"cause": "breach"},
        [
            "This stage was to be decided by Tuesday 17 March 2026, 08:30 (NZDT) and was not,",
            "so it comes to you as well. Your answer counts like any other reviewer's.",
        ],
    ),
    (MailKind.ESCALATION, {"cause": "no_decision"}, ["so the decision is yours.", "Please answer by Friday 6 March"]),
    (
        MailKind.BREACH,
        {},
        [
            "was to be published by Monday 23 March 2026, 08:00 (EDT) and is late.",
            "Answers are awaited from: * Quinn Abara (Quality review)",
            f"See it here: {BASE_URL}/cases/mc-late",
        ],
    ),
    (
        MailKind.OUTCOME,
        {"status": "published"},
        [
            "was published: every stage passed.",
            f"{BASE_URL}/catalogue/product-discovery-and-prototyping-with-ai-abcdefghijkl",
            "Industry sign-off, a reviewer approved: Well done.",
        ],
    ),
    (
        MailKind.OUTCOME,
        {"status": "rejected"},
        [
            "was rejected: 0 approved (2 needed), 2 rejected, 0 requested changes.",
            "Quality review, a reviewer rejected: It repeats a course. See the catalogue.",
        ],
    ),
    (MailKind.OUTCOME, {"status": "withdrawn"}, ["was withdrawn: too late."]),
    (
        MailKind.REVISION,
        {},
        [
            "The reviewers ask for changes to",
            "Quality review, a reviewer asks for changes: Wie wird Forschungsethik gesichert? 研究倫理 🎓",
            f"{BASE_URL}/cases/mc-abcdefghijkl/revise",
        ],
    ),
    (
        MailKind.RETURNED,
        {},
        [
            "* summary is missing",
            "* partners is missing This kind of micro-credential is developed with industry.",
            f"{BASE_URL}/cases/mc-withdrawn/revise",
        ],
    ),
    (MailKind.TASK_CLOSED, {}, ["is no longer needed: the stage was decided. Thank you for your time."]),
    (MailKind.TASK_CLOSED, {}, ["is no longer needed: the review was concluded."]),
    (
        MailKind.REVIEW,
        {"happened": "coming"},
        ["The next review of", "begins Thursday 2 April 2026, ", "You can bring it forward, or put it off as far as"],
    ),
    (
        MailKind.REVIEW,
        {"happened": "begun"},
        ["has begun, its review number 1. Why: Employers complained.", f"{BASE_URL}/cases/mc-reviewed-r1"],
    ),
    (
        MailKind.REVIEW,
        {"happened": "concluded", "outcome": "retire"},
        ["is concluded: it is retired, and whoever has begun can finish. Why: "],
    ),
    (
        MailKind.HANDED_OVER,
        {"outcome": "taken_up"},
        ["have taken it up. You need do nothing. They said: It is course DES-214.", f"{BASE_URL}/cases/mc-handed"],
    ),
    (
        MailKind.HANDED_OVER,
        {"outcome": "sent_back"},
        ["have sent it back. The governance office knows, and settles", "They said: There is no room in March."],
    ),
    (MailKind.INCIDENT, {"kind": "no_reviewer"}, ["(Quality review): nobody can review this stage"]),
    (MailKind.INCIDENT, {"kind": "mail_bounced"}, ["could not be delivered: 550 no such mailbox"]),
]


@pytest.mark.parametrize(("kind", "data", "sentences"), SAYS)
def test_a_mail_says_what_its_reader_needs(
    found: Mails, kind: MailKind, data: dict[str, str], sentences: list[str]
) -> None:
    candidates = [c for c in found if c.mail.kind is kind and data.items() <= c.mail.data.items()]
    texts = [" ".join(rendered(context).text.split()) for context in candidates]
    assert any(all(sentence in text for sentence in sentences) for text in texts), texts


def test_no_mail_asks_its_reader_for_a_command(found: Mails) -> None:
    for context in found:
        message = rendered(context)
        assert "starter.py" not in message.text + message.html


def test_plain_text_fits_a_narrow_window(found: Mails) -> None:
    for context in found:
        for line in rendered(context).text.splitlines():
            assert len(line) <= 80 or line.strip().startswith(("https://", "Case ", "You are told"))


@settings(quickly, max_examples=25)
@given(text=HOSTILE)
def test_no_text_of_anyone_becomes_markup(found: Mails, text: str) -> None:
    markup = f"<script>alert(1)</script><img src=x>\"'{text}"
    for kind in (MailKind.TASK, MailKind.REVISION, MailKind.RETURNED, MailKind.INCIDENT):
        context = one(found, kind)
        harmless, hostile = (Tags(rendered(_saying(context, said)).html).seen for said in ("plain", markup))
        assert [tag for tag, _ in hostile] == [tag for tag, _ in harmless]


def _saying(context: MailContext, text: str) -> MailContext:
    mail = dataclasses.replace(context.mail, data={**context.mail.data, **_texts(context, text)})
    decisions = tuple(decision | {"comment": text} for decision in context.decisions)
    return changed(context, title=text, name=text, mail=mail, decisions=decisions)


def _texts(context: MailContext, text: str) -> dict[str, object]:
    data: dict[str, object] = {name: text for name in ("detail",) if name in context.mail.data}
    if "missing" in context.mail.data:
        data["missing"] = [dict.fromkeys(item, text) for item in context.mail.data["missing"]]
    return data


def test_long_lines_of_any_script_come_back_as_they_were(found: Mails) -> None:
    context = one(found, MailKind.REVISION)
    comment = "研" * 1500 + "\n" + "https://example.edu/" + "a" * 2000 + "\n.\nFrom here on\n..twice"
    hostile = changed(context, decisions=({**context.decisions[0], "comment": comment, "round": 1},))
    content = render(hostile, LINKS, SENDER).content
    assert content.isascii() and max(map(len, content.splitlines())) < 998
    shown = [line.strip() for line in read(content).text.splitlines()]
    assert all(line in shown for line in comment.splitlines())


def test_a_proposal_that_says_little_still_makes_a_mail(found: Mails) -> None:
    context = one(found, MailKind.TASK)
    bare = example("industry-credit").model_validate({"title": "Bare"})
    mail = rendered(changed(context, proposal=bare))
    assert "Bare" in mail.text and "Offered by" not in mail.text and "None" not in mail.text + mail.html


def test_an_approval_whose_words_are_published_is_given_on_the_page(sqlite_database: Database, tmp_path: Path) -> None:
    submitted(sqlite_database, tmp_path, review(statement="required"))
    [claimed, *_] = outbox.claim(sqlite_database, 1, LATER)
    [context] = load(sqlite_database, [claimed])
    assert isinstance(context, MailContext)
    text = read(render(context, LINKS, dataclasses.replace(SENDER, takes_replies=True)).content).text
    assert "first line (reject, changes, abstain, recuse)" in " ".join(text.split())
    assert "Read the proposal and answer here:" in text
