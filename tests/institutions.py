"""Institutions as their frameworks want them: who is there, what is proposed, and a case in motion; for tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imprimatur.frameworks.loader import institutions
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.people import import_people
from models.proposal import Assessment, Attachment, Delivery, Level, Partner, Price, Proposal, Stackability
from models.vocabulary import CaseStatus, MailKind, StageKind, StageStatus, Verdict
from tests.facts import PROPOSER, START, Play, example, furnish
from tests.governed import mails, show

DESIGN, BUSINESS, SUCCESS = "School of Digital Design", "School of Business", "Student Success"
ELSEWHERE = "School of Health"
# How many hold a role, and in which unit where the framework asks the proposal's own.
HOLDERS: dict[str, tuple[int, str]] = {
    "industry_body": (1, ""),
    "qualifications_authority": (1, ""),
    "faculty_body": (1, SUCCESS),
    "undergraduate_council": (3, ""),
    "graduate_council": (3, ""),
    "health_council": (3, ""),
    "provost": (1, ""),
    "senator": (4, ""),
    "senate_chair": (1, ""),
    "curriculum_office": (1, ""),
    "unit_head": (1, SUCCESS),
    "badging_secretary": (1, ""),
    "badging_committee": (3, ""),
    "lifelong_learning": (1, ""),
    "faculty_board": (1, BUSINESS),
    "non_award_subcommittee": (5, ""),
    "deputy_vice_chancellor": (1, ""),
    "committee_secretary": (1, ""),
    "academic_board": (2, ""),
    "micro_credentials_office": (1, ""),
    "department_chair": (1, BUSINESS),
    "dean": (1, BUSINESS),
    "review_committee": (5, ""),
    "faculty": (1, SUCCESS),
    "extended_learning": (1, ""),
    "senate_clerk": (1, ""),
}
WHY = "It needs another look."
TEMPLATE = Attachment(name="template.pdf", sha256="0" * 64)

_NON_CREDIT = example("non-credit").model_copy(update={"partners": ()})
_COURSEWORK = example("coursework-credit")
PROPOSALS: dict[str, Proposal] = {
    "nzqa": example("industry-credit"),
    "kentucky": _NON_CREDIT.model_copy(
        update={
            "field_of_study": "Business and administration",
            "level": Level(framework="Kentucky", value="undergraduate"),
        }
    ),
    "msu-denver": _NON_CREDIT,
    "sydney": _COURSEWORK.model_copy(
        update={"demand_evidence": "Twelve firms want it; sixty learners cover the cost."}
    ),
    "acu": _COURSEWORK.model_copy(
        update={
            "attachments": (TEMPLATE,),
            "demand_evidence": "The diocese asks for it, and forty learners cover the cost.",
            "price": Price.model_validate({"amount": "900.00", "currency": "AUD"}),
            "quality_assurance": "Reviewed each year by the school.",
            "stackability": Stackability(stackable=True, towards=("Graduate Certificate in Business",)),
            "delivery": Delivery.model_validate({"location": "North Sydney", "starts_on": "2027-02-01"}),
        }
    ),
    "buffalo": _COURSEWORK,
    "ubc": _NON_CREDIT,
}
ANOTHER_ASSESSMENT = Assessment(description="A portfolio, defended before two assessors.")
PRICE = Price.model_validate({"amount": "650.00", "currency": "CAD"})
PARTNER = Partner(organisation="UBC Extended Learning")


def person(role: str, number: int = 1) -> str:
    return f"{role.replace('_', '-')}-{number}@example.edu"


def settle_in(database: Database, folder: Path) -> None:
    """All frameworks of institutions, and everybody whom they ask; deans and heads of another unit as well."""
    for policy in institutions().values():
        add_framework(database, policy, START)
    file = folder / "institutions.csv"
    file.write_text("\n".join(["email,name,roles,units", *_lines()]), encoding="utf-8")
    assert import_people(database, file).rejected == []


def _lines() -> Iterator[str]:
    for role, (number, unit) in HOLDERS.items():
        for one in range(1, number + 1):
            yield f"{person(role, one)},{role} {one},{role},{unit}"
        if unit:
            yield f"{person(role, number + 1)},{role} elsewhere,{role},{ELSEWHERE}"


def proposal(name: str, **change: Any) -> Proposal:
    return PROPOSALS[name].model_copy(update=change)


def begun(database: Database, folder: Path, name: str, **change: Any) -> Play:
    """A case under the framework of an institution, with a complete proposal unless the change spoils it."""
    furnish(database)
    settle_in(database, folder)
    play = Play(database, folder, institutions()[name])
    play.submit(proposal(name, **change))
    return play


def answer(play: Play, stage: str, verdict: Verdict | None = None) -> None:
    """By the first who is asked; in favour, unless a verdict is given, and with full marks where scores are needed."""
    definition = play.framework.stage(stage)
    in_favour = Verdict.ENDORSE if definition.kind is StageKind.ENDORSEMENT else Verdict.APPROVE
    scores: dict[str, Any] = {found.id: found.scale.maximum for found in definition.criteria if found.required}
    play.decide(stage, verdict or in_favour, WHY if verdict else "", **scores)


def wait_for(play: Play, stage: str) -> None:
    """Until the window of a stage opens, or its committee sits."""
    state = play.state.stages[stage]
    for instant in (state.opens_at, state.sits_at):
        if instant is not None:
            play.pass_time(instant - play.now)


def passed(play: Play, *stages: str) -> None:
    """Answered in favour by as many as it takes, each stage when it can be."""
    for stage in stages:
        wait_for(play, stage)
        while play.state.stages[stage].status is StageStatus.OPEN:
            answer(play, stage)


def until_due(play: Play, stage: str) -> None:
    due_at = play.state.stages[stage].due_at
    assert due_at is not None
    play.pass_time(due_at - play.now)


def outcomes(play: Play) -> dict[str, str | None]:
    return {stage.id: stage.outcome for stage in play.state.stages.values()}


def assert_published(play: Play) -> None:
    """Whole, told by the ledger as it is, and the proposer hears of it."""
    assert show(play).status == play.state.status == CaseStatus.PUBLISHED
    assert mails(play, MailKind.OUTCOME) == [PROPOSER]
