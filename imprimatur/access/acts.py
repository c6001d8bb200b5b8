"""What somebody may do on a case, and for everything else why not. Pure.

The pages tell it before anything is tried; the case itself has the last word when an act arrives.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from imprimatur.access.published import CLOSED, UNPUBLISHED, Denial, Published, PublishedAct, denial_once_published
from imprimatur.access.viewer import Viewer
from models.vocabulary import CaseStatus, KeyScope


class CaseAct(StrEnum):
    """``read_names``: the history, and who reviews; others see roles in place of names."""

    READ = "read"
    READ_NAMES = "read_names"
    ANSWER = "answer"
    CLAIM = "claim"
    DELEGATE = "delegate"
    REVISE = "revise"
    WITHDRAW = "withdraw"
    HOLD = "hold"
    RESUME = "resume"
    EXTEND = "extend"
    SKIP = "skip"
    OVERRIDE = "override"
    CONFIRM = "confirm"
    SEND_BACK = "send_back"
    REASSIGN = "reassign"
    NUDGE = "nudge"
    ANNUL = "annul"
    MOVE_ITEM = "move_item"
    FULFIL = "fulfil"
    JUDGE = "judge"
    RETRACT = "retract"
    RETRY_PUBLICATION = "retry_publication"
    SCHEDULE_PUBLICATION = "schedule_publication"
    CALL_REVIEW = "call_review"
    MOVE_REVIEW = "move_review"
    HAND_OVER_AGAIN = "hand_over_again"
    RETRY_HANDOVER = "retry_handover"


@dataclass(frozen=True)
class CaseFacts:
    """What an act depends on. ``open_tasks`` and ``offered`` are the viewer's own; ``asked``: they ever had one.

    ``to_confirm``: acts of others that wait for a second person; ``own_to_confirm``: the viewer's own. ``reached``:
    some stage has been opened.
    ``waits_for_conditions``: everything is approved, and conditions hold up the publication.
    ``on_agenda``: open stages that a committee decides; of ``own_on_agenda`` the viewer records the decision.
    Of the conditions in force ``to_fulfil`` are the viewer's to see to; the others are ``to_judge``, of which the
    viewer has set ``own_to_judge``. ``published``: how its publication and its reviews stand.
    """

    status: CaseStatus
    proposer: str
    unit: str | None = None
    asked: bool = False
    open_tasks: int = 0
    offered: int = 0
    stage_open: bool = False
    reached: bool = False
    tasks_open: bool = False
    answered_in_open_stage: bool = False
    to_confirm: int = 0
    own_to_confirm: int = 0
    waits_for_conditions: bool = False
    on_agenda: int = 0
    own_on_agenda: int = 0
    to_fulfil: int = 0
    to_judge: int = 0
    own_to_judge: int = 0
    published: Published = UNPUBLISHED


OUTSIDE = Denial("case_outside_scope", "This case is none of those that you see.", hides=True)
NAMES_HIDDEN = Denial("names_hidden", "Who reviews is seen by the governance office and by auditors.")
NOT_THE_OFFICE = Denial("not_the_office", "Only the governance office can do this.")
NOT_YOUR_UNIT = Denial("not_your_unit", "You act for the office in cases of your own units only.")
READ_ONLY = Denial("read_only", "An auditor looks, and changes nothing.")
NOT_THE_PROPOSER = Denial("not_the_proposer", "Only the case's proposer can do this.")
ON_HOLD = Denial("case_on_hold", "The case is on hold.")
NOT_ON_HOLD = Denial("case_not_on_hold", "The case is not on hold.")
NOT_IN_REVIEW = Denial("case_not_in_review", "The case waits for its proposer.")
REVISION_NOT_REQUESTED = Denial("revision_not_requested", "The proposal is under review; nobody asked for changes.")
NO_TASK = Denial("no_task", "Nothing in this case waits for your answer.")
NOTHING_ON_OFFER = Denial("nothing_on_offer", "No task of this case is on offer to you.")
NO_OPEN_STAGE = Denial("no_open_stage", "No stage of the case is open.")
NO_OPEN_TASK = Denial("no_open_task", "No task of the case is open.")
NOT_REACHED = Denial("stage_not_reached", "No stage of the case has been reached yet.")
NOTHING_TO_CONFIRM = Denial("nothing_to_confirm", "No act waits for a second person.")
SECOND_PERSON = Denial("second_person_required", "Whoever proposed an act cannot confirm it as well.")
OWN_PROPOSAL = Denial("own_proposal", "Nobody decides about a proposal of their own.")
NO_ANSWER = Denial("no_answer_to_annul", "No open stage has an answer that could be annulled.")
NOT_ON_AN_AGENDA = Denial("not_on_an_agenda", "No open stage of the case is on a committee's agenda.")
NO_CONDITION = Denial("no_condition", "No condition of the case waits for you to fulfil it.")
NOTHING_TO_JUDGE = Denial("nothing_to_judge", "No condition of the case is yours to judge.")
SCOPE_MISSING = Denial("key_scope_missing", "The key was made without the scope that this needs.")

OFFICE_ACTS = frozenset(
    {
        CaseAct.HOLD,
        CaseAct.RESUME,
        CaseAct.EXTEND,
        CaseAct.SKIP,
        CaseAct.OVERRIDE,
        CaseAct.CONFIRM,
        CaseAct.SEND_BACK,
        CaseAct.REASSIGN,
        CaseAct.NUDGE,
        CaseAct.ANNUL,
    }
)
_JUDGING = frozenset({CaseAct.SKIP, CaseAct.OVERRIDE, CaseAct.CONFIRM, CaseAct.ANNUL})
_SCOPES = {
    CaseAct.READ: KeyScope.READ,
    CaseAct.READ_NAMES: KeyScope.READ,
    CaseAct.ANSWER: KeyScope.REVIEW,
    CaseAct.CLAIM: KeyScope.REVIEW,
    CaseAct.DELEGATE: KeyScope.REVIEW,
    CaseAct.FULFIL: KeyScope.REVIEW,
    CaseAct.JUDGE: KeyScope.REVIEW,
    CaseAct.REVISE: KeyScope.PROPOSE,
    CaseAct.WITHDRAW: KeyScope.PROPOSE,
}


def scope_of(act: CaseAct) -> KeyScope:
    """The scope that a key needs for an act."""
    return _SCOPES.get(act, KeyScope.OFFICE)


def acts_on(viewer: Viewer, case: CaseFacts) -> dict[CaseAct, Denial | None]:
    """Every act, in order: None where the viewer may do it, else why not. Outside their scope nothing is theirs."""
    return {act: denial(viewer, case, act) for act in CaseAct}


def denial(viewer: Viewer, case: CaseFacts, act: CaseAct) -> Denial | None:
    if not viewer.scope.holds(case.proposer, case.unit, (viewer.person,) if case.asked else ()):
        return OUTSIDE
    if not viewer.allows(scope_of(act)):
        return SCOPE_MISSING
    if act in OFFICE_ACTS:
        return _standing(viewer, case) or _office_act(viewer, case, act)
    return _OTHERS[act](viewer, case)


def _oversees_case(viewer: Viewer, case: CaseFacts) -> bool:
    """As office or auditor; being asked, or having proposed, lets somebody in as such only."""
    scope = viewer.scope
    return viewer.oversees and (scope.everything or case.unit in scope.units)


def _standing(viewer: Viewer, case: CaseFacts) -> Denial | None:
    if not viewer.is_office:
        return READ_ONLY if viewer.oversees else NOT_THE_OFFICE
    return None if _oversees_case(viewer, case) else NOT_YOUR_UNIT


def _office_act(viewer: Viewer, case: CaseFacts, act: CaseAct) -> Denial | None:
    if case.status.is_final:
        return CLOSED
    if act in _JUDGING and viewer.person == case.proposer:
        return OWN_PROPOSAL
    if act is CaseAct.RESUME:
        return None if case.status is CaseStatus.ON_HOLD else NOT_ON_HOLD
    if case.status is CaseStatus.ON_HOLD:
        # A task can be given to somebody else meanwhile.
        return (None if case.tasks_open else NO_OPEN_TASK) if act is CaseAct.REASSIGN else ON_HOLD
    if case.status is not CaseStatus.IN_REVIEW and act is not CaseAct.REASSIGN:
        return NOT_IN_REVIEW
    return _office_subject(viewer, case, act)


def _office_subject(viewer: Viewer, case: CaseFacts, act: CaseAct) -> Denial | None:
    match act:
        case CaseAct.EXTEND | CaseAct.SKIP | CaseAct.OVERRIDE:
            return None if case.stage_open else NO_OPEN_STAGE
        case CaseAct.REASSIGN | CaseAct.NUDGE:
            return None if case.tasks_open else NO_OPEN_TASK
        case CaseAct.SEND_BACK:
            return None if case.reached else NOT_REACHED
        case CaseAct.ANNUL:
            return None if case.answered_in_open_stage else NO_ANSWER
        case CaseAct.CONFIRM if not case.to_confirm:
            return SECOND_PERSON if case.own_to_confirm else NOTHING_TO_CONFIRM
    return None


def _read(viewer: Viewer, case: CaseFacts) -> Denial | None:
    return None


def _read_names(viewer: Viewer, case: CaseFacts) -> Denial | None:
    return None if _oversees_case(viewer, case) else NAMES_HIDDEN


def _answer(viewer: Viewer, case: CaseFacts) -> Denial | None:
    if case.status.is_final:
        return CLOSED
    if not case.open_tasks:
        return NO_TASK
    return ON_HOLD if case.status is CaseStatus.ON_HOLD else None


def _claim(viewer: Viewer, case: CaseFacts) -> Denial | None:
    if case.status.is_final:
        return CLOSED
    if not case.offered:
        return NOTHING_ON_OFFER
    return ON_HOLD if case.status is CaseStatus.ON_HOLD else None


def _delegate(viewer: Viewer, case: CaseFacts) -> Denial | None:
    if case.status.is_final:
        return CLOSED
    return None if case.open_tasks else NO_TASK


def _revise(viewer: Viewer, case: CaseFacts) -> Denial | None:
    if case.status.is_final:
        return CLOSED
    if viewer.person != case.proposer:
        return NOT_THE_PROPOSER
    return None if case.status.waits_for_proposer or case.waits_for_conditions else REVISION_NOT_REQUESTED


def _withdraw(viewer: Viewer, case: CaseFacts) -> Denial | None:
    if case.status.is_final:
        return CLOSED
    if viewer.person == case.proposer:
        return None
    if not viewer.is_office:
        return READ_ONLY if viewer.oversees else NOT_THE_PROPOSER
    return None if _oversees_case(viewer, case) else NOT_YOUR_UNIT


def _move_item(viewer: Viewer, case: CaseFacts) -> Denial | None:
    """By the office, or by whoever records the committee's decision."""
    if not case.own_on_agenda and (denied := _standing(viewer, case)) is not None:
        return denied
    if case.status.is_final:
        return CLOSED
    if case.status is CaseStatus.ON_HOLD:
        return ON_HOLD
    if case.status is not CaseStatus.IN_REVIEW:
        return NOT_IN_REVIEW
    return None if case.on_agenda else NOT_ON_AN_AGENDA


def _once_published(
    act: PublishedAct,
) -> Callable[[Viewer, CaseFacts], Denial | None]:
    return lambda viewer, case: (
        _standing(viewer, case) or denial_once_published(act, case.status.is_final, case.published)
    )


def _fulfil(viewer: Viewer, case: CaseFacts) -> Denial | None:
    """Also after the publication, which some conditions outlive."""
    if not case.to_fulfil:
        return NO_CONDITION
    return ON_HOLD if case.status is CaseStatus.ON_HOLD else None


def _judge(viewer: Viewer, case: CaseFacts) -> Denial | None:
    by_office = case.to_judge > 0 and viewer.is_office and _oversees_case(viewer, case)
    if not (case.own_to_judge or by_office):
        return NOTHING_TO_JUDGE
    if viewer.person == case.proposer:
        return OWN_PROPOSAL
    return ON_HOLD if case.status is CaseStatus.ON_HOLD else None


_OTHERS: Mapping[CaseAct, Callable[[Viewer, CaseFacts], Denial | None]] = {
    CaseAct.READ: _read,
    CaseAct.READ_NAMES: _read_names,
    CaseAct.ANSWER: _answer,
    CaseAct.CLAIM: _claim,
    CaseAct.DELEGATE: _delegate,
    CaseAct.REVISE: _revise,
    CaseAct.WITHDRAW: _withdraw,
    CaseAct.MOVE_ITEM: _move_item,
    CaseAct.FULFIL: _fulfil,
    CaseAct.JUDGE: _judge,
    CaseAct.RETRACT: _once_published("retract"),
    CaseAct.RETRY_PUBLICATION: _once_published("retry_publication"),
    CaseAct.SCHEDULE_PUBLICATION: _once_published("schedule_publication"),
    CaseAct.CALL_REVIEW: _once_published("call_review"),
    CaseAct.MOVE_REVIEW: _once_published("move_review"),
    CaseAct.HAND_OVER_AGAIN: _once_published("hand_over_again"),
    CaseAct.RETRY_HANDOVER: _once_published("retry_handover"),
}
