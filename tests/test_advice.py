"""Advice: anyone active can be asked; it is kept with name and time, shown and told, and decides nothing."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.errors import NotFound
from imprimatur.history.export import history, sentence
from imprimatur.history.verify import verify_case
from imprimatur.rules.admission import refusal
from imprimatur.rules.desk_admission import ADVICE_LIMIT
from imprimatur.store.engine import Database
from imprimatur.store.task_page import task_page
from models.events import AdviceAsked, AdviceGiven, Held, PassedOn
from models.vocabulary import EventType, MailKind, StageOutcome, Verdict
from tests.facts import OFFICE, Play, event_types, everything, example, furnish
from tests.mails import LINKS, contexts, rendered

LENA, ADVISER = "lena.office@example.edu", "ivo.adviser@example.org"


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    return play


def task(play: Play) -> str:
    return play.state.open_tasks("proposal")[0].id


def ask(play: Play, adviser: str = ADVISER, actor: str = LENA, question: str = "Is the title fair?") -> AdviceAsked:
    return AdviceAsked(actor=actor, task_id=task(play), adviser=adviser, question=question)


def give(play: Play, text: str = "It promises too much.", actor: str = ADVISER) -> AdviceGiven:
    return AdviceGiven(actor=actor, task_id=task(play), text=text)


def code(play: Play, event: Any) -> str | None:
    refused = refusal(play.state, event, play.plan)
    return refused.code if refused else None


def test_advice_is_attached_with_name_and_time_and_decides_nothing(play: Play) -> None:
    task_id = task(play)
    play.act(ask(play))
    play.act(give(play))
    [row] = everything(play.database)["advice"]
    assert (row["adviser"], row["adviser_name"], row["text"]) == (ADVISER, "Ivo Petrov", "It promises too much.")
    assert (row["asked_by"], row["asked_at"], row["given_at"]) == (LENA, play.now - dt.timedelta(minutes=1), play.now)
    assert play.state.stages["proposal"].outcome is None
    assert [found.id for found in play.state.open_tasks("proposal")] == [task_id]
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED
    assert verify_case(play.database, play.case_id).ok


def test_advice_is_told_in_the_story_and_shown_on_the_page(play: Play) -> None:
    play.act(ask(play))
    assert task_page(play.database, task(play), LENA).advice == (), "what is only asked for is not shown"
    play.act(give(play))
    told = [sentence(event) for event in history(play.database, play.case_id)]
    assert f"Asked {ADVISER} for advice on proposal (round 1): Is the title fair?" in told
    assert "Gave advice on proposal (round 1): It promises too much." in told
    [shown] = task_page(play.database, task(play), LENA).advice
    assert (shown["adviser_name"], shown["text"], shown["given_at"]) == (
        "Ivo Petrov",
        "It promises too much.",
        play.now,
    )


def test_an_adviser_has_a_page_of_their_own(play: Play) -> None:
    with pytest.raises(NotFound):
        task_page(play.database, task(play), ADVISER)
    play.act(ask(play))
    page = task_page(play.database, task(play), ADVISER)
    assert page.asked is not None
    assert (page.asked["question"], page.asked["given_at"]) == ("Is the title fair?", None)
    assert task_page(play.database, task(play), LENA).asked is None
    play.act(give(play))
    page = task_page(play.database, task(play), ADVISER)
    assert page.asked is not None and page.asked["text"] == "It promises too much."


def test_the_adviser_and_whoever_asked_are_written_to(play: Play) -> None:
    play.act(ask(play))
    play.act(give(play))
    mails = {context.mail.kind: (context.mail.recipient, rendered(context)) for context in contexts(play.database)}
    recipient, mail = mails[MailKind.ADVICE_ASKED]
    assert recipient == ADVISER and "Is the title fair?" in mail.text and LENA in mail.text
    assert "Reply-To" not in mail.message, "a reply to this mail would be no answer to the task"
    [link] = [word for word in mail.text.split() if word.startswith(f"{LINKS.base_url}/t/")]
    claim = LINKS.read(link.rsplit("/", 1)[1])
    assert (claim.task_id, claim.person) == (task(play), ADVISER)
    recipient, mail = mails[MailKind.ADVICE_GIVEN]
    assert recipient == LENA and "It promises too much." in mail.text


def test_whoever_takes_the_task_over_sees_the_advice(play: Play) -> None:
    play.act(ask(play))
    play.act(give(play))
    play.act(PassedOn(actor=LENA, task_id=task(play), to=OFFICE, reason=""))
    [shown] = task_page(play.database, task(play), OFFICE).advice
    assert shown["text"] == "It promises too much."


def test_advice_is_asked_again_once_it_was_given(play: Play) -> None:
    play.act(ask(play))
    assert code(play, ask(play)) == "advice_asked_already"
    play.act(give(play, "Too long."))
    assert code(play, give(play, "And too wide.")) == "advice_not_asked", "each advice is given once"
    play.act(ask(play, question="And now?"))
    play.act(give(play, "Better."))
    assert sorted(row["text"] for row in everything(play.database)["advice"]) == ["Better.", "Too long."]
    assert event_types(play.database, play.case_id).count(EventType.ADVICE_GIVEN) == 2


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (lambda play: ask(play, actor=ADVISER, adviser=LENA), "not_your_task"),
        (lambda play: ask(play, adviser=LENA), "own_advice"),
        (lambda play: give(play), "advice_not_asked"),
        (lambda play: give(play, actor=LENA), "advice_not_asked"),
        (lambda play: ask(play).model_copy(update={"task_id": "t-nope"}), "task_unknown"),
    ],
)
def test_who_cannot_ask_or_advise(sqlite_database: Database, tmp_path: Path, event: Any, expected: str) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    assert code(play, event(play)) == expected


@pytest.mark.parametrize("text", ["", " \n", "x" * (ADVICE_LIMIT + 1)])
def test_advice_says_something_and_not_too_much(sqlite_database: Database, tmp_path: Path, text: str) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.act(ask(play))
    assert code(play, give(play, text)) == "advice_empty"
    assert code(play, give(play, "x" * ADVICE_LIMIT)) is None


def test_a_question_is_not_endless(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    assert code(play, ask(play, question="x" * (ADVICE_LIMIT + 1))) == "question_too_long"


def test_advice_that_comes_too_late_or_while_the_case_rests(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.act(ask(play))
    late = give(play)
    play.decide("proposal", Verdict.APPROVE)
    assert code(play, late) == "advice_too_late"
    held = Play(sqlite_database, tmp_path, case_id="mc-held")
    held.submit(example("industry-credit"))
    question = ask(held, actor=held.state.open_tasks("proposal")[0].assignee)
    held.act(Held(actor=OFFICE, reason="x", by_office=True))
    assert code(held, question) == "case_on_hold"
