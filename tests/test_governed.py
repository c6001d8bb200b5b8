"""Votes, silence, kinds of stage, the office and its people on a real Temporal server: all stories side by side."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from tests.address_stories import ADDRESSES
from tests.engine import Engine, engine, new_queue
from tests.facts import furnish
from tests.governed import DEPUTIES
from tests.governed_stories import GOVERNED
from tests.meeting_stories import MEETINGS
from tests.people_stories import PEOPLE
from tests.sign_off_stories import SIGN_OFF
from tests.stories import people
from tests.track_stories import TRACKS

TOLD = ADDRESSES | GOVERNED | MEETINGS | PEOPLE | SIGN_OFF | TRACKS
Told = dict[str, BaseException | None]


@pytest.fixture(scope="module")
def told(temporal_address: str, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What each story came to; each case has a clock of its own, so that they need not wait for each other."""
    folder = tmp_path_factory.mktemp("governed")
    file = folder / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    yield asyncio.run(_play(temporal_address, database, folder))
    database.close()


async def _play(address: str, database: Database, folder: Path) -> Told:
    async with engine(address, database, folder, new_queue()) as live:
        people(live, *DEPUTIES)
        return dict(zip(TOLD, await asyncio.gather(*(_tell(live, name) for name in TOLD)), strict=True))


async def _tell(live: Engine, name: str) -> BaseException | None:
    try:
        case_id = await TOLD[name](live)
        await live.assert_agrees(case_id)
    except Exception as error:  # noqa: BLE001  (told where the story is tested)
        return error
    return None


@pytest.mark.parametrize("name", TOLD)
def test_a_story_comes_out_as_it_is_told(told: Told, name: str) -> None:
    error = told[name]
    if error is not None:
        raise error
