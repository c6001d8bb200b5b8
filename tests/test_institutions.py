"""The frameworks of real institutions: that they are sound, and are stored when somebody adds them."""

import json
from pathlib import Path

import pytest

from imprimatur.cli.service import prepare_database
from imprimatur.errors import InputError
from imprimatur.frameworks.checker import check_file
from imprimatur.frameworks.loader import INSTITUTIONS, SHIPPED, institutions, shipped_path
from imprimatur.rules.completeness import missing
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_for_kind, list_frameworks
from imprimatur.web.proposing import newest
from models.framework import Framework
from models.vocabulary import ABOUT_PUBLISHED, CredentialKind
from tests.command import Command
from tests.institutions import HOLDERS, PROPOSALS
from tests.markdown import DOCS, code_spans, section

# Roles that the general frameworks escalate to as well.
OFFICE = {"governance_office": 1, "academic_director": 1}
# A version that someone may have stored never changes: raise `version` with the content, and add a line here.
DIGESTS = {
    ("acu", "1.0"): "03a8eec80455011d7f83b97142e40e17c01eb691d2cdbb6146d909f32d514763",
    ("buffalo", "1.0"): "85a9aaaa1e81736743e61bc59fb2a0bdb2f63203de715a2f8201b95c59981bb6",
    ("kentucky", "1.0"): "253f7cc33b6a8a9e382b9a4a08262d060498fdde9e4e75cf5dee8545f7279c11",
    ("msu-denver", "1.0"): "d5a19055a27df2b353daf44c1b0fcf82c2bc5c9ccf7e216e89e3db6975e2be58",
    ("nzqa", "1.0"): "cdb63a155d45edc9ab2c890269cf8f04910c5a10eee3b17c31426db2470df9fa",
    ("sydney", "1.0"): "fcc859e1e7244a4e461f0af17f56c97fe78920a8ccca98c403e946ae5640a4f1",
    ("ubc", "1.0"): "93d35bda011e655d9027701c098831b88878c5850ec3e6f0e4c0d53f34e0ea27",
}
# Stored at every start as well: what is published is reviewed by it.
REVIEW, HANDOVER = "improvement-review", "delivery-handover"


@pytest.fixture(params=INSTITUTIONS)
def policy(request: pytest.FixtureRequest) -> Framework:
    return institutions()[request.param]


# --- that they are sound ----------------------------------------------------------------------------------------------


def test_each_passes_the_check_with_everybody_there(policy: Framework) -> None:
    holders = {role: number for role, (number, _) in HOLDERS.items()} | OFFICE
    assert check_file(shipped_path(policy.id), holders) == (policy, [])


def test_every_document_is_listed_under_its_own_name() -> None:
    files = sorted(path.stem for path in shipped_path("nzqa").parent.iterdir())
    assert files == sorted(INSTITUTIONS) == sorted(policy.id for policy in institutions().values())


def test_a_shipped_version_never_changes() -> None:
    assert {(policy.id, policy.version): policy.digest for policy in institutions().values()} == DIGESTS


def test_each_says_where_it_and_its_stages_come_from(policy: Framework) -> None:
    named = " ".join(policy.sources)
    for stage in policy.stages:
        if not stage.is_automatic:
            assert stage.source is not None
            assert stage.source.split(",")[0] in named


def test_the_proposals_that_are_played_are_complete(policy: Framework) -> None:
    assert missing(PROPOSALS[policy.id], policy).required == ()
    assert PROPOSALS[policy.id].credential_kind is policy.credential_kind


# --- that they come with Imprimatur, and are added by name ------------------------------------------------------------


def test_none_is_stored_unless_it_is_added(sqlite_database: Database) -> None:
    prepare_database(sqlite_database.url)
    assert sorted(entry.id for entry in list_frameworks(sqlite_database)) == sorted([*SHIPPED, REVIEW, HANDOVER])
    chosen = {kind: framework_for_kind(sqlite_database, kind).id for kind in set(CredentialKind) - set(ABOUT_PUBLISHED)}
    assert {str(kind).replace("_", "-") for kind in chosen} == set(chosen.values())


def test_nothing_is_proposed_under_the_framework_for_reviews(sqlite_database: Database) -> None:
    prepare_database(sqlite_database.url)
    assert sorted(policy.id for policy in newest(sqlite_database)) == sorted(SHIPPED)
    with pytest.raises(InputError) as caught:
        framework_for_kind(sqlite_database, None)
    assert caught.value.hint == f"Name one with --framework: {', '.join(sorted(SHIPPED))}."


@pytest.fixture
def stored(command: Command, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line with a database that holds the general frameworks."""
    prepare_database(sqlite_database.url)
    monkeypatch.setenv("DATABASE_URL", sqlite_database.url)
    return command


@pytest.mark.parametrize("name", INSTITUTIONS)
def test_one_is_checked_by_its_name_where_nothing_runs(command: Command, name: str) -> None:
    checked = command.json("framework", "check", name)
    assert (checked["id"], checked["problems"], checked["directory_asked"]) == (name, [], False)


def test_one_is_added_by_its_name_and_then_chosen_for_its_kind(stored: Command, sqlite_database: Database) -> None:
    added = stored.json("framework", "add", "nzqa")
    assert (added["id"], added["digest"]) == ("nzqa", institutions()["nzqa"].digest)
    assert {warning["code"] for warning in added["warnings"]} == {"role_unheld"}
    assert "nzqa" in {entry["id"] for entry in stored.json("framework", "list")["frameworks"]}
    assert framework_for_kind(sqlite_database, CredentialKind.INDUSTRY_CREDIT).id == "nzqa"
    assert framework_for_kind(sqlite_database, CredentialKind.NON_CREDIT).id == "non-credit"
    assert stored.json("framework", "add", "nzqa") == added


def test_a_file_of_the_same_name_comes_first(command: Command, tmp_path: Path) -> None:
    (tmp_path / "nzqa").write_text(shipped_path("non-credit").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "acu").mkdir()
    assert command.json("framework", "check", "nzqa")["id"] == "non-credit"
    assert command.json("framework", "check", "acu")["id"] == "acu", "a folder is no document"


@pytest.mark.parametrize(
    ("named", "hint"), [("nzqua", "Did you mean nzqa?"), ("zzz", "See `framework list --shipped`, or name a file.")]
)
@pytest.mark.parametrize("verb", ["check", "add"])
def test_a_name_that_is_not_shipped_is_told_with_the_one_that_was_meant(
    command: Command, verb: str, named: str, hint: str
) -> None:
    refused = command("framework", verb, named, "--json")
    error = refused.document["error"]
    assert (refused.status, error["code"], error["hint"]) == (2, "framework_not_shipped", hint)


@pytest.mark.parametrize("named", ["nzqua.yaml", "institutions/nzqa"])
def test_what_looks_like_a_path_is_a_path(command: Command, named: str) -> None:
    assert command("framework", "check", named).code == "file_unusable"


def test_all_that_are_shipped_are_listed_where_nothing_runs(command: Command) -> None:
    found = command.json("framework", "list", "--shipped")["frameworks"]
    assert [entry["id"] for entry in found] == [*SHIPPED, REVIEW, HANDOVER, *INSTITUTIONS]
    assert [entry["id"] for entry in found if entry["stored_at_start"]] == [*SHIPPED, REVIEW, HANDOVER]
    told = section(DOCS / "command-line.md", "framework list").paragraph("JSON keys with `--shipped`: ")
    assert set(code_spans(told)) == {"frameworks", *(key for entry in found for key in entry)}
    in_words = command("framework", "list", "--shipped").out
    for entry in found:
        [line] = [line for line in in_words.splitlines() if line.startswith(f"{entry['id']} ")]
        assert entry["summary"] in line


def test_the_reference_says_of_each_what_it_shows() -> None:
    rows = section(DOCS / "framework-reference.md", "Frameworks of real institutions").rows
    assert [code_spans(row["framework"])[0] for row in rows] == list(INSTITUTIONS)
    for row in rows:
        policy = institutions()[code_spans(row["framework"])[0]]
        keys = set(code_spans(row["keys to look at"]))
        text = json.dumps(policy.canonical)
        assert keys and all(f'"{key}"' in text for key in keys)
