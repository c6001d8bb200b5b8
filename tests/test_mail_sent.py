"""What acts put into the outbox, for whom, and in which thread it comes."""

from pathlib import Path
from typing import Any

import pytest

from imprimatur.store.engine import Database
from imprimatur.store.people import PersonEntry, import_people, list_people
from models.events import Decided, Extended, Held, PassedOn, Placed, Resumed
from models.tables import IncidentRow
from models.vocabulary import Channel, MailKind, Verdict
from tests.facts import EXAMPLES, MINUTE, OFFICE, PROPOSER, Play, add_people, everything, example, furnish
from tests.governed import submitted
from tests.mails import Mails, contexts, every_mail, rendered
from tests.meetings import SECRETARY, boards, sitting

INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
VERA = "vera.deputy@example.edu"


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    return play


def mails(play: Play, *kinds: MailKind) -> list[tuple[str, dict[str, Any]]]:
    rows = everything(play.database)["outbox"]
    return [(row["recipient"], row["data"]) for row in rows if row["kind"] in kinds]


# --- changes ----------------------------------------------------------------------------------------------------


def test_whoever_is_asked_hears_that_a_case_is_held_and_goes_on(play: Play) -> None:
    [task] = play.state.open_tasks("proposal")
    play.office(Held, reason="The partner is being sold.")
    play.office(Resumed, reason="It is sold.")
    told = [(to, data["what"], data["reason"]) for to, data in mails(play, MailKind.CHANGED)]
    assert sorted(told) == [
        (task.assignee, "held", "The partner is being sold."),
        (task.assignee, "resumed", "It is sold."),
    ]


def test_whoever_is_asked_hears_of_more_time(play: Play) -> None:
    [task] = play.state.open_tasks("proposal")
    play.office(Extended, stage="proposal", by={"business_days": 2})
    [(to, data)] = mails(play, MailKind.CHANGED)
    assert (to, data["what"]) == (task.assignee, "extended")
    assert data["was"] < data["due_at"]


def test_whoever_decides_in_a_committee_hears_of_another_sitting(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = submitted(sqlite_database, tmp_path, sitting(), committees=boards())
    play.office(Placed, stage="board", on="2026-04-08", reason="Not reached.")
    [(to, data)] = mails(play, MailKind.CHANGED)
    assert (to, data["what"], data["reason"]) == (SECRETARY, "placed", "Not reached.")


# --- passing on -------------------------------------------------------------------------------------------------


def test_a_task_passed_on_is_told_to_both(play: Play) -> None:
    play.decide("proposal")
    task = play.state.open_tasks("quality")[0]
    play.act(PassedOn(actor=task.assignee, task_id=task.id, to=VERA, reason="It is her field.", by_office=False))
    assert [to for to, _ in mails(play, MailKind.PASSED_ON)] == [task.assignee]
    [(to, data)] = mails(play, MailKind.DELEGATION)
    assert (to, data["reason"]) == (VERA, "It is her field.")
    assert mails(play, MailKind.TASK_CLOSED) == []


# --- receipts and outcomes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", Channel)
def test_an_answer_is_confirmed_once_whichever_way_it_came(play: Play, channel: Channel) -> None:
    [task] = play.state.open_tasks("proposal")
    said = {"verdict": Verdict.APPROVE, "comment": "Fits.", "channel": channel}
    play.act(Decided(decision_id="d-1", task_id=task.id, actor=task.assignee, **said))
    receipts = [to for to, _ in mails(play, MailKind.RECEIPT)]
    assert receipts == ([] if channel is Channel.MAIL else [task.assignee]), "a reply is answered in its own thread"


def test_the_proposer_hears_what_stages_came_to_and_of_the_end_once(play: Play) -> None:
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    told = [(to, data["stage"], data["outcome"]) for to, data in mails(play, MailKind.STAGE_OUTCOME)]
    assert {to for to, _, _ in told} == {PROPOSER}
    assert sorted(stage for _, stage, _ in told) == ["proposal", "quality"], "the last one is told by the end"
    assert [to for to, _ in mails(play, MailKind.OUTCOME)] == [PROPOSER]


def test_a_request_for_changes_is_told_by_the_mail_that_says_which(play: Play) -> None:
    play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    assert mails(play, MailKind.STAGE_OUTCOME) == []
    assert [to for to, _ in mails(play, MailKind.REVISION)] == [PROPOSER]


# --- incidents --------------------------------------------------------------------------------------------------


def test_the_office_hears_of_what_was_put_right_at_once_and_not_of_what_was_later(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    reviewers = [f"{name}.reviewer@example.edu,Gone,,no" for name in ("quinn", "rosa", "sam")]
    add_people(sqlite_database, tmp_path, *reviewers)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    told = [context for context in contexts(sqlite_database) if context.mail.kind is MailKind.INCIDENT]
    [incident] = everything(sqlite_database)["incident"]
    assert incident["resolved_at"] == incident["opened_at"], "the stage was escalated"
    assert told and {context.stale for context in told} == {None}
    with sqlite_database.write() as connection:
        connection.execute(INCIDENT.update().values(resolved_at=play.now + MINUTE))
    later = [context for context in contexts(sqlite_database) if context.mail.kind is MailKind.INCIDENT]
    assert {context.stale for context in later} == {"the incident is resolved"}


# --- threads ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Mails:
    return every_mail(migrated_file, tmp_path_factory.mktemp("mails"))


def test_every_mail_of_a_case_stands_in_its_thread(found: Mails) -> None:
    seen = set()
    for context in found:
        mail, thread = rendered(context), f"<case.{context.case['case_id']}@mail.example.edu>"
        references = mail.header("References").split()
        assert references[0] == thread and mail.header("In-Reply-To") == references[-1]
        seen.add(context.mail.kind)
    assert seen >= {MailKind.DELEGATION, MailKind.PASSED_ON, MailKind.CHANGED, MailKind.RECEIPT, MailKind.STAGE_OUTCOME}


# --- preferences in the directory -------------------------------------------------------------------------------


def people(database: Database, folder: Path, *lines: str) -> PersonEntry:
    file = folder / "people.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert import_people(database, file).rejected == []
    return next(person for person in list_people(database) if person.email == OFFICE)


def test_preferences_come_with_the_directory_and_stay_where_a_file_is_silent(
    database: Database, tmp_path: Path
) -> None:
    import_people(database, EXAMPLES / "people.csv")
    heading = "email,name,time_zone,quiet_hours,digest,receipts"
    full = people(database, tmp_path, heading, f"{OFFICE},Omar,Europe/Berlin,20:00-07:00,Weekly,no")
    assert full.model_dump(include={"time_zone", "quiet_hours", "digest", "receipts"}) == {
        "time_zone": "Europe/Berlin",
        "quiet_hours": "20:00-07:00",
        "digest": "weekly",
        "receipts": False,
    }
    assert people(database, tmp_path, "email,name", f"{OFFICE},Omar") == full
    assert people(database, tmp_path, heading, f"{OFFICE},Omar,default,,default,").time_zone is None
