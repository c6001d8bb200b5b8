"""Who may do which act of the office, and when: the table of refusals, and what is let through."""

import datetime as dt
from typing import Any, get_args

import pytest

from imprimatur import errors
from imprimatur.rules.admission import refusal
from models.calendars import BusinessDuration
from models.case import CaseState, ProposedAct, StageState, TaskState
from models.commit import Resolution, WrittenStep
from models.events import (
    Act,
    ActConfirmed,
    ActProposed,
    Annulled,
    Decided,
    DeskAct,
    Extended,
    Held,
    Nudged,
    PassedOn,
    Placed,
    ProposerReaddressed,
    Resumed,
    SentBack,
    Withdrawn,
)
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    OfficeAct,
    StageOutcome,
    StageStatus,
    TaskStatus,
    Verdict,
)

PROPOSER, OFFICE, SECOND, REVIEWER, OTHER = (
    f"{name}@example.edu" for name in ("ana", "omar", "lena", "quinn", "sam")
)  # fmt: skip
NEWCOMER = "new@example.edu"
AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
OPEN, CLOSED, WAITING = StageStatus.OPEN, StageStatus.CLOSED, StageStatus.WAITING


def task(name: str, stage: str, person: str, **facts: Any) -> TaskState:
    return TaskState(id=name, stage=stage, round=1, assignee=person, reason=AssignmentReason.ROLE, **facts)


def case(status: CaseStatus = CaseStatus.IN_REVIEW) -> CaseState:
    """Quality is open in its first round; one has decided, one has not, one was asked and need not answer."""
    stages = {
        "check": StageState(id="check", status=CLOSED, round=1, outcome=StageOutcome.APPROVED),
        "quality": StageState(id="quality", status=OPEN, round=1),
        "board": StageState(id="board", status=WAITING),
    }
    tasks = [
        task("t-check", "check", OFFICE, status=TaskStatus.DECIDED, verdict=Verdict.APPROVE),
        task("t-open", "quality", REVIEWER),
        task("t-decided", "quality", OTHER, status=TaskStatus.DECIDED, verdict=Verdict.APPROVE),
        task("t-closed", "quality", "left@example.edu", status=TaskStatus.CLOSED),
    ]
    act = {"act": OfficeAct.SKIP, "actor": OFFICE, "reason": "why", "outcome": StageOutcome.SKIPPED}
    proposed = [
        ProposedAct(id="a-now", stage="quality", round=1, **act),
        ProposedAct(id="a-round", stage="quality", round=0, **act),
        ProposedAct(id="a-past", stage="check", round=1, **act),
    ]
    return CaseState(
        case_id="mc-1",
        status=status,
        proposer=PROPOSER,
        stages=stages,
        tasks={item.id: item for item in tasks},
        proposed={item.id: item for item in proposed},
    )


FACTS: dict[type[Any], dict[str, Any]] = {
    Withdrawn: {"reason": "why"},
    Held: {"reason": "why"},
    Resumed: {"reason": "why"},
    Extended: {"stage": "quality", "by": BusinessDuration(business_days=1), "reason": "why"},
    ActProposed: {
        "act_id": "a-2",
        "act": OfficeAct.OVERRIDE,
        "stage": "quality",
        "outcome": StageOutcome.APPROVED,
        "reason": "why",
    },
    ActConfirmed: {"act_id": "a-now"},
    SentBack: {"stage": "check", "reason": "why"},
    PassedOn: {"task_id": "t-open", "to": NEWCOMER, "reason": "why"},
    Nudged: {},
    Placed: {"stage": "quality", "on": dt.date(2026, 6, 10), "reason": "why"},
    Annulled: {"task_id": "t-decided", "reason": "why"},
    ProposerReaddressed: {"to": NEWCOMER},
}
ACTS = [kind for kind in FACTS if kind is not Withdrawn]


def act(kind: type[Any], actor: str = SECOND, by_office: bool = True, **change: Any) -> Act:
    found: Act = kind(**{"actor": actor, "by_office": by_office} | FACTS[kind] | change)
    return found


def status_of(kind: type[Any]) -> CaseStatus:
    return CaseStatus.ON_HOLD if kind is Resumed else CaseStatus.IN_REVIEW


HELD, REVISING = case(CaseStatus.ON_HOLD), case(CaseStatus.REVISING)
IN_REVIEW_ONLY = [kind for kind in ACTS if kind not in (Resumed, PassedOn, ProposerReaddressed)]
WITH_REASON = [kind for kind in ACTS if kind not in (ActConfirmed, Nudged, PassedOn, ProposerReaddressed)]
SKIP: dict[str, Any] = {"act": OfficeAct.SKIP}
REFUSED: list[tuple[CaseState, Any, str, str]] = [
    *((case(status), act(kind), "Gone", "case_closed") for kind in ACTS for status in CaseStatus if status.is_final),
    *((case(status_of(k)), act(k, by_office=False), "NotAllowed", "not_the_office") for k in ACTS if k is not PassedOn),
    *((case(status_of(kind)), act(kind, reason=" \n"), "Refused", "reason_required") for kind in WITH_REASON),
    *((HELD, act(kind), "Refused", "case_on_hold") for kind in IN_REVIEW_ONLY),
    *((REVISING, act(kind), "Refused", "case_not_in_review") for kind in IN_REVIEW_ONLY),
    *((case(status), act(Resumed), "Refused", "case_not_on_hold") for status in (case().status, REVISING.status)),
    *((case(), act(kind, stage="qualtiy"), "NotFound", "stage_unknown") for kind in (Extended, ActProposed, SentBack)),
    (case(), act(Nudged, stage="qualtiy"), "NotFound", "stage_unknown"),
    *((case(), act(kind, stage="check"), "Refused", "stage_not_open") for kind in (Extended, ActProposed, Nudged)),
    *((case(), act(kind, stage="board"), "Refused", "stage_not_open") for kind in (Extended, ActProposed, Nudged)),
    (case(), act(SentBack, stage="board"), "Refused", "stage_not_reached"),
    *(
        (case(), act(ActProposed, outcome=outcome), "Refused", "outcome_not_offered")
        for outcome in StageOutcome
        if outcome not in (StageOutcome.APPROVED, StageOutcome.REJECTED)
    ),
    (case(), act(ActProposed, **SKIP), "Refused", "outcome_not_offered"),
    (case(), act(ActProposed, PROPOSER), "NotAllowed", "own_proposal"),
    (case(), act(ActConfirmed, PROPOSER), "NotAllowed", "own_proposal"),
    (case(), act(ActConfirmed, act_id="a-none"), "NotFound", "act_unknown"),
    (case(), act(ActConfirmed, OFFICE), "NotAllowed", "second_person_required"),
    (case(), act(ActConfirmed, act_id="a-round"), "Gone", "act_overtaken"),
    (case(), act(ActConfirmed, act_id="a-past"), "Gone", "act_overtaken"),
    (case(), act(Annulled, task_id="t-none"), "NotFound", "task_unknown"),
    (case(), act(Annulled, task_id="t-open"), "Refused", "task_not_decided"),
    (case(), act(Annulled, task_id="t-closed"), "Refused", "task_not_decided"),
    (case(), act(Annulled, task_id="t-check"), "Refused", "stage_not_open"),
    (case(), act(PassedOn, task_id="t-none"), "NotFound", "task_unknown"),
    (case(), act(PassedOn, task_id="t-decided"), "Gone", "task_closed"),
    (case(), act(PassedOn, task_id="t-closed"), "Gone", "task_closed"),
    (case(), act(PassedOn, OTHER, by_office=False), "NotAllowed", "not_your_task"),
    (case(), act(PassedOn, reason=""), "Refused", "reason_required"),
    (case(), act(PassedOn, to=PROPOSER), "NotAllowed", "own_proposal"),
    *((case(), act(PassedOn, to=to), "Refused", "already_asked") for to in (REVIEWER, OTHER, "left@example.edu")),
    (HELD, Decided(decision_id="d", task_id="t-open", actor=REVIEWER, verdict="approve"), "Refused", "case_on_hold"),
    # What is over is over, on hold or not; and nobody learns from a hold whose task it is.
    (HELD, Decided(decision_id="d", task_id="t-decided", actor=OTHER, verdict="reject"), "Gone", "already_decided"),
    (HELD, Decided(decision_id="d", task_id="t-open", actor=OTHER, verdict="reject"), "NotAllowed", "not_your_task"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "event", "kind", "code"), REFUSED)
def test_what_is_refused_and_why(state: CaseState, event: Any, kind: str, code: str) -> None:
    found = refusal(state, event)
    assert found is not None
    assert (found.kind, found.code) == (kind, code)
    assert found.message.endswith(".") and found.hint.endswith(".")
    assert errors.error_class(found.kind).__name__ == kind


@pytest.mark.parametrize(
    ("state", "event"),
    [
        *((case(status_of(kind)), act(kind)) for kind in ACTS),
        (case(), act(Nudged, stage="quality")),
        (case(), act(SentBack, stage="quality")),
        (case(), act(ActProposed, outcome=StageOutcome.REJECTED)),
        (case(), act(ActProposed, outcome=StageOutcome.SKIPPED, **SKIP)),
        # A task's holder needs no reason and no office, also while the case is on hold.
        *((state, act(PassedOn, REVIEWER, by_office=False, reason="")) for state in (case(), HELD, REVISING)),
        (case(), act(PassedOn, REVIEWER, reason="")),
        (HELD, act(Withdrawn)),
    ],
)
def test_what_is_admitted(state: CaseState, event: Any) -> None:
    assert refusal(state, event) is None


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_an_act_comes_back_from_what_is_kept_of_its_step(kind: type[Any]) -> None:
    """A worker that died after the commit leaves it to the next one to carry the act out again."""
    written = WrittenStep(event=act(kind), at=AT, resolution=Resolution(position=1, ledger_digest="0"))
    assert WrittenStep.model_validate_json(written.model_dump_json(exclude_unset=True)) == written


def test_every_act_is_in_the_table() -> None:
    [union, _] = get_args(Act)
    assert set(FACTS) == set(get_args(union)) - set(get_args(DeskAct))
    assert {type(event) for _, event, _, _ in REFUSED} >= set(ACTS)
