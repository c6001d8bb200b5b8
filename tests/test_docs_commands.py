"""docs/command-line.md and the README's walk-through against the command line itself, on a real Temporal server."""

import asyncio
import contextlib
import datetime as dt
import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer.main

from imprimatur.cli.main import app, run
from imprimatur.embedded.home import Home, StackInfo
from imprimatur.embedded.supervisor import addresses
from imprimatur.frameworks.loader import shipped, shipped_path
from imprimatur.store import outbox
from imprimatur.store.engine import Database, migrate
from imprimatur.store.frameworks import add_framework
from models.framework import Framework
from models.vocabulary import MailStatus
from tests.access_commands import play_access
from tests.bulk_commands import play_bulk
from tests.committee_commands import play_committees
from tests.condition_commands import play_conditions
from tests.engine import Engine, engine, temporal_server
from tests.facts import LEDGER, START
from tests.handover_commands import play_handovers
from tests.hook_commands import play_webhooks
from tests.imap import fake_mailbox
from tests.improvement_commands import play_reviews
from tests.mail_commands import play_mail
from tests.markdown import DOCS, ROOT, Section, code_spans, sections, text_of
from tests.pathway_commands import play_pathways
from tests.people_commands import play_people
from tests.publication_commands import play_publications
from tests.record_commands import play_records

COMMAND_LINE, README = DOCS / "command-line.md", ROOT / "README.md"
# They run until they are stopped; the stack is tested elsewhere.
RUNNING = {"up", "web", "mail listen"}
POLICY = shipped_path("non-credit")


def _verbs(command: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    for word, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from _verbs(inner, f"{name}{word} ")
        if getattr(inner, "invoke_without_command", True):
            yield name + word, inner


VERBS = dict(_verbs())
SECTIONS: dict[str, Section] = {found.title: found for found in sections(COMMAND_LINE)}


def test_every_verb_has_its_section_and_every_section_its_verb() -> None:
    assert sorted(set(SECTIONS) - {"Command line", "For all verbs"}) == sorted(VERBS)


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
        if parameter.required and parameter.param_type_name == "option":
            assert f"[{parameter.opts[0]}" not in usage


# --- what the verbs answer --------------------------------------------------------------------------------------------


@dataclass
class Office:
    """Runs commands as the governance office does, in this process, against a worker of this process."""

    home: Path
    engine: Engine
    case_id: str = ""
    answers: dict[str, Any] = field(default_factory=dict)

    async def run(self, line: str, expected: int = 0) -> str:
        """What the command prints; CASE is the case that was submitted last."""
        words = [self.case_id if word == "CASE" else word for word in shlex.split(line)]
        words = [str(ROOT / word) if word.startswith("examples/") else word for word in words]
        printed, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
            status = await asyncio.to_thread(run, words)
        assert status == expected, f"{line}: {printed.getvalue()}{complained.getvalue()}"
        if found := re.search(r"\bmc-[a-z2-7]+", printed.getvalue()) if words[0] == "submit" else None:
            self.case_id = found[0]
        return printed.getvalue()

    async def ask(self, line: str, expected: int = 0) -> Any:
        """The JSON document that a command answers, kept for comparison with its description."""
        words = line.split()
        verb = next(name for name in (" ".join(words[:number]) for number in (3, 2, 1)) if name in VERBS)
        answer = json.loads(await self.run(f"{line} --json", expected))
        self.answers[verb] = answer
        return answer

    async def approve_everything(self) -> None:
        while tasks := self.engine.tasks(self.case_id):
            await self.engine.answer(tasks[0])


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@contextlib.asynccontextmanager
async def _office(temporal: str, folder: Path) -> Any:
    home = Home(folder)
    home.prepare()
    home.write_stack(StackInfo("http://127.0.0.1:1", temporal, 1, home.database_url, True))
    migrate(home.database_url)
    database = Database(home.database_url)
    for policy in shipped().values():
        add_framework(database, policy, START)
    try:
        async with engine(temporal, database, folder) as running:
            yield Office(folder, running)
    finally:
        database.close()


@pytest.fixture(autouse=True)
def _settings_of_this_test_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "IMPRIMATUR_BASE_URL", "SMTP_URL", "PAYLOAD_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IMPRIMATUR_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_the_addresses_of_the_stack_are_told(tmp_path: Path) -> None:
    found = addresses(StackInfo("http://127.0.0.1:1", "127.0.0.1:2", 3, "sqlite:///x.db", False), 4, Home(tmp_path))
    assert code_spans(SECTIONS["up"].paragraph("JSON keys: ")) == list(found)


async def test_every_verb_answers_with_the_keys_that_are_told(temporal: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email,name\nnobody,\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("format: 1\nid: Bad\n", encoding="utf-8")
    (tmp_path / "records.jsonl").write_text('{"title": "Half a proposal"}\n', encoding="utf-8")
    async with _office(temporal, tmp_path) as office:
        await _play(office)
    answers = office.answers
    assert sorted(set(VERBS) - RUNNING - set(answers)) == []
    for verb, answer in answers.items():
        told = set(code_spans(SECTIONS[verb].paragraph("JSON keys: ")))
        found = _keys(answer) - {"error"}
        if verb == "framework show":
            found = set(answer) - set(Framework.model_fields)
        assert told == found, f"{verb}: told but not there {told - found}, there but not told {found - told}"


def _keys(answer: dict[str, Any]) -> set[str]:
    found = set(answer)
    for name, value in answer.items():
        entries = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
        # A derivation and the parts of an error are not keys of the answer.
        if name not in ("due_reason", "used_seconds", "error"):
            found |= {key for entry in entries if isinstance(entry, dict) for key in entry}
    return found


async def _play(office: Office) -> None:
    """A case that leaves no list of any answer empty."""
    await office.run("people import examples/people.csv")
    await office.ask("people import people.csv")
    await office.ask("people list")
    await office.ask("framework list")
    await office.ask("framework show non-credit")
    await office.ask(f"framework add {POLICY}")
    sound = await office.ask(f"framework check {POLICY}")
    unsound = json.loads(await office.run("framework check bad.yaml --json", expected=2))
    office.answers["framework check"] = sound | {"problems": unsound["problems"]}
    await office.ask("migrate")
    await office.ask("doctor", expected=1)
    await office.ask("submit examples/industry-credit.yaml")
    await office.ask("list")
    [task] = (await office.ask("tasks --case CASE"))["tasks"]
    decision = f"decide {task['task_id']} --verdict request_changes --as {task['assignee']}"
    await office.ask(f"{decision} --comment Unclear. --score fit=1")
    await office.ask("revise CASE examples/industry-credit.revised.yaml --as ana.proposer@example.edu")
    await play_bulk(office)
    act = await _extended_and_overridden(office)
    _let_a_mail_bounce(office.engine.database)
    await office.ask("show CASE")
    await play_mail(office)
    await _gone_on(office, act)
    await office.ask("forward CASE 1h")
    await office.ask("history CASE")
    await office.ask("withdraw CASE --as ana.proposer@example.edu --reason Enough.")
    _damage_the_ledger(office.engine.database)
    await office.ask("verify CASE", expected=1)
    await office.ask("import records.jsonl")
    await play_committees(office)
    agreed = json.loads(await office.run(f"show {await play_conditions(office)} --json"))
    office.answers["show"] |= {"conditions": agreed["conditions"]}
    await play_pathways(office)
    await play_records(office)
    await play_publications(office)
    await play_reviews(office)
    await play_handovers(office)
    await play_people(office)
    await play_webhooks(office)
    await play_access(office)
    await office.ask("figures")
    await office.ask("figures rebuild")
    with _piped(b"To: review+t-x@localhost\r\n\r\napprove\r\n"):
        await office.ask("mail receive")
    await _polled(office)
    await office.ask("mail check")
    await office.ask("mail preview task --language de")


async def _polled(office: Office) -> None:
    address = f"review+t-{'a' * 16}.{'b' * 22}@localhost"
    given = [f"To: {address}\r\n\r\napprove".encode()]
    with fake_mailbox(password="right", messages=given) as mailbox, pytest.MonkeyPatch.context() as settings:
        settings.setenv("IMAP_URL", mailbox.url("replies", "right"))
        await office.ask("mail poll")


@contextlib.contextmanager
def _piped(content: bytes) -> Iterator[None]:
    """A command reads this from its standard input."""
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(content))
    try:
        yield
    finally:
        sys.stdin = before


OMAR, LENA = "--as omar.office@example.edu", "--as lena.office@example.edu"
WHY = '--reason "The board said so."'


async def _extended_and_overridden(office: Office) -> str:
    """The case is on hold, with an act that waits; answers its id."""
    await office.ask(f"nudge CASE {OMAR}")
    await office.ask(f"extend CASE --stage proposal --by 2d {OMAR} {WHY}")
    act = await office.ask(f"override CASE --stage proposal --outcome approved {OMAR} {WHY}")
    await office.ask(f"hold CASE {OMAR} {WHY}")
    return str(act["act_id"])


async def _gone_on(office: Office, act: str) -> None:
    await office.ask(f"resume CASE {OMAR} {WHY}")
    [task] = office.engine.tasks(office.case_id, "proposal")
    await office.ask(f"delegate {task.task_id} --to eva.admin@example.edu --as {task.assignee}")
    [task] = office.engine.tasks(office.case_id, "proposal")
    await office.ask(f"reassign {task.task_id} --to dora.director@example.edu {OMAR} {WHY}")
    await office.ask(f"confirm CASE {act} {LENA}")
    task = office.engine.tasks(office.case_id, "quality")[0]
    await office.engine.answer(task)
    await office.ask(f"annul {task.task_id} {OMAR} {WHY}")
    await office.ask(f"skip CASE --stage industry {OMAR} {WHY}")
    await office.ask(f"send-back CASE --to proposal {OMAR} {WHY}")


def _let_a_mail_bounce(database: Database) -> None:
    now = dt.datetime.now(dt.UTC)
    [mail] = outbox.claim(database, 1, now)
    outbox.record(database, [outbox.Result(mail, MailStatus.BOUNCED, "550 no such mailbox")], now)


def _damage_the_ledger(database: Database) -> None:
    with database.write() as connection:
        connection.execute(LEDGER.update().where(LEDGER.c.position == 1).values(actor="somebody.else@example.edu"))


# --- the walk-through of the README -----------------------------------------------------------------------------------

_STARTER = ".venv/bin/python starter.py "


def _walk_through() -> list[str]:
    lines = (line.strip() for line in text_of(README).splitlines())
    commands = [line.removeprefix(_STARTER) for line in lines if line.startswith(_STARTER)]
    return [command for command in commands if command.split()[0] not in RUNNING]


async def test_the_walk_through_of_the_readme_can_be_walked(temporal: str, tmp_path: Path) -> None:
    told: list[str] = []
    async with _office(temporal, tmp_path) as office:
        for line in _walk_through():
            # What the reader does in the browser before this command.
            if line.startswith("show "):
                await office.approve_everything()
            if line.startswith("revise "):
                await office.engine.decide(office.case_id, "proposal", "request_changes", "Unclear.")
            told.append(await office.run(line))
    story = "\n".join(told)
    for words in (
        "10 created",
        "Published in the catalogue",
        "Whole:",
        "Version 2 of",
        "Escalated",
        "Missed the due time",
    ):
        assert words in " ".join(story.split()), words
