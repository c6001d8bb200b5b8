"""A micro-credential that is published under a framework that hands over, and its hand-overs; for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.hander import Hander
from imprimatur import ids
from imprimatur.frameworks.loader import shipped
from imprimatur.gateway import Gateway
from imprimatur.handover import Asking, Handovers, HandoverStarter
from imprimatur.publication.targets.target import Target
from imprimatur.store import handovers as store
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from models.framework import Framework
from models.messages import HandoverEnd
from models.vocabulary import Verdict
from tests.engine import new_queue
from tests.facts import OFFICE, START, Play, add_people, furnish
from tests.improvement import Cases
from tests.published import proposal
from workflows.handing_over import HandoverWorkflow

TEAM = "dana.delivery@example.edu"
SECOND_OF_TEAM = "emil.delivery@example.edu"
CREDENTIAL = "mc-handedover"
FIRST = f"{CREDENTIAL}-h1"
WITHIN = {"framework": "delivery-handover"}


def handing_framework(database: Database, *targets: str, conditions: str = "", **rule: Any) -> Framework:
    """The shipped framework for courses without credit, which hands over to these targets.

    ``conditions`` is a stage that can approve with conditions.
    """
    document = shipped()["non-credit"].model_dump(mode="json")
    rule = WITHIN | {"targets": list(targets)} | rule
    for stage in document["stages"]:
        stage |= {"conditions": "allowed"} if stage["id"] == conditions else {}
    document |= {"version": f"80.{len(targets)}.{len(conditions)}", "handover": rule}
    policy = Framework.model_validate(document)
    add_framework(database, policy, START)
    return policy


def with_team(database: Database, folder: Path) -> None:
    furnish(database)
    lines = [f"{TEAM},Dana Olsen,delivery_team,yes", f"{SECOND_OF_TEAM},Emil Novak,delivery_team,yes"]
    add_people(database, folder, *lines)


def published(database: Database, folder: Path, policy: Framework, case_id: str = CREDENTIAL, **change: Any) -> Play:
    play = Play(database, folder, policy, case_id=case_id)
    play.submit(proposal(**change))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    return play


class Handing:
    """The hand-overs of what was published, carried out as the machine does, without Temporal."""

    def __init__(self, play: Play, targets: Mapping[str, Target] | None = None) -> None:
        self.database = play.database
        self.cases = Cases(play.database, play.published_dir, play.now)
        asking = Asking(self.cases, play.database)  # type: ignore[arg-type]
        self.hander = Hander(play.database, targets or {}, asking.ask)

    async def begin(self) -> list[str]:
        """Has people asked in all that is due; answers which."""
        found = [handing.handover_case for handing in await asyncio.to_thread(store.due, self.database)]
        for handover in found:
            await asyncio.to_thread(self.hander._prepare, handover)
            await self.hander._ask_people(handover)
        return found

    def case(self, handover: str = FIRST) -> Play:
        return self.cases.plays[handover]

    def answer(self, verdict: Verdict, comment: str = "", handover: str = FIRST) -> Play:
        play = self.case(handover)
        play.decide(play.state.open_tasks()[0].stage, verdict, comment)
        return play


def handover_of_published(database: Database, folder: Path) -> None:
    """A system cannot be told, those who are to deliver it send it back, and take it up the second time."""
    with_team(database, folder)
    handing = Handing(published(database, folder, handing_framework(database)))
    asyncio.run(handing.begin())
    store.end(database, HandoverEnd(handover=FIRST, failed="lms", reason="lms: 410 Gone"))
    handing.answer(Verdict.SEND_BACK, "There is no room in March.")
    again = Handovers(database).again(CREDENTIAL, actor=OFFICE, reason="There is a room now.")
    asyncio.run(handing.begin())
    handing.answer(Verdict.TAKE_UP, "It is course DES-214.", again.handover_case)


@asynccontextmanager
async def handing_over(
    client: Client, database: Database, targets: Mapping[str, Target], gateway: Gateway
) -> AsyncIterator["Desk"]:
    queue = new_queue()
    async with hander_worker(client, database, targets, gateway, queue):
        yield Desk(client, database, queue)


def hander_worker(
    client: Client, database: Database, targets: Mapping[str, Target], gateway: Gateway, queue: str
) -> Worker:
    return working(client, Hander(database, targets, Asking(gateway, database).ask), queue)


def working(client: Client, found: Hander, queue: str) -> Worker:
    acts: list[Callable[..., Any]] = [found.begin_handover, found.send_package, found.end_handover]
    return Worker(client, task_queue=queue, workflows=[HandoverWorkflow], activities=acts)


@dataclass
class Desk:
    client: Client
    database: Database
    queue: str

    async def run(self) -> list[str]:
        """Carries out what is due to its end; answers the workflows."""
        found = await asyncio.to_thread(store.due, self.database)
        await HandoverStarter(self.client, self.database, self.queue).start_due()
        names = [ids.handover_workflow_id(item.handover_case, item.attempt) for item in found]
        for name in names:
            await self.client.get_workflow_handle(name).result()
        return names
