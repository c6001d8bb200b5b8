"""Publishing that has begun under an earlier version goes on as it was: its histories are replayed."""

import pytest
from temporalio.worker import Replayer

from imprimatur.payloads import data_converter
from tests import handover_histories
from tests.frozen_runs import read_run
from tests.publishing_histories import FOLDER, STORIES
from workflows.handing_over import HandoverWorkflow
from workflows.publishing import PublishingWorkflow


@pytest.mark.parametrize("name", sorted(STORIES))
async def test_a_frozen_publication_is_replayed(name: str) -> None:
    replayer = Replayer(workflows=[PublishingWorkflow], data_converter=data_converter(None))
    await replayer.replay_workflow(read_run(FOLDER, name))


def test_every_story_of_publishing_is_frozen_and_nothing_else() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(STORIES)


@pytest.mark.parametrize("name", sorted(handover_histories.STORIES))
async def test_a_frozen_handing_over_is_replayed(name: str) -> None:
    replayer = Replayer(workflows=[HandoverWorkflow], data_converter=data_converter(None))
    await replayer.replay_workflow(read_run(handover_histories.FOLDER, name))


def test_every_story_of_handing_over_is_frozen_and_nothing_else() -> None:
    assert {file.stem for file in handover_histories.FOLDER.glob("*.json")} == set(handover_histories.STORIES)
