"""Keys of programs: what they stand for, where they end, and the commands that make them."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from imprimatur.errors import ImprimaturError, InputError, NotFound, Refused
from imprimatur.mail.links import Links
from imprimatur.store.api_keys import list_keys, make_key, revoke_key, viewer_by_key
from imprimatur.store.engine import Database
from imprimatur.store.leave import leave
from imprimatur.store.sessions import Client, begin
from models.tables import ApiKeyRow, SessionRow
from models.vocabulary import AccessRole, KeyScope, Strength
from tests.api import idle_api
from tests.command import Command
from tests.facts import BASE_URL, OFFICE, Play, furnish
from tests.web import KEY, Site

KEYS, SESSIONS = ApiKeyRow.__table__, SessionRow.__table__  # type: ignore[attr-defined]
LINKS = Links([KEY], BASE_URL)
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
INACTIVE = "tove.reviewer@example.edu"


@pytest.fixture
def furnished(database: Database) -> Database:
    furnish(database)
    return database


def test_a_key_stands_for_its_person_within_its_scopes(furnished: Database) -> None:
    entry, key = make_key(furnished, " Catalogue ", OFFICE.upper(), ["review", "read"], NOW)
    found = viewer_by_key(furnished, key)
    assert found is not None
    assert (found.person, found.strength) == (OFFICE, Strength.API_KEY)
    assert found.scopes == frozenset({KeyScope.READ, KeyScope.REVIEW})
    assert found.roles == {AccessRole.PROPOSER, AccessRole.OFFICE}
    assert (entry.name, entry.scopes) == ("Catalogue", [KeyScope.READ, KeyScope.REVIEW])


def test_the_key_itself_is_kept_nowhere(furnished: Database) -> None:
    _, key = make_key(furnished, "x", OFFICE, ["read"], NOW)
    with furnished.read() as connection:
        [row] = connection.execute(select(KEYS)).mappings()
    assert key.partition(".")[2] not in str(dict(row))


@pytest.mark.parametrize("change", [lambda k: k[:-1], lambda k: k + "x", lambda k: k.partition(".")[0], lambda k: ""])
def test_a_key_that_is_not_whole_stands_for_nobody(furnished: Database, change: Any) -> None:
    _, key = make_key(furnished, "x", OFFICE, ["read"], NOW)
    assert viewer_by_key(furnished, change(key)) is None
    assert viewer_by_key(furnished, f"k-unknown.{key}") is None


def test_a_revoked_key_stands_for_nobody_and_stays_listed(furnished: Database) -> None:
    entry, key = make_key(furnished, "x", OFFICE, ["read"], NOW)
    assert revoke_key(furnished, entry.key_id, NOW).revoked_at == NOW
    assert revoke_key(furnished, entry.key_id, NOW + dt.timedelta(days=1)).revoked_at == NOW
    assert viewer_by_key(furnished, key) is None
    assert [item.revoked_at for item in list_keys(furnished)] == [NOW]


def test_keys_of_whoever_leaves_are_revoked_for_good(furnished: Database) -> None:
    _, key = make_key(furnished, "x", OFFICE, ["read"], NOW)
    leave(furnished, OFFICE, NOW)
    assert viewer_by_key(furnished, key) is None
    assert [item.revoked_at for item in list_keys(furnished)] == [NOW]


@pytest.mark.parametrize(
    ("email", "scopes", "error", "code"),
    [
        ("nobody@example.edu", ["read"], NotFound, "person_unknown"),
        (INACTIVE, ["read"], Refused, "person_inactive"),
        (OFFICE, ["write"], InputError, "key_scope_unknown"),
        (OFFICE, [], InputError, "key_scope_unknown"),
    ],
)
def test_a_key_needs_somebody_active_and_known_scopes(
    furnished: Database, email: str, scopes: list[str], error: type[ImprimaturError], code: str
) -> None:
    with pytest.raises(error) as refused:
        make_key(furnished, "x", email, scopes, NOW)
    assert refused.value.code == code
    assert list_keys(furnished) == []


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    furnish(sqlite_database)
    yield Site(Play(sqlite_database, tmp_path), api=idle_api(sqlite_database))


async def test_a_program_sends_its_key_as_bearer(site: Site) -> None:
    _, key = make_key(site.play.database, "x", OFFICE, ["read"], NOW)
    async with site.visitor() as program:
        for kind in ("Bearer", "bearer"):
            found = await program.get("/api/v1/people", headers={"Authorization": f"{kind} {key}"})
            assert len(found.json()["items"]) == 10
        refused = await program.post("/api/v1/cases/mc-x/hold", headers={"Authorization": f"Bearer {key}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "key_scope_missing")


@pytest.mark.parametrize(
    ("header", "code"),
    [({}, "key_required"), ({"Authorization": "Basic eDp5"}, "key_required"),
     ({"Authorization": "Bearer "}, "key_required"), ({"Authorization": "Bearer k-x.y"}, "key_invalid")],
)  # fmt: skip
async def test_without_a_good_key_nothing_is_answered(site: Site, header: dict[str, str], code: str) -> None:
    async with site.visitor() as program:
        answer = await program.get("/api/v1/people", headers=header)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_session_is_no_key_and_a_key_no_session(site: Site) -> None:
    _, key = make_key(site.play.database, "x", OFFICE, ["read"], NOW)
    async with site.signed_in(OFFICE) as visitor:
        assert (await visitor.get("/api/v1/people")).status_code == 401
    async with site.visitor() as program:
        assert (await program.get("/cases", headers={"Authorization": f"Bearer {key}"})).status_code == 303


# --- by command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(command: Command, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Command:
    furnish(sqlite_database)
    monkeypatch.setenv("DATABASE_URL", sqlite_database.url)
    return command


def test_keys_are_made_listed_and_revoked_by_command(office: Command, sqlite_database: Database) -> None:
    made = office.json("key", "add", "--name", "Catalogue", "--as", OFFICE, "--scope", "read", "--scope", "propose")
    assert viewer_by_key(sqlite_database, made["secret"]) is not None
    listed = office.json("key", "list")["keys"]
    assert listed == [made["key"]] and "secret" not in str(listed)
    assert made["secret"] not in office("key", "list").out
    assert office.json("key", "revoke", made["key"]["key_id"])["key"]["revoked_at"]
    assert viewer_by_key(sqlite_database, made["secret"]) is None
    assert office("key", "revoke", "k-none", "--json").code == "key_unknown"
    assert made["key"]["email"] in office("key", "add", "--name", "x", "--as", OFFICE, "--scope", "read").out


def test_people_are_signed_out_by_command(office: Command, sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        for _ in range(2):
            begin(connection, OFFICE, Strength.OIDC, Client(), dt.datetime.now(dt.UTC))
    assert office.json("people", "sign-out", OFFICE) == {"person": OFFICE, "ended": 2}
    assert office.json("people", "sign-out", OFFICE)["ended"] == 0
    assert office("people", "sign-out", "nobody@example.edu", "--json").code == "person_unknown"
    with sqlite_database.read() as connection:
        assert all(row["ended_at"] for row in connection.execute(select(SESSIONS)).mappings())
