"""Who may see which case and do what: the whole matrix of roles, acts and units, and what holds for all of it."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.access import acts, published
from imprimatur.access.acts import OFFICE_ACTS, CaseAct, CaseFacts, acts_on, scope_of
from imprimatur.access.published import Denial, Published
from imprimatur.access.viewer import Viewer, viewer_of
from models.vocabulary import AccessRole, CaseStatus, KeyScope, RecordStatus, RunStatus, Strength

ME, OTHER, UNIT = "me@example.edu", "other@example.edu", "School of Health"
LOOKING = {CaseAct.READ, CaseAct.READ_NAMES}
OWN_TASK = {CaseAct.ANSWER, CaseAct.CLAIM, CaseAct.DELEGATE}
FULL = CaseFacts(
    CaseStatus.IN_REVIEW,
    OTHER,
    UNIT,
    stage_open=True,
    reached=True,
    tasks_open=True,
    answered_in_open_stage=True,
    to_confirm=1,
)


def viewer(*roles: str, units: Iterable[str] = (), has_tasks: bool = False) -> Viewer:
    return viewer_of(ME, "Me", roles, units, has_tasks=has_tasks, strength=Strength.SESSION)


def facts(**change: object) -> CaseFacts:
    return CaseFacts(**(vars(FULL) | change))  # type: ignore[arg-type]


def allowed(who: Viewer, case: CaseFacts) -> set[CaseAct]:
    return {act for act, why_not in acts_on(who, case).items() if why_not is None}


SCHEDULE = {CaseAct.SCHEDULE_PUBLICATION}
HANDING = {CaseAct.HAND_OVER_AGAIN, CaseAct.RETRY_HANDOVER}
ALL_OFFICE = OFFICE_ACTS - {CaseAct.RESUME} | SCHEDULE
AFTERWARDS = {CaseAct.RETRACT, CaseAct.RETRY_PUBLICATION, CaseAct.CALL_REVIEW, CaseAct.MOVE_REVIEW} | SCHEDULE | HANDING
MATRIX = {
    "office, no unit": (viewer("governance_office"), FULL, LOOKING | ALL_OFFICE | {CaseAct.WITHDRAW}),
    "office, this unit": (viewer("governance_office", units=[UNIT]), FULL, LOOKING | ALL_OFFICE | {CaseAct.WITHDRAW}),
    "office, other unit": (viewer("governance_office", units=["Other"]), FULL, set()),
    "admin, other unit": (viewer("admin", units=["Other"]), FULL, LOOKING | ALL_OFFICE | {CaseAct.WITHDRAW}),
    "auditor, no unit": (viewer("auditor"), FULL, LOOKING),
    "auditor, this unit": (viewer("auditor", units=[UNIT]), FULL, LOOKING),
    "auditor, other unit": (viewer("auditor", units=["Other"]), FULL, set()),
    "proposer of another case": (viewer("proposer"), FULL, set()),
    "member of the unit": (viewer("quality_reviewer", units=[UNIT]), FULL, set()),
    "reviewer asked": (
        viewer("quality_reviewer", has_tasks=True),
        facts(asked=True, open_tasks=1, offered=1),
        {CaseAct.READ} | OWN_TASK,
    ),
    "reviewer who has answered": (viewer(has_tasks=True), facts(asked=True), {CaseAct.READ}),
    "own case": (viewer("proposer"), facts(proposer=ME), {CaseAct.READ, CaseAct.WITHDRAW}),
    "own case, sent back": (
        viewer(),
        facts(proposer=ME, status=CaseStatus.REVISING),
        {CaseAct.READ, CaseAct.WITHDRAW, CaseAct.REVISE},
    ),
    "own case, held up by conditions": (
        viewer(),
        facts(proposer=ME, waits_for_conditions=True),
        {CaseAct.READ, CaseAct.WITHDRAW, CaseAct.REVISE},
    ),
    "office, own case": (
        viewer("governance_office"),
        facts(proposer=ME),
        LOOKING
        | {CaseAct.HOLD, CaseAct.EXTEND, CaseAct.SEND_BACK, CaseAct.REASSIGN, CaseAct.NUDGE, CaseAct.WITHDRAW}
        | SCHEDULE,
    ),
    "office of another unit, asked": (
        viewer("governance_office", units=["Other"], has_tasks=True),
        facts(asked=True, open_tasks=1),
        {CaseAct.READ, CaseAct.ANSWER, CaseAct.DELEGATE},
    ),
    "office, on hold": (
        viewer("governance_office"),
        facts(status=CaseStatus.ON_HOLD),
        LOOKING | {CaseAct.RESUME, CaseAct.REASSIGN, CaseAct.WITHDRAW} | SCHEDULE,
    ),
    "reviewer, on hold": (
        viewer(has_tasks=True),
        facts(status=CaseStatus.ON_HOLD, asked=True, open_tasks=1),
        {CaseAct.READ, CaseAct.DELEGATE},
    ),
    "office, revising": (
        viewer("governance_office"),
        facts(status=CaseStatus.REVISING, stage_open=False, tasks_open=False),
        LOOKING | {CaseAct.WITHDRAW} | SCHEDULE,
    ),
    "office, nothing open": (
        viewer("governance_office"),
        facts(stage_open=False, tasks_open=False, reached=False, answered_in_open_stage=False, to_confirm=0),
        LOOKING | {CaseAct.HOLD, CaseAct.WITHDRAW} | SCHEDULE,
    ),
    "office, whose own act waits": (
        viewer("governance_office"),
        facts(to_confirm=0, own_to_confirm=1),
        LOOKING | ALL_OFFICE - {CaseAct.CONFIRM} | {CaseAct.WITHDRAW},
    ),
    "office, on an agenda, with a condition": (
        viewer("governance_office"),
        facts(on_agenda=1, to_judge=1),
        LOOKING | ALL_OFFICE | {CaseAct.WITHDRAW, CaseAct.MOVE_ITEM, CaseAct.JUDGE},
    ),
    "office, own case, on an agenda, with a condition": (
        viewer("governance_office"),
        facts(proposer=ME, on_agenda=1, to_judge=1),
        LOOKING
        | {CaseAct.HOLD, CaseAct.EXTEND, CaseAct.SEND_BACK, CaseAct.REASSIGN, CaseAct.NUDGE, CaseAct.WITHDRAW}
        | {CaseAct.MOVE_ITEM}
        | SCHEDULE,
    ),
    "who records the committee's decision": (
        viewer(has_tasks=True),
        facts(asked=True, open_tasks=1, on_agenda=1, own_on_agenda=1),
        {CaseAct.READ, CaseAct.ANSWER, CaseAct.DELEGATE, CaseAct.MOVE_ITEM},
    ),
    "who sees to a condition": (
        viewer(),
        facts(proposer=ME, to_fulfil=1),
        {CaseAct.READ, CaseAct.WITHDRAW, CaseAct.FULFIL},
    ),
    "who set a condition": (
        viewer(has_tasks=True),
        facts(asked=True, to_judge=1, own_to_judge=1),
        {CaseAct.READ, CaseAct.JUDGE},
    ),
    "a reviewer who did not": (viewer(has_tasks=True), facts(asked=True, to_judge=1), {CaseAct.READ}),
    "who set a condition, published": (
        viewer(has_tasks=True),
        facts(asked=True, status=CaseStatus.PUBLISHED, to_judge=1, own_to_judge=1),
        {CaseAct.READ, CaseAct.JUDGE},
    ),
    "who set a condition, on hold": (
        viewer(has_tasks=True),
        facts(asked=True, status=CaseStatus.ON_HOLD, to_judge=1, own_to_judge=1),
        {CaseAct.READ},
    ),
    **{
        f"office, {status}": (viewer("governance_office"), facts(status=status), LOOKING)
        for status in CaseStatus
        if status.is_final
    },
}


@pytest.mark.parametrize(("who", "case", "may"), MATRIX.values(), ids=MATRIX)
def test_everybody_may_do_what_is_theirs_and_nothing_else(who: Viewer, case: CaseFacts, may: set[CaseAct]) -> None:
    assert allowed(who, case) == may


@pytest.mark.parametrize(
    ("who", "case", "act", "code"),
    [
        (viewer("auditor"), FULL, CaseAct.HOLD, "read_only"),
        (viewer("auditor"), FULL, CaseAct.WITHDRAW, "read_only"),
        (viewer(), facts(proposer=ME), CaseAct.HOLD, "not_the_office"),
        (viewer(), facts(proposer=ME), CaseAct.READ_NAMES, "names_hidden"),
        (viewer(), facts(proposer=ME), CaseAct.REVISE, "revision_not_requested"),
        (viewer(), facts(asked=True), CaseAct.WITHDRAW, "not_the_proposer"),
        (viewer(), facts(asked=True), CaseAct.ANSWER, "no_task"),
        (viewer(), facts(asked=True), CaseAct.CLAIM, "nothing_on_offer"),
        (viewer("governance_office", units=["x"]), facts(asked=True), CaseAct.HOLD, "not_your_unit"),
        (viewer("governance_office"), facts(proposer=ME), CaseAct.OVERRIDE, "own_proposal"),
        (viewer("governance_office"), facts(to_confirm=0, own_to_confirm=1), CaseAct.CONFIRM, "second_person_required"),
        (viewer("governance_office"), facts(to_confirm=0), CaseAct.CONFIRM, "nothing_to_confirm"),
        (viewer("governance_office"), FULL, CaseAct.RESUME, "case_not_on_hold"),
        (viewer("governance_office"), facts(status=CaseStatus.PUBLISHED), CaseAct.HOLD, "case_closed"),
        (viewer("governance_office"), facts(status=CaseStatus.INCOMPLETE), CaseAct.NUDGE, "case_not_in_review"),
        (viewer(), FULL, CaseAct.READ, "case_outside_scope"),
    ],
)
def test_whoever_may_not_is_told_why(who: Viewer, case: CaseFacts, act: CaseAct, code: str) -> None:
    why_not = acts_on(who, case)[act]
    assert why_not is not None
    assert why_not.code == code
    assert why_not.sentence.endswith(".")


PUBLICATIONS = {
    "offered": (Published(RecordStatus.OFFERED, RunStatus.DONE), {CaseAct.RETRACT}),
    "offered, a target failed": (
        Published(RecordStatus.OFFERED, RunStatus.FAILED),
        {CaseAct.RETRACT, CaseAct.RETRY_PUBLICATION},
    ),
    "waits for its day": (Published(RecordStatus.SCHEDULED, RunStatus.QUEUED), {CaseAct.RETRACT} | SCHEDULE),
    "on its way": (Published(RecordStatus.PENDING, RunStatus.RUNNING), set()),
    "failed": (Published(RecordStatus.PENDING, RunStatus.FAILED), {CaseAct.RETRACT, CaseAct.RETRY_PUBLICATION}),
    "retracted": (Published(RecordStatus.RETRACTED, RunStatus.DONE, reviewed=True), set()),
    "review to come": (
        Published(RecordStatus.OFFERED, RunStatus.DONE, reviewed=True, review_to_come=True),
        {CaseAct.RETRACT, CaseAct.CALL_REVIEW, CaseAct.MOVE_REVIEW},
    ),
    "review open": (
        Published(RecordStatus.OFFERED, RunStatus.DONE, reviewed=True, review_open=True),
        {CaseAct.RETRACT},
    ),
    "taught out": (Published(RecordStatus.TEACHING_OUT, RunStatus.DONE, reviewed=True), {CaseAct.RETRACT}),
    "published before hand-overs were asked for": (
        Published(RecordStatus.OFFERED, RunStatus.DONE, handed_over=True),
        {CaseAct.RETRACT, CaseAct.HAND_OVER_AGAIN},
    ),
    "handed over, not answered": (
        Published(RecordStatus.OFFERED, handed_over=True, handover=RunStatus.DONE, handover_open=True),
        {CaseAct.RETRACT},
    ),
    "hand-over failed": (
        Published(RecordStatus.OFFERED, handed_over=True, handover=RunStatus.FAILED, handover_open=True),
        {CaseAct.RETRACT, CaseAct.RETRY_HANDOVER},
    ),
    "hand-over answered": (
        Published(RecordStatus.PAUSED, handed_over=True, handover=RunStatus.DONE),
        {CaseAct.RETRACT, CaseAct.HAND_OVER_AGAIN},
    ),
    "handed over once, retired since": (
        Published(RecordStatus.RETIRED, handed_over=True, handover=RunStatus.DONE),
        {CaseAct.RETRACT},
    ),
    "to be handed over when it is public": (
        Published(RecordStatus.SCHEDULED, RunStatus.QUEUED, handed_over=True),
        {CaseAct.RETRACT} | SCHEDULE,
    ),
}


@pytest.mark.parametrize(("now", "may"), PUBLICATIONS.values(), ids=PUBLICATIONS)
def test_the_office_does_what_a_publication_has_come_to(now: Published, may: set[CaseAct]) -> None:
    case = facts(status=CaseStatus.PUBLISHED, published=now, stage_open=False, tasks_open=False)
    assert allowed(viewer("governance_office", units=[UNIT]), case) & AFTERWARDS == may
    for other in (viewer("auditor"), viewer("proposer"), viewer("governance_office", units=["Other"])):
        assert not allowed(other, case) & AFTERWARDS


def test_roles_come_from_the_directory_and_from_tasks() -> None:
    assert viewer("proposer", "quality_reviewer").roles == {AccessRole.PROPOSER}
    assert viewer(has_tasks=True).roles == {AccessRole.PROPOSER, AccessRole.REVIEWER}
    found = viewer("governance_office", "admin", "auditor").roles
    assert found == {AccessRole.PROPOSER, AccessRole.OFFICE, AccessRole.ADMIN, AccessRole.AUDITOR}


DENIALS = {value for room in (acts, published) for value in vars(room).values() if isinstance(value, Denial)}
people = st.builds(
    viewer_of,
    st.just(ME),
    st.just("Me"),
    st.sets(st.sampled_from(["governance_office", "admin", "auditor", "proposer"])),
    st.sets(st.sampled_from([UNIT, "Other"])),
    has_tasks=st.booleans(),
    strength=st.sampled_from(Strength),
    scopes=st.none() | st.sets(st.sampled_from(KeyScope)),
)
cases = st.builds(
    CaseFacts,
    st.sampled_from(CaseStatus),
    st.sampled_from([ME, OTHER]),
    st.sampled_from([None, UNIT, "Other"]),
    asked=st.booleans(),
    open_tasks=st.integers(0, 2),
    offered=st.integers(0, 1),
    stage_open=st.booleans(),
    reached=st.booleans(),
    tasks_open=st.booleans(),
    answered_in_open_stage=st.booleans(),
    to_confirm=st.integers(0, 1),
    own_to_confirm=st.integers(0, 1),
    waits_for_conditions=st.booleans(),
    on_agenda=st.integers(0, 1),
    own_on_agenda=st.integers(0, 1),
    to_fulfil=st.integers(0, 1),
    to_judge=st.integers(0, 1),
    own_to_judge=st.integers(0, 1),
    published=st.builds(
        Published,
        st.none() | st.sampled_from(RecordStatus),
        st.none() | st.sampled_from(RunStatus),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.none() | st.sampled_from(RunStatus),
        st.booleans(),
    ),
)


@given(people, cases)
def test_every_act_is_allowed_or_explained(who: Viewer, case: CaseFacts) -> None:
    found = acts_on(who, case)
    assert list(found) == list(CaseAct)
    assert {why_not for why_not in found.values() if why_not is not None} <= DENIALS


@given(people, cases)
def test_outside_the_scope_a_case_is_hidden_altogether(who: Viewer, case: CaseFacts) -> None:
    inside = who.scope.holds(case.proposer, case.unit, (ME,) if case.asked else ())
    assert all((why_not is not None and why_not.hides) != inside for why_not in acts_on(who, case).values())


@given(people, cases)
def test_only_the_office_does_what_is_the_office_s(who: Viewer, case: CaseFacts) -> None:
    if not who.roles & {AccessRole.OFFICE, AccessRole.ADMIN}:
        assert not allowed(who, case) & OFFICE_ACTS


@given(people, cases)
def test_a_key_does_nothing_that_its_scopes_and_its_person_do_not_allow(who: Viewer, case: CaseFacts) -> None:
    person = Viewer(who.person, who.name, who.roles, who.strength, who.units)
    may = allowed(person, case)
    scopes = set(KeyScope) if who.scopes is None else who.scopes
    assert allowed(who, case) == {act for act in may if scope_of(act) in scopes}


@given(people, cases)
def test_nothing_changes_a_case_that_has_ended_but_conditions_and_what_becomes_of_its_publication(
    who: Viewer, case: CaseFacts
) -> None:
    if case.status.is_final:
        assert allowed(who, case) <= LOOKING | {CaseAct.FULFIL, CaseAct.JUDGE} | AFTERWARDS


@given(people)
def test_units_only_ever_narrow_what_the_office_sees(who: Viewer) -> None:
    wide = Viewer(who.person, who.name, who.roles, who.strength)
    for unit in (None, UNIT, "Other"):
        assert wide.scope.holds(OTHER, unit, ()) or not who.scope.holds(OTHER, unit, ())


def test_codes_say_one_thing_each() -> None:
    assert len({found.code for found in DENIALS}) == len({found.sentence for found in DENIALS}) == len(DENIALS)
