"""Who may claim, give back, ask for and give advice, or hand work over; and who may not decide at all. Pure."""

from imprimatur.rules.refusal import Refusal, closed_case, unknown_task
from imprimatur.rules.standing import folded, hats, other_hat, wears
from imprimatur.rules.wording import closed_by
from models.case import CaseState, TaskState
from models.events import AdviceAsked, AdviceGiven, Claimed, ConflictFound, DeskAct, HandedOver, TaskReturned
from models.plan import Plan
from models.vocabulary import CaseStatus, TaskClosure, TaskStatus, Verdict

SYSTEM = "system"
ADVICE_LIMIT = 20_000
# Whoever stands aside, or takes note, decides nothing.
DECIDES_NOTHING = frozenset({Verdict.RECUSE, Verdict.ACKNOWLEDGE})


def desk_refusal(state: CaseState, event: DeskAct, plan: Plan | None) -> Refusal | None:
    """Why an act at a desk is not admissible; None when it is."""
    task = state.tasks.get(event.task_id)
    if task is None:
        return unknown_task(event.task_id)
    if state.status.is_final:
        return closed_case(state)
    match event:
        case HandedOver():
            return _handing_over(task, event)
        case ConflictFound():
            return None if task.status.is_pending else closed_task(task)
        case AdviceGiven():
            return _advice(state, task, event)
        case Claimed() | TaskReturned() | AdviceAsked():
            return _own_task(state, task, event, plan)


def closed_task(task: TaskState) -> Refusal:
    closure = task.closure or TaskClosure.OUTCOME_CERTAIN
    message = f"This task closed: {closed_by(closure, task.closed_by or SYSTEM)}."
    return Refusal("Gone", "task_closed", message, "Nothing is asked of you any more.")


def not_your_task(actor: str, hint: str) -> Refusal:
    return Refusal("NotAllowed", "not_your_task", f"This task was assigned to someone else, not to {actor}.", hint)


def not_claimed() -> Refusal:
    return Refusal(
        "Refused",
        "task_not_claimed",
        "This task is on offer to several people, and nobody has claimed it yet.",
        "Claim it first: the first to do so has it.",
    )


def decided_already(task: TaskState) -> Refusal:
    return Refusal(
        "Gone",
        "already_decided",
        f"You have answered this task already: {task.verdict}.",
        "The first answer stands; ask the governance office if it was a mistake.",
    )


def decider_refusal(
    state: CaseState, task: TaskState, person: str, plan: Plan | None, *, answered_only: bool
) -> Refusal | None:
    """Why ``person`` may not decide in a task of this case: it is their own proposal, or they decided elsewhere.

    ``answered_only`` looks at decisions alone; else open tasks count as well.
    """
    if folded(person) == folded(state.proposer):
        return own_proposal()
    if plan is not None and (plan.two_hats or plan.informs(task.stage)):
        return None
    other = other_hat(hats(state, plan, answered_only=answered_only), person, task.role)
    if other is None:
        return None
    return Refusal(
        "NotAllowed",
        "two_hats",
        f"{person} {wears(other)}, and nobody decides under two roles in one case.",
        "Ask someone else: by `delegate`, or by the governance office.",
    )


def own_proposal() -> Refusal:
    return Refusal(
        "NotAllowed",
        "own_proposal",
        "Nobody decides about a proposal of their own.",
        "Ask someone else of the office, or choose another reviewer.",
    )


def _own_task(
    state: CaseState, task: TaskState, event: Claimed | TaskReturned | AdviceAsked, plan: Plan | None
) -> Refusal | None:
    if state.status is CaseStatus.ON_HOLD:
        return Refusal("Refused", "case_on_hold", "The case is on hold.", "Wait until the office has resumed it.")
    if task.assignee != event.actor:
        return not_your_task(event.actor, "Only whoever was asked can do this.")
    if task.status is TaskStatus.DECIDED:
        return decided_already(task)
    if task.status is TaskStatus.CLOSED:
        return closed_task(task)
    if isinstance(event, Claimed):
        if task.status is TaskStatus.OPEN:
            return Refusal("Refused", "already_claimed", "The task is yours already.", "Answer it with `decide`.")
        return decider_refusal(state, task, event.actor, plan, answered_only=False)
    if task.status is TaskStatus.OFFERED:
        return not_claimed()
    if isinstance(event, AdviceAsked):
        return _asking(task, event)
    if task.offer is None:
        return Refusal(
            "Refused",
            "task_not_from_pool",
            "This task was never on offer: it was given to you.",
            "Pass it on with `delegate`, or stand aside where the stage offers that.",
        )
    return None


def _asking(task: TaskState, event: AdviceAsked) -> Refusal | None:
    if event.adviser == task.assignee:
        return Refusal("Refused", "own_advice", "You cannot ask yourself for advice.", "Name a colleague.")
    if len(event.question) > ADVICE_LIMIT:
        return Refusal(
            "Refused", "question_too_long", f"A question has at most {ADVICE_LIMIT} characters.", "Ask more briefly."
        )
    if event.adviser in task.advisers:
        return Refusal(
            "Refused", "advice_asked_already", f"{event.adviser} has been asked already.", "Wait for the advice."
        )
    return None


def _advice(state: CaseState, task: TaskState, event: AdviceGiven) -> Refusal | None:
    if event.actor not in task.advisers:
        return Refusal(
            "NotAllowed",
            "advice_not_asked",
            f"{event.actor} is not being asked for advice on this task.",
            "Its holder asks for it with `ask-advice`; each advice is given once.",
        )
    if not task.status.is_pending:
        return Refusal("Gone", "advice_too_late", "The task has been answered or closed.", "Nothing is asked of you.")
    if not event.text.strip() or len(event.text) > ADVICE_LIMIT:
        return Refusal(
            "Refused", "advice_empty", f"Advice is a text of 1 to {ADVICE_LIMIT} characters.", "Say what you advise."
        )
    return None


def _handing_over(task: TaskState, event: HandedOver) -> Refusal | None:
    if not (event.by_office or event.actor == SYSTEM):
        return Refusal(
            "NotAllowed",
            "not_the_office",
            f"{event.actor} does not belong to the governance office.",
            "Only the governance office can do this.",
        )
    return None if task.status.is_pending else closed_task(task)
