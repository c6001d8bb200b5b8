"""What a command says when it cannot do what was asked: a code, one clear line, an honest status, never a traceback."""

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imprimatur.cli import cases
from imprimatur.cli.main import VERBS
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.store.engine import Database
from tests.command import Answer, Command
from tests.facts import EXAMPLES, PROPOSER, Play, example, furnish

CASE = "mc-abcdefghijkl"
PROPOSAL = str(EXAMPLES / "coursework-credit.yaml")
FILE_VERBS = (["submit"], ["import"], ["people", "import"], ["framework", "check"], ["framework", "add"],
              ["verify", "--file"], ["revise", CASE, "--as", PROPOSER])  # fmt: skip


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that nobody should give to a command, and that somebody will."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "folder.yaml").mkdir()
    for suffix in ("yaml", "json", "jsonl", "csv"):
        (folder / f"empty.{suffix}").write_bytes(b"")
        (folder / f"binary.{suffix}").write_bytes(bytes(range(256)) * 20)
        (folder / f"latin1.{suffix}").write_bytes("title: Prüfung\nemail,name\n".encode("latin-1"))
        with (folder / f"huge.{suffix}").open("wb") as file:
            file.truncate(250 * 1024 * 1024)
        (folder / f"deep.{suffix}").write_text("[" * 100_000, encoding="utf-8")
    (folder / "unclosed.csv").write_text('title\n"never closed\n' + "x" * 200_000, encoding="utf-8")
    (folder / "list.yaml").write_text("- a\n- b\n", encoding="utf-8")
    (folder / "tags.yaml").write_text("title: !!python/object/apply:os.system [ls]\n", encoding="utf-8")
    (folder / "bomb.yaml").write_text("a: &a [x]\nb: [*a, *a]\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def one_case(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    file = folder / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    Play(database, folder, "coursework-credit", CASE).submit(example("coursework-credit"))
    database.close()
    return file


@pytest.fixture
def without_temporal(command: Command, one_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The database is there, nothing else is."""
    file = tmp_path / "imprimatur.db"
    shutil.copyfile(one_case, file)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"{LOOPBACK}:{free_port()}")
    return command


def assert_refused(command: Command, status: int, code: str | None, *arguments: object) -> Answer:
    """Both ways of speaking say the same."""
    as_json, in_words = command(*arguments, "--json"), command(*arguments)
    assert (as_json.status, in_words.status) == (status, status), (as_json, in_words)
    error = as_json.document["error"]
    assert error["code"] == in_words.code == (code or error["code"]) != "fault"
    assert error["message"]
    assert in_words.out == ""
    assert "Traceback" not in in_words.err
    assert error["message"].splitlines()[0] in in_words.err.splitlines()[0]
    return as_json


@pytest.mark.parametrize("verb", FILE_VERBS, ids=" ".join)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("absent.yaml", "file_unusable"),
        ("folder.yaml", "file_unusable"),
        ("absent-folder/x.yaml", "file_unusable"),
        ("x" * 300, "file_unusable"),
        ("empty.yaml/x", "file_unusable"),
        ("binary.yaml", "document_not_utf8"),
        ("latin1.yaml", "document_not_utf8"),
        ("huge.yaml", "document_too_large"),
    ],
)
def test_a_file_that_cannot_be_read(
    without_temporal: Command, odd_files: Path, verb: list[str], name: str, code: str
) -> None:
    assert_refused(without_temporal, 2, code, *verb, odd_files / name)


@pytest.mark.parametrize("verb", [verb for verb in FILE_VERBS if verb != ["people", "import"]], ids=" ".join)
@pytest.mark.parametrize("name", ["empty.yaml", "deep.json", "list.yaml", "tags.yaml", "bomb.yaml"])
def test_a_file_that_holds_something_else(
    without_temporal: Command, odd_files: Path, verb: list[str], name: str
) -> None:
    assert_refused(without_temporal, 2, None, *verb, odd_files / name)


@pytest.mark.parametrize("name", ["empty.csv", "deep.csv", "unclosed.csv"])
def test_a_file_that_holds_no_people(without_temporal: Command, odd_files: Path, name: str) -> None:
    assert_refused(without_temporal, 2, "people_columns_missing", "people", "import", odd_files / name)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "{}"],
        ["tasks", "--case", "{}"],
        ["history", "{}"],
        ["verify", "{}"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("wrong", ["mc-abcdefghijkx", "mc-abcdefghijk", "MC-ABCDEFGHIJKL", "", "../x", "x" * 5000])
def test_an_unknown_case_is_told_with_the_one_that_was_meant(
    without_temporal: Command, arguments: list[str], wrong: str
) -> None:
    given = [argument.replace("{}", wrong) for argument in arguments]
    error = assert_refused(without_temporal, 1, "case_unknown", *given).document["error"]
    if wrong.startswith("mc-"):
        assert error["hint"] == f"Did you mean {CASE}?"
    else:
        assert "starter.py list" in error["hint"]


ACTS: list[tuple[list[str], str]] = [
    (["submit", PROPOSAL, "--as", PROPOSER], "temporal_unavailable"),
    (["import", "records.jsonl", "--as", PROPOSER], "temporal_unavailable"),
    (["withdraw", CASE, "--as", PROPOSER, "--reason", "x"], "temporal_unavailable"),
    (["revise", CASE, PROPOSAL, "--as", PROPOSER], "temporal_unavailable"),
    (["decide", "t-aaaaaaaaaaaaaaaa", "--verdict", "approve", "--as", PROPOSER], "temporal_unavailable"),
]


@pytest.mark.parametrize(("arguments", "code"), ACTS, ids=lambda value: value[0] if isinstance(value, list) else value)
def test_an_act_without_the_workflow_service(
    without_temporal: Command, tmp_path: Path, arguments: list[str], code: str
) -> None:
    (tmp_path / "records.jsonl").write_text('{"title": "A"}\n', encoding="utf-8")
    assert_refused(without_temporal, 1, code, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [arguments for arguments, _ in ACTS]
    + [["list"], ["show", CASE], ["tasks"], ["history", CASE], ["verify", "--all"], ["people", "list"],
       ["people", "import", str(EXAMPLES / "people.csv")], ["framework", "list"], ["framework", "show", "non-credit"],
       ["web"]],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_nothing_runs_and_nothing_is_set(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "records.jsonl").write_text("{}\n", encoding="utf-8")
    answer = command(*arguments)
    assert (answer.status, answer.code) in [(1, "stack_not_running"), (2, "base_url_missing")]
    assert answer.out == ""
    assert not (tmp_path / "home").exists()


def test_forward_needs_a_stack_that_skips_time(without_temporal: Command) -> None:
    error = assert_refused(without_temporal, 2, "time_not_skippable", "forward", CASE, "3d").document["error"]
    assert "up --time-skipping" in error["hint"]


@pytest.mark.parametrize("duration", ["", "3", "d", "1y", "0d", "3.5d", "1d junk", "9" * 400 + "d", "4000d", "P"])
def test_a_duration_that_is_none(without_temporal: Command, duration: str) -> None:
    assert_refused(without_temporal, 2, "duration_malformed", "forward", CASE, duration)


@pytest.mark.parametrize("score", ["need", "=3", "need=", "need=good", "need=1.5", "need=3=4", "need=" + "9" * 5000])
def test_a_score_that_is_none(without_temporal: Command, score: str) -> None:
    arguments = ["decide", "t-x", "--verdict", "approve", "--as", PROPOSER, "--score", score]
    assert_refused(without_temporal, 2, "score_malformed", *arguments)


@pytest.mark.parametrize("instant", ["x", "2026", "2026-02-30", "2026-03-02T25:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_that_is_none(without_temporal: Command, instant: str) -> None:
    assert_refused(without_temporal, 2, "instant_malformed", "history", CASE, "--as-of", instant)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "--status", "approved"], "status_unknown"),
        (["verify"], "verify_what"),
        (["verify", CASE, "--all"], "verify_what"),
        (["frobnicate"], "usage"),
        (["lst"], "usage"),
        (["list", "--frobnicate"], "usage"),
        (["list", "extra"], "usage"),
        (["submit"], "usage"),
        (["decide", "t-x"], "usage"),
        (["decide", "t-x", "--verdict", "approve"], "usage"),
        (["withdraw", CASE, "--as", PROPOSER], "usage"),
        (["web", "--port", "99999"], "usage"),
        (["web", "--port", "http"], "usage"),
        (["submit", "a\x00b"], "usage"),
        (["show", "mc-\udce9"], "argument_not_text"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_words_that_make_no_command(without_temporal: Command, arguments: list[str], code: str) -> None:
    assert_refused(without_temporal, 2, code, *arguments)


def test_migrate_needs_to_know_which_database(command: Command) -> None:
    assert_refused(command, 2, "database_url_missing", "migrate")


def test_history_in_an_unknown_format(without_temporal: Command) -> None:
    refused = without_temporal("history", CASE, "--format", "papyrus")
    assert (refused.status, refused.code) == (2, "format_unknown")
    assert "table, json, csv" in refused.err


def test_a_command_without_a_verb_shows_what_there_is(command: Command) -> None:
    for arguments in ([], ["people"], ["framework"]):
        answer = command(*arguments)
        assert answer.status == 2
        assert answer.code == "usage"
        assert "Usage" in answer.out


@pytest.mark.parametrize("verb", [*VERBS, "people import", "people list", "framework check", "framework show"])
def test_every_verb_explains_itself(command: Command, verb: str) -> None:
    answer = command(*verb.split(), "--help")
    assert answer.status == 0
    assert "Usage" in answer.out
    assert "--json" in answer.out


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("mysql://localhost/x", 2, "database_url_invalid"),
        ("sqlite://imprimatur.db", 2, "database_url_invalid"),
        ("imprimatur.db", 2, "database_url_invalid"),
        ("postgresql://user:hush-hush@[::1", 2, "database_url_invalid"),
        ("postgresql://user:hush-hush@localhost:port/x", 2, "database_url_invalid"),
        ("postgresql://user:hush-hush@127.0.0.1:{port}/x", 1, "database_unavailable"),
        ("sqlite:///absent-folder/x.db", 1, "database_unavailable"),
        ("sqlite:///empty.db", 1, "schema_outdated"),
        ("sqlite:///letter.txt", 1, "database_damaged"),
    ],
)
def test_a_database_that_cannot_be_used(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, status: int, code: str
) -> None:
    (tmp_path / "letter.txt").write_text("Dear database," * 100, encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", url.replace("{port}", str(free_port())))
    answer = assert_refused(command, status, code, "list")
    assert "hush-hush" not in answer.out


def test_a_damaged_note_of_the_stack_is_told(command: Command, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for text in ("not json", "[]", "{}", '{"pids": null}'):
        (home / "stack.json").write_text(text, encoding="utf-8")
        assert_refused(command, 2, "home_damaged", "list")


def test_ctrl_c_is_told_and_is_no_success(without_temporal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(act: Callable[..., object]) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(cases, "with_database", interrupted)
    assert_refused(without_temporal, 1, "interrupted", "list")


def test_our_own_mistake_is_told_without_a_traceback_and_kept_for_the_report(
    without_temporal: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(act: Callable[..., object]) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(cases, "with_database", mistaken)
    answer = without_temporal("list", "--json")
    assert (answer.status, answer.code) == (1, "fault")
    kept = tmp_path / "home" / "logs" / "faults.log"
    assert str(kept) in answer.document["error"]["hint"]
    assert "ZeroDivisionError" in kept.read_text(encoding="utf-8")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(8)
        yield int(listener.getsockname()[1])


def test_doctor_names_every_part_that_is_down_and_still_looks_at_the_others(
    without_temporal: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", f"smtp://{LOOPBACK}:{free_port()}")
    answer = without_temporal("doctor", "--json")
    assert (answer.status, answer.code) == (1, "doctor_found")
    checks = {check["name"]: check for check in answer.document["checks"]}
    assert all(check.keys() == {"name", "ok", "detail"} and check["detail"] for check in checks.values())
    assert {name: check["ok"] for name, check in checks.items()} == {
        "database": True, "directory": True, "temporal": False, "mail": False,
        "mailbox": True, "targets": True, "templates": True, "keys": False, "signing": True, "calendars": True,
        "clock": False,
    }  # fmt: skip
    in_words = without_temporal("doctor")
    assert in_words.status == 1
    assert "FAILS" in in_words.out
    assert "temporal, mail, keys, clock" in in_words.err


def test_doctor_before_anything_was_set_up(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///empty.db")
    answer = command("doctor", "--json")
    assert (answer.status, answer.code) == (1, "doctor_found")
    checks = {check["name"]: check["detail"] for check in answer.document["checks"]}
    assert "starter.py migrate" in checks["database"]
    assert "starter.py up" in checks["temporal"]
