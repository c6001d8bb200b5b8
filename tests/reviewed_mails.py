"""A published micro-credential whose review is announced, held and concluded, for the mails of it; for tests."""

import asyncio
import datetime as dt
from pathlib import Path

from imprimatur.frameworks.loader import reviews
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.reviews_announced import announce
from models.framework import Framework
from models.vocabulary import Verdict
from tests.facts import OFFICE, START
from tests.governed import information
from tests.improvement import Reviews, published, recommend

DAY = dt.timedelta(days=1)
CREDENTIAL = "mc-reviewed"
REVIEW = f"{CREDENTIAL}-r1"


def review_of_published(database: Database, folder: Path) -> None:
    """Somebody who is only informed of it still has their task when it is concluded."""
    document = reviews()["improvement-review"].model_dump(mode="json")
    document["stages"].append(information())
    add_framework(database, Framework.model_validate(document | {"version": "90"}), START)
    asyncio.run(_held(Reviews(published(database, folder, case_id=CREDENTIAL, every={"months": 1}))))


async def _held(found: Reviews) -> None:
    """Announced before it is due, called early by the office, decided by all who recommend."""
    announce(found.database, found.now + DAY)
    await found.improvement.call(CREDENTIAL, actor=OFFICE, reason="Employers complained.")
    play = found.review(REVIEW)
    while waiting := [task for task in play.state.open_tasks() if task.stage != "notice"]:
        recommend(play, waiting[0].stage, Verdict.RETIRE, dt.date(2031, 12, 31))
