"""Declared interests: whom they keep from being asked, from taking over and from deciding, and who hears of it."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.errors import InputError, NotAllowed, NotFound, Refused
from imprimatur.history.verify import verify_case
from imprimatur.rules.answers import check_answer
from imprimatur.rules.standing import Interest, Matter
from imprimatur.store.authority import Authority, authority_in, check_act
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest, list_interests, remove_interest, subject_of
from imprimatur.store.reading import show_case
from imprimatur.store.task_page import task_page
from models.conditions import ConditionEvent, ConditionFulfilled, ConditionJudged
from models.events import Act, ActProposed, Claimed, ConflictFound, Decided, Nudged, PassedOn
from models.proposal import Partner
from models.vocabulary import ConditionAct, EventType, InterestKind, OfficeAct, StageOutcome, Verdict
from tests.facts import (
    OFFICE,
    PROPOSER,
    START,
    Play,
    add_people,
    amended,
    event_types,
    everything,
    example,
    furnish,
    ledger_rows,
)

LENA = "lena.office@example.edu"
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
HARBOUR = "Harbour Software"
PARTNER, UNIT, PERSON = InterestKind.PARTNER, InterestKind.UNIT, InterestKind.PERSON


# --- rules --------------------------------------------------------------------------------------------------------

MATTER = Matter("ana@example.edu", ("Harbour Software", "Fieldnote"), "School of Health", ("mere@harbour.example",))


@pytest.mark.parametrize(
    ("kind", "subject", "touches"),
    [
        (PARTNER, "Harbour Software", True),
        (PARTNER, " harbour   SOFTWARE ", True),
        (PARTNER, "Harbour", False),
        (PARTNER, "School of Health", False),
        (UNIT, "school of health", True),
        (UNIT, "School of Business", False),
        (PERSON, "Ana@Example.edu", True),
        (PERSON, "mere@harbour.example", True),
        (PERSON, "sam@example.edu", False),
    ],
)
def test_an_interest_touches_a_proposal_by_partner_unit_or_person(
    kind: InterestKind, subject: str, touches: bool
) -> None:
    found = MATTER.conflict([Interest(UNIT, "elsewhere"), Interest(kind, subject)])
    assert found == (f"has declared an interest in the {kind} {subject}" if touches else None)


def test_a_proposal_of_no_unit_is_nobodys_unit() -> None:
    assert Matter("ana@example.edu").conflict([Interest(UNIT, "")]) is None


@given(st.lists(st.builds(Interest, st.sampled_from(InterestKind), st.text(min_size=1))), st.text(min_size=1))
def test_an_interest_in_the_proposer_always_counts(others: list[Interest], proposer: str) -> None:
    proposer = f"{proposer}@x"
    assert Matter(proposer).conflict([*others, Interest(PERSON, proposer.upper().lower())]) is not None


@pytest.mark.parametrize(
    ("authority", "verdict", "code"),
    [
        (Authority("q"), Verdict.APPROVE, None),
        (Authority("q", conflict="is a friend"), Verdict.APPROVE, "conflict_of_interest"),
        (Authority("q", conflict="is a friend"), Verdict.RECUSE, None),
        (Authority("q", conflict="is a friend"), None, "conflict_of_interest"),
        (Authority("q", inactive=True), Verdict.RECUSE, "person_inactive"),
    ],
)
def test_whoever_has_an_interest_can_only_stand_aside(
    authority: Authority, verdict: Verdict | None, code: str | None
) -> None:
    refused = authority.refusal(verdict)
    assert (refused.code if refused else None) == code


# --- declaring ----------------------------------------------------------------------------------------------------


def declare(database: Database, person: str, kind: InterestKind, subject: str, reason: str = "") -> list[str]:
    """The open tasks that must be given up."""
    return [found.task_id for found in add_interest(database, person, Interest(kind, subject), reason, START)[1]]


def test_an_interest_is_declared_listed_and_taken_back(database: Database) -> None:
    furnish(database)
    assert declare(database, QUINN.upper(), PARTNER, HARBOUR, "shares") == []
    declare(database, QUINN, UNIT, "School of Health")
    declare(database, ROSA, PERSON, PROPOSER)
    assert [(e.person, e.kind, e.subject, e.reason) for e in list_interests(database)] == [
        (QUINN, PARTNER, HARBOUR, "shares"),
        (QUINN, UNIT, "School of Health", ""),
        (ROSA, PERSON, PROPOSER, ""),
    ]
    remove_interest(database, QUINN, Interest(PARTNER, "harbour software"))
    assert [entry.kind for entry in list_interests(database, QUINN)] == [UNIT]
    with pytest.raises(NotFound, match="declared no interest"):
        remove_interest(database, QUINN, Interest(PARTNER, HARBOUR))


def test_an_interest_declared_again_only_changes_its_reason(database: Database) -> None:
    furnish(database)
    declare(database, QUINN, PARTNER, HARBOUR, "shares")
    later = START + dt.timedelta(days=1)
    entry, _ = add_interest(database, QUINN, Interest(PARTNER, "HARBOUR software"), "a seat on the board", later)
    assert list_interests(database) == [entry]
    assert (entry.subject, entry.reason, entry.declared_at) == (HARBOUR, "a seat on the board", START)


def test_only_people_of_the_directory_declare_interests(database: Database) -> None:
    furnish(database)
    with pytest.raises(NotFound, match="not in the directory"):
        declare(database, "nobody@example.edu", PARTNER, HARBOUR)


@pytest.mark.parametrize(
    "named",
    [(None, None, None), ("A", "B", None), ("A", None, "c@example.edu"), ("  ", None, None), ("x" * 501, None, None)],
)
def test_an_interest_is_in_exactly_one_thing(named: tuple[str | None, ...]) -> None:
    with pytest.raises(InputError) as raised:
        subject_of(*named)
    assert raised.value.code == "interest_subject"


def test_a_person_is_named_by_address() -> None:
    assert subject_of(None, None, " Ana@Example.edu ") == Interest(PERSON, "ana@example.edu")


# --- assignment ---------------------------------------------------------------------------------------------------


def asked(play: Play, stage: str) -> list[str]:
    return sorted(task.assignee for task in play.state.open_tasks(stage))


def task_of(play: Play, person: str) -> str:
    return next(task.id for task in play.state.open_tasks() if task.assignee == person)


def in_quality(database: Database, folder: Path) -> Play:
    play = Play(database, folder)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    return play


@pytest.mark.parametrize(
    ("kind", "subject"),
    [(PARTNER, "HARBOUR software"), (UNIT, "school of digital design"), (PERSON, PROPOSER)],
    ids=str,
)
def test_whoever_has_an_interest_is_passed_over_with_the_reason(
    database: Database, tmp_path: Path, kind: InterestKind, subject: str
) -> None:
    furnish(database)
    proposal = example("industry-credit")
    partner = Partner(organisation=HARBOUR)
    declare(database, QUINN, kind, subject, "private matter")
    play = Play(database, tmp_path)
    play.submit(proposal.model_copy(update={"partners": (*proposal.partners, partner)}))
    play.decide("proposal")
    assert asked(play, "quality") == [ROSA, SAM]
    [event] = [
        row["data"] for row in ledger_rows(database, play.case_id) if row["type"] == EventType.REVIEWERS_PASSED_OVER
    ]
    assert event["people"] == [{"person": QUINN, "why": f"has declared an interest in the {kind} {subject}"}]
    assert "private matter" not in str(ledger_rows(database, play.case_id)), "the reason stays out of the ledger"
    assert verify_case(database, play.case_id).ok


def test_an_interest_in_something_else_keeps_nobody_away(database: Database, tmp_path: Path) -> None:
    furnish(database)
    declare(database, QUINN, PARTNER, "Somebody Else Ltd")
    assert asked(in_quality(database, tmp_path), "quality") == [QUINN, ROSA, SAM]


def test_an_escalation_passes_over_whoever_has_an_interest(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_people(database, tmp_path, "second.director@example.edu,Second,academic_director,yes")
    declare(database, "dora.director@example.edu", PERSON, PROPOSER)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.ABSTAIN)
    assert asked(play, "proposal") == ["second.director@example.edu"]


def test_an_escalation_that_only_finds_interests_is_an_incident_that_says_so(
    database: Database, tmp_path: Path
) -> None:
    furnish(database)
    declare(database, "dora.director@example.edu", PERSON, PROPOSER)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.ABSTAIN)
    [incident] = show_case(database, play.case_id).incidents
    assert incident.detail.endswith(f"(dora.director@example.edu has declared an interest in the person {PROPOSER})")


# --- at the moment of the act -------------------------------------------------------------------------------------


def test_open_tasks_that_an_interest_touches_are_named(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    assert declare(database, QUINN, UNIT, "School of Nowhere") == []
    assert declare(database, QUINN, PERSON, PROPOSER) == [task_of(play, QUINN)]


def test_authority_is_looked_up_in_the_case(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    assert authority_in(database, play.case_id, QUINN) == Authority(QUINN)
    declare(database, QUINN, PERSON, PROPOSER)
    declare(database, QUINN, UNIT, "School of Nowhere")
    found = authority_in(database, play.case_id, QUINN)
    assert found == Authority(QUINN, False, f"has declared an interest in the person {PROPOSER}")
    assert authority_in(database, "mc-nowhere", QUINN).conflict is None
    add_people(database, tmp_path, f"{ROSA},Rosa,,no")
    assert authority_in(database, play.case_id, ROSA) == Authority(ROSA, inactive=True)


def acts(play: Play, person: str) -> list[Act | ConditionEvent]:
    task = task_of(play, SAM)
    override = ActProposed(
        act_id="a", act=OfficeAct.OVERRIDE, actor=person, stage="quality", outcome=StageOutcome.APPROVED, reason="x"
    )
    return [
        PassedOn(actor=SAM, task_id=task, to=person, reason=""),
        PassedOn(actor=OFFICE, task_id=task, to=person, reason="x", by_office=True),
        Claimed(actor=person, task_id=task),
        override,
        ConditionJudged(actor=person, condition_id="c", act=ConditionAct.WAIVE, reason="x", by_office=True),
    ]


def test_whoever_has_an_interest_takes_nothing_over_and_overrides_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    for act in acts(play, LENA):
        check_act(database, play.case_id, act)
    declare(database, LENA, PERSON, PROPOSER)
    for act in acts(play, LENA):
        with pytest.raises(NotAllowed) as raised:
            check_act(database, play.case_id, act)
        assert raised.value.code == "conflict_of_interest"
    check_act(database, play.case_id, Nudged(actor=LENA, by_office=True))
    check_act(database, play.case_id, ConditionFulfilled(actor=LENA, condition_id="c", evidence="See page 3."))


def test_whoever_is_gone_takes_nothing_over(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    add_people(database, tmp_path, f"{LENA},Lena,,no")
    with pytest.raises(Refused) as raised:
        check_act(database, play.case_id, acts(play, LENA)[0])
    assert raised.value.code == "person_inactive"


def test_standing_aside_is_possible_where_the_stage_does_not_offer_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    stage = Play(database, tmp_path).framework.stage("quality")
    with pytest.raises(InputError, match="does not offer"):
        check_answer(stage, "recuse", "", {})
    assert check_answer(stage, "recuse", "", {}, stands_aside=True) is Verdict.RECUSE


def test_the_office_hears_of_a_conflict_once_and_of_every_person(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    for person in (QUINN, QUINN, ROSA):
        declare(database, person, PERSON, PROPOSER)
        play.act(ConflictFound(actor=person, task_id=task_of(play, person), reason="has declared an interest in x"))
    incidents = show_case(database, play.case_id).incidents
    assert {incident.kind for incident in incidents} == {"conflict_of_interest"}
    assert sorted(incident.detail.split()[0] for incident in incidents) == [QUINN, ROSA]
    assert event_types(database, play.case_id).count(EventType.INCIDENT_OPENED) == 2
    mails = [mail["recipient"] for mail in everything(database)["outbox"] if mail["kind"] == "incident"]
    assert sorted(mails) == sorted([LENA, OFFICE] * 2)


def test_a_conflict_is_over_when_the_task_is_given_up(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    for person in (QUINN, ROSA):
        play.act(ConflictFound(actor=person, task_id=task_of(play, person), reason="has declared an interest in x"))
    play.act(Decided(decision_id="d", task_id=task_of(play, QUINN), actor=QUINN, verdict=Verdict.RECUSE))
    [left] = show_case(database, play.case_id).incidents
    assert left.detail.startswith(ROSA)
    play.act(
        PassedOn(actor=OFFICE, task_id=task_of(play, ROSA), to="ivo.adviser@example.org", reason="x", by_office=True)
    )
    assert show_case(database, play.case_id).incidents == []


def test_the_page_of_a_task_says_that_one_can_only_stand_aside(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    task = task_of(play, QUINN)
    assert task_page(database, task, QUINN).conflict is None
    declare(database, QUINN, PERSON, PROPOSER)
    page = task_page(database, task, QUINN)
    assert page.conflict == f"has declared an interest in the person {PROPOSER}"
    assert page.accepted == (Verdict.RECUSE,)


def test_who_is_only_told_is_passed_over_as_well(database: Database, tmp_path: Path) -> None:
    furnish(database)
    declare(database, QUINN, PERSON, PROPOSER)
    change: dict[str, Any] = {"kind": "information", "voting": None, "sla": None, "criteria": [], "quality_gate": False}
    policy = amended(database, "industry-credit", "quality", verdicts=[], **change)
    play = Play(database, tmp_path, policy)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    assert asked(play, "quality") == [ROSA, SAM]
