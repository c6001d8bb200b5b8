"""The languages of mail: whole catalogues, each language's own forms, and whose language a mail is written in."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jinja2 import nodes

from imprimatur.errors import InputError
from imprimatur.frameworks.loader import shipped
from imprimatur.inbound.doubts import unclear
from imprimatur.mail import catalogues
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.environment import TEMPLATES, House, shipped_house
from imprimatur.mail.languages import CATALOGUES, SOURCE, choose, mismatches, read_catalogue, strings
from imprimatur.mail.phrases import PHRASES
from imprimatur.mail.rendering import render
from imprimatur.mail.replies.grammar import WORDS, Doubt, Unclear, meaning, proposed
from imprimatur.mail.words import field_words, retold
from imprimatur.rules.answers import check_answer
from imprimatur.rules.completeness import missing
from imprimatur.rules.wording import closed_by
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from imprimatur.store.preferences import prefer
from models.vocabulary import TaskClosure, Verdict
from tests.facts import Play, example, furnish
from tests.mails import LATER, LINKS, SENDER, read

HOUSE = shipped_house()
POLICY = shipped()["industry-credit"]
TRANSLATED = sorted(set(HOUSE.languages) - {SOURCE})
GERMAN, FRENCH, ENGLISH = (HOUSE.languages[tag] for tag in ("de", "fr", SOURCE))
# What a reader copies as it stands.
COMMANDS = re.compile(r"starter\.py( [a-z]+)+|--[a-z]+|/catalogue/|FILE|EMAIL|TEXT")
WORD = re.compile(r"[^\W\d_]{2,}")


def ids(messages: Any) -> set[tuple[str | None, str]]:
    return {(m.context, m.id if isinstance(m.id, str) else m.id[0]) for m in messages if m.id}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_holds_every_message_and_none_that_is_gone(tag: str) -> None:
    """Whoever changes a sentence runs `make catalogues` and translates what is new: docs/mail-templates.md."""
    catalogue = read_catalogue(CATALOGUES / f"{tag}.po")
    assert ids(catalogue) == ids(catalogues.source())


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_message_is_translated_and_nothing_is_left_to_guess(tag: str) -> None:
    catalogue = read_catalogue(CATALOGUES / f"{tag}.po")
    messages = [message for message in catalogue if message.id]
    assert [message.id for message in messages if not all(strings(message))] == []
    assert [message.id for message in messages if message.fuzzy] == []
    assert [found for message in messages for found in mismatches(message)] == []
    assert all(len(strings(message)) == catalogue.num_plurals for message in messages if message.pluralizable)


def test_updating_a_catalogue_keeps_what_is_translated(tmp_path: Path) -> None:
    shipped, copy = CATALOGUES / "de.po", tmp_path / "de.po"
    copy.write_bytes(shipped.read_bytes())
    catalogues.update(copy, catalogues.source())
    assert copy.read_bytes() == shipped.read_bytes()


def test_a_language_is_begun_with_nothing_translated(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "note.html").write_text("{{ _('A sentence of our own.') }}", encoding="utf-8")
    assert catalogues.main(["it", "--folder", str(tmp_path)]) == 0
    catalogue = read_catalogue(tmp_path / "languages" / "it.po")
    assert "A sentence of our own." in catalogue
    assert not any(any(strings(message)) for message in catalogue if message.id)
    assert "it" in House(tmp_path).languages, "and mail in it is in English until it is"


# --- nothing is said outside the catalogues ---------------------------------------------------------------------------


def templates() -> list[str]:
    return sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*") if path.suffix != ".css")


def spoken(tree: nodes.Template) -> Iterator[str]:
    """Texts of a template that a reader would see and that no catalogue knows."""
    markup = "".join(found.data for found in tree.find_all(nodes.TemplateData))
    markup = re.sub(r"<style>.*?</style>|<!doctype html>", "", markup, flags=re.DOTALL)
    yield from WORD.findall(COMMANDS.sub("", re.sub(r"<[^<>]*>|&\w+;", " ", markup)))
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            shown = [node, *(part for part in (getattr(node, "expr1", None), getattr(node, "expr2", None)) if part)]
            yield from (
                str(part.value) for part in shown if isinstance(part, nodes.Const) and WORD.search(str(part.value))
            )


@pytest.mark.parametrize("name", templates())
def test_a_template_says_nothing_that_is_not_translated(name: str) -> None:
    environment = HOUSE.environment(ENGLISH)
    source = (TEMPLATES / name).read_text(encoding="utf-8")
    assert list(spoken(environment.parse(source))) == []


def test_what_is_said_outside_the_catalogues_is_found() -> None:
    environment = HOUSE.environment(ENGLISH)
    source = "<p class='go'>Hello</p>{{ 'Good day' if name else _('Dear') }}{% trans %}Bye{% endtrans %}"
    assert list(spoken(environment.parse(source))) == ["Hello", "Good day"]


# --- each language's own forms ----------------------------------------------------------------------------------------

AUCKLAND = ZoneInfo("Pacific/Auckland")
DUE = dt.datetime(2026, 3, 5, 19, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("en", "Friday 6 March 2026, 08:30 (NZDT)"),
        ("de", "Freitag, 6. März 2026, 08:30 Uhr (NZDT)"),
        ("fr", "vendredi 6 mars 2026 à 08:30 (NZDT)"),
    ],
)
def test_an_instant_is_written_as_the_language_writes_it(tag: str, told: str) -> None:
    assert HOUSE.languages[tag].local(DUE, AUCKLAND) == told


@pytest.mark.parametrize(
    ("tag", "number", "told"),
    [("en", 1, "%(hours)s hour"), ("de", 2, "%(hours)s Stunden"), ("fr", 0, "%(hours)s heure")],
)
def test_plurals_follow_the_language(tag: str, number: int, told: str) -> None:
    assert HOUSE.languages[tag].ngettext("%(hours)s hour", "%(hours)s hours", number) == told


def test_numbers_follow_the_language() -> None:
    assert [language.decimal(2.5) for language in (ENGLISH, GERMAN, FRENCH)] == ["2.5", "2,5", "2,5"]


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("tag", ["en", "de", "fr", "es", "ja", "de-AT", "it"])
def test_the_word_that_a_mail_proposes_means_what_it_says(tag: str, verdict: Verdict) -> None:
    assert meaning(proposed(verdict, tag)) is verdict
    if tag == "it":
        assert proposed(verdict, tag) == WORDS[verdict][0], "a language without words of its own takes the English"


def test_the_languages_of_words_keep_their_places() -> None:
    assert [proposed(Verdict.APPROVE, tag) for tag in ("en", "de", "fr", "es", "ja")] == list(WORDS[Verdict.APPROVE])


# --- what was worded elsewhere ----------------------------------------------------------------------------------------


def refusals() -> Iterator[str]:
    """What the rules and the grammar of replies say to somebody whose answer does not count."""
    for doubt in Doubt:
        for line in ("", "Looks good"):
            error = unclear(Unclear(doubt, line))
            yield from (error.message, error.hint)
    for closure in TaskClosure:
        yield from (f"This task closed: {closed_by(closure, who)}." for who in ("system", "sam.o@example.edu"))


@pytest.mark.parametrize("language", [GERMAN, FRENCH], ids=["de", "fr"])
def test_a_refusal_is_told_in_the_language_of_the_mail(language: Any) -> None:
    for text in refusals():
        assert retold(language, text) != text, text
        assert retold(ENGLISH, text) == text
        assert "sam.o@example.edu" in retold(language, text) or "sam.o@example.edu" not in text


@pytest.mark.parametrize("verdict", ["approve", "reject", "endorse"])
def test_an_answer_that_is_not_well_formed_is_told_in_the_language_of_the_mail(verdict: str) -> None:
    stage = next(stage for stage in POLICY.stages if stage.id == "quality")
    with pytest.raises(InputError) as raised:
        check_answer(stage, verdict, "", {"outcomes": 99, "nothing": 1})
    for text in (raised.value.message, raised.value.hint):
        assert text and retold(GERMAN, text) != text


def test_what_is_missing_is_told_in_the_language_of_the_mail() -> None:
    lacking = example("industry-credit").model_copy(update={"summary": None, "learning_outcomes": ()})
    problems = [item.problem for item in missing(lacking, POLICY).required]
    assert problems and all(retold(GERMAN, problem) != problem for problem in problems)


FREE = ["Rejected by the dean", "The 3 partners left; we stop", "%(closure)s by %(person)s", "is missing a partner", ""]


@pytest.mark.parametrize("text", FREE)
def test_what_somebody_wrote_is_never_reworded(text: str) -> None:
    assert retold(GERMAN, text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every stage passed", "jede Stufe wurde bestanden"),
        ("0 approved (2 needed), 2 rejected, 1 requested changes",
         "Genehmigungen: 0 (nötig: 2), Ablehnungen: 2, Änderungswünsche: 1"),
        ("has no 1; is missing", "has no 1; fehlt"),
        ("needs at least 2 entries, has 1, in entry 3", "braucht mindestens 2 Einträge, hat 1, in Eintrag 3"),
        ("You have answered this task already: request_changes.",
         "Sie haben diese Aufgabe schon beantwortet: Um Änderungen bitten."),
        ("Choose one of: approve, request_changes.", "Wählen Sie eines davon: genehmigen, änderungen."),
    ],
)  # fmt: skip
def test_a_phrase_is_known_by_its_form(text: str, told: str) -> None:
    assert retold(GERMAN, text) == told


def test_no_phrase_is_listed_twice() -> None:
    assert len(set(PHRASES)) == len(PHRASES)


def test_fields_of_a_proposal_have_names() -> None:
    assert field_words(GERMAN, "assessment.description") == "Prüfung, Beschreibung"
    assert field_words(ENGLISH, "learning_outcomes") == "learning outcomes"


# --- whose language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"), [(("de-AT",), "de"), (("it", "fr"), "fr"), (("",), "en"), (("it",), "en"), (("en-GB",), "en")]
)
def test_the_nearest_language_that_there_is_is_taken(wanted: tuple[str, ...], found: str) -> None:
    assert choose(HOUSE.languages, *wanted).tag == found


def test_a_person_is_written_to_in_their_own_language(database: Database, tmp_path: Path) -> None:
    furnish(database)
    prefer(database, "sam.reviewer@example.edu", {"language": "de"})
    (tmp_path / "people.csv").write_text("email,name,language\nquinn.reviewer@example.edu,Quinn,fr\n", encoding="utf-8")
    assert import_people(database, tmp_path / "people.csv").updated == 1
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    found = [item for item in load(database, outbox.claim(database, 20, LATER)) if isinstance(item, MailContext)]
    subjects = {item.mail.recipient: read(render(item, LINKS, SENDER).content).header("Subject") for item in found}
    assert subjects["sam.reviewer@example.edu"].startswith("Ihre Begutachtung: ")
    assert subjects["quinn.reviewer@example.edu"].startswith("Votre évaluation : ")
    assert subjects["rosa.reviewer@example.edu"].startswith("Your review: ")


def test_whoever_has_no_language_is_written_to_in_the_default(tmp_path: Path) -> None:
    house = House(default="fr")
    assert [house.language(wanted).tag for wanted in ("", "it", "de", "en")] == ["fr", "fr", "de", "en"]
