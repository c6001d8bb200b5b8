"""What conditions of approvals leave behind: rows, ledger events, mails and pages, over both kinds of database."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from imprimatur.access.viewer import viewer_of
from imprimatur.errors import InputError
from imprimatur.history.export import history
from imprimatur.history.sentences import sentence
from imprimatur.history.verify import verify_all
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.links import Links
from imprimatur.rules.condition_words import condition
from imprimatur.store.case_reading import case_sheet
from imprimatur.store.conditions import ConditionView, case_of_condition, unsettled_of
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Mail, Result, claim, record
from imprimatur.store.reading import show_case
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.conditions import Condition, ConditionFulfilled, ConditionJudged
from models.tables import ConditionRow
from models.vocabulary import CaseStatus, ConditionAct, Conditions, ConditionStatus, MailKind, MailStatus, Strength
from tests.facts import BASE_URL, OFFICE, PROPOSER, Play, amended, event_types, everything, example, furnish
from tests.mails import rendered
from tests.web import Decider

OFFICES = (OFFICE, "lena.office@example.edu")
DAY = dt.timedelta(days=1)
LINKS = Links(["k" * 40], BASE_URL)


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    policy = amended(database, "industry-credit", "quality", conditions=Conditions.ALLOWED)
    case = Play(database, tmp_path, policy)
    case.submit(example("industry-credit"))
    case.decide("proposal", fit=4, no_duplication=3)
    return case


def publish(play: Play, *conditions: Condition) -> list[ConditionView]:
    """As far as it goes: the first reviewer of quality sets the conditions."""
    play.decide("quality", conditions=conditions, outcomes=4, assessment=4)
    approve_all(play)
    return shown(play)


def approve_all(play: Play) -> None:
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, outcomes=4, assessment=4, need=4)


def shown(play: Play) -> list[ConditionView]:
    return show_case(play.database, play.case_id).conditions


def fulfil(play: Play, found: ConditionView) -> None:
    play.act(ConditionFulfilled(actor=found.owner, condition_id=found.condition_id, evidence="Version 2, page 3."))


def judge(play: Play, found: ConditionView, act: ConditionAct, by: str | None = None) -> None:
    event = ConditionJudged(
        actor=by or found.set_by, condition_id=found.condition_id, act=act, reason="as agreed", by_office=by == OFFICE
    )
    play.act(event)


def mails(play: Play, kind: MailKind = MailKind.CONDITION) -> list[Mail]:
    """All that wait, of one kind; each is taken once."""
    waiting = claim(play.database, 500, dt.datetime.now(dt.UTC))
    record(play.database, [Result(mail, MailStatus.SENT) for mail in waiting], dt.datetime.now(dt.UTC))
    return [mail for mail in waiting if mail.kind is kind]


def texts(play: Play, found: Sequence[Mail]) -> list[tuple[str, str]]:
    """Subject and both parts of each mail as it would be sent."""
    sent = []
    for context in load(play.database, found):
        assert isinstance(context, MailContext)
        mail = rendered(context)
        sent.append((mail.header("Subject"), f"{mail.text}\n{mail.html}"))
    return sent


def test_a_condition_is_kept_from_the_decision_to_its_end(play: Play) -> None:
    given = condition("Name the assessor.", due="10d", blocking=True)
    play.decide("quality", conditions=[given], outcomes=4, assessment=4)
    [proposed] = shown(play)
    assert (proposed.status, proposed.due_at, proposed.owner) == (ConditionStatus.PROPOSED, None, PROPOSER)
    play.decide("quality", outcomes=4, assessment=4)
    opened_at = play.now
    [found] = shown(play)
    assert found.status is ConditionStatus.OPEN and found.blocking
    assert found.due_at is not None and found.due_at > opened_at + 13 * DAY
    assert found.due_reason is not None and found.due_reason["calendar"] == "campus"
    play.decide("industry", need=4)
    assert (play.state.status, play.state.open_tasks()) == (CaseStatus.IN_REVIEW, [])
    fulfil(play, found)
    assert shown(play)[0].evidence == "Version 2, page 3."
    judge(play, found, ConditionAct.ACCEPT, by=OFFICE)
    [settled] = shown(play)
    assert (settled.status, settled.settled_by, settled.settled_at) == (ConditionStatus.ACCEPTED, OFFICE, play.now)
    assert play.state.status is CaseStatus.PUBLISHED
    told = [str(type_) for type_ in event_types(play.database, play.case_id) if type_.startswith("condition")]
    assert told == ["condition_set", "condition_fulfilled", "condition_accepted"]
    assert case_of_condition(play.database, found.condition_id) == play.case_id
    assert verify_all(play.database).ok


def test_a_proposer_learns_of_a_condition_when_its_stage_has_decided(play: Play) -> None:
    def seen_by(email: str, *roles: str) -> list[str]:
        viewer = viewer_of(email, "", roles, [], has_tasks=False, strength=Strength.SESSION)
        return [found.text for found in case_sheet(play.database, viewer, play.case_id).view.conditions]

    play.decide("quality", conditions=[condition("Name the assessor.")], outcomes=4, assessment=4)
    assert (seen_by(PROPOSER), seen_by(OFFICE, "governance_office")) == ([], ["Name the assessor."])
    play.decide("quality", outcomes=4, assessment=4)
    assert seen_by(PROPOSER) == ["Name the assessor."]


def test_a_new_version_can_meet_what_holds_up_the_publication(play: Play) -> None:
    [found] = publish(play, condition("Name the assessor.", blocking=True))
    whole = example("industry-credit")
    play.revise(whole.model_copy(update={"price": None}))
    assert [(c.condition_id, c.status) for c in shown(play)] == [(found.condition_id, ConditionStatus.OPEN)]
    play.revise(whole.model_copy(update={"price": None, "summary": None}))
    assert show_case(play.database, play.case_id).clock_remaining_seconds is not None
    play.revise(whole)
    approve_all(play)
    fulfil(play, found)
    judge(play, found, ConditionAct.ACCEPT)
    assert play.state.status is CaseStatus.PUBLISHED
    assert verify_all(play.database).ok


def test_every_condition_event_tells_its_story(play: Play) -> None:
    first, second = publish(play, condition("Name the assessor.", due="3d"), condition("Print a flyer."))
    fulfil(play, first)
    judge(play, first, ConditionAct.REOPEN)
    play.pass_time(30 * DAY)
    fulfil(play, first)
    judge(play, first, ConditionAct.ACCEPT)
    judge(play, second, ConditionAct.WAIVE, by=OFFICE)
    stories = [sentence(event) for event in history(play.database, play.case_id) if "condition" in event.type]
    assert [story.split()[0] for story in stories] == [
        "Made", "Made", "Reported", "Asked", "Missed", "Reported", "Accepted", "Waived",
    ]  # fmt: skip
    assert "for ana.proposer@example.edu, by 2026-" in stories[0] and "Name the assessor." in stories[0]
    decided = [sentence(e) for e in history(play.database, play.case_id) if e.type == "decision_recorded"]
    assert [story for story in decided if "on 2 conditions" in story] == [decided[1]]
    assert verify_all(play.database).ok


def test_a_date_means_the_close_of_that_day_and_one_that_has_passed_means_now(play: Play) -> None:
    later, past = publish(play, condition("A", due="2026-04-01"), condition("B", due="2026-01-01"))
    assert later.due_at == dt.datetime(2026, 4, 1, 4, 0, tzinfo=dt.UTC), "17:00 in Auckland"
    [_, opened] = [event.at for event in history(play.database, play.case_id) if event.type == "condition_set"]
    assert (past.due_at, past.due_reason) == (opened, None)
    play.pass_time(DAY)
    assert [found.breached_at is not None for found in shown(play)] == [False, True]


def test_who_has_to_act_gets_a_mail_that_says_how(play: Play) -> None:
    mails(play)
    [found] = publish(play, condition("Name the assessor.", due="10d", blocking=True))
    [(mail, (subject, text))] = told(play)
    assert (mail.recipient, subject) == (PROPOSER, "A condition to see to: Product Discovery and Prototyping with AI")
    assert text.count("Name the assessor.") == 2, "in the plain text and in the HTML"
    assert f"/cases/{play.case_id}/acts/fulfil?condition={found.condition_id}" in text
    assert "Nothing is published before it is settled." in text and "is due " in text
    play.pass_time(11 * DAY)
    assert {mail.data["happened"] for mail, _ in told(play)} == {"reminder"}
    play.pass_time(30 * DAY)
    late = told(play)
    assert {mail.recipient for mail, _ in late if mail.data["happened"] == "late"} == {PROPOSER, found.set_by, *OFFICES}
    assert all("was not fulfilled in time" in text for mail, (_, text) in late if mail.data["happened"] == "late")
    fulfil(play, found)
    [(mail, (_, text))] = told(play)
    assert mail.recipient == found.set_by and f"/cases/{play.case_id}/acts/judge?condition={found.condition_id}" in text
    assert "Version 2, page 3." in text
    judge(play, found, ConditionAct.REOPEN)
    [(mail, (_, text))] = told(play)
    assert mail.recipient == PROPOSER and "Why: as agreed" in text and "/acts/fulfil?" in text
    judge(play, found, ConditionAct.WAIVE)
    [(mail, (subject, text))] = told(play)
    assert (mail.recipient, subject.split(":")[0]) == (PROPOSER, "Condition waived") and "/acts/" not in text


def told(play: Play) -> list[tuple[Mail, tuple[str, str]]]:
    found = mails(play)
    return list(zip(found, texts(play, found), strict=True))


def test_nobody_hears_of_a_condition_that_never_came_into_force(play: Play) -> None:
    play.decide("quality", conditions=[condition("Name the assessor.")], outcomes=4, assessment=4)
    play.withdraw("the partner has left")
    assert [found.status for found in shown(play)] == [ConditionStatus.LAPSED]
    assert mails(play) == []
    assert verify_all(play.database).ok


def test_the_outcome_mail_lists_what_stays_open(play: Play) -> None:
    first, second = publish(play, condition("Name the assessor.", due="10d"), condition("Print a flyer."))
    assert play.state.status is CaseStatus.PUBLISHED
    judge(play, second, ConditionAct.WAIVE)
    [(_, text)] = texts(play, mails(play, MailKind.OUTCOME))
    assert text.count("Name the assessor.") == 2 and first.condition_id in text
    assert "Print a flyer." not in text, "it is settled by the time the mail is sent"


def test_a_step_written_again_changes_nothing(play: Play) -> None:
    [found] = publish(play, condition("Name the assessor.", due="3d"))
    play.pass_time(30 * DAY)
    fulfil(play, found)
    judge(play, found, ConditionAct.ACCEPT)
    before = everything(play.database)
    for step in play.steps:
        play.committer.write_step(step)
    assert everything(play.database) == before


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"text": "Name nobody."}, "differs from the ledger in text"),
        ({"owner": "somebody@example.edu"}, "differs from the ledger in owner"),
        ({"status": "accepted"}, "differs from the ledger in status"),
        ({"blocking": True}, "differs from the ledger in blocking"),
        ({"condition_id": "c-other"}, "the ledger knows no such condition"),
    ],
)
def test_a_row_that_was_altered_is_found(play: Play, change: dict[str, Any], problem: str) -> None:
    publish(play, condition("Name the assessor.", due="3d"))
    with play.database.write() as connection:
        connection.execute(update(ConditionRow.__table__).values(change))  # type: ignore[attr-defined]
    found = verify_all(play.database)
    assert any(problem in item.problem for item in found.problems), found.problems


# --- the page --------------------------------------------------------------------------------------------------------


async def _ready() -> dict[str, str]:
    return {}


@pytest.fixture
async def page(play: Play) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(House(play.database, LINKS, decider=Decider(play)), ready=_ready)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        yield client


def task_link(play: Play, stage: str) -> str:
    task = play.state.open_tasks(stage)[0]
    return f"/t/{LINKS.token(task.id, task.assignee)}"


FORM = {"verdict": "approve", "score.outcomes": "4", "score.assessment": "4"}


async def test_the_form_takes_conditions_where_the_stage_does(play: Play, page: httpx.AsyncClient) -> None:
    link = task_link(play, "quality")
    opened = await page.get(link)
    assert opened.status_code == 200 and 'name="condition.3.due"' in opened.text
    assert 'name="condition.1.text"' not in (await page.get(task_link(play, "industry"))).text
    answer = FORM | {
        "condition.1.text": "Name the assessor.",
        "condition.1.due": "10d",
        "condition.1.blocking": "yes",
        "condition.3.text": "Print a flyer.",
        "condition.3.owner": "Dean@Example.edu",
    }
    posted = await page.post(link, data=answer)
    assert posted.status_code == 200 and "On condition" in posted.text and "Name the assessor." in posted.text
    assert {(c.text, c.owner, c.blocking) for c in shown(play)} == {
        ("Name the assessor.", PROPOSER, True),
        ("Print a flyer.", "dean@example.edu", False),
    }
    assert "Name the assessor." in (await page.get(link)).text, "the reviewer sees what was asked"
    assert "Name the assessor." in (await page.get(task_link(play, "quality"))).text, "and so do the others"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"condition.1.due": "10d"}, "condition_text_required"),
        ({"condition.1.text": "Name them.", "condition.1.due": "soon"}, "due_malformed"),
        ({"condition.1.text": "Name them.", "condition.1.owner": "the dean"}, "condition_owner_malformed"),
    ],
)
async def test_a_condition_that_cannot_be_taken_is_typed_only_once(
    play: Play, page: httpx.AsyncClient, row: dict[str, str], code: str
) -> None:
    posted = await page.post(task_link(play, "quality"), data=FORM | row)
    assert posted.status_code == 422 and f"<code>{code}</code>" in posted.text
    assert all(value in posted.text for value in row.values()), "what was typed stands in the form"
    assert shown(play) == []


def test_words_of_a_condition_raise_what_they_raise_everywhere() -> None:
    with pytest.raises(InputError) as refused:
        condition("x", due="soon")
    assert (refused.value.code, refused.value.exit_status) == ("due_malformed", 2)


def test_what_somebody_still_has_to_see_to_or_to_judge_is_found(play: Play) -> None:
    [found] = publish(play, condition("Name the assessor.", owner="mere.tane@harbour-software.example", blocking=True))
    for person in (found.owner, found.set_by):
        assert unsettled_of(play.database, person) == [found.condition_id]
    assert unsettled_of(play.database, PROPOSER) == []
    play.office(ConditionJudged, condition_id=found.condition_id, act=ConditionAct.WAIVE, reason="Not needed.")
    assert unsettled_of(play.database, found.owner) == []
