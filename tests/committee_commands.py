"""All verbs of committees, as a secretary runs them; for tests."""

import datetime as dt
import json

from imprimatur.store.frameworks import add_framework
from tests.facts import OFFICE, PROPOSER, example
from tests.governed import framework_of
from tests.meetings import BOARD, SECRETARY, boards, sitting
from tests.people_commands import Terminal

DAY = dt.timedelta(days=1)
RECORD = """\
committee: {committee}
held_on: {held_on}
present: [Ada Byron, Tom Ngata]
apologies: [Rita Ojo]
remarks: Short.
items:
  - {{case: {first}, verdict: approve, votes: {{in_favour: 7, against: 1}}, comment: Well made.}}
  - {{case: {second}, {result}}}
"""


async def play_committees(terminal: Terminal) -> None:
    """Three items: one is decided, one cannot be yet, one is put off."""
    running = terminal.engine
    today = dt.datetime.now(dt.UTC).date()
    first_on, second_on = today + 7 * DAY, today + 14 * DAY
    dates = {"dates": [first_on.isoformat(), second_on.isoformat()], "at": "12:00"}
    policy = framework_of(sitting(), framework_id="boarded", committees=boards(sittings=dates, cut_off=None))
    add_framework(running.database, policy, dt.datetime.now(dt.UTC))
    cases = []
    for _ in range(2):
        answer = await running.gateway.submit(example("industry-credit"), proposer=PROPOSER, framework_id="boarded")
        cases.append(answer.case_id)
    first, second = cases
    await terminal.ask("committee list")
    assert f"{first_on}" in await terminal.run("committee list")
    agenda = await terminal.ask(f"committee agenda {BOARD} --on {first_on}")
    assert [item["case_id"] for item in agenda["items"]] == sorted(cases, key=cases.index)
    assert second in await terminal.run(f"committee agenda {BOARD}")
    assert "on the agenda of curriculum_board" in " ".join((await terminal.run(f"show {first}")).split())
    for line, code, status in (
        ("committee agenda senate", "committee_not_found", 1),
        (f"committee agenda {BOARD} --on {today + 9 * DAY}", "sitting_unknown", 2),
        (f"committee agenda {BOARD} --format docx", "format_unknown", 2),
        (f"committee agenda {BOARD} --format pdf", "file_required", 2),
        (f"committee move {second} --stage board --to {today} --as {OFFICE} --reason No", "sitting_unknown", 2),
    ):
        assert json.loads(await terminal.run(f"{line} --json", status))["error"]["code"] == code
    record = terminal.home / "sitting.yaml"
    facts = {"committee": BOARD, "held_on": first_on, "first": first, "second": second}
    record.write_text(RECORD.format(**facts, result=f"defer_to: {second_on}, reason: Not reached"), encoding="utf-8")
    early = await terminal.ask(f"committee record {record} --as {SECRETARY} --preview")
    assert [item["result"] for item in early["items"]] == ["would be recorded", "would be deferred"]
    for case_id in cases:
        await terminal.run(f"forward {case_id} 7d")
    recorded = await terminal.ask(f"committee record {record} --as {SECRETARY}")
    assert [(item["result"], item["code"]) for item in recorded["items"]] == [("recorded", None), ("deferred", None)]
    assert running.outcomes(first)["board"] == "approved"
    minutes = await terminal.ask(f"committee minutes {BOARD} --on {first_on}")
    assert minutes["present"] == ["Ada Byron", "Tom Ngata"]
    [item] = minutes["items"]
    assert item["answers"][0]["comment"] == "7 in favour, 1 against, 0 abstained. Well made"
    assert [moved["case_id"] for moved in minutes["moved"]] == [second]
    told = " ".join((await terminal.run(f"committee minutes {BOARD} --on {first_on}")).split())
    assert "Present: Ada Byron, Tom Ngata; apologies: Rita Ojo" in told and "Short." in told
    await terminal.run(f"committee minutes {BOARD} --on {first_on} --format pdf --out {terminal.home / 'm.pdf'}")
    assert (terminal.home / "m.pdf").read_bytes().startswith(b"%PDF-")
    assert "<h1>Agenda: Curriculum Board</h1>" in await terminal.run(f"committee agenda {BOARD} --format html")
    again = await terminal.run(f"committee record {record} --as {OFFICE} --json", 1)
    assert [item["code"] for item in json.loads(again)["items"]] == ["not_your_task"]
    await terminal.ask(f"committee move {second} --stage board --to {second_on} --as {OFFICE} --reason Sure")
