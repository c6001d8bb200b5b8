"""What examples of mail are made of: one case, its people, and its documents."""

import datetime as dt
from typing import Any

from imprimatur.frameworks.loader import handovers, shipped
from imprimatur.mail.context import MailContext
from imprimatur.mail.links import Links
from imprimatur.rules.delta import FieldChange, Piece
from imprimatur.store.baselines import Baseline
from imprimatur.store.conditions import ConditionView
from imprimatur.store.outbox import Mail
from models.framework import Framework, StageDef
from models.meetings import CommitteeDef, Sittings
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, TaskRow
from models.vocabulary import AssignmentReason, CaseStatus, ConditionStatus, MailKind, TaskStatus, Verdict

LINKS = Links(["for examples only, nothing is signed with it"], "https://credentials.example.edu")
CASE, TASK = "mc-example2345", "t-examplexample234"
PROPOSER, REVIEWER, OFFICE = "ana.silva@example.edu", "quinn.abara@example.edu", "lena.virtanen@example.edu"
AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DUE = dt.datetime(2026, 3, 5, 19, 30, tzinfo=dt.UTC)
SLUG = "battery-systems-for-electric-vehicles-example2345"
PROPOSAL = Proposal.model_validate(
    {
        "title": "Battery Systems for Electric Vehicles",
        "summary": "Learners plan, test and document the battery system of a light vehicle, from the requirements of "
        "its use to a safe handover. It was developed with two manufacturers of the region.",
        "provider": "Example University",
        "unit": "School of Engineering",
        "learning_outcomes": [
            "Choose cells and a topology for a given use, and justify the choice.",
            "Test a battery system according to a plan, and judge what the results say about its safety.",
            "Document a battery system so that others can maintain and recycle it.",
        ],
        "workload": {"hours": 75, "credits": 2.5},
        "level": {"framework": "EQF", "value": "6"},
        "partners": [
            {"organisation": "Harbour Mobility Ltd", "contact_email": "mere.tane@harbour.example"},
            {"organisation": "Fieldnote Cells GmbH"},
        ],
    }
)


def row_of(table: Any, **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = table(**values).model_dump()
    return found


def framework_of() -> Framework:
    sittings = Sittings(dates=(dt.date(2026, 3, 6),), at=dt.time(8, 30))
    committee = CommitteeDef(name="Curriculum Board", calendar="campus", sittings=sittings)
    return shipped()["industry-credit"].model_copy(update={"committees": {"board": committee}})


def stage_of(**changes: Any) -> StageDef:
    found = next(stage for stage in framework_of().stages if stage.id == "quality")
    return found.model_copy(update=changes)


def case_of(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "case_id": CASE,
        "framework_id": "industry-credit",
        "framework_version": "1.0",
        "framework_digest": "",
        "title": PROPOSAL.title,
        "proposer": PROPOSER,
        "unit": PROPOSAL.unit,
        "status": str(CaseStatus.IN_REVIEW),
        "round": 1,
        "version": 1,
        "digest": "",
        "opened_at": AT,
        "updated_at": AT,
    }
    return row_of(CaseRow, **(values | changes))


def task_of(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "task_id": TASK,
        "case_id": CASE,
        "stage": "quality",
        "round": 1,
        "assignee": REVIEWER,
        "assignee_name": "Quinn Abara",
        "reason": str(AssignmentReason.ROLE),
        "role": "quality_reviewer",
        "status": str(TaskStatus.OPEN),
        "opened_at": AT,
        "due_at": DUE,
    }
    return row_of(TaskRow, **(values | changes))


def mail_of(
    of: MailKind, /, *, to: str = REVIEWER, name: str = "Quinn Abara", about_task: bool = True, **data: Any
) -> Mail:
    return Mail("m-example", CASE, TASK if about_task else None, of, to, name, data, AT, 0)


def about_task(of: MailKind, /, *, stage: StageDef | None = None, task: Any = None, **data: Any) -> MailContext:
    return MailContext(
        mail=mail_of(of, **data),
        name="Quinn Abara",
        principal="",
        case=case_of(),
        framework=framework_of(),
        proposal=PROPOSAL,
        task=task or task_of(),
        stage=stage or stage_of(),
        decisions=(),
    )


def about_case(of: MailKind, /, *, office: bool = False, stage: bool = True, **data: Any) -> MailContext:
    to, name = (OFFICE, "Lena Virtanen") if office else (PROPOSER, "Ana Silva")
    return MailContext(
        mail=mail_of(of, to=to, name=name, about_task=False, **data),
        name=name,
        principal="",
        case=case_of(),
        framework=framework_of(),
        proposal=PROPOSAL,
        task=None,
        stage=stage_of() if stage else None,
        decisions=(),
    )


def decisions() -> tuple[dict[str, Any], ...]:
    said = [
        (
            Verdict.REQUEST_CHANGES,
            "The second outcome is not assessed.\n\nPlease say how the plan of the test is judged.",
        ),
        (Verdict.APPROVE, "Well thought out."),
    ]
    return tuple(
        row_of(
            DecisionRow,
            decision_id=f"d-{number}",
            task_id=f"t-{number}",
            case_id=CASE,
            stage="quality",
            round=1,
            actor=REVIEWER,
            verdict=str(verdict),
            comment=comment,
            digest="",
            channel="page",
            decided_at=AT,
            position=number,
            ledger_digest="",
            case_status="in_review",
        )
        | {"stage_name": "Quality review"}
        for number, (verdict, comment) in enumerate(said, 5)
    )


def baseline() -> Baseline:
    pieces = (
        Piece("same", "Test a battery system"),
        Piece("removed", "and report the results"),
        Piece("added", "according to a plan, and judge what the results say about its safety"),
    )
    added = (Piece("added", "A test is planned, carried out and defended before two examiners."),)
    changes = (FieldChange("learning_outcomes", (pieces,)), FieldChange("assessment.description", (added,)))
    return Baseline(1, changes, {"verdict": str(Verdict.APPROVE)})


def condition(number: int, due_at: dt.datetime | None) -> ConditionView:
    return ConditionView(
        condition_id=f"c-example-{number}",
        decision_id="d-6",
        stage="quality",
        round=1,
        text="Name the second examiner of the practical test.",
        owner=PROPOSER,
        set_by=REVIEWER,
        blocking=False,
        status=ConditionStatus.OPEN,
        due_at=due_at,
        due_reason=None,
        breached_at=None,
        evidence="",
        reason="",
        settled_by=None,
        settled_at=None,
    )


def handover_stage() -> StageDef:
    return handovers()["delivery-handover"].stages[0]


def package() -> dict[str, Any]:
    """What is handed over, with everything in it that a mail tells."""
    address = f"{LINKS.base_url}/catalogue/{SLUG}"
    return {
        "record": {"address": address},
        "ledger": {"events": 31, "head": "5e" * 32},
        "taught": {
            "mode": "blended",
            "assessment": {"description": "A battery system of the learner's own, tested before two examiners."},
            "delivery": {"starts_on": "2026-09-07"},
        },
        "partners": [
            {
                "organisation": "Harbour Mobility Ltd",
                "contacts": [{"name": "Mere Tane", "email": "mere.tane@harbour.example"}],
            },
            {"organisation": "Fieldnote Cells GmbH", "contacts": []},
        ],
        "conditions": [
            {
                "condition_id": "c-example-1",
                "text": "Name the second examiner of the practical test.",
                "owner": PROPOSER,
                "due_at": DUE.isoformat(),
            },
            {"condition_id": "c-example-2", "text": "Say who calls the test off.", "owner": PROPOSER, "due_at": None},
        ],
        "sent_back": [{"comment": "There is no room for the test in March."}],
    }
