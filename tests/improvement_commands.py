"""All verbs of reviews and indicators, as the governance office runs them; for tests."""

from imprimatur.frameworks.loader import reviews
from imprimatur.store.frameworks import add_framework
from tests.facts import START
from tests.improvement_stories import published_with_reviews
from tests.people_commands import Terminal

OFFICE = "--as omar.office@example.edu"
FIGURES = """\
case,indicator,period,value
{case},enrolment,2026,40
{case},enrolment,once,40
{case},completion_rate,2026,30
"""


async def play_reviews(terminal: Terminal) -> None:
    for policy in reviews().values():
        add_framework(terminal.engine.database, policy, START)
    case_id = await published_with_reviews(terminal.engine, "reviewed")
    moved = await terminal.ask(f'reviews move {case_id} {OFFICE} --on 2027-02-01 --reason "The law has changed."')
    assert moved["due_at"].startswith("2027-01-31")
    await terminal.run(f"reviews move {case_id} {OFFICE} --on 2040-02-01 --reason Later", 1)
    file = terminal.home / "figures.csv"
    file.write_text(FIGURES.format(case=case_id), encoding="utf-8")
    assert "2 would be added" in await terminal.run(f"indicators import {file} {OFFICE} --preview")
    taken = await terminal.ask(f"indicators import {file} {OFFICE}")
    assert (taken["added"], len(taken["rejected"]), taken["reviews"]) == (2, 1, [f"{case_id}-r1"])
    await terminal.ask(f"indicators list {case_id}")
    [line] = [line for line in (await terminal.ask("reviews"))["reviews"] if line["case_id"] == case_id]
    assert line["open_review"] == f"{case_id}-r1"
    assert "The completion rate".lower() in (await terminal.run("reviews")).lower()
    await terminal.run(f"reviews call {case_id} {OFFICE} --reason Again", 1)
    await terminal.ask("reviews run")
    assert "0 called" in await terminal.run("reviews run --as-of 2026-12-01")
    other = await published_with_reviews(terminal.engine, "called")
    await terminal.ask(f'reviews call {other} {OFFICE} --reason "A complaint."')
    task = terminal.engine.tasks(f"{other}-r1", "peers")[0]
    verdict = f"decide {task.task_id} --verdict retire --as {task.assignee} --comment Enough."
    await terminal.run(f"{verdict} --teach-out yesterday", 2)
    await terminal.run(f"{verdict} --teach-out 2030-01-01")
