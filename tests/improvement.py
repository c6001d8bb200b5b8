"""A micro-credential that is published under a framework with reviews, and its reviews, played without Temporal."""

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy import select

from imprimatur import ids
from imprimatur.frameworks.loader import shipped
from imprimatur.improvement import Improvement
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.indicators import IndicatorReport
from models.events import Decided, Submitted
from models.framework import Framework
from models.messages import CaseAnswer
from models.plan import Plan
from models.tables import PublicationRow
from models.vocabulary import Verdict
from tests.facts import OFFICE, START, Play, example

REVIEW: dict[str, Any] = {
    "framework": "improvement-review",
    "every": {"months": 24},
    "thresholds": [
        {"indicator": "enrolment", "below": 15, "periods": 2},
        {"indicator": "completion_rate", "below": 60},
    ],
}
CREDENTIAL = "mc-abcdefghijkl"
FIRST_REVIEW = "mc-abcdefghijkl-r1"


def reviewed_framework(database: Database, **change: Any) -> Framework:
    """A version of the general one; others use other versions of it."""
    document = shipped()["industry-credit"].model_dump(mode="json")
    policy = Framework.model_validate(document | {"version": "90", "review": REVIEW | change})
    add_framework(database, policy, START)
    return policy


def published(database: Database, folder: Path, case_id: str = CREDENTIAL, **change: Any) -> Play:
    """By people who all approve, on the first of the play's days."""
    play = Play(database, folder, reviewed_framework(database, **change), case_id=case_id)
    play.submit(example("industry-credit"))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, comment="Well done.", outcomes=4, assessment=4, need=4)
    return play


class Cases:
    """Begins cases as the gateway does, through the real rules and the real commit."""

    def __init__(self, database: Database, folder: Path, at: dt.datetime) -> None:
        self._database = database
        self._folder = folder
        self.at = at
        self.plays: dict[str, Play] = {}

    async def begin(self, case_id: str, plan: Plan, event: Submitted) -> CaseAnswer:
        if case_id not in self.plays:
            play = Play(self._database, self._folder, case_id=case_id, at=self.at)
            play.plan = plan
            play.act(event)
            self.plays[case_id] = play
        state = self.plays[case_id].state
        return CaseAnswer(
            case_id=case_id, status=state.status, version=state.version, round=state.round, position=1, digest=""
        )


class Reviews:
    """The reviews of what was published, at an instant that the test moves on."""

    def __init__(self, play: Play) -> None:
        self.database = play.database
        self.now = play.now
        self.cases = Cases(play.database, play.committer._published_dir, self.now)
        self.improvement = Improvement(self.cases, play.database)  # type: ignore[arg-type]

    async def sweep(self, after: dt.timedelta = dt.timedelta()) -> Any:
        self.now += after
        self.cases.at = self.now
        return await self.improvement.sweep(self.now)

    async def take(self, *lines: str, preview: bool = False) -> IndicatorReport:
        text = "\n".join(["case,indicator,period,value,source", *lines])
        return await self.improvement.import_file(text, source="test.csv", actor=OFFICE, preview=preview)

    def review(self, case_id: str = FIRST_REVIEW) -> Play:
        return self.cases.plays[case_id]

    def conclude(self, verdict: Verdict, case_id: str = FIRST_REVIEW, **facts: Any) -> Play:
        """Everybody recommends the same."""
        play = self.review(case_id)
        while play.state.open_tasks():
            recommend(play, play.state.open_tasks()[0].stage, verdict, **facts)
        return play


def recommend(play: Play, stage: str, verdict: Verdict, teach_out_on: dt.date | None = None) -> None:
    task = play.state.open_tasks(stage)[0]
    number = ids.decision_id(task.id, task.assignee, verdict, "Because.", {})
    play.act(
        Decided(
            decision_id=number,
            task_id=task.id,
            actor=task.assignee,
            verdict=verdict,
            comment="Because.",
            teach_out_on=teach_out_on,
        )
    )


def record_status(database: Database, case_id: str) -> str:
    """What the published record says of itself."""
    table = PublicationRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        return str(connection.execute(select(table.c.status).where(table.c.case_id == case_id)).scalar_one())
