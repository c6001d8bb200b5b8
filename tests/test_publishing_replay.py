"""Publishing that has begun under an earlier version goes on as it was: its histories are replayed."""

import pytest
from temporalio.worker import Replayer

from imprimatur.payloads import data_converter
from tests.publishing_histories import FOLDER, STORIES, read_frozen
from workflows.publishing import PublishingWorkflow


@pytest.mark.parametrize("name", sorted(STORIES))
async def test_a_frozen_publication_is_replayed(name: str) -> None:
    replayer = Replayer(workflows=[PublishingWorkflow], data_converter=data_converter(None))
    await replayer.replay_workflow(read_frozen(name))


def test_every_story_of_publishing_is_frozen_and_nothing_else() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(STORIES)
