"""docs/people.md against the command line itself, on a real Temporal server; and what is told of people elsewhere."""

import asyncio
import contextlib
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from imprimatur.cli.main import PEOPLE_VERBS, app, run
from imprimatur.embedded.home import Home, StackInfo
from imprimatur.store.engine import Database, migrate
from models.vocabulary import AssignmentReason, EventType, IncidentKind, InterestKind, MailKind, TaskClosure, TaskStatus
from tests.engine import Engine, engine, temporal_server
from tests.facts import OFFICE, PROPOSER, amended, example, furnish
from tests.markdown import DOCS, Section, code_spans, sections

PEOPLE, TERMINOLOGY = DOCS / "people.md", DOCS / "terminology.md"
SECTIONS: dict[str, Section] = {found.title: found for found in sections(PEOPLE)}
DESK = ("claim", "return", "ask-advice", "advise")
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
ADVISER = "ivo.adviser@example.org"


def _verbs() -> dict[str, Any]:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    people = commands["people"].commands
    named = {f"people {verb}": people[verb] for verb in PEOPLE_VERBS}
    named |= {f"people interest {verb}": command for verb, command in people["interest"].commands.items()}
    return named | {verb: commands[verb] for verb in DESK}


VERBS = _verbs()


def test_every_verb_on_people_has_its_section_and_every_section_its_verb() -> None:
    assert sorted(set(SECTIONS) - {"People"}) == sorted(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_verb_is_told_with_its_options_and_arguments(verb: str) -> None:
    told, parameters = SECTIONS[verb], VERBS[verb].params
    options = {name for parameter in parameters if parameter.param_type_name == "option" for name in parameter.opts}
    rows = {code_spans(row["option"])[0]: row["meaning"] for row in told.rows}
    assert set(rows) == options
    assert all(rows.values())
    usage = next(span for span in code_spans(told.body) if span.split()[: len(verb.split())] == verb.split())
    assert set(re.findall(r"--[\w-]+", usage)) == options - {"--json"}
    arguments = [p.metavar or p.name.upper() for p in parameters if p.param_type_name == "argument"]
    bare = re.sub(r"\[?--[\w-]+( [A-Z=]+)?\]?", "", usage.removeprefix(verb))
    assert re.findall(r"[A-Z]+", bare) == arguments
    for parameter in parameters:
        if parameter.param_type_name == "option" and parameter.opts[0] != "--json":
            assert (f"[{parameter.opts[0]}" not in usage) == parameter.required


@pytest.fixture(autouse=True)
def _settings_of_this_test_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "IMPRIMATUR_BASE_URL", "SMTP_URL", "PAYLOAD_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IMPRIMATUR_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


class Terminal:
    """Runs commands in this process, as a person at a keyboard would."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}

    async def run(self, line: str, expected: int = 0) -> str:
        printed, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
            status = await asyncio.to_thread(run, shlex.split(line))
        assert status == expected, f"{line}: {printed.getvalue()}{complained.getvalue()}"
        return printed.getvalue() + complained.getvalue()

    async def ask(self, line: str, expected: int = 0) -> Any:
        answer = json.loads(await self.run(f"{line} --json", expected))
        verb = next(
            name for name in sorted(VERBS, key=len, reverse=True) if line.startswith(f"{name} ") or line == name
        )
        if expected == 0:
            self.answers[verb] = answer
        return answer


async def test_every_verb_answers_with_the_keys_that_are_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with temporal_server(tmp_path) as address:
        home.write_stack(StackInfo("http://127.0.0.1:1", address, 1, home.database_url, True))
        migrate(home.database_url)
        database = Database(home.database_url)
        furnish(database)
        try:
            async with engine(address, database, tmp_path) as running:
                terminal = Terminal()
                await _play(terminal, running)
        finally:
            database.close()
    for verb, answer in terminal.answers.items():
        told, found = set(code_spans(SECTIONS[verb].paragraph("JSON keys: "))), _keys(answer)
        assert told == found, f"{verb}: told but not there {told - found}, there but not told {found - told}"
    assert sorted(terminal.answers) == sorted(VERBS)


def _keys(answer: dict[str, Any]) -> set[str]:
    found = set(answer)
    for value in answer.values():
        entries = value if isinstance(value, list) else [value]
        found |= {key for entry in entries if isinstance(entry, dict) for key in entry}
    return found


async def _play(terminal: Terminal, running: Engine) -> None:
    reviewers = [{"role": "quality_reviewer", "claim": True}]
    amended(running.database, "industry-credit", "proposal", reviewers=reviewers, voting={"quorum": 1, "threshold": 1})
    answer = await running.gateway.submit(example("industry-credit"), proposer=PROPOSER)
    task = {found.assignee: found.task_id for found in running.tasks(answer.case_id)}
    await terminal.ask(f"claim {task[ROSA]} --as {ROSA}")
    lost = await terminal.ask(f"claim {task[SAM]} --as {SAM}", expected=1)
    assert lost["error"]["code"] == "task_closed"
    await terminal.ask(f"ask-advice {task[ROSA]} --of {ADVISER} --as {ROSA} --question Fair?")
    await terminal.ask(f"advise {task[ROSA]} --text Quite. --as {ADVISER}")
    assert "Quite." in await terminal.run(f"history {answer.case_id}")
    await terminal.ask(f"return {task[ROSA]} --as {ROSA} --reason ill")
    await _keep_the_directory(terminal)
    offer = {found.assignee: found.task_id for found in running.tasks(answer.case_id)}
    await terminal.run(f"claim {offer[SAM]} --as {SAM}")
    touched = await terminal.ask(f"people interest add {SAM} --person {PROPOSER} --reason 'an old friend'")
    assert touched["tasks"] == [offer[SAM]]
    assert "conflict_of_interest" in {incident.kind for incident in running.show(answer.case_id).incidents}
    await terminal.ask("people interest list")
    await terminal.ask(f"people interest remove {SAM} --person {PROPOSER}")
    await terminal.run(f"return {offer[SAM]} --as {SAM}")
    [last] = running.tasks(answer.case_id)
    await terminal.run(f"claim {last.task_id} --as {QUINN}")
    left = await terminal.ask(f"people leave {QUINN} --to {ADVISER} --as {OFFICE}")
    assert [(found["to"], found["problem"]) for found in left["tasks"]] == [([ADVISER], "")]
    told = await terminal.run(f"people leave {PROPOSER}")
    assert f"Still proposed by {PROPOSER}: {answer.case_id}" in " ".join(told.split())


async def _keep_the_directory(terminal: Terminal) -> None:
    days = "--from 2026-12-21 --until 2027-01-08"
    found = await terminal.ask(f"people delegate {QUINN} --to {ADVISER} {days} --stage quality")
    await terminal.ask("people delegations")
    await terminal.ask(f"people end-delegation {found['delegation']['delegation_id']}")
    await terminal.ask(f"people absent {QUINN} {days} --reason holiday")
    await terminal.ask(f"people absences --person {QUINN}")
    assert (await terminal.ask(f"people back {QUINN} --on 2027-01-04"))["changed"] == 1
    for line, code, status in (
        (f"people absent {QUINN} --from soon --until later", "date_malformed", 2),
        (f"people absent {QUINN} --from 2027-01-08 --until 2026-12-21", "dates_reversed", 2),
        (f"people interest add {QUINN}", "interest_subject", 2),
        (f"people interest remove {QUINN} --unit Nowhere", "interest_unknown", 1),
        (f"people delegate {QUINN} --to {QUINN} {days}", "own_deputy", 1),
        ("people end-delegation del-nope", "delegation_unknown", 1),
        ("people leave nobody@example.edu", "person_unknown", 1),
    ):
        assert (await terminal.ask(line, status))["error"]["code"] == code


NEW_WORDS: dict[type, set[str]] = {
    TaskStatus: {"offered"},
    TaskClosure: {"claimed", "returned", "left"},
    AssignmentReason: {"succession"},
    InterestKind: set(InterestKind),
    IncidentKind: {"reviewer_absent", "conflict_of_interest", "no_successor"},
    MailKind: {"advice_asked", "advice_given"},
    EventType: {
        "task_offered",
        "task_claimed",
        "task_returned",
        "reviewers_drawn",
        "reviewers_passed_over",
        "advice_asked",
        "advice_given",
    },
}


@pytest.mark.parametrize("vocabulary", NEW_WORDS, ids=lambda vocabulary: vocabulary.__name__)
def test_the_words_are_explained_in_the_terminology(vocabulary: type) -> None:
    told = next(s for s in sections(TERMINOLOGY) if vocabulary.__name__ in code_spans(s.paragraph("In code: "))[:1])
    rows = {code_spans(row["value"])[0]: row["meaning"] for row in told.rows}
    assert NEW_WORDS[vocabulary] <= {word for word, meaning in rows.items() if meaning}
