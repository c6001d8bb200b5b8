"""What a published record says of itself: in its row, in the ledger, and to every target."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select

from imprimatur.errors import Gone, ImprimaturError, NotFound, Refused
from imprimatur.history.verify import verify_case
from imprimatur.store import improvement
from imprimatur.store.engine import Database
from imprimatur.store.record_status import set_record_status, write_status
from imprimatur.store.task_page import publication
from models.tables import PublicationRow
from models.vocabulary import EventType, RecordStatus, ReviewTrigger
from tests.facts import OFFICE, START, Play, everything, example, furnish, ledger_rows
from tests.published import approved, with_targets

PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
LATER = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def published(database: Database, folder: Path) -> Play:
    furnish(database)
    play = Play(database, folder, "non-credit")
    play.submit(example("non-credit").model_copy(update={"partners": ()}))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    return play


def set_status(database: Database, case_id: str, status: RecordStatus, **facts: object) -> bool:
    told = {"actor": OFFICE, "reason": "decided by the board", "at": LATER} | facts
    with database.write() as connection:
        return set_record_status(connection, case_id, status, **told)  # type: ignore[arg-type]


def row_of(database: Database, case_id: str) -> dict[str, object]:
    with database.read() as connection:
        found = connection.execute(select(PUBLICATION).where(PUBLICATION.c.case_id == case_id)).mappings().one()
    return dict(found)


def test_a_record_is_offered_until_something_else_is_said(database: Database, tmp_path: Path) -> None:
    case_id = published(database, tmp_path).case_id
    row = row_of(database, case_id)
    assert (row["status"], row["status_at"], row["status_reason"]) == ("offered", None, None)
    assert verify_case(database, case_id).ok


def test_a_change_of_status_is_an_event_of_the_case_that_is_over(database: Database, tmp_path: Path) -> None:
    case_id = published(database, tmp_path).case_id
    assert set_status(database, case_id, RecordStatus.PAUSED)
    last = ledger_rows(database, case_id)[-1]
    assert (last["type"], last["actor"], last["at"]) == (EventType.RECORD_STATUS_CHANGED, OFFICE, LATER)
    assert last["data"] == {"status": "paused", "reason": "decided by the board"}
    row = row_of(database, case_id)
    assert (row["status"], row["status_at"], row["status_reason"]) == ("paused", LATER, "decided by the board")
    assert verify_case(database, case_id).ok


def test_the_same_status_again_writes_nothing(database: Database, tmp_path: Path) -> None:
    case_id = published(database, tmp_path).case_id
    assert set_status(database, case_id, RecordStatus.RETIRED)
    before = ledger_rows(database, case_id)
    assert not set_status(database, case_id, RecordStatus.RETIRED, reason="once more")
    assert ledger_rows(database, case_id) == before


def test_an_event_is_never_before_the_one_that_it_follows(database: Database, tmp_path: Path) -> None:
    case_id = published(database, tmp_path).case_id
    before = ledger_rows(database, case_id)[-1]["at"]
    set_status(database, case_id, RecordStatus.PAUSED, at=before - dt.timedelta(days=1))
    assert ledger_rows(database, case_id)[-1]["at"] == before
    assert verify_case(database, case_id).ok


def test_what_replaces_a_record_is_named(database: Database, tmp_path: Path) -> None:
    case_id = published(database, tmp_path).case_id
    set_status(database, case_id, RecordStatus.REPLACED, replaced_by="the-next-version")
    assert row_of(database, case_id)["replaced_by"] == "the-next-version"
    assert ledger_rows(database, case_id)[-1]["data"]["replaced_by"] == "the-next-version"
    assert verify_case(database, case_id).ok


def test_a_case_goes_on_after_an_event_that_no_step_of_it_wrote(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path, "non-credit")
    play.submit(example("non-credit"))
    while play.state.open_tasks("proposal"):
        play.decide("proposal")
    with pytest.raises(NotFound, match="published nothing"):
        set_status(database, play.case_id, RecordStatus.PAUSED)
    with database.write() as connection:
        write_status(connection, play.case_id, RecordStatus.PENDING, actor=OFFICE, reason="told by nobody's step")
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    positions = [row["position"] for row in ledger_rows(database, play.case_id)]
    assert positions == list(range(1, len(positions) + 1))


REFUSED: list[tuple[RecordStatus, RecordStatus, type[ImprimaturError], str]] = [
    (RecordStatus.PENDING, RecordStatus.PAUSED, Refused, "record_not_public"),
    (RecordStatus.SCHEDULED, RecordStatus.RETRACTED, Refused, "record_not_public"),
    (RecordStatus.OFFERED, RecordStatus.SCHEDULED, Refused, "record_not_public"),
    (RecordStatus.RETRACTED, RecordStatus.OFFERED, Gone, "record_retracted"),
]


@pytest.mark.parametrize(("before", "wanted", "error", "code"), REFUSED)
def test_some_statuses_lead_nowhere(
    sqlite_database: Database,
    tmp_path: Path,
    before: RecordStatus,
    wanted: RecordStatus,
    error: type[ImprimaturError],
    code: str,
) -> None:
    case_id = published(sqlite_database, tmp_path).case_id
    if before is not RecordStatus.OFFERED:
        with sqlite_database.write() as connection:
            write_status(connection, case_id, before, actor=OFFICE, reason="it has to be")
    with pytest.raises(error) as refused:
        set_status(sqlite_database, case_id, wanted)
    assert refused.value.code == code
    assert row_of(sqlite_database, case_id)["status"] == before


def test_a_status_that_the_ledger_does_not_tell_is_found(sqlite_database: Database, tmp_path: Path) -> None:
    case_id = published(sqlite_database, tmp_path).case_id
    with sqlite_database.write() as connection:
        connection.execute(PUBLICATION.update().values(status="retired"))
    [problem] = verify_case(sqlite_database, case_id).problems
    assert problem.problem == "it differs from the ledger in status"
    assert publication(sqlite_database, str(row_of(sqlite_database, case_id)["slug"])).slug


def test_what_nobody_can_have_taken_up_yet_is_not_reviewed(database: Database, tmp_path: Path) -> None:
    policy = with_targets(database, "registry")
    waiting = approved(database, tmp_path, policy).case_id
    before = everything(database)
    with pytest.raises(Refused) as early, database.write() as connection:
        improvement.call(connection, waiting, ReviewTrigger.OFFICE, "Now.", actor=OFFICE, at=START)
    assert early.value.code == "record_not_public"
    assert everything(database) == before
