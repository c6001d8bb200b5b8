"""Hand-overs of what is published, played on the running engine; for tests."""

import asyncio

from activities.hander import Hander
from imprimatur import ids
from imprimatur.handover import Asking
from imprimatur.office import Office
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine
from tests.governed_stories import Story
from tests.handover import SECOND_OF_TEAM, handing_framework, with_team
from tests.published import proposal
from tests.stories import WHY

COLLEAGUE = "quinn.reviewer@example.edu"


async def published_and_due(engine: Engine, name: str, *targets: str) -> str:
    """The case of what is published; its hand-over is called, and nobody is asked yet."""
    await asyncio.to_thread(with_team, engine.database, engine.folder)
    policy = handing_framework(engine.database, *targets)
    case_id = engine.case_id(name)
    await engine.submit(proposal(), f"{policy.id}@{policy.version}", case_id)
    while tasks := engine.tasks(case_id):
        await engine.answer(tasks[0])
    assert engine.show(case_id).status is CaseStatus.PUBLISHED
    return case_id


async def handed_over(engine: Engine, name: str) -> tuple[str, str]:
    """The cases of what is published, and of its hand-over, which waits for the delivery team."""
    credential = await published_and_due(engine, name)
    handover = ids.handover_case_id(credential, 1)
    asking = Asking(engine.gateway, engine.database)
    await asyncio.to_thread(Hander(engine.database, {}, asking.ask)._prepare, handover)
    await asking.ask(handover)
    return credential, handover


async def handover_taken_up(engine: Engine) -> str:
    """One of the team passes the task on, and whoever got it takes it up."""
    credential, handover = await handed_over(engine, "handover_taken_up")
    [first, _] = sorted(engine.tasks(handover), key=lambda task: task.assignee == SECOND_OF_TEAM)
    await Office(engine.gateway, engine.database).pass_on(
        first.task_id, "quinn.reviewer@example.edu", actor=first.assignee, reason=WHY
    )
    [task] = [task for task in engine.tasks(handover) if task.assignee == "quinn.reviewer@example.edu"]
    await engine.answer(task, "take_up", "It is course DES-214.")
    assert engine.show(handover).status is CaseStatus.CONCLUDED
    assert engine.types(credential)[-1] is EventType.HANDOVER_CONCLUDED
    engine.assert_whole(credential, handover)
    return handover


async def handover_sent_back(engine: Engine) -> str:
    credential, handover = await handed_over(engine, "handover_sent_back")
    await engine.answer(engine.tasks(handover)[0], "send_back", WHY)
    assert engine.show(handover).status is CaseStatus.CONCLUDED
    assert engine.types(credential)[-1] is EventType.INCIDENT_OPENED
    engine.assert_whole(credential, handover)
    return handover


HANDOVERS: dict[str, Story] = {told.__name__: told for told in (handover_taken_up, handover_sent_back)}
