"""Commands as processes of their own: what a shell and a script see of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imprimatur.embedded.demo import environment
from imprimatur.store.engine import Database
from tests.facts import EXAMPLES, Play, example, furnish
from tests.stack import ROOT, WITHIN_SECONDS

CASE = "mc-abcdefghijkl"


@pytest.fixture(scope="module")
def machine(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a machine whose database holds one case with a German comment."""
    folder = tmp_path_factory.mktemp("machine")
    file = folder / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    play = Play(database, folder, "coursework-credit", CASE)
    play.submit(example("coursework-credit"))
    play.decide("proposal", comment="Gründlich geprüft, 研究倫理.", approved_coursework=4)
    database.close()
    return environment(folder) | {"DATABASE_URL": f"sqlite:///{file}"}


def starter(machine: dict[str, str], *arguments: str | bytes, **settings: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(ROOT / "starter.py"), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        env=machine | settings,
        cwd=machine["IMPRIMATUR_HOME"],
        check=False,
        timeout=WITHIN_SECONDS,
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["show", CASE], 0), (["show", "mc-x"], 1), (["verify"], 2), (["history", CASE, "--format", "csv"], 0)],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_the_exit_status_reaches_the_shell(machine: dict[str, str], arguments: list[str], status: int) -> None:
    done = starter(machine, *arguments)
    assert done.returncode == status
    assert bool(done.stdout) is (status == 0)
    assert bool(done.stderr) is (status != 0)


def test_a_reader_that_goes_away_causes_no_traceback(machine: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(ROOT / "starter.py"), "history", CASE, "--json"]
    process = subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, env=machine)
    os.close(writing)
    _, told = process.communicate(timeout=WITHIN_SECONDS)
    assert process.returncode == 1
    assert b"Traceback" not in told and b"BrokenPipe" not in told


def test_an_argument_that_is_no_text_is_refused(machine: dict[str, str]) -> None:
    done = starter(machine, "show", b"mc-\xff\xfe", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "argument_not_text"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_without_all_characters_shows_the_others(machine: dict[str, str], encoding: str) -> None:
    as_json = starter(machine, "history", CASE, "--json", PYTHONIOENCODING=encoding)
    [comment] = [
        event["data"]["comment"] for event in json.loads(as_json.stdout)["events"] if "verdict" in event["data"]
    ]
    assert comment == "Gründlich geprüft, 研究倫理."
    in_words = starter(machine, "history", CASE, PYTHONIOENCODING=encoding)
    assert in_words.returncode == 0, in_words.stderr
    assert "ndlich gepr" in in_words.stdout.decode(encoding)


def test_rows_are_not_folded_where_no_terminal_is(machine: dict[str, str]) -> None:
    [line] = [line for line in starter(machine, "tasks").stdout.decode().splitlines() if "rosa.reviewer" in line]
    assert CASE in line and "rosa.reviewer@example.edu" in line


def test_settings_are_read_from_the_folder_of_the_command(machine: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={machine['DATABASE_URL']}\nTEMPORAL_ADDRESS=\n", encoding="utf-8")
    elsewhere = {name: value for name, value in machine.items() if name not in ("DATABASE_URL", "IMPRIMATUR_HOME")}
    command = [sys.executable, str(ROOT / "starter.py"), "list", "--json"]
    done = subprocess.run(
        command, capture_output=True, env=elsewhere, cwd=tmp_path, check=False, timeout=WITHIN_SECONDS
    )
    assert [case["case_id"] for case in json.loads(done.stdout)["cases"]] == [CASE]


def test_the_home_is_never_the_one_of_the_user(machine: dict[str, str], tmp_path: Path) -> None:
    """HOME, BASE_URL and the like belong to others."""
    foreign = {"HOME": str(tmp_path), "BASE_URL": "nonsense", "TEMPORAL_ADDRESS": "", "DATABASE_URL": ""}
    bare = {name: value for name, value in machine.items() if name != "IMPRIMATUR_HOME"} | foreign
    command = [sys.executable, str(ROOT / "starter.py"), "list", "--json"]
    done = subprocess.run(command, capture_output=True, env=bare, cwd=tmp_path, check=False, timeout=WITHIN_SECONDS)
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "stack_not_running"
    assert "in imprimatur-home" in error["message"]


def test_submitting_needs_no_more_than_the_file(machine: dict[str, str]) -> None:
    done = starter(machine, "submit", str(EXAMPLES / "non-credit.yaml"), TEMPORAL_ADDRESS="127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith(b"The workflow service at 127.0.0.1:1 does not answer. [temporal_unavailable]")
