"""The directory from files as people export them: what is taken, what is told, what stays as it was."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.office import belongs_to_office
from imprimatur.store.people import (
    PeopleImport,
    PersonEntry,
    active_person,
    default_proposer,
    holders,
    import_people,
    list_people,
    people_by_email,
    unit_members,
)
from imprimatur.store.people_file import COLUMNS, PersonLine, read_people
from models.tables import PersonRoleRow, PersonUnitRow
from tests.facts import EXAMPLES

ANA, BEN, CEM = "ana@example.edu", "ben@example.edu", "cem@example.edu"


def read(*lines: str) -> list[PersonLine]:
    found = read_people("\n".join(lines))
    assert found.rejected == []
    return found.people


def rejected(*lines: str) -> list[tuple[int, str, str]]:
    return [(line.line, line.field, line.problem) for line in read_people("\n".join(lines)).rejected]


# --- the file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_of_all_programs_are_read(mark: str, newline: str) -> None:
    lines = [("email", "name", "roles", "active"), (ANA, "Ana", '"proposer;auditor"', "no")]
    text = newline.join(mark.join(line) for line in lines)
    expected = {"email": ANA, "name": "Ana", "roles": ["proposer", "auditor"], "active": False}
    for ending in ("", newline, newline * 3):
        assert read_people(text + ending).people == [expected]


def test_quoted_cells_hold_delimiters_quotes_and_lines() -> None:
    [person] = read("email,name,organisation", f'"{ANA}","Matai, ""Ana""","one', 'two"')
    assert person == {"email": ANA, "name": 'Matai, "Ana"', "organisation": "one two"}


def test_columns_come_in_any_order_and_spelling() -> None:
    [person] = read(' Name , "EMAIL",Roles', f"  Ana  Matai , {ANA.upper()} , x | y ;x;; ")
    assert person == {"email": ANA, "name": "Ana Matai", "roles": ["x", "y"]}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *[(word, True) for word in ("", "yes", "TRUE", "1", "ja", "sí")],
        *[(word, False) for word in ("No", "0", "nein")],
    ],
)
def test_whether_someone_is_active_is_said_in_several_languages(said: str, meant: bool) -> None:
    assert read("email,name,active", f"{ANA},Ana,{said}")[0]["active"] is meant


@pytest.mark.parametrize("line", ["", ",,", '"",,', " , , "])
def test_empty_lines_say_nothing(line: str) -> None:
    assert len(read("email,name,roles", line, f"{ANA},Ana,", line)) == 1


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        (",Ana", "email", "is missing"),
        ("ana,Ana", "email", "'ana' is no mail address"),
        ("ana@,Ana", "email", "'ana@' is no mail address"),
        ("ana@a b.org,Ana", "email", "is no mail address"),
        (f"{ANA}", "name", "is missing"),
        (f"{ANA}, ", "name", "is missing"),
        (f"{ANA},Ana,x,,,perhaps", "active", "'perhaps' is neither yes nor no"),
        (f"{ANA},Ana,x,,,yes,,,,,,,,more", "", "has 14 cells for 13 columns"),
        (f"{ANA},Ana,x,,,yes,Mars/Olympus", "time_zone", "is no time zone such as Pacific/Auckland"),
        (f"{ANA},Ana,x,,,yes,UTC,20-7", "quiet_hours", "is not of the form 20:00-07:00 weekends"),
        (f"{ANA},Ana,x,,,yes,UTC,none,hourly", "digest", "is none of none, daily, weekly"),
        (f"{ANA},Ana,x,,,yes,UTC,none,daily,perhaps", "receipts", "is neither yes nor no"),
        (f"{ANA},Ana,x,,,yes,,,,,Deutsch", "language", "'Deutsch' is no language such as de or pt-BR"),
        (f"{ANA},Ana,x,,,yes,,,,,,,nobody", "formerly", "'nobody' is no mail address"),
        (f"{ANA},Ana,x,,,yes,,,,,,,{ANA}", "formerly", "is the same address"),
        (f"{ANA},A\x00na", "name", "cannot be printed"),
        (f"{ANA},A\x07na", "name", "cannot be printed"),
        (f"{ANA},Ana,{'x' * 2001}", "roles", "longer than 2000 characters"),
        (f'{ANA},"Ana" Matai', "", "a quote is not closed"),
        (f'{ANA},"Ana', "", "a quote is not closed"),
    ],
)
def test_a_bad_line_is_told_with_its_field_and_blocks_no_other(line: str, field: str, problem: str) -> None:
    found = read_people("\n".join([",".join(COLUMNS), f"{BEN},Ben", line, f"{CEM},Cem"]))
    assert [(person["email"]) for person in found.people] == [BEN, CEM]
    [told] = found.rejected
    assert (told.line, told.field) == (3, field)
    assert problem in told.problem


def test_a_line_after_a_long_cell_has_its_own_number() -> None:
    told = rejected("email,name", f'{ANA},"Ana', "", 'Matai"', "", "nobody,No")
    assert [(line, field) for line, field, _ in told] == [(6, "email")]


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    people = [f"p{n}@example.edu,Person {n}" for n in range(20)]
    found = read_people("\n".join(["email,name", f'{ANA},"Ana', *people]))
    assert len(found.people) == 20
    assert [line.line for line in found.rejected] == [2]


def test_a_person_who_stands_twice_is_told_and_the_first_line_counts() -> None:
    found = read_people("\n".join(["email,name", f"{ANA},Ana", f"{ANA.upper()},Another", f"{BEN},Ben"]))
    assert [person["name"] for person in found.people] == ["Ana", "Ben"]
    assert [(line.line, line.problem) for line in found.rejected] == [(3, f"{ANA} stands in an earlier line too")]


def test_columns_that_a_directory_does_not_have_are_told() -> None:
    found = read_people(f"email,name,role,phone,,\n{ANA},Ana,proposer,123,,\n")
    assert found.ignored == ["role", "phone"]
    assert found.people == [{"email": ANA, "name": "Ana"}]


@pytest.mark.parametrize("heading", ["", "name,roles", "email;roles", "e-mail,name", '"email,name', "\ufeff"])
def test_a_file_without_the_two_columns_is_unusable(heading: str) -> None:
    with pytest.raises(InputError, match="no columns named email and name") as caught:
        read_people(f"{heading}\n{ANA},Ana")
    assert caught.value.code == "people_columns_missing"
    assert "email,name,roles,units,organisation,active" in caught.value.hint


def test_a_column_that_stands_twice_makes_the_file_unusable() -> None:
    with pytest.raises(InputError, match="more than one column named name, roles") as caught:
        read_people("email,name,roles,name,roles\n")
    assert caught.value.code == "people_columns_repeated"


@given(st.text(st.sampled_from('ab@.,;"\n\r\t\x00 é|'), max_size=60) | st.text(max_size=60))
@settings(max_examples=300)
def test_any_lines_end_in_people_and_problems(body: str) -> None:
    found = read_people(f"email,name,roles\n{body}")
    assert all(2 <= line.line <= body.count("\n") + body.count("\r") + 2 for line in found.rejected)
    emails = [person["email"] for person in found.people]
    assert len(set(emails)) == len(emails)


# --- the directory ----------------------------------------------------------------------------------------------


def put(database: Database, folder: Path, *lines: str) -> PeopleImport:
    file = folder / "people.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return import_people(database, file)


def person(database: Database, email: str) -> PersonEntry:
    with database.read() as connection:
        [found] = people_by_email(connection, [email])
    return found


def index(database: Database) -> set[tuple[str, str]]:
    """Who holds which role and belongs to which unit, as the indexes have it."""
    with database.read() as connection:
        return {
            (email, name)
            for table in (PersonRoleRow.__table__, PersonUnitRow.__table__)  # type: ignore[attr-defined]
            for email, name in connection.execute(select(*table.columns))
        }


def test_the_example_directory_is_taken_whole(database: Database) -> None:
    first = import_people(database, EXAMPLES / "people.csv")
    assert (first.created, first.updated, first.rejected, first.ignored) == (10, 0, [], [])
    before = list_people(database)
    again = import_people(database, EXAMPLES / "people.csv")
    assert (again.created, again.updated) == (0, 10)
    assert list_people(database) == before
    assert [entry.email for entry in before] == sorted(entry.email for entry in before)
    assert person(database, "eva.admin@example.edu").roles == ["admin", "auditor"]


def test_a_file_changes_only_what_it_says(database: Database, tmp_path: Path) -> None:
    put(database, tmp_path, "email,name,roles,units,organisation,active", f"{ANA},Ana,proposer;auditor,Health,Acme,no")
    put(database, tmp_path, "email,name", f"{ANA},Ana Matai")
    known = PersonEntry(
        email=ANA, name="Ana Matai", roles=["proposer", "auditor"], units=["Health"], organisation="Acme", active=False
    )
    assert person(database, ANA) == known
    put(database, tmp_path, "email,name,active", f"{ANA},Ana Matai,yes")
    assert person(database, ANA) == known.model_copy(update={"active": True})
    put(database, tmp_path, "email,name,roles,units", f"{ANA},Ana Matai,,")
    assert person(database, ANA) == known.model_copy(update={"active": True, "roles": [], "units": []})
    assert index(database) == set()


def test_a_short_line_says_nothing_of_the_cells_it_lacks(database: Database, tmp_path: Path) -> None:
    put(database, tmp_path, "email,name,roles,active", f"{ANA},Ana,proposer,no")
    put(database, tmp_path, "email,name,roles,active", f"{ANA},Ana Matai")
    assert person(database, ANA).roles == ["proposer"]
    assert person(database, ANA).active is False


def test_an_import_counts_what_it_did(database: Database, tmp_path: Path) -> None:
    put(database, tmp_path, "email,name", f"{ANA},Ana")
    done = put(database, tmp_path, "email,name,shoe", f"{ANA},Ana M", f"{BEN},Ben", "nobody,No", f"{BEN},Again")
    assert (done.created, done.updated, [line.line for line in done.rejected]) == (1, 1, [4, 5])
    assert done.ignored == ["shoe"]
    assert [entry.name for entry in list_people(database)] == ["Ana M", "Ben"]


def test_roles_and_units_are_found_as_the_file_says_them(database: Database, tmp_path: Path) -> None:
    put(
        database,
        tmp_path,
        "email,name,roles,units,active",
        f"{ANA},Ana,proposer;chair,Health|Law,yes",
        f"{BEN},Ben,chair,Law,yes",
        f"{CEM},Cem,chair,Law,no",
    )
    with database.read() as connection:
        assert [entry.email for entry in holders(connection, "chair")] == [ANA, BEN]
        assert [entry.email for entry in holders(connection, "chair", "Health")] == [ANA]
        assert [entry.email for entry in unit_members(connection, "Law")] == [ANA, BEN]
        assert holders(connection, "dean") == []


def test_a_file_that_is_unusable_changes_nothing(database: Database, tmp_path: Path) -> None:
    put(database, tmp_path, "email,name", f"{ANA},Ana")
    for content, code in (
        (b"name\nBen", "people_columns_missing"),
        (f"email,name\n{BEN},Bén".encode("latin-1"), "document_not_utf8"),
        (b"", "people_columns_missing"),
    ):
        file = tmp_path / "other.csv"
        file.write_bytes(content)
        with pytest.raises(InputError) as caught:
            import_people(database, file)
        assert caught.value.code == code
    assert [entry.email for entry in list_people(database)] == [ANA]


def test_a_file_of_another_program_with_a_byte_order_mark(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"email;name;roles\r\n{ANA};Ána 字;proposer\r\n", encoding="utf-8-sig", newline="")
    assert import_people(database, file).created == 1
    assert person(database, ANA).name == "Ána 字"


def test_two_imports_at_once_take_every_person_once(database: Database, tmp_path: Path) -> None:
    files = []
    for number in range(4):
        # Each file shares half of its people with the next one.
        people = [f"p{n}@example.edu,Person {n},role{number}" for n in range(number * 20, number * 20 + 40)]
        files.append(tmp_path / f"people{number}.csv")
        files[-1].write_text("\n".join(["email,name,roles", *people]), encoding="utf-8")
    together = threading.Barrier(len(files))

    def take(file: Path) -> PeopleImport:
        together.wait(30)
        return import_people(database, file)

    with ThreadPoolExecutor(len(files)) as pool:
        done = list(pool.map(take, files))
    assert sum(one.created for one in done) == 100
    assert sum(one.created + one.updated for one in done) == 160
    assert len(list_people(database)) == 100
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(PersonRoleRow)).scalar() == 100


# --- who acts ---------------------------------------------------------------------------------------------------


def test_who_acts_must_be_known_and_active(database: Database, tmp_path: Path) -> None:
    put(database, tmp_path, "email,name,active", f"{ANA},Ana,yes", f"{BEN},Ben,no")
    with database.read() as connection:
        assert active_person(connection, f"  {ANA.upper()} ").name == "Ana"
        with pytest.raises(Refused, match="no longer active") as inactive:
            active_person(connection, BEN)
        with pytest.raises(NotFound, match="not in the directory") as near:
            active_person(connection, "anna@example.edu")
        with pytest.raises(NotFound) as unknown:
            active_person(connection, "zoe@elsewhere.org")
    assert inactive.value.code == "person_inactive"
    assert (near.value.code, near.value.hint) == ("person_unknown", f"Did you mean {ANA}?")
    assert unknown.value.hint == "Add them with `starter.py people import FILE.csv`."


def test_who_submits_when_nobody_is_named(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Nobody in the directory can propose") as caught:
        default_proposer(database)
    assert caught.value.code == "proposer_required"
    put(database, tmp_path, "email,name,roles,active", f"{ANA},Ana,proposer,no", f"{CEM},Cem,governance_office,yes")
    assert default_proposer(database) == CEM
    put(database, tmp_path, "email,name,roles", f"{BEN},Ben,proposer")
    assert default_proposer(database) == BEN


def test_the_office_are_the_active_holders_of_its_roles(database: Database, tmp_path: Path) -> None:
    put(
        database,
        tmp_path,
        "email,name,roles,active",
        f"{ANA},Ana,governance_office,yes",
        f"{BEN},Ben,chair,yes",
        f"{CEM},Cem,admin,no",
    )
    with database.read() as connection:
        assert [belongs_to_office(connection, person) for person in (ANA, BEN, CEM)] == [True, False, False]
