"""All verbs on people, as the governance office and its reviewers run them; for tests."""

import json
from pathlib import Path
from typing import Any, Protocol

from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, amended, example

QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
ADVISER = "ivo.adviser@example.org"


class Terminal(Protocol):
    """``run`` answers what a command prints, ``ask`` its JSON document, which is kept."""

    engine: Engine
    home: Path

    async def run(self, line: str, expected: int = 0) -> str: ...

    async def ask(self, line: str, expected: int = 0) -> Any: ...


async def play_people(terminal: Terminal) -> None:
    """A task on offer goes through several hands, and one of them leaves."""
    running = terminal.engine
    reviewers = [{"role": "quality_reviewer", "claim": True}]
    amended(running.database, "industry-credit", "proposal", reviewers=reviewers, voting={"quorum": 1, "threshold": 1})
    answer = await running.gateway.submit(example("industry-credit"), proposer=PROPOSER, framework_id="industry-credit")
    case_id = answer.case_id
    task = {found.assignee: found.task_id for found in running.tasks(case_id)}
    await terminal.ask(f"claim {task[ROSA]} --as {ROSA}")
    await _refused(terminal, f"claim {task[SAM]} --as {SAM}", "task_closed", 1)
    await terminal.ask(f"ask-advice {task[ROSA]} --of {ADVISER} --as {ROSA} --question Fair?")
    await terminal.ask(f"advise {task[ROSA]} --text Quite. --as {ADVISER}")
    assert "Quite." in await terminal.run(f"history {case_id}")
    await terminal.ask(f"return {task[ROSA]} --as {ROSA} --reason ill")
    await _keep_the_directory(terminal)
    await _declare_an_interest(terminal, case_id)
    [last] = running.tasks(case_id)
    await terminal.run(f"claim {last.task_id} --as {QUINN}")
    left = await terminal.ask(f"people leave {QUINN} --to {ADVISER} --as {OFFICE}")
    assert [(found["to"], found["problem"]) for found in left["tasks"] if found["case_id"] == case_id] == [
        ([ADVISER], "")
    ]
    told = await terminal.run(f"people leave {PROPOSER}")
    assert f"Still proposed by {PROPOSER}: {case_id}" in " ".join(told.split())


async def _declare_an_interest(terminal: Terminal, case_id: str) -> None:
    """Whoever has claimed the task must give it up, and gives it back."""
    running = terminal.engine
    offer = {found.assignee: found.task_id for found in running.tasks(case_id)}
    await terminal.run(f"claim {offer[SAM]} --as {SAM}")
    touched = await terminal.ask(f"people interest add {SAM} --person {PROPOSER} --reason 'an old friend'")
    assert offer[SAM] in touched["tasks"]
    assert "conflict_of_interest" in {incident.kind for incident in running.show(case_id).incidents}
    await terminal.ask("people interest list")
    await terminal.ask(f"people interest remove {SAM} --person {PROPOSER}")
    await terminal.run(f"return {offer[SAM]} --as {SAM}")


async def _record_an_alias(terminal: Terminal) -> None:
    alias = "quinn@home.example"
    await terminal.ask(f"people alias add {QUINN} {alias} --as {OFFICE}")
    assert alias in await terminal.run(f"people alias list --person {QUINN}")
    await terminal.ask("people alias list")
    for line, code, status in (
        (f"people alias add {ROSA} {alias} --as {OFFICE}", "alias_taken", 1),
        (f"people alias add {ROSA} {QUINN} --as {OFFICE}", "alias_taken", 1),
        (f"people alias add {ROSA} nonsense --as {OFFICE}", "alias_malformed", 2),
        (f"people alias add nobody@example.edu {alias} --as {OFFICE}", "person_unknown", 1),
        (f"people alias add {ROSA} r@home.example --as {ROSA}", "not_the_office", 1),
        (f"people alias remove {ROSA} {alias} --as {OFFICE}", "alias_unknown", 1),
    ):
        await _refused(terminal, line, code, status)
    await terminal.ask(f"people alias remove {QUINN} {alias} --as {OFFICE}")


async def _keep_the_directory(terminal: Terminal) -> None:
    days = "--from 2026-12-21 --until 2027-01-08"
    found = await terminal.ask(f"people delegate {QUINN} --to {ADVISER} {days} --stage quality")
    await terminal.ask("people delegations")
    await _record_an_alias(terminal)
    await terminal.ask(f"people end-delegation {found['delegation']['delegation_id']}")
    await terminal.ask(f"people absent {QUINN} {days} --reason holiday")
    await terminal.ask(f"people absences --person {QUINN}")
    assert (await terminal.ask(f"people back {QUINN} --on 2027-01-04"))["changed"] == 1
    wished = "--time-zone Europe/Berlin --quiet-hours 20:00-07:00 --digest daily --receipts no --language de"
    person = (await terminal.ask(f"people prefer {QUINN} {wished}"))["person"]
    assert [person[name] for name in ("time_zone", "quiet_hours", "digest", "receipts", "language")] == [
        "Europe/Berlin",
        "20:00-07:00",
        "daily",
        False,
        "de",
    ]
    person = (await terminal.ask(f"people prefer {QUINN} --digest default"))["person"]
    assert (person["digest"], person["time_zone"]) == (None, "Europe/Berlin")
    for line, code, status in (
        (f"people prefer {QUINN} --language Deutsch", "preference_invalid", 2),
        (f"people prefer {QUINN} --quiet-hours nights", "preference_invalid", 2),
        ("people prefer nobody@example.edu --digest daily", "person_unknown", 1),
        (f"people absent {QUINN} --from soon --until later", "date_malformed", 2),
        (f"people absent {QUINN} --from 2027-01-08 --until 2026-12-21", "dates_reversed", 2),
        (f"people interest add {QUINN}", "interest_subject", 2),
        (f"people interest remove {QUINN} --unit Nowhere", "interest_unknown", 1),
        (f"people delegate {QUINN} --to {QUINN} {days}", "own_deputy", 1),
        ("people end-delegation del-nope", "delegation_unknown", 1),
        ("people leave nobody@example.edu", "person_unknown", 1),
    ):
        await _refused(terminal, line, code, status)


async def _refused(terminal: Terminal, line: str, code: str, status: int) -> None:
    answer = json.loads(await terminal.run(f"{line} --json", status))
    assert answer["error"]["code"] == code
