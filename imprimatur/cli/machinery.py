"""What the pages of administration are given: checks, queues, settings, each of the process that serves them."""

import asyncio
import datetime as dt
import os
from collections.abc import Sequence
from functools import partial

from imprimatur.cli.context import Environment
from imprimatur.cli.doctor import PARTS, look
from imprimatur.embedded.home import read_stack
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.in_force import SettingInForce, in_force
from imprimatur.publication.targets.configured import read_targets
from imprimatur.queues import KINDS, TaskQueueState, task_queue
from imprimatur.web.admin.machinery import Machinery

# Less than the patience of the page that asks.
ANSWER_WITHIN = dt.timedelta(seconds=3)


def machinery_of(environment: Environment, gateway: Gateway) -> Machinery:
    """Called where the pages' event loop runs: there the workflow service is asked, with the gateway's own client."""
    loop = asyncio.get_running_loop()

    def queues() -> Sequence[TaskQueueState]:
        return asyncio.run_coroutine_threadsafe(_queues(gateway), loop).result()

    return Machinery(
        checks={name: partial(look, name, environment) for name in PARTS},
        queues=queues,
        settings=partial(_settings, environment),
        targets=lambda: tuple(read_targets(environment.settings.publication_targets).values()),
        temporal_ui=environment.temporal_ui or "",
        namespace=environment.settings.temporal_namespace,
    )


async def _queues(gateway: Gateway) -> list[TaskQueueState]:
    found = (task_queue(gateway.client, TASK_QUEUE, kind, ANSWER_WITHIN) for kind in KINDS)
    async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
        return list(await asyncio.gather(*found))


def _settings(environment: Environment) -> list[SettingInForce]:
    stack = read_stack(environment.settings.home)
    of_stack = (
        {}
        if stack is None
        else {
            "IMPRIMATUR_HOME": str(environment.settings.home),
            "IMPRIMATUR_BASE_URL": stack.base_url,
            "TEMPORAL_ADDRESS": stack.temporal_address,
            "TEMPORAL_UI_URL": stack.temporal_ui or "",
            "DATABASE_URL": stack.database_url,
            "SMTP_URL": stack.smtp_url,
            "MAIL_ATTESTATION": "waived",
        }
    )
    return in_force(environment.settings, os.environ, of_stack)
