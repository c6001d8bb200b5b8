"""All verbs of hand-overs, as the governance office runs them; for tests."""

from imprimatur.frameworks.loader import handovers
from imprimatur.store.frameworks import add_framework
from imprimatur.store.handovers import end
from models.messages import HandoverEnd
from tests.facts import START
from tests.handover_stories import handed_over, published_and_due
from tests.people_commands import Terminal

OFFICE = "--as omar.office@example.edu"


async def play_handovers(terminal: Terminal) -> None:
    engine = terminal.engine
    for policy in handovers().values():
        add_framework(engine.database, policy, START)
    credential, handover = await handed_over(engine, "handed")
    [line] = (await terminal.ask("handover list"))["handovers"]
    assert (line["handover_case"], line["outcome"]) == (handover, None)
    await terminal.run(f"handover again {credential} {OFFICE} --reason Again", 1)
    await engine.answer(engine.tasks(handover)[0], "send_back", "There is no room in March.")
    assert "There is no room in March." in await terminal.run(f"handover show {credential}")
    package = await terminal.ask(f"handover show {credential} --package")
    assert package["package"]["handover"]["case_id"] == handover
    again = await terminal.ask(f'handover again {credential} {OFFICE} --reason "There is one now."')
    assert [view["number"] for view in again["handovers"]] == [2]
    assert len((await terminal.ask(f"handover show {credential}"))["handovers"]) == 2
    await terminal.run(f"handover retry {credential} {OFFICE}", 1)
    other = await published_and_due(engine, "failed")
    end(engine.database, HandoverEnd(handover=f"{other}-h1", failed="lms", reason="410 Gone"))
    assert (await terminal.ask(f"handover retry {other} {OFFICE}"))["handovers"][0]["status"] == "queued"
