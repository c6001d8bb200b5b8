"""All verbs on conditions of approvals, as their owner and a reviewer run them; for tests."""

from tests.facts import PROPOSER, amended, example
from tests.people_commands import Terminal


async def play_conditions(terminal: Terminal) -> str:
    """One is met at the second attempt, one is done without; answers the case."""
    running = terminal.engine
    amended(running.database, "coursework-credit", "proposal", conditions="allowed")
    answer = await running.gateway.submit(example("coursework-credit"), proposer=PROPOSER)
    [task] = running.tasks(answer.case_id, "proposal")
    scores = " ".join(f"--score {name}={score}" for name, score in running.scores(task).items())
    given = '--condition "Name the assessor. | due 10d | blocking" --condition "Print a flyer."'
    await terminal.run(f"decide {task.task_id} --verdict approve --as {task.assignee} {scores} {given}")
    first, second = (await terminal.ask(f"conditions {answer.case_id}"))["conditions"]
    fulfil = f"fulfil {first['condition_id']} --as {PROPOSER} --evidence Appendix."
    await terminal.ask(fulfil)
    await terminal.ask(f"reopen {first['condition_id']} --as {task.assignee} --reason Unsigned.")
    await terminal.run(fulfil)
    await terminal.ask(f"accept {first['condition_id']} --as {task.assignee}")
    await terminal.ask(f"waive {second['condition_id']} --as {task.assignee} --reason Costly.")
    return answer.case_id
