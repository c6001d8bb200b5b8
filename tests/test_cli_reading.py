"""Verbs that read: one JSON document with the promised keys, a text for people, in every database they may meet."""

import csv
import datetime as dt
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from imprimatur.frameworks.loader import shipped_path
from imprimatur.store.engine import Database
from imprimatur.store.preferences import PREFERENCES
from tests.command import Command
from tests.facts import EXAMPLES, OFFICE, PROPOSER, Play, example, furnish, whole_story

PUBLISHED, OPEN = "mc-abcdefghijkl", "mc-aaaabbbbcccc"


@pytest.fixture(scope="module")
def told(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a case that was published after all kinds of events, and one that waits for its first review."""
    folder = tmp_path_factory.mktemp("told")
    file = folder / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    whole_story(database, folder, PUBLISHED)
    Play(database, folder, "coursework-credit", OPEN).submit(example("coursework-credit"))
    database.close()
    return file


@pytest.fixture
def reads(command: Command, told: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{told}")
    return command


def test_list_names_every_case_newest_first(reads: Command) -> None:
    cases = reads.json("list")["cases"]
    assert {case["case_id"]: case["status"] for case in cases} == {PUBLISHED: "published", OPEN: "in_review"}
    assert cases[0].keys() >= {"title", "framework", "proposer", "version", "round", "open_stages", "due_at"}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--status", "published"], [PUBLISHED]),
        (["--status", "withdrawn"], []),
        (["--stage", "proposal"], [OPEN]),
        (["--stage", "industry"], []),
        (["--stage", "no-such-stage"], []),
        (["--overdue"], [OPEN]),
        (["--overdue", "--status", "published"], []),
        (["--overdue", "--stage", "proposal"], [OPEN]),
    ],
)
def test_list_keeps_what_was_asked_for(reads: Command, options: list[str], found: list[str]) -> None:
    assert [case["case_id"] for case in reads.json("list", *options)["cases"]] == found


def test_list_as_text_has_a_row_a_case(reads: Command) -> None:
    answer = reads("list")
    assert answer.status == 0
    assert PUBLISHED in answer.out and OPEN in answer.out


def test_show_tells_stages_and_tasks(reads: Command) -> None:
    shown = reads.json("show", OPEN)
    assert shown["case_id"] == OPEN
    assert shown["status"] == "in_review"
    assert [stage["stage"] for stage in shown["stages"]] == ["proposal", "quality", "industry", "publication"]
    assert [(task["stage"], task["status"]) for task in shown["tasks"]] == [("proposal", "open")]
    assert shown["stages"][0]["due_reason"]["calendar"] == "campus"


def test_show_as_text_says_who_is_waited_for_and_why_it_is_due_then(reads: Command) -> None:
    text = reads("show", OPEN).out
    task = reads.json("tasks", "--case", OPEN)["tasks"][0]
    for word in (OPEN, "in_review", task["task_id"], task["assignee"], "business days", "calendar campus"):
        assert word in text


def test_tasks_are_found_by_person_and_by_case(reads: Command) -> None:
    [task] = reads.json("tasks")["tasks"]
    assert task.keys() >= {"task_id", "case_id", "stage", "assignee", "due_at", "status"}
    assert reads.json("tasks", "--person", task["assignee"].upper())["tasks"] == [task]
    assert reads.json("tasks", "--person", "nobody@example.edu")["tasks"] == []
    assert reads.json("tasks", "--case", PUBLISHED)["tasks"] == []


def test_history_is_a_story_in_a_table(reads: Command) -> None:
    text = reads("history", PUBLISHED).out
    assert PROPOSER in text
    assert "Forschungsethik" in text


def test_history_as_json_is_evidence_that_verifies(reads: Command, tmp_path: Path) -> None:
    document = reads.json("history", PUBLISHED)
    assert document == json.loads(reads("history", PUBLISHED, "--format", "json").out)
    assert document["count"] == len(document["events"]) == document["events"][-1]["position"]
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    proof = reads.json("verify", "--file", file)
    assert (proof["ok"], proof["events"], proof["head"]) == (True, document["count"], document["head"])


def test_history_as_csv_has_a_line_an_event(reads: Command) -> None:
    lines = list(csv.DictReader(io.StringIO(reads("history", PUBLISHED, "--format", "csv").out)))
    assert [int(line["position"]) for line in lines] == list(range(1, reads.json("history", PUBLISHED)["count"] + 1))


@pytest.mark.parametrize("instant", ["2026-03-02T09:01:30Z", "2026-03-02T10:01:30+01:00", "2026-03-02"])
def test_history_as_of_tells_only_what_was_known_then(reads: Command, instant: str) -> None:
    until = dt.datetime.fromisoformat(instant)
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    known = [e for e in reads.json("history", PUBLISHED)["events"] if dt.datetime.fromisoformat(e["at"]) <= until]
    assert bool(known) == ("T" in instant), "it was submitted at one minute past nine"
    assert reads.json("history", PUBLISHED, "--as-of", instant)["events"] == known
    assert reads("history", PUBLISHED, "--as-of", instant, "--format", "csv").out.count("\n") == len(known) + 1


def test_verify_proves_one_case_and_all(reads: Command) -> None:
    head = reads.json("history", PUBLISHED)["head"]
    one = reads.json("verify", PUBLISHED)
    assert (one["ok"], one["head"], one["problems"]) == (True, head, [])
    assert reads.json("verify", "--all")["events"] == one["events"] + reads.json("verify", OPEN)["events"]
    assert "Whole" in reads("verify", "--all").out


def test_verify_finds_a_ledger_that_was_touched(reads: Command, told: Path, tmp_path: Path, monkeypatch: Any) -> None:
    touched = tmp_path / "touched.db"
    shutil.copyfile(told, touched)
    database = Database(f"sqlite:///{touched}")
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE ledger SET actor = 'somebody@else.example' WHERE position = 3")
    database.close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{touched}")
    answer = reads("verify", "--all", "--json")
    assert answer.status == 1
    assert answer.document["ok"] is False
    assert answer.document["error"]["code"] == "ledger_broken"
    assert {problem["where"] for problem in answer.document["problems"]} >= {f"{PUBLISHED}#3", f"{OPEN}#3"}
    told_in_words = reads("verify", PUBLISHED)
    assert told_in_words.status == 1
    assert f"{PUBLISHED}#3" in told_in_words.err
    assert told_in_words.out == ""


def test_people_are_listed_and_imported_again(reads: Command) -> None:
    people = reads.json("people", "list")["people"]
    assert {person["email"] for person in people} >= {PROPOSER, OFFICE}
    told = {"email", "name", "roles", "units", "organisation", "active", "formerly"}
    assert people[0].keys() == told | set(PREFERENCES)
    again = reads.json("people", "import", EXAMPLES / "people.csv")
    assert (again["created"], again["updated"], again["rejected"]) == (0, len(people), [])
    assert PROPOSER in reads("people", "list").out
    assert "0 created" in reads("people", "import", EXAMPLES / "people.csv").out


def test_a_bad_line_of_people_is_told_and_blocks_no_other(reads: Command, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,name\nnobody,Nobody\nnew.person@example.edu,New Person\n", encoding="utf-8")
    taken = reads.json("people", "import", file)
    assert (taken["created"], [line["line"] for line in taken["rejected"]]) == (1, [2])
    assert taken["rejected"][0].keys() == {"line", "field", "problem"}


def test_frameworks_are_listed_shown_and_checked(reads: Command) -> None:
    listed = {item["id"]: item for item in reads.json("framework", "list")["frameworks"]}
    stored = {"coursework-credit", "delivery-handover", "improvement-review", "industry-credit", "non-credit"}
    assert set(listed) == stored
    for name, item in listed.items():
        shown = reads.json("framework", "show", name)
        assert (shown["id"], shown["version"], shown["digest"]) == (name, item["version"], item["digest"])
        assert reads.json("framework", "show", f"{name}@{item['version']}") == shown
        assert item["name"] in reads("framework", "show", name).out


def test_a_framework_is_checked_and_added(reads: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    shipped = Path(__file__).parents[1] / "imprimatur" / "frameworks" / "non-credit.yaml"
    file.write_text(shipped.read_text(encoding="utf-8").replace('version: "1.1"', 'version: "1.2"'), encoding="utf-8")
    checked = reads.json("framework", "check", file)
    assert (checked["id"], checked["version"], checked["problems"]) == ("non-credit", "1.2", [])
    assert reads.json("framework", "add", file)["digest"] == checked["digest"]
    assert reads.json("framework", "show", "non-credit")["version"] == "1.2"
    assert "is sound" in reads("framework", "check", file).out


def test_every_problem_of_a_framework_is_told_at_its_place(reads: Command, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    shipped = Path(__file__).parents[1] / "imprimatur" / "frameworks" / "non-credit.yaml"
    text = shipped.read_text(encoding="utf-8").replace("needs: [proposal]", "needs: [propsal]")
    file.write_text(text, encoding="utf-8")
    answer = reads("framework", "check", file, "--json")
    assert answer.status == 2
    assert answer.document["error"]["code"] == "framework_invalid"
    line = text.splitlines().index("    needs: [propsal]") + 1
    assert line in [problem["line"] for problem in answer.document["problems"]]
    assert f"broken.yaml:{line}" in reads("framework", "check", file).err


def test_migrate_makes_a_database_that_every_verb_can_read(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///new.db")
    assert command("list").code == "schema_outdated"
    for _ in range(2):
        assert command.json("migrate") == {"ok": True}
    assert command.json("list") == {"cases": []}
    assert len(command.json("framework", "list")["frameworks"]) == 5
    assert command.json("verify", "--all")["events"] == 0


def test_no_text_of_a_case_can_write_into_the_terminal(
    command: Command, migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich would read markup in square brackets, a terminal would obey escape sequences."""
    file = tmp_path / "hostile.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    play = Play(database, tmp_path, "coursework-credit")
    play.submit(example("coursework-credit").model_copy(update={"title": "[red]Blind[/] [/b] [link=x]y"}))
    play.decide("proposal", comment="Good.\x1b[2J\x9b2J\rNo.", approved_coursework=4)
    database.close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    for verb in (["list"], ["show", PUBLISHED], ["history", PUBLISHED]):
        assert "[red]Blind[/] [/b] [link=x]y" in command(*verb).out
    story = command("history", PUBLISHED).out
    assert "Good.\ufffd[2J\ufffd2J" in story
    assert not set(story) & {"\x1b", "\x9b", "\r"}


def _unheld_role(folder: Path) -> Path:
    text = shipped_path("non-credit").read_text(encoding="utf-8")
    file = folder / "policy.yaml"
    file.write_text(text.replace("id: non-credit", "id: own-policy").replace("quality_reviewer", "astronomer"))
    return file


def test_roles_that_nobody_holds_are_warned_of_and_no_problem(reads: Command, tmp_path: Path) -> None:
    checked = reads.json("framework", "check", _unheld_role(tmp_path))
    assert (checked["problems"], checked["directory_asked"]) == ([], True)
    assert [(w["code"], w["where"].rsplit(".", 1)[-1]) for w in checked["warnings"]] == [("role_unheld", "role")]
    assert "astronomer" in reads("framework", "check", _unheld_role(tmp_path)).out


def test_what_the_directory_can_meet_is_not_warned_of(reads: Command) -> None:
    assert reads.json("framework", "check", shipped_path("industry-credit"))["warnings"] == []
