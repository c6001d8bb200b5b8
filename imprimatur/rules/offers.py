"""Tasks on offer: of those that nobody has claimed, as many count as votes to come as can still be claimed. Pure."""

from collections.abc import Iterable

from models.case import Offer, TaskState
from models.vocabulary import TaskStatus


def free_seats(offer: Offer, tasks: Iterable[TaskState]) -> int:
    """How many may still claim a task of this offer; ``tasks`` are those of its stage and round."""
    of_rule = [task for task in tasks if task.offer is not None and task.offer.rule == offer.rule]
    claimed = [task for task in of_rule if task.status in (TaskStatus.OPEN, TaskStatus.DECIDED)]
    return max(0, offer.seats - len(claimed))


def counted(tasks: Iterable[TaskState]) -> list[TaskState]:
    """The tasks of a stage and round as a vote sees them: an offer that can be claimed is an open task."""
    tasks = list(tasks)
    free = {task.offer.rule: free_seats(task.offer, tasks) for task in tasks if task.offer is not None}
    seen = []
    for task in tasks:
        if task.status is not TaskStatus.OFFERED:
            seen.append(task)
        elif task.offer is not None and free[task.offer.rule] > 0:
            free[task.offer.rule] -= 1
            seen.append(task.model_copy(update={"status": TaskStatus.OPEN}))
    return seen
