"""Versions of a governed policy, and cases that move between them; for tests."""

from typing import Any

from imprimatur.rules.migration import altered_stages
from imprimatur.rules.plan import plan_of
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from models.events import ChangeScheduled, FrameworkChanged
from models.framework import Framework
from models.vocabulary import Boundary
from tests.facts import START, Play
from tests.governed import framework_of


def version_of(
    database: Database, framework_id: str, *stages: dict[str, Any], version: str = "2", **change: Any
) -> Framework:
    """Another version of a governed policy, stored; with these stages before the publication."""
    document = framework_of(*stages, framework_id=framework_id).model_dump(mode="json")
    policy = Framework.model_validate(document | {"version": version} | change)
    add_framework(database, policy, START)
    return policy


def move(play: Play, new: Framework, at: Boundary = Boundary.NOW, **facts: Any) -> None:
    facts |= {"plan": plan_of(new), "base": play.framework.digest, "at": at}
    facts["altered"] = altered_stages(play.framework, new)
    play.office(FrameworkChanged if at is Boundary.NOW else ChangeScheduled, **facts)
    play.framework = new
