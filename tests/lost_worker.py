"""A worker whose commits reach the ledger and whose word never reaches Temporal."""

import datetime as dt

from imprimatur import ids
from imprimatur.frameworks.loader import shipped
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.plan import plan_of
from imprimatur.rules.transition import settle
from imprimatur.store.reading import TaskView
from models.case import CaseState
from models.commit import Resolution
from models.events import Decided, Event, Ticked
from models.vocabulary import Verdict
from tests.engine import Engine
from tests.facts import planned


class Lost:
    """Knows a case as it was when this worker took it up; goes on with it by the same rules."""

    def __init__(self, engine: Engine, case_id: str, state: CaseState, at: dt.datetime) -> None:
        self.engine, self.case_id, self.state, self.at = engine, case_id, state, at
        self.plan = plan_of(shipped()[engine.show(case_id).framework.partition("@")[0]])

    @classmethod
    async def worker(cls, engine: Engine, case_id: str) -> "Lost":
        return cls(engine, case_id, await engine.gateway.state(case_id), await engine.now(case_id))

    def commit(self, event: Event) -> Resolution:
        state, step = planned(self.state, event, self.plan, self.at)
        assert step is not None, "a lost worker has something to write"
        resolution = self.engine.committer.write_step(step)
        self.state = settle(state, resolution)
        return resolution

    def remind(self) -> Resolution:
        deadline = next_deadline(self.state)
        assert deadline is not None
        self.at = deadline
        return self.commit(Ticked())


def approval(engine: Engine, task: TaskView) -> Decided:
    scores = engine.scores(task)
    return Decided(
        decision_id=ids.decision_id(task.task_id, task.assignee, "approve", "", scores),
        task_id=task.task_id,
        actor=task.assignee,
        verdict=Verdict.APPROVE,
        scores=scores,
    )
