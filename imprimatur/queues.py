"""The workflow service's task queue as it stands: who polls it, and what waits there."""

import datetime as dt
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

KINDS = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


@dataclass(frozen=True)
class Poller:
    identity: str
    polled_at: dt.datetime


@dataclass(frozen=True)
class TaskQueueState:
    """``kind`` is workflow or activity; ``backlog`` counts tasks that no worker has taken, the oldest for ``waits``.

    ``pollers`` are workers that have asked for tasks within the last minutes.
    """

    kind: str
    pollers: tuple[Poller, ...]
    backlog: int
    waits: dt.timedelta


async def task_queue(
    client: Client, name: str, kind: str = "workflow", within: dt.timedelta | None = None
) -> TaskQueueState:
    """Raises temporalio's RPCError, also when there is no answer ``within`` a time."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=name),
        task_queue_type=KINDS[kind],
        report_stats=True,
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=within)
    pollers = {
        found.identity: found.last_access_time.ToDatetime(dt.UTC)
        for found in sorted(answer.pollers, key=lambda found: found.last_access_time.ToDatetime())
    }
    return TaskQueueState(
        kind,
        tuple(Poller(identity, at) for identity, at in sorted(pollers.items())),
        answer.stats.approximate_backlog_count,
        answer.stats.approximate_backlog_age.ToTimedelta(),
    )
