"""Awarding from the command line: one learner or a file of them, line by line, again without harm."""

from pathlib import Path

import pytest

from imprimatur.embedded.home import Home
from imprimatur.errors import InputError
from imprimatur.publication.badges import Learner
from imprimatur.publication.learners_file import learner_of, read_learners
from imprimatur.store.engine import Database, migrate
from tests.command import Command
from tests.facts import BASE_URL, furnish, whole_story

CSV = """\
email;name;valid_until
ana@example.org;Ana Learner;2028-06-30
"not an address";Nobody;
bo@example.org;;
bo@example.org;Again;
cy@example.org;"Two
lines";soon
"""


@pytest.fixture
def case_id(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A published case of an installation whose issuer has a key."""
    home = Home(tmp_path / "home")
    home.prepare()
    home.secret()
    migrate(home.database_url)
    monkeypatch.setenv("DATABASE_URL", home.database_url)
    monkeypatch.setenv("IMPRIMATUR_BASE_URL", BASE_URL)
    database = Database(home.database_url)
    furnish(database)
    play = whole_story(database, tmp_path)
    database.close()
    command.json("keys", "generate")
    return play.case_id


def test_a_file_is_awarded_line_by_line(command: Command, case_id: str, tmp_path: Path) -> None:
    file = tmp_path / "learners.csv"
    file.write_text(CSV, encoding="utf-8")
    answer = command("award", case_id, "--csv", file, "--json")
    assert answer.status == 1, "not every line could be awarded"
    told = answer.document
    assert (told["awarded"], told["present"]) == (2, 1)
    assert [(item["line"], item["result"]) for item in told["badges"]] == [
        (2, "awarded"),
        (4, "awarded"),
        (5, "present"),
    ]
    assert [item["line"] for item in told["rejected"]] == [3, 6]
    again = command("award", case_id, "--csv", file, "--json").document
    assert (again["awarded"], again["present"]) == (0, 3)
    text = command("award", told["slug"], "--csv", file).out
    assert "Line 3: 'not an address' is no mail address." in text and "0 badges awarded" in text
    assert f"{BASE_URL}/badges/{told['badges'][0]['badge_id']}" in text


def test_one_learner_is_awarded_and_revoked(command: Command, case_id: str) -> None:
    one = ("award", case_id, "--learner-email", "ana@example.org", "--name", "Ana", "--valid-until", "2028-06-30")
    [given] = command.json(*one)["badges"]
    revoked = command.json("revoke-badge", given["badge_id"], "--reason", "Copied work.")
    assert revoked["badge_id"] == given["badge_id"] and revoked["revoked_at"]
    assert command.json("revoke-badge", given["badge_id"], "--reason", "Again.")["reason"] == "Copied work."
    assert command.json(*one)["badges"][0]["result"] == "revoked"
    assert command.json(*one, "--again")["awarded"] == 1


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["award", "CASE"], "learners_choice", 2),
        (["award", "CASE", "--learner-email", "x"], "learner_invalid", 2),
        (["award", "CASE", "--learner-email", "a@example.org", "--valid-until", "soon"], "learner_invalid", 2),
        (["award", "mc-nobody", "--learner-email", "a@example.org"], "publication_unknown", 1),
        (["revoke-badge", "ob-nobody", "--reason", "x"], "badge_unknown", 1),
    ],
)
def test_a_refusal_is_told(command: Command, case_id: str, words: list[str], code: str, status: int) -> None:
    answer = command(*[case_id if word == "CASE" else word for word in words], "--json")
    assert (answer.code, answer.status) == (code, status)


def test_without_a_key_nothing_is_awarded(command: Command, case_id: str) -> None:
    [key] = command.json("keys", "list")["keys"]
    command.json("keys", "retire", key["kid"])
    assert command("award", case_id, "--learner-email", "a@example.org", "--json").code == "key_missing"


@pytest.mark.parametrize("heading", ["name,valid_until", "email,email", ""])
def test_a_file_needs_one_column_of_addresses(heading: str) -> None:
    with pytest.raises(InputError) as refused:
        read_learners(f"{heading}\na@example.org,x\n")
    assert refused.value.code == "learners_columns"


def test_a_learner_is_read_as_meant() -> None:
    found = learner_of(" Ana@Example.org ", "  Ana \t Learner ", "2028-06-30")
    assert found == Learner("ana@example.org", "Ana Learner", found.valid_until)
    assert found.valid_until is not None and found.valid_until.isoformat() == "2028-06-30T23:59:59+00:00"
    for name in ("x" * 201, "a\x00b"):
        with pytest.raises(InputError):
            learner_of("a@example.org", name)
