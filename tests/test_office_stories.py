"""Every act and every policy, written for good: whole, once, told in words, and in mails that can be read."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from activities.commit import Committer
from imprimatur.history.export import history
from imprimatur.history.facts import case_facts
from imprimatur.history.sentences import sentence
from imprimatur.history.verify import verify_all, verify_case
from imprimatur.mail.context import MailContext
from imprimatur.mail.regular import REGULAR
from imprimatur.mail.rendering import REPLIES
from imprimatur.store.engine import Database
from imprimatur.store.reading import show_case
from models.effects import Effect, Escalate
from models.vocabulary import AssignmentReason, MailKind, StageKind, TaskClosure
from tests.facts import BASE_URL, Play, everything, example, furnish, ledger_rows
from tests.handover import handover_of_published
from tests.mails import Read, contexts, rendered
from tests.office_stories import STORIES, tell
from tests.reviewed_mails import review_of_published

OUTCOMES = {
    "passed-on-and-annulled": "published",
    "sent-back-and-skipped": "published",
    "overruled": "rejected",
    "objected": "published",
    "stood-aside": "published",
    "late-escalate": "published",
    "late-remind": "published",
    "late-reassign": "published",
    "late-skip": "published",
    "late-approve": "published",
    "late-reject": "rejected",
    "withdrawn-on-hold": "withdrawn",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Play]]:
    """All stories, in a database of each kind."""
    folder = tmp_path_factory.mktemp("stories")
    if request.param == "sqlite":
        file = folder / "imprimatur.db"
        file.write_bytes(request.getfixturevalue("migrated_file").read_bytes())
        database = Database(f"sqlite:///{file}")
    else:
        database = Database(request.getfixturevalue("postgres_template")())
    furnish(database)
    # Whoever joins or leaves in one story must not be missing in the next.
    plays = {}
    for name in STORIES:
        furnish(database)
        plays[name] = tell(name, database, folder)
    yield plays
    database.close()


def database_of(plays: dict[str, Play]) -> Database:
    return plays["objected"].database


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_whole_and_ends_as_it_should(told: dict[str, Play], name: str) -> None:
    play = told[name]
    found = verify_case(play.database, play.case_id)
    assert found.ok, found.problems
    view = show_case(play.database, play.case_id)
    assert str(view.status) == str(play.state.status) == OUTCOMES.get(name, str(play.state.status))
    assert {stage.stage: (stage.status, stage.outcome) for stage in view.stages} == {
        stage.id: (stage.status, stage.outcome) for stage in play.state.stages.values()
    }
    assert {task.task_id for task in view.tasks} == {task.id for task in play.state.open_tasks()}
    open_stages = {stage.stage: stage.due_at for stage in view.stages if stage.status == "open"}
    assert open_stages == {name: play.state.stages[name].due_at for name in open_stages}


@pytest.mark.parametrize("name", STORIES)
def test_what_the_ledger_tells_of_a_case_is_what_its_row_says(told: dict[str, Play], name: str) -> None:
    play = told[name]
    [row] = [row for row in everything(play.database)["case_record"] if row["case_id"] == play.case_id]
    facts = case_facts(ledger_rows(play.database, play.case_id))
    for column in ("status", "round", "version", "proposer", "closing_reason", "clock_remaining_seconds"):
        assert facts[column] == row[column], column


def test_written_again_nothing_changes(told: dict[str, Play], tmp_path: Path) -> None:
    database = database_of(told)
    before = everything(database)
    again = Committer(database, base_url=BASE_URL, published_dir=tmp_path, after_mail=lambda: None)
    for play in told.values():
        for step in play.steps:
            again.write_step(step)
    assert everything(database) == before
    assert verify_all(database).ok


def test_every_kind_of_effect_was_written(told: dict[str, Play], tmp_path: Path) -> None:
    [union, _] = get_args(Effect)
    seen = {type(effect) for play in told.values() for step in play.steps for effect in step.effects}
    # Reviews and hand-overs of what is published, and proposers who move, have stories of their own.
    reviews, handovers, moving = (
        ("BeginReview", "ConcludeReview"),
        ("BeginHandover", "ConcludeHandover"),
        "ReaddressProposer",
    )
    elsewhere = {"LapseStage", "KeepStage", "BreachCase", "SeekReviewers", *reviews, *handovers, moving}
    assert {kind.__name__ for kind in set(get_args(union)) - seen} <= elsewhere


def test_every_event_has_a_sentence(told: dict[str, Play]) -> None:
    for play in told.values():
        for event in history(play.database, play.case_id):
            text = sentence(event)
            assert "cannot be read" not in text and text[0].isupper(), text


Rendered = list[tuple[MailContext, Read]]


@pytest.fixture(scope="module")
def mails(told: dict[str, Play], tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """All that was written, rendered as it stands now."""
    database = database_of(told)
    late = Play(database, tmp_path_factory.mktemp("late"), case_id="mc-late")
    late.submit(example("industry-credit"))
    late.decide("proposal")
    late.pass_time(dt.timedelta(days=120))
    review_of_published(database, tmp_path_factory.mktemp("reviewed"))
    handover_of_published(database, tmp_path_factory.mktemp("handed_over"))
    return [(context, rendered(context)) for context in contexts(database)]


def test_every_mail_of_every_kind_and_cause_can_be_read(mails: Rendered) -> None:
    for context, message in mails:
        for text in (message.text, message.html):
            assert "None" not in text and "{{" not in text and "  by " not in text, text
            assert context.proposal.display_title in " ".join(text.split())
        assert message.header("Subject")
    # Replies are answered beside the cases.
    apart = {MailKind.RETURNED, MailKind.SIGN_IN} | REPLIES | REGULAR
    assert {context.mail.kind for context, _ in mails} == set(MailKind) - apart
    causes = {context.mail.data["cause"] for context, _ in mails if context.mail.kind is MailKind.ESCALATION}
    assert causes == set(get_args(Escalate.model_fields["cause"].annotation))
    reasons = {context.task["reason"] for context, _ in mails if context.task is not None}
    assert reasons == {str(reason) for reason in AssignmentReason} - {"unit"}
    closed = [context.task for context, _ in mails if context.mail.kind is MailKind.TASK_CLOSED]
    closures = {task["closure"] for task in closed if task is not None}
    # Whoever passed a task on or gave it back knows, whose answer was annulled gets another mail, and who left none.
    assert closures == {str(c) for c in TaskClosure} - {"delegated", "returned", "annulled", "left"}


def wording(mails: Rendered, kind: MailKind, stage: StageKind, **data: Any) -> list[tuple[str, str]]:
    """Subjects and texts of such mails, each on one line."""
    return [
        (message.header("Subject"), " ".join(message.text.split()))
        for context, message in mails
        if context.mail.kind is kind
        and context.stage is not None
        and context.stage.kind is stage
        and all(context.mail.data.get(name) == value for name, value in data.items())
    ]


@pytest.mark.parametrize(
    ("kind", "stage", "data", "subject", "said"),
    [
        (MailKind.TASK, StageKind.REVIEW, {}, "Your review: ", "Please answer by "),
        (MailKind.TASK, StageKind.ENDORSEMENT, {}, "Your review: ", "Please answer by "),
        (MailKind.TASK, StageKind.INFORMATION, {}, "For your information: ", "nothing waits for you"),
        (MailKind.TASK, StageKind.OBJECTION, {}, "Do you object: ", "Without an objection the stage passes: Senate"),
        (MailKind.REMINDER, StageKind.REVIEW, {"late": False}, "Reminder: ", "Your answer is still missing. "),
        (MailKind.REMINDER, StageKind.REVIEW, {"late": True}, "Reminder: ", "Your answer was due by "),
        (MailKind.REMINDER, StageKind.OBJECTION, {}, "Reminder: ", "You have not said yet whether you object"),
        (MailKind.ESCALATION, StageKind.OBJECTION, {"cause": "objection"}, "Escalated to you: ", "You decide: approve"),
        (MailKind.ESCALATION, StageKind.REVIEW, {"cause": "breach"}, "Escalated to you: ", "like any other reviewer's"),
        (MailKind.ESCALATION, StageKind.REVIEW, {"cause": "no_decision"}, "Escalated to you: ", "decision is yours"),
        (MailKind.CONFIRMATION, StageKind.REVIEW, {"act": "skip"}, "To be confirmed: ", "wants to skip the stage"),
        (MailKind.CONFIRMATION, StageKind.REVIEW, {"outcome": "rejected"}, "To be confirmed: ", 'set to "rejected"'),
    ],
)  # fmt: skip
def test_a_mail_asks_for_what_its_stage_wants(
    mails: Rendered, kind: MailKind, stage: StageKind, data: dict[str, Any], subject: str, said: str
) -> None:
    found = wording(mails, kind, stage, **data)
    assert all(headed.startswith(subject) for headed, _ in found)
    assert any(said in text for _, text in found)
