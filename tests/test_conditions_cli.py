"""Conditions of approvals on the command line: set, listed, fulfilled, accepted, reopened, waived."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from imprimatur.rules.condition_words import condition
from imprimatur.store.engine import Database
from models.vocabulary import Conditions, Verdict
from tests.command import Answer, Command
from tests.engine import engine, temporal_server
from tests.facts import PROPOSER, Play, amended, example, furnish


@pytest.fixture
def known(command: Command, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Command:
    furnish(sqlite_database)
    monkeypatch.setenv("DATABASE_URL", sqlite_database.url)
    return command


def test_conditions_are_listed_and_shown(known: Command, sqlite_database: Database, tmp_path: Path) -> None:
    policy = amended(sqlite_database, "industry-credit", "quality", conditions=Conditions.ALLOWED)
    play = Play(sqlite_database, tmp_path, policy)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.decide("quality", conditions=[condition("Name the assessor.", due="10d", blocking=True)], outcomes=4)
    play.decide("quality", outcomes=4)
    [found] = known.json("conditions", play.case_id)["conditions"]
    assert found.keys() >= {"condition_id", "status", "stage", "owner", "due_at", "blocking", "text", "set_by"}
    assert known.json("show", play.case_id)["conditions"] == [found]
    for verb in ("conditions", "show"):
        told = known(verb, play.case_id)
        assert told.status == 0 and found["condition_id"] in told.out and "Name the assessor." in told.out
    assert known("conditions", "mc-unknown", "--json").code == "case_unknown"


def test_a_kept_approval_is_shown_with_its_proof(known: Command, sqlite_database: Database, tmp_path: Path) -> None:
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    while play.state.open_tasks("quality"):
        play.decide("quality", Verdict.REQUEST_CHANGES, "unclear", outcomes=1)
    play.revise(example("industry-credit.revised"))
    assert "Kept from round 1: the approval of proposal (ledger events 6)" in known("show", play.case_id).out
    proof = next(s["proof"] for s in known.json("show", play.case_id)["stages"] if s["stage"] == "proposal")
    assert [item["position"] for item in proof] == [6]


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


async def test_conditions_are_brought_to_their_end(
    known: Command, sqlite_database: Database, temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    policy = amended(sqlite_database, "industry-credit", "quality", conditions=Conditions.ALLOWED)

    async def say(*words: str) -> Answer:
        """As a command of its own: its own event loop, its own client."""
        return await asyncio.to_thread(known, *words, "--json")

    async with engine(temporal, sqlite_database, tmp_path) as running:
        answer = await running.gateway.submit(
            example("industry-credit"), proposer=PROPOSER, framework_id=f"{policy.id}@{policy.version}"
        )
        case_id = answer.case_id
        await running.decide(case_id, "proposal")
        first, second, _ = running.tasks(case_id, "quality")
        decided = [
            "--verdict", "approve", "--as", first.assignee, "--score", "outcomes=4", "--score", "assessment=4",
        ]  # fmt: skip
        assert (await say("decide", first.task_id, *decided, "--condition", "x | soon")).code == "condition_malformed"
        named = ["--condition", "Name the assessor. | due 5d | blocking", "--condition", "Print a flyer."]
        assert (await say("decide", first.task_id, *decided, *named)).status == 0
        await running.answer(second)
        await running.decide(case_id, "industry")
        one, two = (await say("conditions", case_id)).document["conditions"]
        assert (await say("fulfil", "c-unknown", "--as", PROPOSER, "--evidence", "done")).code == "condition_unknown"
        done = ["fulfil", one["condition_id"], "--as", PROPOSER, "--evidence"]
        assert (await say(*done, "")).code == "evidence_required"
        assert (await say(*done, "Page 3.")).document["condition_status"] == "fulfilled"
        judged = [one["condition_id"], "--as", first.assignee]
        assert (await say("reopen", *judged, "--reason", "Page 3 is empty.")).document["condition_status"] == "open"
        assert (await say("accept", *judged)).code == "condition_not_fulfilled"
        assert (await say(*done, "Page 4.")).status == 0
        assert (await say("accept", one["condition_id"], "--as", PROPOSER)).code == "own_condition"
        accepted = (await say("accept", *judged)).document
        assert (accepted["case_id"], accepted["status"]) == (case_id, "published")
        waived = await say("waive", two["condition_id"], "--as", "omar.office@example.edu", "--reason", "out of print")
        assert waived.document["condition_status"] == "waived"
        assert (await say("waive", *judged, "--reason", "again")).code == "case_closed"
        running.assert_whole(case_id)
