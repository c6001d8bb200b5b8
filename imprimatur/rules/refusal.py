"""Why an act is not admissible, as data: the shell turns it into an error with the same code everywhere."""

from dataclasses import dataclass

from models.case import CaseState


@dataclass(frozen=True)
class Refusal:
    """``kind`` names the error class of :mod:`imprimatur.errors` that carries it to the user."""

    kind: str
    code: str
    message: str
    hint: str = ""


def unknown_task(task_id: str) -> Refusal:
    return Refusal("NotFound", "task_unknown", f"There is no task {task_id} in this case.", "See `starter.py tasks`.")


def closed_case(state: CaseState) -> Refusal:
    return Refusal(
        "Gone", "case_closed", f"The case is closed: it was {state.status}.", "Submit a new proposal instead."
    )
