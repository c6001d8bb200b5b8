"""In what order the desk tells what needs the office."""

import datetime as dt
from pathlib import Path

from imprimatur.access.viewer import Scope
from imprimatur.store.case_listing import Need
from imprimatur.store.desk_reading import office_desk
from imprimatur.store.engine import Database
from tests.facts import OFFICE, START, Play, example, furnish

DAY = dt.timedelta(days=1)
FURTHER, BEHIND = "mc-furtherfurthe", "mc-behindbehindb"


def test_the_promise_that_is_shown_puts_the_most_urgent_first(database: Database, tmp_path: Path) -> None:
    furnish(database)
    further = Play(database, tmp_path, case_id=FURTHER)
    further.submit(example("industry-credit"))
    further.decide("proposal", comment="Fits.", fit=4, no_duplication=4)
    behind = Play(database, tmp_path, case_id=BEHIND, at=START + DAY)
    behind.submit(example("industry-credit").model_copy(update={"title": "Another"}))
    lines = office_desk(database, Scope(OFFICE, everything=True), START + 30 * DAY).lists[Need.OVERDUE]
    assert [line.case_id for line in lines] == [BEHIND, FURTHER]
    assert [line.due_at for line in lines] == sorted(line.due_at for line in lines if line.due_at)
    # As a whole, it is the other one that is to be published first.
    promised = [play.state.due_at for play in (further, behind)]
    assert promised[0] is not None and promised[1] is not None and promised[0] < promised[1]
