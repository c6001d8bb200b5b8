"""What makes the processes of institutions special, on a real Temporal server: all stories side by side."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from tests.engine import Engine, engine, new_queue
from tests.facts import furnish
from tests.institution_stories import INSTITUTIONS
from tests.institutions import settle_in

Told = dict[str, BaseException | None]


@pytest.fixture(scope="module")
def told(temporal_address: str, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What each story came to; each case has a clock of its own, so that they need not wait for each other."""
    folder = tmp_path_factory.mktemp("institutions")
    file = folder / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    settle_in(database, folder)
    yield asyncio.run(_play(temporal_address, database, folder))
    database.close()


async def _play(address: str, database: Database, folder: Path) -> Told:
    async with engine(address, database, folder, new_queue()) as live:
        found = await asyncio.gather(*(_tell(live, name) for name in INSTITUTIONS))
        return dict(zip(INSTITUTIONS, found, strict=True))


async def _tell(live: Engine, name: str) -> BaseException | None:
    try:
        await live.assert_agrees(await INSTITUTIONS[name](live))
    except Exception as error:  # noqa: BLE001  (told where the story is tested)
        return error
    return None


@pytest.mark.parametrize("name", INSTITUTIONS)
def test_a_story_comes_out_as_it_is_told(told: Told, name: str) -> None:
    error = told[name]
    if error is not None:
        raise error
