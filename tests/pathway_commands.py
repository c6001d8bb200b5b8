"""Verbs of pathways and skills, each asked once, for the tests of their documentation."""

from models.proposal import Proposal
from tests.facts import PROPOSER, example
from tests.people_commands import Terminal

PATHWAY = """
id: {id}
title: {id}
kind: certificate
provider: Example University
description: Said.
url: https://www.example.edu/{id}
credits: 60
credit_system: ects
level: {{framework: EQF, value: "7"}}
lowest_level: "5"
most_stacked: 30
{links}
"""
PROPOSAL = """
title: Solder
workload: {credits: 5, credit_system: ects}
skills: [{framework: Trades, title: Solder pipes, code: T-1}]
"""
SKILLS = "code,title,alternatives,description\nT-1,Solder pipes,braze,Join pipes.\nT-2,,,\n"


async def play_pathways(terminal: Terminal) -> None:
    (terminal.home / "larger.yaml").write_text(PATHWAY.format(id="larger", links=""), encoding="utf-8")
    links = "counts_towards: [{pathway: larger, credits: 30}]"
    (terminal.home / "smaller.yaml").write_text(PATHWAY.format(id="smaller", links=links), encoding="utf-8")
    (terminal.home / "skills.csv").write_text(SKILLS, encoding="utf-8")
    (terminal.home / "solder.yaml").write_text(PROPOSAL, encoding="utf-8")
    await terminal.ask("pathway add larger.yaml")
    await terminal.ask("pathway add smaller.yaml")
    await terminal.ask("pathway list")
    running = terminal.engine
    claim = {"stackable": True, "claims": [{"pathway": "smaller", "credits": 5}]}
    proposal = Proposal.model_validate(example("industry-credit").model_dump() | {"stackability": claim})
    answer = await running.gateway.submit(proposal, proposer=PROPOSER, framework_id="industry-credit")
    while tasks := running.tasks(answer.case_id):
        await running.answer(tasks[0])
    shown = await terminal.ask("pathway show smaller")
    assert [member["case_id"] for member in shown["members"]] == [answer.case_id]
    assert answer.case_id in await terminal.run("pathway show smaller")
    await terminal.run("pathway remove smaller", 1)
    (terminal.home / "idle.yaml").write_text(PATHWAY.format(id="idle", links=""), encoding="utf-8")
    await terminal.run("pathway add idle.yaml")
    await terminal.ask("pathway remove idle")
    await terminal.ask("skills import Trades skills.csv --address https://skills.example.org/{code}")
    await terminal.ask("skills list")
    await terminal.ask("skills search solder")
    await terminal.ask("similar --file examples/industry-credit.yaml")
