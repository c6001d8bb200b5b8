"""What commits write down of the times of cases, and that a rebuild comes to the same; on both databases."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import shipped
from imprimatur.history.figures.measuring import TABLES, measure_once, rebuild
from imprimatur.rules.business_time import business_seconds_between
from imprimatur.store.engine import Database
from models.events import Held, Resumed
from models.tables import AnswerTimeRow, CaseTimeRow, StageTimeRow
from models.vocabulary import CaseStatus, Party, Verdict
from models.vocabulary import EventType as E
from tests.facts import LEDGER, Play, example, furnish, whole_story


def times(database: Database) -> dict[str, list[dict[str, Any]]]:
    found = {}
    with database.read() as connection:
        for table in TABLES:
            rows = connection.execute(select(table.__table__)).mappings()  # type: ignore[union-attr]
            found[str(table.__tablename__)] = sorted((dict(row) for row in rows), key=repr)
    return found


def _play_several(database: Database, folder: Path) -> None:
    """Published with a round of changes, withdrawn on hold, rejected, and one that is still open."""
    whole_story(database, folder)
    held = Play(database, folder, "non-credit", "mc-bbbbbbbbbbbb")
    held.submit(example("non-credit"))
    held.office(Held)
    held.pass_time(dt.timedelta(days=3))
    held.office(Resumed)
    held.office(Held)
    held.withdraw("It is no longer wanted.")
    rejected = Play(database, folder, "coursework-credit", "mc-cccccccccccc")
    rejected.submit(example("coursework-credit"))
    rejected.decide("proposal", Verdict.REJECT, "There is such a thing already.")
    unfinished = Play(database, folder, "industry-credit", "mc-dddddddddddd")
    unfinished.submit(example("industry-credit"))
    unfinished.decide("proposal", fit=4, no_duplication=3)


def test_a_rebuild_makes_what_commits_had_written(database: Database, tmp_path: Path) -> None:
    furnish(database)
    _play_several(database, tmp_path)
    before = times(database)
    with database.read() as connection:
        types = list(connection.execute(select(LEDGER.c.type)).scalars())
    assert {name: len(rows) for name, rows in before.items()} == {
        "stage_time": types.count(E.STAGE_CLOSED) + types.count(E.STAGE_SKIPPED),
        "answer_time": types.count(E.DECISION_RECORDED),
        "case_time": types.count(E.CASE_CLOSED),
    }
    assert {row["status"] for row in before["case_time"]} == {"published", "withdrawn", "rejected"}
    assert rebuild(database) == {"cases": 4} | {name: len(rows) for name, rows in before.items()}
    assert times(database) == before


ACTS = st.lists(
    st.sampled_from(["approve", "changes", "reject", "wait", "hold", "resume", "revise", "unit"]), max_size=12
)


# A case of its own for each example, in one database: making databases would take longer than all the rest.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS, framework=st.sampled_from(sorted(shipped())))
def test_whatever_happens_a_rebuild_makes_what_commits_wrote(
    sqlite_database: Database, tmp_path: Path, acts: list[str], framework: str
) -> None:
    furnish(sqlite_database)
    with sqlite_database.read() as connection:
        number = len(connection.execute(select(LEDGER.c.case_id).distinct()).all())
    play = Play(sqlite_database, tmp_path, framework, f"mc-{number:012d}")
    play.submit(example(framework))
    for act in acts:
        _attempt(play, act)
    before = times(sqlite_database)
    rebuild(sqlite_database)
    assert times(sqlite_database) == before


def _attempt(play: Play, act: str) -> None:
    """What cannot be done now is left out."""
    status, waiting = play.state.status, play.state.open_tasks()
    verdicts = {"approve": Verdict.APPROVE, "changes": Verdict.REQUEST_CHANGES, "reject": Verdict.REJECT}
    if act in verdicts and status is CaseStatus.IN_REVIEW and waiting:
        stage = waiting[0].stage
        criteria: dict[str, Any] = {criterion.id: 3 for criterion in play.framework.stage(stage).criteria}
        play.decide(stage, verdicts[act], "So it is.", **criteria)
    elif act == "wait":
        play.pass_time(dt.timedelta(days=4))
    elif act == "hold" and status is CaseStatus.IN_REVIEW:
        play.office(Held)
    elif act == "resume" and status is CaseStatus.ON_HOLD:
        play.office(Resumed)
    elif act in ("revise", "unit") and status is CaseStatus.REVISING:
        unit = "Faculty of Elsewhere" if act == "unit" else "School of Data"
        play.revise(
            example(play.framework.id).model_copy(update={"unit": unit, "title": f"Version {play.state.version + 1}"})
        )


def test_a_rebuild_takes_away_what_no_case_has(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path)
    before = times(database)
    with database.write() as connection:
        row = before["answer_time"][0]
        connection.execute(AnswerTimeRow.__table__.insert(), [row | {"case_id": "mc-gone"}])  # type: ignore[attr-defined]
        connection.execute(StageTimeRow.__table__.delete())  # type: ignore[attr-defined]
    rebuild(database)
    assert times(database) == before


def test_an_older_database_is_measured_once(database: Database, tmp_path: Path) -> None:
    furnish(database)
    measure_once(database)
    whole_story(database, tmp_path)
    before = times(database)
    with database.write() as connection:
        for table in TABLES:
            connection.execute(table.__table__.delete())  # type: ignore[union-attr]
    measure_once(database)
    assert times(database) == before


def test_the_times_of_a_case_follow_its_unit(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", fit=4, no_duplication=3)
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("quality", Verdict.REQUEST_CHANGES, "Unclear.", outcomes=2)
    play.revise(example("industry-credit").model_copy(update={"unit": "Faculty of Elsewhere"}))
    found = times(database)
    assert {row["unit"] for name in ("stage_time", "answer_time") for row in found[name]} == {"Faculty of Elsewhere"}
    rebuild(database)
    assert times(database) == found


def test_a_ledger_that_cannot_be_read_keeps_no_case_from_going_on(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    with sqlite_database.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET data = '{broken' WHERE position = 1")
    play.decide("proposal", fit=4, no_duplication=3)
    assert times(sqlite_database)["stage_time"] == []
    assert play.state.status is CaseStatus.IN_REVIEW


def test_the_whole_story_in_figures(database: Database, tmp_path: Path) -> None:
    """The proposal is checked in a minute, the quality review comes late, and its round of changes is counted."""
    furnish(database)
    whole_story(database, tmp_path)
    with database.read() as connection:
        case = dict(connection.execute(select(CaseTimeRow.__table__)).mappings().one())  # type: ignore[attr-defined]
        rows = connection.execute(
            select(StageTimeRow.__table__).order_by(StageTimeRow.__table__.c.position)  # type: ignore[attr-defined]
        ).mappings()
        stages = [(row["stage"], row["round"], row["outcome"], row["on_time"]) for row in rows]
        ledger_rows = connection.execute(select(LEDGER).order_by(LEDGER.c.position)).mappings().all()
    assert stages == [
        ("proposal", 1, "approved", True),
        ("quality", 1, "changes_requested", False),
        ("industry", 1, "cancelled", False),
        ("quality", 2, "approved", True),
        ("industry", 2, "approved", True),
        ("publication", 2, "published", None),
    ]
    assert (case["status"], case["rounds"], case["changes_requested"]) == ("published", 2, 1)
    policy = shipped()["industry-credit"]
    assert case["seconds"] == _worked(ledger_rows, policy)
    held = sum(case[f"{party}_seconds"] for party in Party)
    assert held == case["seconds"]


def _worked(rows: Sequence[Any], policy: Any) -> int:
    calendar = work_calendar(policy.calendars["campus"], "campus")
    begun, over = (row["at"].replace(microsecond=0) for row in (rows[0], rows[-1]))
    return business_seconds_between(begun, over, calendar)
