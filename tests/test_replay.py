"""Frozen histories: a case that began under older code goes on under this one."""

import datetime as dt
import subprocess
import sys

import pytest
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

import workflows.case
from imprimatur.embedded.supervisor import ROOT
from imprimatur.payloads import data_converter
from models.case import CaseState
from tests.record_histories import HISTORIES, recorded
from tests.stories import STORIES
from workflows.case import CaseWorkflow


@pytest.mark.parametrize("name", sorted(file.stem for file in HISTORIES.glob("*.json")))
async def test_a_frozen_history_replays(name: str) -> None:
    replayer = Replayer(workflows=[CaseWorkflow], data_converter=data_converter(None))
    runs = recorded(name)
    assert runs
    for run in runs:
        await replayer.replay_workflow(run)


def test_every_story_has_a_frozen_history() -> None:
    assert set(STORIES) <= {file.stem for file in HISTORIES.glob("*.json")}


def test_a_long_case_was_recorded_over_several_runs() -> None:
    assert len(recorded("continued_as_new")) > 1


async def test_a_rule_that_changed_its_course_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(state: CaseState) -> dt.datetime | None:
        return None

    replayer = Replayer(
        workflows=[CaseWorkflow], data_converter=data_converter(None), workflow_runner=UnsandboxedWorkflowRunner()
    )
    [run] = recorded("breached_and_escalated")
    await replayer.replay_workflow(run)
    monkeypatch.setattr(workflows.case, "next_deadline", never)
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(run)


def test_histories_hold_nothing_of_the_machine_they_were_recorded_on() -> None:
    for file in HISTORIES.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert '"identity":"' not in text.replace('"identity":"tests"', "")


def test_a_replay_loads_neither_database_nor_templates() -> None:
    script = "import sys, workflows.case; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"sqlmodel", "sqlalchemy", "jinja2", "fastapi", "holidays"}.isdisjoint(loaded.stdout.split())
