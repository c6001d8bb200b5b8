"""Stages that only whoever is signed in decides, and how surely a decider was known: in the ledger, and in words."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from imprimatur.errors import ImprimaturError
from imprimatur.frameworks.loader import shipped
from imprimatur.history.export import as_csv, as_json_document, history, sentence
from imprimatur.history.verify import verify_case
from imprimatur.mail.context import MailContext
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import render
from imprimatur.rules.strength import sign_in_refusal
from imprimatur.rules.wording import KNOWN_BY
from imprimatur.store.engine import Database
from models.events import Decided
from models.framework import Framework
from models.tables import DecisionRow
from models.vocabulary import Authentication, Channel, EventType, MailKind, Strength, Verdict
from tests.engine import Engine
from tests.facts import OFFICE, SECOND, Play, amended, example, furnish, ledger_rows
from tests.mails import LINKS, contexts, read
from tests.replying import Post
from tests.web import Site, post

GOOD = {"verdict": "approve", "score.fit": "4", "score.no_duplication": "3"}
ANSWER = "approve\nfit: 4\nno_duplication: 3"
SIGN_IN = {"authentication": "sign_in"}


def strict(database: Database) -> Framework:
    return amended(database, "industry-credit", "proposal", **SIGN_IN)


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    found = Play(sqlite_database, tmp_path, strict(sqlite_database))
    found.submit(example("industry-credit"))
    return found


def holder(play: Play) -> str:
    return play.state.open_tasks("proposal")[0].assignee


# --- the rule -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [None, *Strength])
def test_only_a_sign_in_is_enough_where_one_is_asked_for(strength: Strength | None) -> None:
    lax = shipped()["industry-credit"].stage("proposal")
    asking = lax.model_copy(update={"authentication": Authentication.SIGN_IN})
    assert sign_in_refusal(lax, strength) is None
    enough = strength in (Strength.SESSION, Strength.OIDC)
    assert (sign_in_refusal(asking, strength) is None) is enough


def test_a_framework_that_asks_for_nothing_keeps_its_digest() -> None:
    policy = shipped()["industry-credit"]
    stated = policy.model_dump(mode="json")
    for stage in stated["stages"]:
        stage["authentication"] = "any"
    assert Framework.model_validate(stated).digest == policy.digest


# --- on the page ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [Strength.SESSION, Strength.OIDC])
async def test_whoever_is_signed_in_decides_on_the_page(play: Play, strength: Strength) -> None:
    site = Site(play)
    async with site.signed_in(holder(play), strength) as visitor:
        assert "Sign in before you answer" not in (await visitor.get(site.link("proposal"))).text
        assert (await visitor.post(site.link("proposal"), data=GOOD)).status_code == 200
    [event] = [row for row in ledger_rows(play.database, play.case_id) if row["type"] == EventType.DECISION_RECORDED]
    assert event["data"]["strength"] == strength


async def test_the_link_alone_is_not_enough_and_loses_no_words(play: Play) -> None:
    site = Site(play)
    async with site.visitor() as visitor:
        assert "Sign in before you answer" in (await visitor.get(site.link("proposal"))).text
    refused = await post(site, site.link("proposal"), GOOD | {"comment": "Fits our offer."})
    assert refused.status_code == 403
    assert "stage_wants_sign_in" in refused.text and "sign in as yourself" in refused.text
    assert "Fits our offer." in refused.text
    assert play.state.open_tasks("proposal")


async def test_a_sign_in_of_somebody_else_is_none(play: Play) -> None:
    site = Site(play)
    other = next(person for person in (OFFICE, SECOND) if person != holder(play))
    async with site.signed_in(other) as visitor:
        assert (await visitor.post(site.link("proposal"), data=GOOD)).status_code == 403


async def test_a_sign_in_is_told_where_none_is_asked_for(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    site = Site(play)
    async with site.signed_in(holder(play), Strength.OIDC) as visitor:
        assert (await visitor.post(site.link("proposal"), data=GOOD)).status_code == 200
    with play.database.read() as connection:
        table = DecisionRow.__table__  # type: ignore[attr-defined]
        assert connection.execute(select(table.c.strength)).scalars().all() == ["oidc"]


# --- by mail, and everywhere else -----------------------------------------------------------------------------------


def test_mails_of_such_a_task_offer_no_words(play: Play) -> None:
    [context] = [c for c in contexts(play.database) if c.mail.kind is MailKind.TASK]
    assert isinstance(context, MailContext)
    mail = read(render(context, LINKS, Sender("a@example.edu", "mail.example.edu", takes_replies=True)).content)
    assert "Or reply to this mail" not in mail.text + mail.html
    assert "signed in" in mail.text and "asked to sign in" in mail.html


async def test_a_reply_to_such_a_task_is_answered_with_the_link(live: Engine) -> None:
    strict(live.database)
    case_id = (await live.submit("industry-credit", case_id=live.case_id("strict"))).case_id
    task = live.tasks(case_id)[0]
    post_ = Post(live)
    assert (await post_.reply(task, ANSWER)).result == "stage_wants_sign_in"
    assert post_.decisions(case_id) == [] and post_.traces() == [("stage_wants_sign_in", task.assignee, "mail")]
    [told] = post_.answers()
    assert (told["kind"], told["data"]["code"]) == ("reply_not_recorded", "stage_wants_sign_in")
    [context] = [c for c in contexts(live.database) if c.mail.kind is MailKind.REPLY_NOT_RECORDED]
    mail = read(render(context, LINKS, Sender("a@example.edu", "mail.example.edu", takes_replies=True)).content)
    assert LINKS.task_url(task.task_id, task.assignee).rpartition(".")[0][:60] in mail.text
    assert "one word alone" not in mail.text


@pytest.mark.parametrize(
    ("channel", "strength"),
    [(Channel.COMMAND_LINE, None), (Channel.LINK, None), (Channel.MAIL, None), (Channel.LINK, Strength.API_KEY)],
)
async def test_the_rule_holds_whatever_the_way_in(live: Engine, channel: Channel, strength: Strength | None) -> None:
    strict(live.database)
    case_id = (await live.submit("industry-credit", case_id=live.case_id("ways"))).case_id
    task = live.tasks(case_id)[0]
    said: dict[str, Any] = {"task_id": task.task_id, "verdict": "approve", "actor": task.assignee}
    said |= {"scores": live.scores(task)}
    with pytest.raises(ImprimaturError) as refused:
        await live.gateway.decide(**said, channel=channel, strength=strength)
    assert refused.value.code == "stage_wants_sign_in"
    signed = await live.gateway.decide(**said, channel=Channel.LINK, strength=Strength.SESSION)
    again = await live.gateway.decide(**said, channel=channel, strength=strength)
    assert again == signed, "what is recorded is answered again, however it is asked"
    live.assert_whole(case_id)


# --- what is told of it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "expected"), [(Channel.COMMAND_LINE, "operator"), (Channel.LINK, "link"), (Channel.MAIL, None)]
)
async def test_a_way_in_says_how_surely_somebody_was_known(
    live: Engine, channel: Channel, expected: str | None
) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("known"))).case_id
    task = live.tasks(case_id)[0]
    await live.gateway.decide(
        task_id=task.task_id, verdict="approve", actor=task.assignee, scores=live.scores(task), channel=channel
    )
    [event] = [row for row in ledger_rows(live.database, case_id) if row["type"] == EventType.DECISION_RECORDED]
    assert event["data"].get("strength") == expected
    proofs = [proof for stage in live.show(case_id).stages for proof in stage.proof]
    assert [proof.strength for proof in proofs] == [expected]
    live.assert_whole(case_id)


def test_the_history_says_it_in_words_and_in_every_form(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    task = play.state.open_tasks("proposal")[0]
    decided = Decided(decision_id="d-1", task_id=task.id, actor=task.assignee, verdict=Verdict.APPROVE,
                      scores={"fit": 4, "no_duplication": 3}, strength=Strength.MAIL_DKIM)  # fmt: skip
    play.act(decided)
    events = history(play.database, play.case_id)
    [event] = [found for found in events if found.type is EventType.DECISION_RECORDED]
    assert KNOWN_BY[Strength.MAIL_DKIM] in sentence(event)
    assert KNOWN_BY[Strength.MAIL_DKIM] in as_csv(events)
    told = as_json_document(play.database, play.case_id)["events"]
    assert [item["data"]["strength"] for item in told if item["type"] == "decision_recorded"] == ["mail_dkim"]
    assert verify_case(play.database, play.case_id).ok
    with play.database.write() as connection:
        connection.execute(DecisionRow.__table__.update().values(strength="oidc"))  # type: ignore[attr-defined]
    assert any("strength" in problem.problem for problem in verify_case(play.database, play.case_id).problems)


def test_a_decision_of_before_says_nothing_of_it(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", fit=4, no_duplication=3)
    [event] = [row for row in ledger_rows(play.database, play.case_id) if row["type"] == EventType.DECISION_RECORDED]
    assert "strength" not in event["data"]
    assert verify_case(play.database, play.case_id).ok


def test_every_strength_has_its_words() -> None:
    assert set(KNOWN_BY) == set(Strength)
