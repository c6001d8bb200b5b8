"""Behaviours of the running engine, each told once: played by the tests, and recorded as frozen histories.

A story acts on an :class:`~tests.engine.Engine` and answers the case that it leaves behind.
"""

import datetime as dt
from collections.abc import Awaitable, Callable

from imprimatur.errors import ProposalIncomplete
from imprimatur.frameworks.loader import shipped
from imprimatur.store.frameworks import add_framework
from imprimatur.store.people import import_people
from models.framework import Framework
from models.proposal import Proposal
from models.vocabulary import CaseStatus
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, example
from tests.lost_worker import Lost, approval

Story = Callable[[Engine], Awaitable[str]]
STORIES: dict[str, Story] = {}
DIRECTOR = "dora.director@example.edu"
WHY = "The assessment does not show each outcome."
REASON = "The school has other plans."
VETO = "veto-credit"


def story(told: Story) -> Story:
    STORIES[told.__name__] = told
    return told


async def begun(engine: Engine, name: str, proposal: Proposal | str, framework: str | None = None) -> str:
    case_id = engine.case_id(name)
    await engine.submit(proposal, framework, case_id)
    return case_id


async def approved(engine: Engine, case_id: str, *stages: str) -> None:
    for stage in stages:
        await engine.decide(case_id, stage)


async def approved_by_all(engine: Engine, case_id: str) -> None:
    while engine.show(case_id).status is CaseStatus.IN_REVIEW:
        await engine.answer(engine.tasks(case_id)[0])


@story
async def industry_published(engine: Engine) -> str:
    case_id = await begun(engine, "industry_published", "industry-credit")
    await approved(engine, case_id, "proposal", "quality", "industry", "quality")
    return case_id


@story
async def coursework_published(engine: Engine) -> str:
    case_id = await begun(engine, "coursework_published", "coursework-credit")
    await approved(engine, case_id, "proposal", "industry", "quality", "quality")
    return case_id


@story
async def noncredit_published(engine: Engine) -> str:
    case_id = await begun(engine, "noncredit_published", "non-credit")
    await approved(engine, case_id, "proposal", "quality", "industry")
    return case_id


@story
async def optional_stage_skipped(engine: Engine) -> str:
    alone = example("non-credit").model_copy(update={"partners": ()})
    case_id = await begun(engine, "optional_stage_skipped", alone)
    await approved(engine, case_id, "proposal", "quality")
    return case_id


@story
async def revised_then_published(engine: Engine) -> str:
    """The first look at the proposal outlives the revision, the partner's sign-off does not."""
    case_id = await begun(engine, "revised_then_published", "industry-credit")
    await approved(engine, case_id, "proposal", "industry")
    for _ in range(2):
        await engine.decide(case_id, "quality", "request_changes", WHY)
    await engine.gateway.revise(case_id, example("industry-credit.revised"), actor=PROPOSER)
    await approved(engine, case_id, "quality", "quality", "industry")
    return case_id


@story
async def rejected(engine: Engine) -> str:
    case_id = await begun(engine, "rejected", "coursework-credit")
    await approved(engine, case_id, "proposal", "industry")
    for _ in range(2):
        await engine.decide(case_id, "quality", "reject", WHY)
    return case_id


@story
async def withdrawn_by_proposer(engine: Engine) -> str:
    case_id = await begun(engine, "withdrawn_by_proposer", "industry-credit")
    await approved(engine, case_id, "proposal")
    await engine.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON)
    return case_id


@story
async def withdrawn_by_office(engine: Engine) -> str:
    """While the proposer was to revise."""
    case_id = await begun(engine, "withdrawn_by_office", "non-credit")
    await engine.decide(case_id, "proposal", "request_changes", WHY)
    await engine.gateway.withdraw(case_id, actor=OFFICE, reason=REASON)
    return case_id


@story
async def incomplete_then_completed(engine: Engine) -> str:
    whole = example("industry-credit")
    case_id = engine.case_id("incomplete_then_completed")
    for update in ({"summary": None, "level": None, "partners": ()}, {"level": None}):
        lacking = whole.model_copy(update=update)
        try:
            if "summary" in update:
                await engine.submit(lacking, case_id=case_id)
            else:
                await engine.gateway.revise(case_id, lacking, actor=PROPOSER)
        except ProposalIncomplete:
            continue
    await engine.gateway.revise(case_id, whole, actor=PROPOSER)
    await approved(engine, case_id, "proposal")
    return case_id


@story
async def breached_and_escalated(engine: Engine) -> str:
    """A reminder, the breach, and whoever it was escalated to decides."""
    case_id = await begun(engine, "breached_and_escalated", "industry-credit")
    for _ in range(2):
        await engine.next_deadline(case_id)
    [asked] = [task for task in engine.tasks(case_id) if task.assignee == DIRECTOR]
    await engine.answer(asked)
    return case_id


@story
async def case_breached(engine: Engine) -> str:
    """Everything that can fall due in a case does."""
    case_id = await begun(engine, "case_breached", "coursework-credit")
    due_at = engine.show(case_id).due_at
    assert due_at is not None
    await engine.until(case_id, due_at)
    return case_id


@story
async def clock_stopped_while_revising(engine: Engine) -> str:
    """The timer of a case that waits for its proposer rings, and nothing is late."""
    case_id = await begun(engine, "clock_stopped_while_revising", "non-credit")
    due_at = engine.show(case_id).due_at
    assert due_at is not None
    for _ in range(2):
        await engine.next_deadline(case_id)
    while engine.show(case_id).status is CaseStatus.IN_REVIEW:
        await engine.decide(case_id, "proposal", "request_changes", WHY)
    await engine.until(case_id, due_at + dt.timedelta(days=30))
    changed = example("non-credit").model_copy(update={"summary": "Said better."})
    await engine.gateway.revise(case_id, changed, actor=PROPOSER)
    await approved_by_all(engine, case_id)
    return case_id


@story
async def role_filled_later(engine: Engine) -> str:
    """Nobody can check the proposal and nobody holds the role it escalates to, until someone does."""
    people(engine, "omar.office@example.edu,Omar,governance_office,no", "lena.office@example.edu,Lena,,no")
    people(engine, f"{DIRECTOR},Dora,academic_director,no")
    case_id = await begun(engine, "role_filled_later", "non-credit")
    await engine.next_deadline(case_id)
    people(engine, f"{DIRECTOR},Dora,academic_director,yes")
    for _ in range(2):
        await engine.next_deadline(case_id)
    await approved_by_all(engine, case_id)
    return case_id


@story
async def deadlocked_then_cast(engine: Engine) -> str:
    """All abstain; the escalation has the casting vote."""
    case_id = await begun(engine, "deadlocked_then_cast", "coursework-credit")
    await approved(engine, case_id, "proposal")
    for _ in range(3):
        await engine.decide(case_id, "quality", "abstain")
    await approved(engine, case_id, "quality", "industry")
    return case_id


@story
async def vetoed(engine: Engine) -> str:
    add_framework(engine.database, veto_framework(), dt.datetime.now(dt.UTC))
    case_id = await begun(engine, "vetoed", "industry-credit", VETO)
    await approved(engine, case_id, "proposal", "quality")
    await engine.decide(case_id, "quality", "reject", WHY)
    return case_id


@story
async def continued_as_new(engine: Engine) -> str:
    """Sent back so often that the history is cut, with a task open and a deadline ahead; then it falls due."""
    case_id = await begun(engine, "continued_as_new", "non-credit")
    for number in range(5):
        await engine.decide(case_id, "proposal", "request_changes", WHY)
        changed = example("non-credit").model_copy(update={"summary": f"Said better, {number}."})
        await engine.gateway.revise(case_id, changed, actor=PROPOSER)
    for _ in range(2):
        await engine.next_deadline(case_id)
    await approved_by_all(engine, case_id)
    return case_id


@story
async def behind_its_ledger(engine: Engine) -> str:
    """Workers died after their commits: the case is asked about a task that it has not heard of, then overtaken."""
    case_id = await begun(engine, "behind_its_ledger", "coursework-credit")
    lost = await Lost.worker(engine, case_id)
    lost.remind()
    lost.commit(approval(engine, engine.tasks(case_id)[0]))
    await approved(engine, case_id, "quality")
    (await Lost.worker(engine, case_id)).commit(approval(engine, engine.tasks(case_id, "industry")[0]))
    await approved(engine, case_id, "quality")
    return case_id


def veto_framework() -> Framework:
    """Every quality reviewer has a veto."""
    policy = shipped()["industry-credit"]
    stages = tuple(
        stage.model_copy(update={"voting": stage.voting.model_copy(update={"veto": ("quality_reviewer",)})})
        if stage.voting is not None and stage.id == "quality"
        else stage
        for stage in policy.stages
    )
    return policy.model_copy(update={"id": VETO, "stages": stages})


def people(engine: Engine, *lines: str) -> None:
    """Changes the directory."""
    file = engine.folder / "people.csv"
    file.write_text("\n".join(("email,name,roles,active", *lines)) + "\n", encoding="utf-8")
    found = import_people(engine.database, file)
    assert not found.rejected, found.rejected
