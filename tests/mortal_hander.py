"""A worker process that dies, as by a power cut, while it hands over: at one place, which it is told."""

import argparse
import asyncio
import os

from activities.hander import Hander
from imprimatur.gateway import Gateway
from imprimatur.handover import Asking
from imprimatur.publication.targets.target import Handed
from imprimatur.publication.targets.webhook import WebhookTarget
from imprimatur.store import handovers as store
from imprimatur.store.engine import Database
from models.messages import HandoverEnd
from tests.engine import connected
from tests.handover import working
from tests.hooks import KEYS

MADE, ASKED, SENT, END = "made", "asked", "sent", "end"
PLACES = (MADE, ASKED, SENT, END)


class Mortal(WebhookTarget):
    """A system at which the process dies right after it has answered."""

    when = ""

    async def hand_over(self, handed: Handed) -> str:
        answer = await super().hand_over(handed)
        if self.when == SENT:
            os._exit(137)
        return answer


async def main(address: str, database_url: str, cases: str, queue: str, lms: str, fatal: str) -> None:
    database, client = Database(database_url), await connected(address)
    asking = Asking(Gateway(client, database, cases), database)

    async def ask(handover: str) -> None:
        if fatal == MADE:
            os._exit(137)
        await asking.ask(handover)
        if fatal == ASKED:
            os._exit(137)

    target = Mortal("lms", lms, KEYS)
    target.when = fatal
    if fatal == END:
        store.end = _dies  # type: ignore[assignment]
    async with working(client, Hander(database, {"lms": target}, ask), queue):
        await asyncio.Event().wait()


def _dies(database: Database, ended: HandoverEnd) -> bool:
    os._exit(137)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("address", "database_url", "cases", "queue", "lms", "fatal"):
        parser.add_argument(name)
    asyncio.run(main(**vars(parser.parse_args())))
