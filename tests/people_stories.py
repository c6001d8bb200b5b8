"""Tasks on offer, advice, interests and leaving, each played once on the running engine; for tests.

Each story has a role of its own: whoever leaves, or has an interest, is missed by no other story.
"""

import datetime as dt
from collections.abc import Awaitable
from typing import Any

from imprimatur.desk import Desk
from imprimatur.errors import ImprimaturError
from imprimatur.leaving import Leaving
from imprimatur.rules.standing import Interest
from imprimatur.store.interests import add_interest
from models.vocabulary import EventType, InterestKind
from tests.engine import Engine
from tests.facts import PROPOSER
from tests.governed import review
from tests.governed_stories import PUBLISHED, Story, asked, begin, data_of, task_of
from tests.stories import people

ADVISER = "ivo.adviser@example.org"
ONE = {"quorum": 1, "threshold": 1}


def holders(engine: Engine, role: str, *names: str) -> list[str]:
    """People who hold only this role."""
    found = [f"{name}.{role}@example.edu" for name in names]
    people(engine, *(f"{email},{name.capitalize()},{role},yes" for email, name in zip(found, names, strict=True)))
    return found


async def refused(act: Awaitable[Any]) -> str:
    try:
        await act
    except ImprimaturError as error:
        return error.code
    raise AssertionError("this was to be refused")


async def claimed_and_given_back(engine: Engine) -> str:
    """On offer to three: one asks for advice and gives it back, one claims it and leaves, the last decides."""
    ida, mia, ugo = holders(engine, "mentor", "ida", "mia", "ugo")
    offer = review(reviewers=[{"role": "mentor", "claim": True}], voting=ONE)
    case_id, desk = await begin(engine, "claimed_and_given_back", offer), Desk(engine.gateway, engine.database)
    mine = task_of(engine, case_id, ida).task_id
    await desk.claim(mine, actor=ida)
    await desk.ask_advice(mine, ADVISER, actor=ida, question="Is the title fair?")
    await desk.advise(mine, actor=ADVISER, text="Fair enough.")
    await desk.give_back(mine, actor=ida, reason="I have no time.")
    assert asked(engine, case_id) == [mia, ugo]
    await desk.claim(task_of(engine, case_id, mia).task_id, actor=mia)
    await Leaving(engine.gateway, engine.database).leave(mia)
    assert asked(engine, case_id) == [ugo]
    await desk.claim(task_of(engine, case_id, ugo).task_id, actor=ugo)
    await engine.answer(task_of(engine, case_id, ugo))
    assert engine.show(case_id).status is PUBLISHED
    return case_id


async def replaced_after_an_interest(engine: Engine) -> str:
    """An interest that is declared late bars an answer; its holder leaves, and somebody else decides."""
    holders(engine, "examiner", "ada", "bea")
    asks = review(reviewers=[{"role": "examiner", "count": 1}], voting=ONE)
    case_id = await begin(engine, "replaced_after_an_interest", asks)
    [task] = engine.tasks(case_id)
    interest = Interest(InterestKind.PERSON, PROPOSER)
    add_interest(engine.database, task.assignee, interest, "a cousin", dt.datetime.now(dt.UTC))
    assert await refused(engine.answer(task)) == "conflict_of_interest"
    assert data_of(engine, case_id, EventType.INCIDENT_OPENED)[0]["kind"] == "conflict_of_interest"
    await Leaving(engine.gateway, engine.database).leave(task.assignee)
    [successor] = engine.tasks(case_id)
    assert successor.assignee != task.assignee
    await engine.answer(successor)
    assert engine.show(case_id).status is PUBLISHED
    return case_id


PEOPLE: dict[str, Story] = {told.__name__: told for told in (claimed_and_given_back, replaced_after_an_interest)}
