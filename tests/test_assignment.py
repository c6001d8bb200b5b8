"""Who is asked to review: found when a stage opens, passed over with a reason, sought again until someone is found."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.history.verify import verify_case
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from imprimatur.store.reading import StageView, show_case
from models.proposal import Partner
from models.vocabulary import CaseStatus, EventType, StageOutcome, StageStatus, Verdict
from tests.facts import (
    PROPOSER,
    Play,
    add_people,
    amended,
    event_types,
    everything,
    example,
    furnish,
    ledger_rows,
    whole_story,
)

DAY = dt.timedelta(days=1)
STAFF = ("lena.office@example.edu", "omar.office@example.edu")
DIRECTOR = "dora.director@example.edu"
MERE, JONAS = "mere.tane@harbour-software.example", "jonas.weber@fieldnote.example"


def dismiss(database: Database, folder: Path, *emails: str) -> None:
    add_people(database, folder, *(f"{email},Former colleague,,no" for email in emails))


def asked(play: Play, stage: str) -> list[str]:
    return sorted(task.assignee for task in play.state.open_tasks(stage))


def stage_of(play: Play, stage: str) -> StageView:
    return next(view for view in show_case(play.database, play.case_id).stages if view.stage == stage)


def events_of(play: Play, type_: EventType) -> list[dict[str, Any]]:
    return [row["data"] for row in ledger_rows(play.database, play.case_id) if row["type"] == type_]


def reviewed_by(database: Database, folder: Path, *rules: dict[str, Any], **change: Any) -> list[str]:
    """Who is asked in a first stage with these rules."""
    policy = amended(database, "industry-credit", "proposal", reviewers=list(rules), **change)
    play = Play(database, folder, policy)
    play.submit(example("industry-credit"))
    return asked(play, "proposal")


def test_active_holders_of_the_role_are_asked(database: Database, tmp_path: Path) -> None:
    furnish(database)
    found = reviewed_by(database, tmp_path, {"role": "quality_reviewer"})
    assert found == [f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam")], "Tove has left"


def test_a_unit_narrows_a_role_and_can_stand_alone(database: Database, tmp_path: Path) -> None:
    furnish(database)
    health = {"role": "quality_reviewer", "unit": "School of Health"}
    assert reviewed_by(database, tmp_path, health) == ["rosa.reviewer@example.edu"]


def test_members_of_the_proposals_own_unit_are_asked_but_not_its_proposer(database: Database, tmp_path: Path) -> None:
    furnish(database)
    file = tmp_path / "unit.csv"
    file.write_text("email,name,units\nuna@example.edu,Una Member,School of Digital Design\n", encoding="utf-8")
    import_people(database, file)
    assert reviewed_by(database, tmp_path, {"unit": "own"}) == ["una@example.edu"], "Ana belongs to the unit too"


def test_nobody_reviews_a_proposal_of_their_own(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_people(database, tmp_path, f"{PROPOSER},Ana Matai,governance_office,yes")
    assert reviewed_by(database, tmp_path, {"role": "governance_office"}) == list(STAFF)


def test_a_person_named_by_two_rules_is_asked_once(database: Database, tmp_path: Path) -> None:
    furnish(database)
    addresses = {"addresses": ["Lena.Office@example.edu", "guest@example.net"]}
    found = reviewed_by(database, tmp_path, {"role": "governance_office"}, addresses)
    assert found == ["guest@example.net", *STAFF]


@pytest.mark.parametrize(
    ("which", "leads", "expected"),
    [("all", (), [JONAS, MERE]), ("lead", (1,), [JONAS]), ("lead", (), [MERE]), ("lead", (0, 1), [MERE])],
)
def test_partners_are_asked_by_the_contact_they_name(
    database: Database, tmp_path: Path, which: str, leads: tuple[int, ...], expected: list[str]
) -> None:
    furnish(database)
    proposal = example("industry-credit")
    partners = tuple(
        partner.model_copy(update={"lead": index in leads}) for index, partner in enumerate(proposal.partners)
    )
    silent = Partner(organisation="No Contact Ltd", lead=True)
    policy = amended(database, "industry-credit", "proposal", reviewers=[{"partners": which}])
    play = Play(database, tmp_path, policy)
    play.submit(proposal.model_copy(update={"partners": (silent, *partners)}))
    assert asked(play, "proposal") == expected


def test_the_least_loaded_is_chosen(database: Database, tmp_path: Path) -> None:
    furnish(database)
    plays = [Play(database, tmp_path, case_id=f"mc-{index}") for index in range(4)]
    for play in plays[:3]:
        play.submit(example("industry-credit"))
    lena, omar = STAFF
    assert [asked(play, "proposal") for play in plays[:3]] == [[lena], [omar], [lena]]
    plays[0].decide("proposal")
    plays[2].decide("proposal")
    plays[3].submit(example("industry-credit"))
    assert asked(plays[3], "proposal") == [lena], "what is decided is no load any more"


def test_an_optional_stage_without_anyone_to_ask_is_skipped_on_the_record(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path, "non-credit")
    play.submit(example("non-credit").model_copy(update={"partners": ()}))
    play.decide("proposal")
    view = stage_of(play, "industry")
    assert (view.status, view.outcome) == (StageStatus.CLOSED, StageOutcome.SKIPPED)
    assert view.reason == "the proposal names nobody to ask"
    assert events_of(play, EventType.STAGE_SKIPPED) == [{"stage": "industry", "reason": view.reason}]
    play.decide("quality", outcomes=3)
    assert play.state.status is CaseStatus.PUBLISHED
    assert verify_case(database, play.case_id).ok


def test_who_has_left_is_passed_over_with_the_reason(database: Database, tmp_path: Path) -> None:
    furnish(database)
    dismiss(database, tmp_path, "dana.brooks@riverside-health.example")
    play = Play(database, tmp_path, "non-credit")
    play.submit(example("non-credit"))
    play.decide("proposal")
    view = stage_of(play, "industry")
    assert view.outcome == StageOutcome.SKIPPED
    assert view.reason == "dana.brooks@riverside-health.example is no longer active"


def test_too_few_reviewers_are_an_incident_that_names_who_was_passed_over(database: Database, tmp_path: Path) -> None:
    furnish(database)
    dismiss(database, tmp_path, "gone@example.net")
    addresses = {"addresses": ["gone@example.net", "here@example.net", "there@example.net"]}
    rule = {"quorum": 2, "threshold": 3}
    assert reviewed_by(database, tmp_path, addresses, voting=rule) == ["here@example.net", "there@example.net"]
    [incident] = show_case(database, "mc-abcdefghijkl").incidents
    assert incident.kind == "quorum_out_of_reach"
    assert incident.detail == "2 can review this stage, 3 are needed (gone@example.net is no longer active)"


def test_an_incident_is_over_when_its_stage_closes(database: Database, tmp_path: Path) -> None:
    furnish(database)
    addresses = [{"addresses": ["here@example.net", "there@example.net"]}]
    voting = {"quorum": 2, "threshold": 3}
    play = Play(
        database, tmp_path, amended(database, "industry-credit", "proposal", reviewers=addresses, voting=voting)
    )
    play.submit(example("industry-credit"))
    assert len(show_case(database, play.case_id).incidents) == 1
    for _ in range(2):
        play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    assert play.state.status is CaseStatus.REVISING
    assert show_case(database, play.case_id).incidents == []
    assert [row["resolved_at"] for row in everything(database)["incident"]] == [play.now]


def test_a_withdrawn_case_leaves_no_open_incident(database: Database, tmp_path: Path) -> None:
    furnish(database)
    dismiss(database, tmp_path, *STAFF, DIRECTOR)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    assert len(show_case(database, play.case_id).incidents) == 2
    play.withdraw("nobody answers")
    assert show_case(database, play.case_id).incidents == []


def test_the_office_hears_of_an_incident_once(database: Database, tmp_path: Path) -> None:
    furnish(database)
    dismiss(database, tmp_path, "quinn.reviewer@example.edu", "rosa.reviewer@example.edu", DIRECTOR)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.pass_time(10 * DAY)
    incidents = [mail for mail in everything(database)["outbox"] if mail["kind"] == "incident"]
    assert sorted((mail["data"]["kind"], mail["recipient"]) for mail in incidents) == [
        (kind, person) for kind in ("no_escalation_target", "quorum_out_of_reach") for person in STAFF
    ]


def test_a_stage_that_nobody_can_review_is_looked_after_every_business_day(database: Database, tmp_path: Path) -> None:
    furnish(database)
    dismiss(database, tmp_path, *STAFF, DIRECTOR)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    assert {i.kind for i in show_case(database, play.case_id).incidents} == {"no_reviewer", "no_escalation_target"}
    play.pass_time(7 * DAY)
    sought = [row["at"] for row in ledger_rows(database, play.case_id) if row["type"] == EventType.REVIEWERS_SOUGHT]
    local = [at.astimezone(dt.timezone(dt.timedelta(hours=13))) for at in sought]
    assert [at.strftime("%a %H:%M") for at in local] == [
        "Mon 22:01", "Wed 08:30", "Thu 08:30", "Fri 08:30", "Mon 08:30",
    ]  # fmt: skip
    assert len(show_case(database, play.case_id).incidents) == 2
    assert verify_case(database, play.case_id).ok


@pytest.mark.parametrize("after", [1 * DAY, 2 * DAY, 3 * DAY, 6 * DAY])
def test_a_reviewer_who_is_appointed_later_is_asked_by_the_next_business_day(
    database: Database, tmp_path: Path, after: dt.timedelta
) -> None:
    furnish(database)
    dismiss(database, tmp_path, *STAFF, DIRECTOR)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.pass_time(after)
    add_people(database, tmp_path, "new.office@example.edu,New Colleague,governance_office,yes")
    play.pass_time(3 * DAY)
    assert asked(play, "proposal") == ["new.office@example.edu"]
    assert show_case(database, play.case_id).incidents == []
    play.decide("proposal")
    assert stage_of(play, "proposal").outcome == StageOutcome.APPROVED
    assert verify_case(database, play.case_id).ok


# The third search falls on the very instant at which the stage is due.
@pytest.mark.parametrize("after", [1 * DAY, 3 * DAY - dt.timedelta(hours=14), 3 * DAY, 6 * DAY])
def test_a_director_who_is_appointed_later_decides_alone(
    database: Database, tmp_path: Path, after: dt.timedelta
) -> None:
    furnish(database)
    dismiss(database, tmp_path, *STAFF, DIRECTOR)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.pass_time(after)
    add_people(database, tmp_path, "new.director@example.edu,New Director,academic_director,yes")
    play.pass_time(4 * DAY)
    assert asked(play, "proposal") == ["new.director@example.edu"]
    assert [data["to"] for data in events_of(play, EventType.STAGE_ESCALATED)] == [["new.director@example.edu"]]
    assert show_case(database, play.case_id).incidents == []
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED


def test_too_few_late_reviewers_are_still_an_incident(database: Database, tmp_path: Path) -> None:
    furnish(database)
    reviewers = {"reviewers": [{"role": "peer"}], "voting": {"quorum": 1, "threshold": 2}}
    play = Play(database, tmp_path, amended(database, "industry-credit", "proposal", **reviewers))
    dismiss(database, tmp_path, DIRECTOR)
    play.submit(example("industry-credit"))
    add_people(database, tmp_path, "peer@example.edu,Peer,peer,yes")
    play.pass_time(2 * DAY)
    assert asked(play, "proposal") == ["peer@example.edu"]
    assert [incident.kind for incident in show_case(database, play.case_id).incidents] == ["quorum_out_of_reach"]


def test_a_stage_without_a_promise_says_that_nobody_can_be_escalated_to(database: Database, tmp_path: Path) -> None:
    furnish(database)
    unstaffed = {"reviewers": [{"role": "peer"}], "sla": None}
    play = Play(database, tmp_path, amended(database, "industry-credit", "proposal", **unstaffed))
    play.submit(example("industry-credit"))
    play.pass_time(5 * DAY)
    details = [incident.detail for incident in show_case(database, play.case_id).incidents]
    assert sorted(details) == [
        "nobody can review this stage",
        "the framework names nobody to whom this stage could be escalated",
    ]


def test_a_late_reviewer_is_given_the_date_that_still_stands(database: Database, tmp_path: Path) -> None:
    furnish(database)
    dismiss(database, tmp_path, *STAFF, DIRECTOR)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    add_people(database, tmp_path, f"{STAFF[0]},Lena,governance_office,yes")
    play.pass_time(2 * DAY)
    [task] = show_case(database, play.case_id).tasks
    assert task.due_at == stage_of(play, "proposal").due_at


def test_a_breach_asks_as_many_as_the_framework_says(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_people(database, tmp_path, "second.director@example.edu,Second,academic_director,yes")
    sla = {"within": {"business_days": 1}, "calendar": "campus", "escalate_to": "academic_director"}
    policy = amended(database, "industry-credit", "proposal", sla=sla | {"escalate_count": 2})
    play = Play(database, tmp_path, policy)
    play.submit(example("industry-credit"))
    play.pass_time(3 * DAY)
    assert asked(play, "proposal") == [DIRECTOR, STAFF[0], "second.director@example.edu"]
    assert [task.due_at for task in show_case(database, play.case_id).tasks if task.reason == "escalation"] == [
        None
    ] * 2


def test_an_escalation_passes_over_whoever_was_asked_already(database: Database, tmp_path: Path) -> None:
    furnish(database)
    sla = {"within": {"business_days": 1}, "calendar": "campus", "escalate_to": "governance_office"}
    play = Play(database, tmp_path, amended(database, "industry-credit", "proposal", sla=sla))
    play.submit(example("industry-credit"))
    play.pass_time(3 * DAY)
    assert asked(play, "proposal") == list(STAFF)
    assert play.state.open_tasks("proposal")[-1].reason == "escalation"


def test_votes_that_cannot_decide_go_to_the_escalation_role(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.ABSTAIN)
    assert asked(play, "proposal") == [DIRECTOR]
    assert events_of(play, EventType.STAGE_ESCALATED)[0]["cause"] == "no_decision"
    play.decide("proposal", Verdict.ABSTAIN)
    assert asked(play, "proposal") == [], "nobody else holds the role"
    assert EventType.REVIEWERS_SOUGHT in event_types(database, play.case_id)
    add_people(database, tmp_path, "second.director@example.edu,Second,academic_director,yes")
    play.pass_time(2 * DAY)
    play.decide("proposal", Verdict.APPROVE)
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED
    assert verify_case(database, play.case_id).ok


def test_every_task_says_why_its_assignee_was_asked(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path)
    reasons = {(row["reason"], row["role"]) for row in everything(database)["task"]}
    assert reasons == {
        ("role", "governance_office"), ("role", "quality_reviewer"), ("partner", "industry_partner"),
        ("escalation", "academic_director"), ("escalation", "governance_office"),
    }  # fmt: skip
