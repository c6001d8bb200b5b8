"""Acts on many cases as people type them: what they answer, and with which exit status, on a real Temporal server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imprimatur.store.frameworks import framework
from models.vocabulary import CaseStatus
from tests.command import Answer, Command
from tests.engine import Engine
from tests.facts import OFFICE
from tests.governed import review
from tests.governed_stories import begin
from tests.versions import version_of

WHY = ("--reason", "The board said so.", "--as", OFFICE)


class Desk:
    """Types commands beside a running engine with two cases of the framework `many`."""

    def __init__(self, command: Command, live: Engine, cases: list[str]) -> None:
        self.command, self.live, self.cases = command, live, cases

    async def run(self, *line: object) -> Answer:
        return await asyncio.to_thread(self.command, *line)


@pytest.fixture
async def desk(
    command: Command, live: Engine, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setenv("DATABASE_URL", live.database.url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    first, second = await begin(live, "many", review()), live.case_id("many_2")
    await live.submit("industry-credit", framework(live.database, "many").id, second)
    yield Desk(command, live, [first, second])


async def test_a_bulk_says_what_became_of_each_case(desk: Desk) -> None:
    answer = await desk.run("bulk", "hold", "--framework", "many", *WHY)
    assert (answer.status, answer.err) == (0, "")
    assert all(case_id in answer.out for case_id in desk.cases)
    assert answer.out.rstrip().endswith(": 2 done.")
    again = await desk.run("bulk", "hold", "--framework", "many", *WHY, "--json")
    assert again.status == 1
    document = again.document
    assert document["error"]["code"] == "bulk_incomplete"
    assert [(case["result"], case["code"]) for case in document["cases"]] == [("refused", "case_on_hold")] * 2
    assert (document["chosen"], document["refused"], document["done"]) == (2, 2, 0)
    in_words = await desk.run("bulk", "hold", "--framework", "many", *WHY)
    assert (in_words.status, in_words.code) == (1, "bulk_incomplete")
    assert in_words.out.count("case_on_hold") == 2


async def test_a_preview_ends_well_whatever_it_finds(desk: Desk) -> None:
    answer = await desk.run("bulk", "resume", "--case", desk.cases[0], *WHY, "--preview", "--json")
    assert answer.status == 0
    assert (answer.document["preview"], answer.document["cases"][0]["code"]) == (True, "case_not_on_hold")
    told = await desk.run("bulk", "hold", "--all", *WHY, "--preview")
    assert told.status == 0 and "pause stage quality" in told.out and "2 possible" in told.out
    assert desk.live.show(desk.cases[0]).status is CaseStatus.IN_REVIEW


async def test_cases_are_named_in_a_file(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "cases.txt"
    file.write_text(f"# the first ones\n{desk.cases[1]}  second\n\n{desk.cases[1]}\n", encoding="utf-8")
    answer = await desk.run("bulk", "nudge", "--cases", file, "--as", OFFICE, "--json")
    assert [case["case_id"] for case in answer.document["cases"]] == [desk.cases[1]]
    file.write_text("# none\n", encoding="utf-8")
    empty = await desk.run("bulk", "nudge", "--cases", file, "--as", OFFICE)
    assert (empty.status, empty.code) == (2, "bulk_choice")


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (("bulk", "hold", *WHY), 2, "bulk_choice"),
        (("bulk", "dance", "--all", *WHY), 2, "bulk_act_unknown"),
        (("bulk", "extend", "--stage", "quality", "--by", "soon", *WHY), 2, "duration_malformed"),
        (("bulk", "hold", "--all", "--as", OFFICE), 2, "bulk_options"),
        (("bulk", "hold", "--status", "lost", *WHY), 2, "status_unknown"),
        (("bulk", "hold", "--all", "--reason", "x", "--as", "quinn.reviewer@example.edu"), 1, "not_the_office"),
        (("framework", "migrate", "many", "--to", "9", *WHY), 1, "framework_unknown"),
        (("framework", "migrate", "many", "--to", "1", "--from", "9", *WHY), 1, "framework_unknown"),
        (("framework", "migrate", "many", "--to", "1", "--at", "noon", *WHY), 2, "boundary_unknown"),
        (("framework", "migrate", "many", "--to", "1", "--reason", " ", "--as", OFFICE), 1, "reason_required"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_begun_has_its_code(desk: Desk, line: tuple[str, ...], status: int, code: str) -> None:
    as_json, in_words = await desk.run(*line, "--json"), await desk.run(*line)
    assert (as_json.status, as_json.code) == (in_words.status, in_words.code) == (status, code)
    assert in_words.out == "" and "Traceback" not in in_words.err


async def test_nothing_chosen_is_nothing_done(desk: Desk) -> None:
    answer = await desk.run("bulk", "resume", "--status", "on_hold", *WHY)
    assert (answer.status, answer.out) == (0, "No case matches: nothing was done.\n")


async def test_live_cases_move_to_a_new_version(desk: Desk) -> None:
    version_of(desk.live.database, "many", review(quality_gate=True), review("ethics"))
    line = ("framework", "migrate", "many", "--to", "2", "--from", "1", *WHY)
    preview = await desk.run(*line, "--preview")
    assert preview.status == 0 and "quality: repeated; ethics: added; publication: waits" in preview.out
    assert desk.live.show(desk.cases[0]).framework == "many@1"
    answer = await desk.run(*line, "--at", "now", "--json")
    assert answer.status == 0 and answer.document["done"] == 2
    assert [desk.live.show(case_id).framework for case_id in desk.cases] == ["many@2"] * 2
    listed = await desk.run("list", "--framework", "many@2", "--json")
    assert len(listed.document["cases"]) == 2
    assert (await desk.run(*line)).out == "No case matches: nothing was done.\n"


async def test_a_change_that_waits_is_shown_and_can_be_taken_back(desk: Desk) -> None:
    version_of(desk.live.database, "many", review(quality_gate=True))
    case_id = desk.cases[0]
    line = ("framework", "migrate", "many", "--at", "next_stage", "--case", case_id, *WHY)
    assert (await desk.run(*line, "--to", "2")).status == 0
    shown = (await desk.run("show", case_id, "--json")).document["change"]
    assert (shown["version"], shown["at"], shown["actor"]) == ("2", "next_stage", OFFICE)
    assert "Moves to version 2 as soon as no stage is open" in (await desk.run("show", case_id)).out
    assert (await desk.run(*line, "--to", "1")).status == 0
    assert (await desk.run("show", case_id, "--json")).document["change"] is None
    story = (await desk.run("history", case_id)).out
    assert "Scheduled the change to version 2" in story and "Took back the change" in story
