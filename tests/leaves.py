"""People on leave, their deputies, and cases that meet them; for tests."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.errors import ImprimaturError
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.leave import Scope
from imprimatur.store.reading import show_case
from tests.facts import (
    START,
    Play,
    amended,
    example,
)
from tests.mails import contexts, rendered

LENA, DIRECTOR, ADVISER = "lena.office@example.edu", "dora.director@example.edu", "ivo.adviser@example.org"
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
TODAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)


def let(database: Database, person: str, deputy: str, days: int = 5, start: dt.date = TODAY, **scope: Any) -> str:
    """A delegation; answers its id."""
    last_on = start + (days - 1) * DAY
    return leave.add_delegation(database, person, deputy, start, last_on, Scope(**scope), START).delegation_id


def gone(database: Database, person: str, days: int = 5, start: dt.date = TODAY) -> None:
    leave.add_absence(database, person, start, start + (days - 1) * DAY, "holiday")


def code_of(act: Any) -> str:
    with pytest.raises(ImprimaturError) as raised:
        act()
    return raised.value.code


def asked(play: Play, stage: str = "quality") -> list[str]:
    return sorted(task.assignee for task in play.state.open_tasks(stage))


def in_quality(database: Database, folder: Path, **change: Any) -> Play:
    play = Play(database, folder, amended(database, "industry-credit", "quality", **change))
    play.submit(example("industry-credit"))
    play.decide("proposal")
    return play


def incidents(play: Play) -> dict[str, str]:
    return {incident.kind: incident.detail for incident in show_case(play.database, play.case_id).incidents}


def mail_to(database: Database, person: str) -> str:
    """The text of the mail that was written for a person last."""
    [*_, context] = [context for context in contexts(database) if context.mail.recipient == person]
    return " ".join(rendered(context).text.split())
