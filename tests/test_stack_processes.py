"""Processes of the embedded stack: refused, interrupted, stopped and killed; what was begun goes on."""

import json
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from imprimatur.embedded.demo import environment
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.store.engine import Database
from models.tables import DocumentRow
from tests.command import Command
from tests.stack import (
    EXAMPLES,
    PROPOSER,
    ROOT,
    WITHIN_SECONDS,
    Stack,
    approval,
    import_people,
    left_running,
    record,
    standing_still,
    start,
    starter,
    stop,
    submitted,
    task_link,
    until,
)

PARTS = ["temporal", "sink", "web", "worker", "replies"]


def test_exit_statuses_are_honest_where_the_workflow_client_was_used(stack: Stack) -> None:
    """A finished client can abort the interpreter on its way out: the status would be 134, in half of the runs."""
    commands = [
        (["withdraw", "mc-x", "--as", PROPOSER, "--reason", "x"], 1),
        (["submit", str(EXAMPLES / "coursework-credit.yaml"), "--as", PROPOSER], 0),
    ]
    for arguments, status in commands * 2:
        done = starter(stack.home, *arguments, "--json")
        assert (done.returncode, done.stderr) == (status, "")
        json.loads(done.stdout)


def test_a_second_stack_in_the_same_home_is_refused(stack: Stack) -> None:
    second = starter(stack.home, "up", "--home", str(stack.home))
    assert (second.returncode, second.stdout) == (1, "")
    assert "[home_in_use]" in second.stderr
    assert stack.is_ready()


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = starter(tmp_path, "up", "--home", str(tmp_path / "home"), "--port", str(port), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["code"] == "port_in_use"


def test_pages_on_a_port_in_use_are_refused(stack: Stack) -> None:
    info = stack.info
    settings = {"DATABASE_URL": info.database_url, "TEMPORAL_ADDRESS": info.temporal_address,
                "IMPRIMATUR_BASE_URL": info.base_url, "IMPRIMATUR_SECRET_KEYS": "k" * 40}  # fmt: skip
    refused = starter(stack.home, "web", "--port", info.base_url.rpartition(":")[2], "--json", settings=settings)
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["code"] == "port_in_use"
    assert "Traceback" not in refused.stderr


def test_an_import_that_is_stopped_says_so_and_goes_on_where_it_was(
    office: Command, stack: Stack, tmp_path: Path
) -> None:
    number = 12
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(record(f"many-{index}") for index in range(number)), encoding="utf-8")
    importing = [sys.executable, str(ROOT / "starter.py"), "import", str(file), "--as", PROPOSER, "--json"]
    with standing_still(stack.pid("worker")):
        before = documents(stack)
        process = subprocess.Popen(
            importing, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(stack.home), text=True
        )
        # A document is kept before its case is asked for, and no case is answered now: the import is in the middle.
        until(lambda: documents(stack) > before, "the first document")
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=WITHIN_SECONDS)
    assert (process.returncode, told) == (1, "")
    assert json.loads(said)["error"]["code"] == "interrupted"
    rest = office.json("import", file, "--as", PROPOSER)
    assert rest["accepted"] + rest["skipped"] == number
    assert rest["rejected"] == []
    titles = [case["title"] for case in office.json("list")["cases"] if case["title"].startswith("many-")]
    assert len(titles) == len(set(titles)) == number


def documents(stack: Stack) -> int:
    database = Database(stack.info.database_url)
    with database.read() as connection:
        number = connection.execute(select(func.count()).select_from(DocumentRow)).scalar_one()
    database.close()
    return number


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    refused = starter(tmp_path, "up", "--home", str(tmp_path / name))
    assert refused.returncode == 2
    assert "[home_unusable]" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_stack_that_is_stopped_while_it_starts_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, str(ROOT / "starter.py"), "up", "--home", str(tmp_path / "home")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path))
    note = tmp_path / "home" / "stack.json"
    until(note.exists, "the first part")
    parts = json.loads(note.read_text(encoding="utf-8"))["pids"]
    process.send_signal(number)
    said, told = process.communicate(timeout=WITHIN_SECONDS)
    assert (process.returncode, said, told) == (0, b"", b"")
    assert left_running({name: (pid, started) for name, (pid, started) in parts.items()}) == []
    assert not note.exists()


@pytest.mark.faults
def test_a_stack_survives_all_that_can_happen_to_its_processes(command: Command, tmp_path: Path) -> None:
    """Stopped and started, killed part by part, killed as a whole: cases go on and links in old mails keep working."""
    home = tmp_path / "home"
    home.mkdir()
    # What a crash of the machine can leave behind keeps no stack from starting.
    (home / "stack.json").write_text("{", encoding="utf-8")
    (home / "ports.json").write_text('{"web": "x"}', encoding="utf-8")
    with ExitStack() as after:

        def up(*options: str) -> Stack:
            stack = start(home, *options)
            after.callback(stop, stack)
            return stack

        stack = up("--port", str(free_port()))
        first = stack.base_url
        import_people(home)
        case_id = submitted(command)
        link = task_link(stack.mail(case_id, "Your review"))

        for part in PARTS:
            stack.revived(part)
            assert httpx.get(link).status_code == 200
        assert command.json("doctor")["checks"]

        parts = stack.info.pids
        stack.kill_supervisor()
        stack = up()
        assert stack.base_url == first
        assert left_running(parts) == []
        form = approval("coursework-credit", "proposal")
        assert httpx.post(link, data=form, timeout=60).status_code == 200
        assert stack.mail(case_id, "Your review", "ivo.adviser")
        assert command.json("verify", "--all")["ok"] is True
        assert stop(stack) == 0
        assert not (home / "stack.json").exists()
        assert command("list").code == "stack_not_running"


def test_forward_is_refused_on_a_stack_in_real_time(command: Command, tmp_path: Path) -> None:
    # What `up` without --time-skipping leaves for other commands to read.
    note = {"base_url": "http://127.0.0.1:1", "temporal_address": "127.0.0.1:1", "smtp_port": 1,
            "database_url": "sqlite:///x.db", "time_skipping": False, "pids": {}}  # fmt: skip
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "stack.json").write_text(json.dumps(note), encoding="utf-8")
    refused = command("forward", "mc-x", "1d", "--json")
    assert (refused.status, refused.code) == (2, "time_not_skippable")
