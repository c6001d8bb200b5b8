"""Cases that have come to their publication, under a framework that names targets; for tests."""

from pathlib import Path
from typing import Any

from imprimatur.frameworks.loader import shipped
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from models.framework import Framework
from models.proposal import Proposal
from tests.facts import START, Play, example, furnish


def with_targets(database: Database, *names: str) -> Framework:
    """The shipped framework for courses without credit, whose records go to these targets."""
    document = shipped()["non-credit"].model_dump(mode="json") | {"version": f"9.{len(names)}"}
    document["publication"]["targets"] = list(names)
    policy = Framework.model_validate(document)
    add_framework(database, policy, START)
    return policy


def approved(database: Database, folder: Path, policy: Framework, case_id: str = "mc-published", **change: Any) -> Play:
    """A case that has come to its publication."""
    furnish(database)
    play = Play(database, folder, policy, case_id=case_id)
    play.submit(proposal(**change))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    return play


def proposal(**change: Any) -> Proposal:
    return example("non-credit").model_copy(update={"partners": (), **change})
