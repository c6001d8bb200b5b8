"""What a figure is made from, and how its lines are named."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from imprimatur.history.figures.figure import WHOLE_CASE
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.figures.naming import Names

Value = TypeVar("Value")


@dataclass(frozen=True)
class Asking:
    """``now`` decides what is late, and how old open cases are."""

    connection: Connection
    chosen: Filter
    scope: Scope
    names: Names
    now: dt.datetime

    @property
    def of(self) -> tuple[Connection, Filter, Scope]:
        return self.connection, self.chosen, self.scope

    def named(self, framework: str, stage: str) -> dict[str, object]:
        return {"framework": self.names.framework(framework), "stage": self.names.stage(framework, stage)}

    def about(self, framework: str, stage: str) -> dict[str, str]:
        return {"framework": framework, "stage": stage}

    def by_stage(
        self, stages: Mapping[tuple[str, str], Value], cases: Mapping[str, Value]
    ) -> Iterator[tuple[str, str, Value]]:
        """Framework, stage and value: each framework's stages in its own order, and then its whole cases."""
        frameworks = {framework for framework, _ in stages} | set(cases)
        for framework in sorted(frameworks, key=lambda name: (self.names.framework(name), name)):
            of_framework = [stage for known, stage in stages if known == framework]
            for stage in self.names.in_order(framework, of_framework):
                yield framework, stage, stages[framework, stage]
            if framework in cases:
                yield framework, WHOLE_CASE, cases[framework]
