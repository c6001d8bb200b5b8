"""Running cases survive the next version: every behaviour that was recorded once is replayed by today's code."""

import base64
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from models.case import TaskState
from models.effects import Effect
from models.events import Event
from models.plan import StagePlan
from models.values import Tagged
from tests.frozen import FOLDER, frozen_names, read_frozen, replay
from tests.record_histories import RECORDED

ROOT = Path(__file__).resolve().parents[1]
FROZEN = {name: read_frozen(name) for name in frozen_names()}
RUNS = [run for runs in FROZEN.values() for run in runs]


@pytest.mark.parametrize("name", FROZEN)
async def test_a_frozen_history_is_replayed_step_by_step(name: str) -> None:
    for run in FROZEN[name]:
        assert await replay(run.history) == run.steps


def test_every_story_is_frozen_and_nothing_else() -> None:
    assert set(FROZEN) == set(RECORDED)


def test_a_long_case_was_frozen_in_several_runs() -> None:
    assert len(FROZEN["continued_as_new"]) > 1


def kinds(union: Any) -> set[str]:
    """Of all members of a union, and of the unions in it."""
    if isinstance(union, type) and issubclass(union, Tagged):
        return {union.model_fields["kind"].default}
    return {kind for member in get_args(union) for kind in kinds(member)}


def test_every_event_and_every_effect_occurs_in_a_frozen_history() -> None:
    steps = [step for run in RUNS for step in run.steps]
    assert {step["event"] for step in steps} == kinds(Event)
    assert {effect for step in steps for effect in step["effects"]} == kinds(Effect)


def test_frozen_histories_are_small_and_hold_no_trace_of_a_machine() -> None:
    for file in FOLDER.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert file.stat().st_size < 80_000, file.name
        assert set(re.findall(r'"identity":"([^"]*)"', text)) == {"tests"}, file.name
        assert all(re.fullmatch(r"recorded|imprimatur|tests-[0-9a-f]{32}", name) for name in _queues(text)), file.name
        assert not re.search(r"/(home|root|tmp|Users|work)/|\d@|127\.0\.0\.1|localhost", _readable(text)), file.name


def _queues(text: str) -> list[str]:
    return re.findall(r'"taskQueue":\{"name":"([^"]*)"', text)


def _readable(text: str) -> str:
    """With what is encoded in it."""
    return text + "".join(base64.b64decode(data).decode() for data in re.findall(r'"data":"([^"]*)"', text))


def everyone_must_approve(original: Callable[..., Any]) -> Callable[..., Any]:
    def changed(plan: StagePlan, tasks: list[TaskState], *known: bool) -> Any:
        tasks = list(tasks)
        return original(plan.model_copy(update={"quorum": len(tasks), "threshold": len(tasks)}), tasks, *known)

    return changed


def nothing_is_due(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda state: None


def nothing_lapses(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda field, material: False


def other_reasons_are_given(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *known: replace(original(*known), reason="so it is")


@pytest.mark.parametrize(
    ("name", "rule", "change", "caught_by"),
    [
        ("industry_published", "imprimatur.rules.transition.evaluate", everyone_must_approve, "Temporal"),
        ("breached_and_escalated", "imprimatur.rules.clock.next_deadline", nothing_is_due, "Temporal"),
        ("revised_then_published", "imprimatur.rules.transition._is_material", nothing_lapses, "Temporal"),
        # Here the history still fits, but something else would be written.
        ("industry_published", "imprimatur.rules.transition.evaluate", other_reasons_are_given, "steps"),
    ],
)
async def test_a_broken_rule_is_caught(
    name: str, rule: str, change: Callable[[Any], Any], caught_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [frozen] = FROZEN[name]
    module, _, function = rule.rpartition(".")
    monkeypatch.setattr(rule, change(getattr(importlib.import_module(module), function)))
    if caught_by == "Temporal":
        with pytest.raises(Exception, match="ondeterminism"):
            await replay(frozen.history)
    else:
        assert await replay(frozen.history) != frozen.steps


def test_a_replay_loads_neither_database_nor_templates() -> None:
    program = """
import asyncio, json, sys
from tests.frozen import FOLDER, frozen_names, read_frozen, replay

async def main():
    for name in frozen_names()[:5]:
        for run in read_frozen(name):
            assert await replay(run.history) == run.steps

asyncio.run(main())
heavy = ("sqlmodel", "sqlalchemy", "jinja2", "aiosmtplib", "fastapi", "holidays", "alembic")
loaded = [name for name in sys.modules if name.partition(".")[0] in heavy]
print(json.dumps(loaded))
sys.stdout.flush()
import os; os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == []
