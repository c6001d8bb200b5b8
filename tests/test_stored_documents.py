"""Frameworks and proposals in the database: immutable, found by version or digest."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.frameworks.loader import shipped
from imprimatur.store import documents, frameworks
from imprimatur.store.documents import proposal_by_digest, put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import (
    add_framework,
    framework,
    framework_by_digest,
    framework_for_kind,
    list_frameworks,
    version_key,
)
from imprimatur.store.remembering import Memory
from models.framework import Framework
from models.proposal import Proposal
from models.tables import DocumentRow
from models.vocabulary import CredentialKind
from tests.facts import example
from tests.policies import policy

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read comes from the database, not from a test before this one."""
    monkeypatch.setattr(frameworks, "_parsed", Memory(200))
    monkeypatch.setattr(documents, "_parsed", Memory(1000))


def version(number: str, **change: Any) -> Framework:
    return Framework.model_validate(policy(version=number, **change))


def add(database: Database, *found: Framework) -> None:
    for number, one in enumerate(found):
        assert add_framework(database, one, NOW + number * HOUR)


# --- frameworks -------------------------------------------------------------------------------------------------


def test_a_framework_is_kept_as_it_is(database: Database) -> None:
    for policy_ in shipped().values():
        add_framework(database, policy_, NOW)
        assert framework(database, policy_.id) == policy_
        with database.read() as connection:
            assert framework_by_digest(connection, policy_.digest).digest == policy_.digest


def test_adding_a_version_again_changes_nothing(database: Database) -> None:
    assert add_framework(database, version("1.0"), NOW) is True
    assert add_framework(database, version("1.0"), NOW + HOUR) is False
    [entry] = list_frameworks(database)
    assert (entry.id, entry.version, entry.added_at) == ("tiny", "1.0", NOW)


def test_a_version_in_use_never_changes(database: Database) -> None:
    add(database, version("1.0"))
    with pytest.raises(Refused, match=r"tiny 1\.0 is stored already, with other content") as caught:
        add_framework(database, version("1.0", name="Other"), NOW)
    assert caught.value.code == "framework_version_exists"
    assert framework(database, "tiny").name == "Tiny"


def test_the_newest_version_is_the_highest_and_not_the_last(database: Database) -> None:
    add(database, *map(version, ("1.9", "1.10", "2", "1.10.1", "2.0.1", "1.2")))
    assert [entry.version for entry in list_frameworks(database)] == ["2.0.1", "2", "1.10.1", "1.10", "1.9", "1.2"]
    assert framework(database, "tiny").version == "2.0.1"
    assert framework(database, "tiny", "1.9").version == "1.9"


def test_of_versions_with_equal_numbers_the_one_that_came_last_is_newer(database: Database) -> None:
    add(database, *map(version, ("1.0", "1", "1.0.0")))
    assert [entry.version for entry in list_frameworks(database)] == ["1.0.0", "1", "1.0"]


numbers = st.lists(st.integers(0, 999_999), min_size=1, max_size=3)


@given(numbers, numbers)
def test_versions_compare_by_number(one: list[int], other: list[int]) -> None:
    def filled(parts: list[int]) -> list[int]:
        return [*parts, 0, 0][:3]

    keys = [version_key(".".join(map(str, parts))) for parts in (one, other)]
    assert (keys[0] < keys[1]) == (filled(one) < filled(other))
    assert (keys[0] == keys[1]) == (filled(one) == filled(other))


def test_every_id_is_listed_with_its_versions(database: Database) -> None:
    add(database, version("1.0", id="zeta"), version("1.0", id="alpha"), version("2.0", id="zeta"))
    found = [(entry.id, entry.version) for entry in list_frameworks(database)]
    assert found == [("alpha", "1.0"), ("zeta", "2.0"), ("zeta", "1.0")]


@pytest.mark.parametrize(
    ("wanted", "number", "message", "hint"),
    [
        ("tinny", None, "There is no framework tinny.", "Did you mean tiny?"),
        ("tinny", "1.0", "There is no framework tinny 1.0.", "Did you mean tiny?"),
        ("quality", None, "There is no framework quality.", "Known are: large, tiny."),
        ("tiny", "9.9", "There is no framework tiny 9.9.", "Its versions are: 1.10, 1.9."),
    ],
)
def test_an_unknown_framework_is_answered_with_what_is_near(
    database: Database, wanted: str, number: str | None, message: str, hint: str
) -> None:
    add(database, version("1.9"), version("1.10"), version("1.0", id="large"))
    with pytest.raises(NotFound) as caught:
        framework(database, wanted, number)
    assert (caught.value.code, caught.value.message, caught.value.hint) == ("framework_unknown", message, hint)


def test_an_empty_store_says_so(database: Database) -> None:
    assert list_frameworks(database) == []
    with pytest.raises(NotFound) as caught:
        framework(database, "tiny")
    assert caught.value.hint == "Known are: none."
    with pytest.raises(InputError, match="There is no framework for the kind non_credit") as required:
        framework_for_kind(database, CredentialKind.NON_CREDIT)
    assert (required.value.code, required.value.hint) == (
        "framework_required",
        "Name one with --framework: none is stored.",
    )
    with database.read() as connection, pytest.raises(NotFound, match="no framework with the digest 000000000000"):
        framework_by_digest(connection, "0" * 64)


def test_a_proposal_finds_the_framework_for_its_kind(database: Database) -> None:
    add(database, *shipped().values())
    # Reviews and hand-overs are what nobody proposes.
    for kind in set(CredentialKind) - {CredentialKind.REVIEW, CredentialKind.HANDOVER}:
        assert framework_for_kind(database, kind).credential_kind is kind
    with pytest.raises(InputError, match="does not say of which kind") as caught:
        framework_for_kind(database, None)
    assert caught.value.hint == "Name one with --framework: coursework-credit, industry-credit, non-credit."


def test_of_several_frameworks_for_a_kind_the_one_that_came_last_is_taken(database: Database) -> None:
    add(database, version("1.0", id="shipped"), version("1.0", id="own"), version("1.1", id="shipped"))
    chosen = framework_for_kind(database, CredentialKind.NON_CREDIT)
    assert (chosen.id, chosen.version) == ("own", "1.0"), "an update of what is shipped takes no case away"


def test_an_older_version_that_comes_late_is_not_taken(database: Database) -> None:
    add(database, version("1.10"), version("1.9"))
    assert framework_for_kind(database, CredentialKind.NON_CREDIT).version == "1.10"


def test_a_framework_that_changed_its_kind_is_no_longer_taken_for_the_old_one(database: Database) -> None:
    add(database, version("1.0"), version("2.0", credential_kind="coursework_credit"))
    assert framework_for_kind(database, CredentialKind.COURSEWORK_CREDIT).version == "2.0"
    with pytest.raises(InputError):
        framework_for_kind(database, CredentialKind.NON_CREDIT)


def test_many_at_once_add_a_version_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: add_framework(database, version("1.0"), NOW), range(16)))
    assert sorted(added) == [False] * 15 + [True]


# --- proposals --------------------------------------------------------------------------------------------------


def rows(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(DocumentRow)).scalar_one()


def test_a_proposal_is_kept_once_and_comes_back_as_it_was(database: Database) -> None:
    proposal = example("industry-credit")
    for _ in range(3):
        with database.write() as connection:
            assert put_proposal(connection, proposal) == proposal.digest
    assert rows(database) == 1
    with database.read() as connection:
        found = proposal_by_digest(connection, proposal.digest)
        assert found == proposal
        assert proposal_by_digest(connection, proposal.digest) is found, "what was read is remembered"


def test_what_is_kept_is_the_canonical_text(database: Database) -> None:
    proposal = Proposal.model_validate({"title": "Pêche 字 🎓", "summary": "a\nb", "learning_outcomes": ["x"]})
    with database.write() as connection:
        digest = put_proposal(connection, proposal)
    with database.read() as connection:
        body = connection.execute(select(DocumentRow.__table__.c.body)).scalar()  # type: ignore[attr-defined]
        assert body == proposal.canonical.decode()
        assert proposal_by_digest(connection, digest) == proposal


def test_many_at_once_keep_a_proposal_once(database: Database) -> None:
    proposal = example("non-credit")

    def keep(_: int) -> str:
        with database.write() as connection:
            return put_proposal(connection, proposal)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(keep, range(16))) == {proposal.digest}
    assert rows(database) == 1


def test_what_was_rolled_back_is_not_kept(database: Database) -> None:
    proposal = example("non-credit")
    with pytest.raises(RuntimeError), database.write() as connection:
        put_proposal(connection, proposal)
        raise RuntimeError
    with database.read() as connection, pytest.raises(NotFound, match="no document with the digest") as caught:
        proposal_by_digest(connection, proposal.digest)
    assert caught.value.code == "document_unknown"


def test_only_what_was_used_last_is_remembered() -> None:
    memory: Memory[str] = Memory(2)
    for name in "ab":
        memory.put(name, name.upper())
    assert memory.get("a") == "A"
    memory.put("c", "C")
    assert [memory.get(name) for name in "abc"] == ["A", None, "C"]
