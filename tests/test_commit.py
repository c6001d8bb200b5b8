"""A step is one commit: written once however often it is asked for, whole or not at all, alone or with others."""

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import Connection

from activities.commit import LARGEST_BATCH, Committer
from activities.effects import _HANDLERS
from imprimatur.errors import NotFound
from imprimatur.history.verify import verify_all
from imprimatur.store.engine import Database
from imprimatur.store.reading import show_case
from models.commit import Occurrence, Resolution, Step, StepPlace, WrittenStep
from models.effects import Effect, RecordDecision
from models.events import Decided, Ticked
from models.vocabulary import CaseStatus, Verdict
from tests.facts import BASE_URL, MINUTE, Play, everything, example, furnish, planned, whole_story


def committer(database: Database, folder: Path) -> Committer:
    return Committer(database, base_url=BASE_URL, published_dir=folder / "published", after_mail=lambda: None)


def submissions(database: Database, folder: Path, number: int) -> list[Step]:
    return [
        Play(database, folder, case_id=f"mc-{index:012d}").first_step(example("industry-credit"))
        for index in range(number)
    ]


def answers_of(found: Sequence[Resolution | Exception]) -> list[Resolution]:
    assert all(isinstance(answer, Resolution) for answer in found), found
    return [answer for answer in found if isinstance(answer, Resolution)]


def test_every_kind_of_effect_is_written_somehow() -> None:
    [union, _] = get_args(Effect)
    assert set(_HANDLERS) == set(get_args(union))


def test_a_step_written_before_answers_the_first_answer_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    step = Play(database, tmp_path).first_step(example("industry-credit"))
    first = answers_of(committer(database, tmp_path).write_steps([step]))
    before = everything(database)
    assert answers_of(committer(database, tmp_path).write_steps([step])) == first
    assert first[0].instead is None
    assert everything(database) == before


def test_a_place_that_is_taken_answers_with_what_took_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    step = Play(database, tmp_path).first_step(example("industry-credit"))
    first = committer(database, tmp_path).write_step(step)
    before = everything(database)
    taken = first.model_copy(update={"instead": Occurrence(event=step.event, at=step.at)})
    for update in ({"at": step.at + MINUTE}, {"event": Ticked()}):
        assert committer(database, tmp_path).write_step(step.model_copy(update=update)) == taken
    assert everything(database) == before
    place = StepPlace(case_id=step.case_id, seq=1)
    written = committer(database, tmp_path).read_step(place)
    assert written == WrittenStep(event=step.event, at=step.at, resolution=first)
    assert committer(database, tmp_path).read_step(place.model_copy(update={"seq": 2})) is None


def test_a_whole_case_written_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = whole_story(database, tmp_path)
    before, woken = everything(database), play.woken
    restarted = committer(database, tmp_path)
    for step in play.steps:
        [answer] = answers_of(restarted.write_steps([step]))
        assert answer == restarted.write_step(step)
    assert everything(database) == before
    assert play.woken == woken, "nobody is woken for mail that was put out before"


@pytest.mark.parametrize("incomplete_first", [True, False])
def test_steps_written_together_leave_what_each_leaves_alone(
    database: Database, tmp_path: Path, incomplete_first: bool
) -> None:
    furnish(database)
    whole = example("industry-credit")
    proposals = {"mc-incomplete": whole.model_copy(update={"summary": None}), "mc-whole": whole}
    order = sorted(proposals, reverse=not incomplete_first)
    alone = {
        case_id: Play(database, tmp_path, case_id=f"{case_id}-alone").first_step(proposals[case_id])
        for case_id in order
    }
    together = [step.model_copy(update={"case_id": case_id}) for case_id, step in alone.items()]
    writer = committer(database, tmp_path)
    assert all(writer.write_step(step) for step in alone.values())
    answers_of(writer.write_steps(together))
    for case_id in order:
        own, other = show_case(database, case_id), show_case(database, f"{case_id}-alone")
        ignored = {"case_id", "tasks", "stages", "head"}
        assert own.model_dump(exclude=ignored) == other.model_dump(exclude=ignored)
        assert [stage.due_at for stage in own.stages] == [stage.due_at for stage in other.stages]
    assert show_case(database, "mc-whole").due_at is not None
    assert verify_all(database).ok


def test_a_step_that_cannot_be_written_takes_no_other_with_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    steps = submissions(database, tmp_path, 5)
    broken = steps[2].model_copy(update={"framework_digest": "0" * 64})
    answers = committer(database, tmp_path).write_steps([*steps[:2], broken, *steps[3:]])
    assert isinstance(answers[2], NotFound)
    assert len(answers_of([*answers[:2], *answers[3:]])) == 4
    assert {row["case_id"] for row in everything(database)["ledger"]} == {s.case_id for s in steps} - {broken.case_id}
    assert verify_all(database).ok


def test_a_row_that_the_database_refuses_takes_no_other_with_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    plays = [Play(database, tmp_path, case_id=f"mc-{index}") for index in range(2)]
    for play in plays:
        play.submit(example("industry-credit"))
        play.decide("proposal")
    [decision] = [effect for effect in plays[0].steps[-1].effects if isinstance(effect, RecordDecision)]
    twice = plays[0].steps[-1].model_copy(update={"seq": 3, "effects": (decision,)})
    before = everything(database)
    good = Play(database, tmp_path, case_id="mc-good").first_step(example("industry-credit"))
    [refused, answer] = plays[0].committer.write_steps([twice, good])
    assert isinstance(refused, Exception) and isinstance(answer, Resolution)
    after = everything(database)
    assert [row for row in after["ledger"] if row["case_id"] != "mc-good"] == before["ledger"]
    assert [row for row in after["step"] if row["case_id"] != "mc-good"] == before["step"]


def test_a_step_must_leave_an_event(database: Database, tmp_path: Path) -> None:
    furnish(database)
    [step] = submissions(database, tmp_path, 1)
    before = everything(database)
    [answer] = committer(database, tmp_path).write_steps([step.model_copy(update={"effects": ()})])
    assert isinstance(answer, Exception)
    assert everything(database) == before


class DyingDatabase(Database):
    """Dies at the last moment at which nothing has been committed."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            raise KeyboardInterrupt


def test_a_crash_before_the_commit_leaves_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    [step] = submissions(database, tmp_path, 1)
    before = everything(database)
    dying = DyingDatabase(database.url)
    with pytest.raises(KeyboardInterrupt):
        committer(dying, tmp_path).write_steps([step])
    dying.close()
    assert everything(database) == before
    assert committer(database, tmp_path).write_step(step).position == 1


def test_a_crash_between_the_commit_and_its_answer_costs_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    task = play.state.open_tasks("proposal")[0]
    decided = Decided(decision_id="d-1", task_id=task.id, actor=task.assignee, verdict=Verdict.APPROVE)
    _, step = planned(play.state, decided, play.plan, play.now)
    assert step is not None
    lost = committer(database, tmp_path).write_step(step)
    # The process that wrote it is gone; the case asks again, and goes on from the answer.
    assert committer(database, tmp_path).write_step(step) == lost
    play.act(decided.model_copy())
    for stage in ("quality", "quality", "industry"):
        play.decide(stage, outcomes=4)
    assert play.state.status is CaseStatus.PUBLISHED
    assert len(everything(database)["decision"]) == 4
    assert verify_all(database).ok


async def test_many_steps_at_once_are_each_written_once(database: Database, tmp_path: Path) -> None:
    furnish(database)
    writer = committer(database, tmp_path)
    steps = submissions(database, tmp_path, 2 * LARGEST_BATCH + 7)
    asked = [*steps, *steps[::-1], *steps]
    answers = await asyncio.wait_for(asyncio.gather(*map(writer.commit_step, asked), return_exceptions=True), 60)
    # Where several lanes write at once, a repeat may meet the first before it is committed; it is then asked again.
    final = [
        answer if isinstance(answer, Resolution) else await writer.commit_step(step)
        for step, answer in zip(asked, answers, strict=True)
    ]
    by_case = {step.case_id: {a for s, a in zip(asked, final, strict=True) if s == step} for step in steps}
    assert all(len(found) == 1 for found in by_case.values())
    rows = everything(database)
    assert [row["seq"] for row in rows["step"]] == [1] * len(steps)
    assert len(rows["case_record"]) == len(rows["task"]) == len(rows["outbox"]) == len(steps)
    assert verify_all(database).ok


async def test_a_step_that_comes_as_the_last_one_is_answered_is_written_too(database: Database, tmp_path: Path) -> None:
    furnish(database)
    writer = committer(database, tmp_path)
    async with asyncio.timeout(60):
        for step in submissions(database, tmp_path, 5):
            await writer.commit_step(step)
    assert len(everything(database)["step"]) == 5


async def test_a_bad_step_among_many_fails_alone(database: Database, tmp_path: Path) -> None:
    furnish(database)
    writer = committer(database, tmp_path)
    steps = submissions(database, tmp_path, 12)
    steps[5] = steps[5].model_copy(update={"framework_digest": "0" * 64})
    answers = await asyncio.gather(*map(writer.commit_step, steps), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Resolution] * 5 + [NotFound] + [Resolution] * 6


def test_two_processes_that_write_the_same_step_agree(database: Database, tmp_path: Path) -> None:
    furnish(database)
    steps = submissions(database, tmp_path, 8)
    others = [Database(database.url), Database(database.url)]
    writers = [committer(other, tmp_path) for other in others]
    with ThreadPoolExecutor(len(writers)) as pool:
        found = list(pool.map(lambda writer: writer.write_steps(steps), writers))
    for writer, answers in zip(writers, found, strict=True):
        again = answers_of(writer.write_steps(steps))
        assert [answer for answer in answers if isinstance(answer, Resolution)] == [
            right for right, answer in zip(again, answers, strict=True) if isinstance(answer, Resolution)
        ]
    for other in others:
        other.close()
    for step, *answers in zip(steps, *found, strict=True):
        assert any(isinstance(answer, Resolution) for answer in answers), step.case_id
    assert len(everything(database)["step"]) == len(steps)
    assert verify_all(database).ok


def test_all_rows_carry_the_cases_own_time(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path, at=dt.datetime(2031, 5, 6, 7, 8, tzinfo=dt.UTC))
    play.submit(example("industry-credit"))
    rows = everything(database)
    instants = {
        row[name]
        for table in ("case_record", "proposal_version", "stage", "task", "ledger")
        for row in rows[table]
        for name in ("at", "opened_at", "updated_at", "submitted_at")
        if name in row
    }
    assert instants == {play.now}
