"""The office's verbs as people type them: what they answer, and how they are refused, on a real Temporal server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from imprimatur.errors import InputError
from imprimatur.rules.spans import parse_business_duration
from models.calendars import BusinessDuration
from models.vocabulary import CaseStatus
from tests.command import Answer, Command
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, SECOND
from tests.governed import QUINN, ROSA, VERA, review
from tests.governed_stories import begin, task_of
from tests.stories import people

WHY = ("--reason", "The board said so.")
AS_OFFICE, AS_SECOND = ("--as", OFFICE), ("--as", SECOND)
Line = tuple[object, ...]


class Desk:
    """Types commands beside a running engine; CASE and TASK stand for the case and for Quinn's task."""

    def __init__(self, command: Command, live: Engine, case_id: str) -> None:
        self.command, self.live, self.case_id = command, live, case_id
        self.task_id = task_of(live, case_id, QUINN).task_id

    async def run(self, *line: object) -> Answer:
        words = {"CASE": self.case_id, "TASK": self.task_id}
        typed = [words.get(str(word), word) for word in line]
        return await asyncio.to_thread(self.command, *typed)

    async def done(self, *line: object) -> dict[str, object]:
        answer = await self.run(*line, "--json")
        assert answer.status == 0, answer
        assert {"case_id", "status", "round"} <= set(answer.document)
        assert answer.document["case_id"] == self.case_id
        return answer.document

    async def refused(self, *line: object) -> tuple[int, str]:
        """Both ways of speaking say the same, in one clear line."""
        as_json, in_words = await self.run(*line, "--json"), await self.run(*line)
        assert as_json.status == in_words.status
        assert as_json.code == in_words.code
        assert in_words.out == "" and "Traceback" not in in_words.err
        assert as_json.document["error"]["message"].endswith(".")
        return as_json.status, as_json.code


@pytest.fixture
async def desk(
    command: Command, live: Engine, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    people(live, f"{VERA},Vera,deputy,yes", "left@example.edu,Left,quality_reviewer,no")
    monkeypatch.setenv("DATABASE_URL", live.database.url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    yield Desk(command, live, await begin(live, "desk", review(), review("last", "quality")))


async def test_every_act_says_what_it_did(desk: Desk) -> None:
    assert (await desk.run("hold", "CASE", *AS_OFFICE, *WHY)).out == f"{desk.case_id} is on hold.\n"
    shown = (await desk.run("show", "CASE")).out
    assert "The time of the governance office is running" in shown
    assert "On hold since" in shown and f"by {OFFICE}: The board said so." in shown
    assert (await desk.run("resume", "CASE", *AS_OFFICE, *WHY)).out == f"{desk.case_id} goes on.\n"
    extend = ("extend", "CASE", "--stage", "quality", "--by", "3d", *AS_OFFICE, *WHY)
    assert (await desk.run(*extend)).out == f"quality of {desk.case_id} has 3d more.\n"
    assert f"by {OFFICE}: The board said so." in (await desk.run("show", "CASE")).out
    assert "reminded" in (await desk.run("nudge", "CASE", *AS_OFFICE)).out
    delegated = await desk.run("delegate", "TASK", "--to", VERA, "--as", QUINN)
    assert delegated.out == f"{VERA} is asked instead of you.\n"
    desk.task_id = task_of(desk.live, desk.case_id, VERA).task_id
    reassigned = await desk.run("reassign", "TASK", "--to", "ivo.adviser@example.org", *AS_OFFICE, *WHY)
    assert reassigned.out == "ivo.adviser@example.org is asked instead.\n"
    rosa = task_of(desk.live, desk.case_id, ROSA)
    await desk.live.answer(rosa)
    assert "no longer counts" in (await desk.run("annul", rosa.task_id, *AS_OFFICE, *WHY)).out


async def test_two_people_decide_in_the_reviewers_place(desk: Desk) -> None:
    override = ("override", "CASE", "--stage", "quality", "--outcome", "approved", *AS_OFFICE, *WHY)
    proposed = await desk.done(*override)
    act = str(proposed["act_id"])
    assert (await desk.done(*override))["act_id"] == act
    shown = (await desk.run("show", "CASE")).out
    assert f"{OFFICE} proposes to set quality to approved: The board said so." in shown
    assert f"starter.py confirm {desk.case_id} {act} --as EMAIL" in shown
    assert await desk.refused("confirm", "CASE", act, *AS_OFFICE) == (1, "second_person_required")
    assert (await desk.done("confirm", "CASE", act, *AS_SECOND))["status"] == "in_review"
    assert await desk.refused("confirm", "CASE", act, *AS_SECOND) == (1, "act_unknown")
    skip = await desk.done("skip", "CASE", "--stage", "last", *AS_OFFICE, *WHY)
    assert (await desk.done("send-back", "CASE", "--to", "quality", *AS_OFFICE, *WHY))["round"] == 2
    assert await desk.refused("confirm", "CASE", skip["act_id"], *AS_SECOND) == (1, "act_overtaken")
    again = await desk.done("skip", "CASE", "--stage", "quality", *AS_OFFICE, *WHY)
    await desk.done("confirm", "CASE", again["act_id"], *AS_SECOND)
    last = await desk.done("skip", "CASE", "--stage", "last", *AS_OFFICE, *WHY)
    assert (await desk.done("confirm", "CASE", last["act_id"], *AS_SECOND))["status"] == "published"
    assert desk.live.show(desk.case_id).status is CaseStatus.PUBLISHED


OFFICE_ONLY: list[Line] = [
    ("hold", "CASE", *WHY),
    ("extend", "CASE", "--stage", "quality", "--by", "1d", *WHY),
    ("override", "CASE", "--stage", "quality", "--outcome", "approved", *WHY),
    ("skip", "CASE", "--stage", "quality", *WHY),
    ("confirm", "CASE", "a-none"),
    ("send-back", "CASE", "--to", "quality", *WHY),
    ("nudge", "CASE"),
    ("annul", "TASK", *WHY),
]
REFUSED: list[tuple[Line, int, str]] = [
    *((((*line, "--as", QUINN)), 1, "not_the_office") for line in OFFICE_ONLY),
    *((((*line, "--as", "nobody@example.edu")), 1, "person_unknown") for line in OFFICE_ONLY),
    *((((*line, "--as", "left@example.edu")), 1, "person_inactive") for line in OFFICE_ONLY),
    (("resume", "CASE", *AS_OFFICE, *WHY), 1, "case_not_on_hold"),
    (("hold", "CASE", *AS_OFFICE, "--reason", " "), 1, "reason_required"),
    (("hold", "mc-nowhere", *AS_OFFICE, *WHY), 1, "case_unknown"),
    (("extend", "CASE", "--stage", "qualtiy", "--by", "1d", *AS_OFFICE, *WHY), 1, "stage_unknown"),
    (("extend", "CASE", "--stage", "last", "--by", "1d", *AS_OFFICE, *WHY), 1, "stage_not_open"),
    (("skip", "CASE", "--stage", "last", *AS_OFFICE, *WHY), 1, "stage_not_open"),
    (("override", "CASE", "--stage", "quality", "--outcome", "informed", *AS_OFFICE, *WHY), 1, "outcome_not_offered"),
    (("send-back", "CASE", "--to", "last", *AS_OFFICE, *WHY), 1, "stage_not_reached"),
    (("nudge", "CASE", "--stage", "nowhere", *AS_OFFICE), 1, "stage_unknown"),
    (("annul", "TASK", *AS_OFFICE, *WHY), 1, "task_not_decided"),
    (("annul", "t-none", *AS_OFFICE, *WHY), 1, "task_unknown"),
    (("reassign", "t-none", "--to", VERA, *AS_OFFICE, *WHY), 1, "task_unknown"),
    (("reassign", "TASK", "--to", ROSA, *AS_OFFICE, *WHY), 1, "already_asked"),
    (("reassign", "TASK", "--to", PROPOSER, *AS_OFFICE, *WHY), 1, "own_proposal"),
    (("reassign", "TASK", "--to", "nobody@example.edu", *AS_OFFICE, *WHY), 1, "person_unknown"),
    (("reassign", "TASK", "--to", "left@example.edu", *AS_OFFICE, *WHY), 1, "person_inactive"),
    (("delegate", "TASK", "--to", VERA, "--as", ROSA), 1, "not_your_task"),
    (("delegate", "TASK", "--to", VERA, "--as", "nobody@example.edu"), 1, "not_your_task"),
    # What cannot be used at all.
    (("extend", "CASE", "--stage", "quality", "--by", "soon", *AS_OFFICE, *WHY), 2, "duration_malformed"),
    (("extend", "CASE", "--stage", "quality", "--by", "0d", *AS_OFFICE, *WHY), 2, "duration_malformed"),
    (("extend", "CASE", "--stage", "quality", "--by", "1001d", *AS_OFFICE, *WHY), 2, "duration_malformed"),
    (("override", "CASE", "--stage", "quality", "--outcome", "fine", *AS_OFFICE, *WHY), 2, "outcome_unknown"),
    (("hold", "CASE", *AS_OFFICE), 2, "usage"),
    (("hold", "CASE", *WHY), 2, "usage"),
    (("confirm", "CASE", *AS_OFFICE), 2, "usage"),
    (("extend", "CASE", "--by", "1d", *AS_OFFICE, *WHY), 2, "usage"),
    (("reassign", "TASK", *AS_OFFICE, *WHY), 2, "usage"),
]  # fmt: skip


async def test_what_is_refused_and_with_what_status(desk: Desk) -> None:
    before = desk.live.types(desk.case_id)
    for line, status, code in REFUSED:
        assert await desk.refused(*line) == (status, code), line
    assert desk.live.types(desk.case_id) == before
    recorded = desk.live.refusals(desk.case_id)
    # Each was tried in both ways of speaking; who is not in the directory does not get as far as the case.
    for code in ("not_the_office", "stage_not_open", "already_asked", "task_not_decided"):
        assert recorded.count(code) == 2 * sum(found == code for _, _, found in REFUSED), code


async def test_while_a_case_is_on_hold_and_after_its_end(desk: Desk) -> None:
    await desk.done("hold", "CASE", *AS_OFFICE, *WHY)
    for line in OFFICE_ONLY:
        assert await desk.refused(*line, *AS_OFFICE) == (1, "case_on_hold"), line
    decide = ("decide", "TASK", "--verdict", "approve", "--as", QUINN)
    assert await desk.refused(*decide) == (1, "case_on_hold")
    await desk.done("delegate", "TASK", "--to", VERA, "--as", QUINN)
    assert (await desk.run("withdraw", "CASE", *AS_OFFICE, *WHY)).status == 0
    for line in (*OFFICE_ONLY, ("resume", "CASE", *WHY), ("reassign", "TASK", "--to", ROSA, *WHY)):
        assert await desk.refused(*line, *AS_OFFICE) == (1, "case_closed"), line


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("3d", BusinessDuration(business_days=3)),
        (" 6H ", BusinessDuration(business_hours=6)),
        ("1000d", BusinessDuration(business_days=1000)),
        ("9999h", BusinessDuration(business_hours=9999)),
    ],
)
def test_business_time_as_it_is_typed(text: str, span: BusinessDuration) -> None:
    assert parse_business_duration(text) == span


@pytest.mark.parametrize("text", ["", "d", "3", "0d", "0h", "-1d", "1.5d", "1d12h", "1001d", "10000h", "3 d", "٣d"])
def test_what_is_no_business_time(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_business_duration(text)
    assert refused.value.code == "duration_malformed"
