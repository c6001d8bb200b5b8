"""Everybody who looks at pages, and two cases of two units; for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event

from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from models.proposal import Proposal
from tests.facts import OFFICE, PROPOSER, Play, example, furnish
from tests.web import Site

HERE, ELSEWHERE, CLOSED = "mc-heresheresher", "mc-elsewhereelse", "mc-closedclosed2"
UNIT = "School of Digital Design"
REVIEWER = "quinn.reviewer@example.edu"
PEOPLE = {
    "proposer": PROPOSER,
    "reviewer": REVIEWER,
    "office": OFFICE,
    "admin": "eva.admin@example.edu",
    "auditor": "aud.all@example.edu",
    "office of the unit": "off.unit@example.edu",
    "office of another unit": "off.other@example.edu",
    "auditor of the unit": "aud.unit@example.edu",
    "auditor of another unit": "aud.other@example.edu",
    "nobody in particular": "ivo.adviser@example.org",
}
SEES_HERE = {"proposer", "reviewer", "office", "admin", "auditor", "office of the unit", "auditor of the unit"}


def add_everybody(database: Database, folder: Path) -> None:
    """After the cases began: whoever of the office is asked about one sees it, whatever their units."""
    file = folder / "everybody.csv"
    file.write_text(
        "email,name,roles,units\n"
        "aud.all@example.edu,Aud All,auditor,\n"
        f"off.unit@example.edu,Off Unit,governance_office,{UNIT}\n"
        "off.other@example.edu,Off Other,governance_office,School of Law\n"
        f"aud.unit@example.edu,Aud Unit,auditor,{UNIT}\n"
        "aud.other@example.edu,Aud Other,auditor,School of Law\n",
        encoding="utf-8",
    )
    assert import_people(database, file).created == 5


def of_unit(name: str, unit: str, title: str) -> Proposal:
    return example(name).model_copy(update={"unit": unit, "title": title})


def populated(database: Database, folder: Path) -> Site:
    """A case of the unit in review, and one of another unit of which the reviewer knows nothing."""
    furnish(database)
    elsewhere = Play(database, folder, "non-credit", ELSEWHERE)
    elsewhere.submit(of_unit("non-credit", "Student Success", "A secret of another unit"))
    here = Play(database, folder, case_id=HERE)
    here.submit(of_unit("industry-credit", UNIT, "Prototyping"))
    here.decide("proposal", comment="Fits our offer.", fit=4, no_duplication=3)
    add_everybody(database, folder)
    return Site(here)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)
