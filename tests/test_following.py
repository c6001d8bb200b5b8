"""A proposer's cases follow them to another address, those that are over as well; nobody else's do."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from imprimatur.access.viewer import Scope
from imprimatur.following import Following
from imprimatur.history.export import history
from imprimatur.history.sentences import sentence
from imprimatur.history.verify import verify_all
from imprimatur.rerouting import Rerouting
from imprimatur.rules.standing import Interest
from imprimatur.store.access import overseen
from imprimatur.store.attachments import file_of, keep_file
from imprimatur.store.authority import authority
from imprimatur.store.conditions import conditions_of
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from imprimatur.store.people import take_people
from imprimatur.store.sessions import Client
from imprimatur.store.sign_in_links import ask_for_link
from models.conditions import Condition
from models.events import Act
from models.messages import CaseAnswer
from models.tables import CaseRow, OutboxRow
from models.vocabulary import EventType, InterestKind
from tests.facts import PROPOSER, Play, everything, example, furnish, ledger_rows
from tests.relay import eventually

CASE = CaseRow.__table__  # type: ignore[attr-defined]
OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
NEW, NEWEST, QUINN = "ana.newer@example.edu", "ana.newest@example.edu", "quinn.reviewer@example.edu"


class Acting:
    """Brings acts to cases that are played without Temporal."""

    def __init__(self, *plays: Play) -> None:
        self._plays = {play.case_id: play for play in plays}

    async def act(self, case_id: str, event: Act, update_id: str | None = None) -> CaseAnswer:
        play = self._plays[case_id]
        play.act(event)
        state = play.state
        facts = {"version": state.version, "round": state.round, "position": 0, "digest": ""}
        return CaseAnswer.model_validate({"case_id": case_id, "status": state.status} | facts)


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    found = Play(database, tmp_path)
    found.submit(example("industry-credit"))
    return found


def moved(database: Database, to: str = NEW, former: str = PROPOSER) -> None:
    assert take_people(database, f"email,name,formerly\n{to},Ana,{former}\n").rejected == []


def proposer(play: Play) -> str:
    query = select(CASE.c.proposer).where(CASE.c.case_id == play.case_id)
    with play.database.read() as connection:
        return str(connection.execute(query).scalar_one())


def seen_by(play: Play, person: str) -> list[str]:
    """Cases that belong to somebody's pages by being theirs."""
    with play.database.read() as connection:
        query = select(CASE.c.case_id).where(overseen(Scope(person=person)) | (CASE.c.proposer == person))
        return list(connection.execute(query).scalars())


async def test_a_running_case_follows_its_proposer(play: Play) -> None:
    following = Following(Acting(play), play.database)
    assert await following.follow() == 0
    moved(play.database)
    assert [await following.follow(), await following.follow()] == [1, 0]
    assert (play.state.proposer, proposer(play)) == (NEW, NEW)
    [event] = [event for event in history(play.database, play.case_id) if event.type == "proposer_readdressed"]
    assert (event.actor, event.data) == ("system", {"from": PROPOSER, "to": NEW})
    assert sentence(event) == f"The proposer {PROPOSER} is reached as {NEW} now"
    play.decide("proposal", "request_changes", "Say more.")  # type: ignore[arg-type]
    assert [row["recipient"] for row in everything(play.database)["outbox"] if row["kind"] == "revision"] == [NEW]
    assert (seen_by(play, NEW), seen_by(play, PROPOSER)) == ([play.case_id], [])
    assert verify_all(play.database).problems == []


async def test_cases_follow_by_themselves_while_the_worker_runs(play: Play) -> None:
    moved(play.database)
    watching = asyncio.create_task(Rerouting(Acting(play), play.database).watch())
    await eventually(lambda: proposer(play) == NEW)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_a_case_that_is_over_follows_too(play: Play) -> None:
    play.withdraw("It is not needed.")
    moved(play.database)
    moved(play.database, NEWEST, NEW)
    following = Following(Acting(), play.database)
    assert [await following.follow(), await following.follow()] == [1, 0]
    assert proposer(play) == NEWEST
    assert ledger_rows(play.database, play.case_id)[-1]["type"] == EventType.PROPOSER_READDRESSED
    assert verify_all(play.database).problems == []


async def test_who_is_still_there_is_not_followed_elsewhere(play: Play) -> None:
    moved(play.database)
    take_people(play.database, f"email,name,active\n{PROPOSER},Ana,yes\n")
    assert await Following(Acting(play), play.database).follow() == 0


async def test_conditions_that_wait_for_the_proposer_follow(play: Play) -> None:
    given = Condition(id="", text="Name the equipment.")
    play.decide("proposal", conditions=(given, given.model_copy(update={"owner": QUINN})))
    moved(play.database)
    await Following(Acting(play), play.database).follow()
    with play.database.read() as connection:
        owners = [item.owner for item in conditions_of(connection, [play.case_id])[play.case_id]]
    assert sorted(owners) == [NEW, QUINN]
    assert sorted(item.owner for item in play.state.conditions.values()) == [NEW, QUINN]
    assert verify_all(play.database).problems == []


async def test_an_interest_in_the_proposer_and_their_files_follow(play: Play) -> None:
    digest = keep_file(play.database, b"a syllabus", PROPOSER, play.now)
    add_interest(play.database, QUINN, Interest(InterestKind.PERSON, PROPOSER), "a cousin", play.now)
    moved(play.database)
    await Following(Acting(play), play.database).follow()
    with play.database.read() as connection:
        assert authority(connection, play.case_id, QUINN).conflict is not None
    assert file_of(play.database, digest, NEW) == b"a syllabus"


async def test_mail_that_has_not_left_follows_too_unless_it_is_for_one_address_alone(play: Play) -> None:
    play.decide("proposal", comment="Fits.", fit=4, no_duplication=4)
    for _ in range(2):
        play.decide("quality", "request_changes", "Say more.", outcomes=2, assessment=2)  # type: ignore[arg-type]
    ask_for_link(play.database, PROPOSER, "/", Client(), play.now)
    before = {row["mail_id"]: row for row in everything(play.database)["outbox"]}
    sent = next(mail_id for mail_id, row in before.items() if row["kind"] == "stage_outcome")
    with play.database.write() as connection:
        connection.execute(OUTBOX.update().where(OUTBOX.c.mail_id == sent).values(status="sent"))
    moved(play.database)
    following = Following(Acting(play), play.database)
    assert [await following.follow(), await following.follow()] == [1, 0]
    after = {row["mail_id"]: row for row in everything(play.database)["outbox"]}
    changed = {mail_id for mail_id, row in after.items() if row["recipient"] != before[mail_id]["recipient"]}
    assert {before[mail_id]["kind"] for mail_id in changed} == {"revision"}
    assert {(after[mail_id]["recipient"], after[mail_id]["recipient_name"]) for mail_id in changed} == {(NEW, "Ana")}
    told = [row for row in everything(play.database)["mail_event"] if row["mail_id"] in changed]
    assert [row["reply"] for row in told] == [f"to {NEW}, for {PROPOSER} was given up"]
    kept = {row["kind"] for row in after.values() if row["recipient"] == PROPOSER}
    assert {"sign_in", "stage_outcome"} <= kept
