"""Further addresses of people: who records them, that each leads to one person, and what answers from them."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.errors import ImprimaturError
from imprimatur.store.aliases import IMPORT, add_alias, aliases_of, list_aliases, remove_alias
from imprimatur.store.engine import Database
from imprimatur.store.people import PeopleImport, import_people
from imprimatur.store.reading import TaskView
from tests.engine import Engine
from tests.facts import OFFICE, SECOND, START, furnish
from tests.replying import RELAY, Post, address_of, passed

ANA, BEN = "ana@example.edu", "ben@example.edu"
HOME = "ana@home.example"
ANSWER = "approve\nfit: 4\nno_duplication: 3"


def others_of(database: Database, person: str) -> list[str]:
    with database.read() as connection:
        return aliases_of(connection, person)


def take(database: Database, folder: Path, *lines: str, by: str | None = None) -> PeopleImport:
    file = folder / "people.csv"
    file.write_text("\n".join(["email,name,aliases", *lines]), encoding="utf-8")
    return import_people(database, file, by)


def rejected(found: PeopleImport) -> list[tuple[int, str, str]]:
    return [(line.line, line.field, line.problem) for line in found.rejected]


@pytest.fixture
def directory(database: Database, tmp_path: Path) -> Database:
    furnish(database)
    assert rejected(take(database, tmp_path, f"{ANA},Ana,", f"{BEN},Ben,")) == []
    return database


def test_an_alias_is_recorded_with_who_and_when(directory: Database) -> None:
    entry = add_alias(directory, f" {ANA.upper()}", f"{HOME.upper()} ", by=OFFICE, at=START)
    assert entry.model_dump() == {"alias": HOME, "email": ANA, "recorded_by": OFFICE, "recorded_at": START}
    assert list_aliases(directory) == list_aliases(directory, ANA) == [entry]
    assert list_aliases(directory, BEN) == []


def test_recorded_again_it_stays_as_it_was(directory: Database) -> None:
    first = add_alias(directory, ANA, HOME, by=OFFICE, at=START)
    assert add_alias(directory, ANA, HOME, by=SECOND, at=START + dt.timedelta(days=1)) == first


def test_an_alias_that_is_taken_back_is_free_again(directory: Database) -> None:
    add_alias(directory, ANA, HOME, by=OFFICE, at=START)
    remove_alias(directory, ANA, HOME, by=SECOND)
    assert others_of(directory, ANA) == []
    add_alias(directory, BEN, HOME, by=OFFICE, at=START)
    assert others_of(directory, BEN) == [HOME]


REFUSALS = [
    (BEN, HOME, OFFICE, "alias_taken"),
    (BEN, ANA, OFFICE, "alias_taken"),
    (BEN, BEN, OFFICE, "alias_taken"),
    (BEN, "nonsense", OFFICE, "alias_malformed"),
    (BEN, "", OFFICE, "alias_malformed"),
    ("nobody@example.edu", "n@home.example", OFFICE, "person_unknown"),
    (BEN, "b@home.example", BEN, "not_the_office"),
    (BEN, "b@home.example", "nobody@example.edu", "not_the_office"),
]


@pytest.mark.parametrize(("email", "alias", "by", "code"), REFUSALS)
def test_what_cannot_be_recorded(directory: Database, email: str, alias: str, by: str, code: str) -> None:
    before = add_alias(directory, ANA, HOME, by=OFFICE, at=START)
    with pytest.raises(ImprimaturError) as refused:
        add_alias(directory, email, alias, by=by, at=START)
    assert refused.value.code == code
    assert list_aliases(directory) == [before]


@pytest.mark.parametrize(("email", "by", "code"), [(BEN, OFFICE, "alias_unknown"), (ANA, BEN, "not_the_office")])
def test_nobody_takes_back_what_is_not_theirs(directory: Database, email: str, by: str, code: str) -> None:
    add_alias(directory, ANA, HOME, by=OFFICE, at=START)
    with pytest.raises(ImprimaturError) as refused:
        remove_alias(directory, email, HOME, by=by)
    assert refused.value.code == code
    assert others_of(directory, ANA) == [HOME]


# --- from a file ----------------------------------------------------------------------------------------------------


def test_a_file_replaces_the_aliases_that_it_speaks_of(directory: Database, tmp_path: Path) -> None:
    add_alias(directory, ANA, "kept@home.example", by=SECOND, at=START)
    add_alias(directory, ANA, "gone@home.example", by=SECOND, at=START)
    assert rejected(take(directory, tmp_path, f"{ANA},Ana,Kept@home.example; {HOME};{HOME.upper()}", by=OFFICE)) == []
    told = {entry.alias: entry.recorded_by for entry in list_aliases(directory)}
    assert told == {"kept@home.example": SECOND, HOME: OFFICE}


def test_a_file_without_the_column_leaves_aliases_alone(directory: Database, tmp_path: Path) -> None:
    add_alias(directory, ANA, HOME, by=OFFICE, at=START)
    file = tmp_path / "plain.csv"
    file.write_text(f"email,name\n{ANA},Ana\n", encoding="utf-8")
    import_people(directory, file)
    assert others_of(directory, ANA) == [HOME]


def test_an_alias_moves_from_one_person_to_another_in_one_file(directory: Database, tmp_path: Path) -> None:
    take(directory, tmp_path, f"{ANA},Ana,{HOME}")
    assert rejected(take(directory, tmp_path, f"{ANA},Ana,", f"{BEN},Ben,{HOME}")) == []
    assert [(entry.alias, entry.email, entry.recorded_by) for entry in list_aliases(directory)] == [(HOME, BEN, IMPORT)]


CLASHES = [
    ((f"{BEN},Ben,{HOME}",), [(2, "aliases", f"{HOME} belongs to {ANA}")]),
    ((f"{BEN},Ben,{ANA}",), [(2, "aliases", f"{ANA} is an address of the directory itself")]),
    ((f"{HOME},Home,",), [(2, "email", f"{HOME} is an alias of {ANA}")]),
    ((f"{BEN},Ben,x@home.example", "new@example.edu,New,x@home.example"),
     [(3, "aliases", f"x@home.example belongs to {BEN}")]),
    ((f"{BEN},Ben,new@example.edu", "new@example.edu,New,"),
     [(2, "aliases", "new@example.edu is an address of the directory itself")]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), CLASHES)
def test_a_line_whose_address_leads_to_two_people_is_rejected(
    directory: Database, tmp_path: Path, lines: tuple[str, ...], expected: list[tuple[int, str, str]]
) -> None:
    add_alias(directory, ANA, HOME, by=OFFICE, at=START)
    assert rejected(take(directory, tmp_path, *lines, "fine@example.edu,Fine,")) == expected
    assert others_of(directory, ANA) == [HOME]


def test_a_line_with_an_alias_that_is_no_address_is_rejected(directory: Database, tmp_path: Path) -> None:
    [(line, field, problem)] = rejected(take(directory, tmp_path, f"{ANA},Ana,nonsense"))
    assert (line, field) == (2, "aliases") and "is no mail address" in problem


def test_only_the_office_is_named_as_whoever_imports(directory: Database, tmp_path: Path) -> None:
    with pytest.raises(ImprimaturError, match="does not belong to the governance office"):
        take(directory, tmp_path, f"{ANA},Ana,{HOME}", by=BEN)
    assert list_aliases(directory) == []


# --- who answers ----------------------------------------------------------------------------------------------------


async def asked(live: Engine) -> tuple[Post, str, TaskView]:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("alias"))).case_id
    return Post(live), case_id, live.tasks(case_id)[0]


async def test_a_reply_from_an_alias_is_the_holders(live: Engine) -> None:
    post, case_id, task = await asked(live)
    add_alias(live.database, task.assignee, HOME, by=OFFICE, at=START)
    assert (await post.reply(task, ANSWER, sender="Ana@HOME.example", headers=[passed(HOME)])).result == "recorded"
    [decision] = post.decisions(case_id)
    assert (decision["actor"], decision["data"]["strength"]) == (task.assignee, "mail_attested")
    assert [row["sender"] for row in post.came_in()] == [HOME]


UNVOUCHED = [
    [],
    [passed("holder@example.edu")],
    [passed(HOME, relay="mx.evil.example")],
    [f"Authentication-Results: {RELAY}; dmarc=fail header.from=home.example"],
]


@pytest.mark.parametrize("headers", UNVOUCHED)
async def test_an_alias_is_vouched_for_by_its_own_domain(live: Engine, headers: list[str]) -> None:
    post, case_id, task = await asked(live)
    add_alias(live.database, task.assignee, HOME, by=OFFICE, at=START)
    assert (await post.reply(task, ANSWER, sender=HOME, headers=headers)).result == "sender_not_attested"
    assert post.decisions(case_id) == [] and post.traces() == [("sender_not_attested", HOME, "mail")]


async def test_an_alias_of_somebody_else_or_one_taken_back_decides_nothing(live: Engine) -> None:
    post, case_id, task = await asked(live)
    other = next(person for person in (OFFICE, SECOND) if person != task.assignee)
    add_alias(live.database, other, HOME, by=OFFICE, at=START)
    assert (await post.reply(task, ANSWER, sender=HOME)).result == "sender_not_assignee"
    remove_alias(live.database, other, HOME, by=OFFICE)
    add_alias(live.database, task.assignee, HOME, by=OFFICE, at=START)
    remove_alias(live.database, task.assignee, HOME, by=OFFICE)
    assert (await post.reply(task, ANSWER, sender=HOME)).result == "sender_not_assignee"
    assert post.decisions(case_id) == []
    assert [code for code, _, _ in post.traces()] == ["sender_not_assignee"] * 2


async def test_an_alias_has_no_reply_address_of_its_own(live: Engine) -> None:
    post, case_id, task = await asked(live)
    add_alias(live.database, task.assignee, HOME, by=OFFICE, at=START)
    to = address_of(task.task_id, HOME)
    assert (await post.reply(task, ANSWER, sender=HOME, to=to)).result == "reply_secret_invalid"
    assert post.decisions(case_id) == []
    [warning] = post.answers()
    assert warning["recipient"] == task.assignee
