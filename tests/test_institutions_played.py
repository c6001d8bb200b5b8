"""Cases under the frameworks of real institutions: the usual way of each, and the way that makes it what it is."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.committees.agenda import agenda
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import institutions
from imprimatur.rules.admission import refusal
from imprimatur.rules.sittings import next_sitting, window_for
from imprimatur.store.engine import Database
from models.events import Decided
from models.proposal import Level, Workload
from models.vocabulary import CaseStatus, EventType, MailKind, StageStatus, Verdict
from tests.facts import PROPOSER, Play, event_types
from tests.governed import asked, mails, show, stage, told
from tests.institutions import (
    ANOTHER_ASSESSMENT,
    PARTNER,
    PRICE,
    TEMPLATE,
    answer,
    begun,
    outcomes,
    passed,
    person,
    proposal,
    until_due,
    wait_for,
)

E = EventType
DAY = dt.timedelta(days=1)
PUBLISHED, REVISING = CaseStatus.PUBLISHED, CaseStatus.REVISING
GRADUATE = Level(framework="Kentucky", value="graduate")
MIXED = Level(framework="Kentucky", value="mixed")


def assert_published(play: Play) -> None:
    """Whole, and told by the ledger as it is."""
    assert show(play).status == play.state.status == PUBLISHED
    assert mails(play, MailKind.OUTCOME) == [PROPOSER]


# --- New Zealand ------------------------------------------------------------------------------------------------------


def test_with_a_letter_of_support_it_is_listed(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "nzqa")
    assert asked(play, "industry") == [person("industry_body")]
    assert asked(play, "listing") == []
    passed(play, "industry", "listing")
    assert outcomes(play) == {"industry": "endorsed", "listing": "approved", "publication": "published"}
    assert_published(play)


def test_the_letter_is_promised_within_twenty_working_days(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "nzqa")
    # From Monday 2 March, after hours in Wellington; no holiday falls between.
    assert stage(play, "industry").due_at == dt.datetime(2026, 3, 30, 19, 30, tzinfo=dt.UTC)


def test_without_a_letter_it_proceeds_and_the_refusal_stays_on_record(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path, "nzqa")
    answer(play, "industry", Verdict.REJECT)
    assert (outcomes(play)["industry"], play.state.status) == ("refused", CaseStatus.IN_REVIEW)
    [closed] = [row for row in told(play, E.STAGE_CLOSED) if row["stage"] == "industry"]
    assert closed["outcome"] == "refused"
    passed(play, "listing")
    assert outcomes(play) == {"industry": "refused", "listing": "approved", "publication": "published"}
    assert_published(play)


def test_what_the_authority_wants_reworked_leaves_the_letter_as_it_is(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = begun(sqlite_database, tmp_path, "nzqa")
    passed(play, "industry")
    answer(play, "listing", Verdict.REQUEST_CHANGES)
    assert play.state.status is REVISING
    play.revise(proposal("nzqa", assessment=ANOTHER_ASSESSMENT))
    assert (asked(play, "industry"), outcomes(play)["industry"]) == ([], "endorsed")
    passed(play, "listing")
    assert_published(play)


# --- Kentucky ---------------------------------------------------------------------------------------------------------


def test_a_badge_is_final_when_nobody_objects_within_ten_days(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "kentucky")
    assert asked(play, "faculty") == [person("faculty_body")], "not the faculty body of another unit"
    passed(play, "faculty", "undergraduate_council", "provost")
    assert len(asked(play, "posting")) == 4
    opened, due_at = stage(play, "posting").opened_at, stage(play, "posting").due_at
    assert opened is not None and due_at is not None
    assert due_at - opened < 15 * DAY
    play.pass_time(due_at - play.now - dt.timedelta(seconds=1))
    assert play.state.status is CaseStatus.IN_REVIEW
    play.pass_time(dt.timedelta(seconds=1))
    assert outcomes(play)["posting"] == "approved"
    clause = institutions()["kentucky"].stage("posting").sla
    assert clause is not None and clause.policy_clause is not None
    assert stage(play, "posting").reason.endswith(clause.policy_clause.rstrip("."))
    assert E.SLA_BREACHED not in event_types(sqlite_database, play.case_id)
    assert_published(play)


def test_the_answers_of_the_form_lead_to_the_councils(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "kentucky", level=GRADUATE, field_of_study="Health and welfare")
    assert show(play).track == "graduate"
    passed(play, "faculty")
    assert {task.stage for task in play.state.open_tasks()} == {"graduate_council", "health_council"}
    assert outcomes(play)["undergraduate_council"] == "skipped"
    passed(play, "graduate_council")
    assert asked(play, "provost") == [], "the other council has not decided"
    passed(play, "health_council", "provost")
    until_due(play, "posting")
    assert_published(play)


def test_another_answer_in_the_next_version_leads_to_another_council(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "kentucky")
    passed(play, "faculty")
    for _ in range(2):
        answer(play, "undergraduate_council", Verdict.REQUEST_CHANGES)
    play.revise(proposal("kentucky", level=MIXED))
    passed(play, "faculty")
    assert {task.stage for task in play.state.open_tasks()} == {"undergraduate_council", "graduate_council"}


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.APPROVE, PUBLISHED), (Verdict.REJECT, CaseStatus.REJECTED)], ids=str
)
def test_an_objection_of_a_senator_is_resolved(
    sqlite_database: Database, tmp_path: Path, verdict: Verdict, status: CaseStatus
) -> None:
    play = begun(sqlite_database, tmp_path, "kentucky")
    passed(play, "faculty", "undergraduate_council", "provost")
    answer(play, "posting", Verdict.OBJECT)
    until_due(play, "posting")
    assert play.state.status is CaseStatus.IN_REVIEW, "an objection does not lapse with the window"
    assert asked(play, "posting") == [person("senate_chair")]
    answer(play, "posting", verdict)
    assert play.state.status is status


# --- MSU Denver -------------------------------------------------------------------------------------------------------

FOR_CREDIT = Workload(hours=26, credits=1, credit_system="us")


def test_a_badge_for_credit_is_decided_by_the_committee(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "msu-denver", workload=FOR_CREDIT)
    assert show(play).track == "credit"
    passed(play, "completeness", "support")
    found = stage(play, "committee")
    # On Monday 2 March those of February are closed; those of March close on the 31st, and the committee sits a day later.
    assert found.sits_at == dt.datetime(2026, 4, 1, 22, 0, tzinfo=dt.UTC)
    assert [item.case_id for item in agenda(sqlite_database, "badging_committee", dt.date(2026, 4, 1)).items] == [
        play.case_id
    ]
    passed(play, "committee")
    assert outcomes(play) == {
        "completeness": "approved",
        "support": "endorsed",
        "committee": "approved",
        "lifelong_learning": "skipped",
        "notice": "skipped",
        "publication": "published",
    }
    assert_published(play)


def test_without_credit_the_committee_is_informed_and_nobody_waits_for_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = begun(sqlite_database, tmp_path, "msu-denver")
    assert show(play).track == "non_credit"
    passed(play, "completeness", "support")
    assert outcomes(play)["committee"] == "skipped"
    assert play.state.status is CaseStatus.IN_REVIEW
    informed = [person("badging_committee", number) for number in (1, 2, 3)]
    assert not set(mails(play, MailKind.TASK)) & set(informed)
    passed(play, "lifelong_learning")
    assert set(informed) <= set(mails(play, MailKind.TASK))
    assert outcomes(play)["notice"] == "informed"
    assert_published(play)


def test_below_the_minimum_it_goes_back_before_anybody_is_asked(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "msu-denver", target_learners=None, assessment=None)
    assert (play.state.status, play.state.open_tasks()) == (CaseStatus.INCOMPLETE, [])
    assert mails(play, MailKind.RETURNED) == [PROPOSER]
    play.revise(proposal("msu-denver"))
    assert asked(play, "completeness") == [person("curriculum_office")]
    passed(play, "completeness", "support", "lifelong_learning")
    assert_published(play)


def test_the_check_can_return_it_but_not_turn_it_away(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "msu-denver")
    assert play.framework.stage("completeness").accepted() == (Verdict.APPROVE, Verdict.REQUEST_CHANGES)
    answer(play, "completeness", Verdict.REQUEST_CHANGES)
    assert (play.state.status, outcomes(play)["support"]) == (REVISING, None)
    play.revise(proposal("msu-denver", target_learners="Everybody in their second year."))
    assert asked(play, "completeness") == [person("curriculum_office")]


@pytest.mark.parametrize("verdict", [Verdict.REQUEST_CHANGES, Verdict.REJECT], ids=str)
def test_the_committee_returns_it_to_be_edited_or_rejects_it(
    sqlite_database: Database, tmp_path: Path, verdict: Verdict
) -> None:
    play = begun(sqlite_database, tmp_path, "msu-denver", workload=FOR_CREDIT)
    passed(play, "completeness", "support")
    wait_for(play, "committee")
    answer(play, "committee", verdict)
    if verdict is Verdict.REJECT:
        assert play.state.status is CaseStatus.REJECTED
        return
    play.revise(proposal("msu-denver", workload=FOR_CREDIT, assessment=ANOTHER_ASSESSMENT))
    passed(play, "completeness", "support")
    sits_at = stage(play, "committee").sits_at
    assert sits_at is not None and sits_at.date() == dt.date(2026, 5, 1), "the April sitting has been"
    passed(play, "committee")
    assert_published(play)


def test_submissions_close_with_the_last_working_day_of_every_month() -> None:
    policy = institutions()["msu-denver"]
    calendar = work_calendar(policy.calendars["campus"], "campus")
    committee = policy.committees["badging_committee"]
    for month in range(36):
        begins = dt.date(2026 + month // 12, month % 12 + 1, 1)
        ends = (begins + 31 * DAY).replace(day=1) - DAY
        last = next(day for back in range(10) if calendar.reason_off(day := ends - back * DAY) is None)
        closes = next_sitting(committee, calendar, calendar.closing(begins + 9 * DAY))
        assert closes is not None and calendar.date(closes.cut_off) == last


# --- Sydney -----------------------------------------------------------------------------------------------------------


def test_it_is_endorsed_before_the_deputy_vice_chancellor_is_asked(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "sydney")
    passed(play, "faculty")
    for _ in range(2):
        answer(play, "subcommittee")
        assert asked(play, "deputy_vice_chancellor") == []
    answer(play, "subcommittee")
    assert outcomes(play)["subcommittee"] == "endorsed"
    assert asked(play, "deputy_vice_chancellor") == [person("deputy_vice_chancellor")]
    passed(play, "deputy_vice_chancellor")
    assert_published(play)


def test_without_the_endorsement_it_ends(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "sydney")
    passed(play, "faculty")
    for _ in range(3):
        answer(play, "subcommittee", Verdict.REJECT)
    assert play.state.status is CaseStatus.REJECTED
    assert asked(play, "deputy_vice_chancellor") == []


def test_what_does_not_touch_the_business_case_leaves_the_faculty_in_peace(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = begun(sqlite_database, tmp_path, "sydney")
    passed(play, "faculty", "subcommittee")
    answer(play, "deputy_vice_chancellor", Verdict.REQUEST_CHANGES)
    play.revise(proposal("sydney", assessment=ANOTHER_ASSESSMENT))
    assert (outcomes(play)["faculty"], outcomes(play)["subcommittee"]) == ("approved", None)
    assert len(asked(play, "subcommittee")) == 5
    passed(play, "subcommittee", "deputy_vice_chancellor")
    assert_published(play)


# --- Australian Catholic University -----------------------------------------------------------------------------------


def test_the_committee_approves_at_its_sitting_and_the_board_is_informed(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = begun(sqlite_database, tmp_path, "acu")
    passed(play, "faculty_board")
    found = stage(play, "approval")
    # The sitting of 11 March takes nothing any more: it took items until ten business days before.
    assert found.sits_at == dt.datetime(2026, 4, 8, 0, 0, tzinfo=dt.UTC)
    assert mails(play, MailKind.OUTCOME) == []
    passed(play, "approval")
    board = {person("academic_board", number) for number in (1, 2)}
    assert board <= set(mails(play, MailKind.TASK))
    assert outcomes(play) == {
        "faculty_board": "endorsed",
        "approval": "approved",
        "report": "informed",
        "publication": "published",
    }
    assert_published(play)


def test_nothing_is_decided_before_the_committee_sits(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "acu")
    passed(play, "faculty_board")
    [task] = play.state.open_tasks("approval")
    approval = Decided(decision_id="d-1", task_id=task.id, actor=task.assignee, verdict=Verdict.APPROVE)
    refused = refusal(play.state, approval, play.plan)
    assert refused is not None and refused.code == "sitting_to_come"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"learning_outcomes": ("Prepare.", "Explain.", "Find.", "Correct.")},
        {"attachments": ()},
        {"delivery": None},
        {"stackability": None},
    ],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_what_the_template_does_not_allow_goes_back(
    sqlite_database: Database, tmp_path: Path, spoilt: dict[str, object]
) -> None:
    play = begun(sqlite_database, tmp_path, "acu", **spoilt)
    assert (play.state.status, play.state.open_tasks()) == (CaseStatus.INCOMPLETE, [])
    play.revise(proposal("acu", attachments=(TEMPLATE,)))
    assert asked(play, "faculty_board") == [person("faculty_board")]


# --- Buffalo ----------------------------------------------------------------------------------------------------------


def test_the_central_review_waits_for_its_window(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "buffalo")
    passed(play, "consultation")
    assert sorted(asked(play, "department_and_dean")) == [person("dean"), person("department_chair")]
    passed(play, "department_and_dean")
    found = stage(play, "central_review")
    assert (found.status, found.opens_at) == (StageStatus.WAITING, dt.datetime(2026, 6, 15, 12, 30, tzinfo=dt.UTC))
    assert asked(play, "central_review") == []
    wait_for(play, "central_review")
    assert len(asked(play, "central_review")) == 5
    due_at = stage(play, "central_review").due_at
    # The 28th is a Sunday: the window closes with the last working day in it.
    assert due_at == dt.datetime(2026, 6, 26, 21, 0, tzinfo=dt.UTC)
    passed(play, "central_review")
    assert outcomes(play)["badge"] == "informed"
    assert person("micro_credentials_office") in mails(play, MailKind.TASK)
    assert_published(play)


def test_each_window_is_open_for_two_weeks() -> None:
    policy = institutions()["buffalo"]
    calendar = work_calendar(policy.calendars["campus"], "campus")
    window = policy.windows["central_review"]
    found = [window_for(window, calendar, calendar.opening(dt.date(year, 1, 1))) for year in range(2026, 2036)]
    found += [window_for(window, calendar, one.closes_at) for one in found if one]
    assert len(found) == 20
    for one in found:
        assert one is not None and one.last_on - one.first_on == 13 * DAY


@pytest.mark.parametrize("silent", [True, False], ids=["silence", "refusal"])
def test_the_consultation_is_recommended_and_stands_in_nobodys_way(
    sqlite_database: Database, tmp_path: Path, silent: bool
) -> None:
    play = begun(sqlite_database, tmp_path, "buffalo")
    if silent:
        until_due(play, "consultation")
    else:
        answer(play, "consultation", Verdict.REJECT)
    assert outcomes(play)["consultation"] == ("skipped" if silent else "refused")
    passed(play, "department_and_dean", "central_review")
    assert_published(play)


def test_chair_and_dean_must_agree(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "buffalo")
    passed(play, "consultation")
    answer(play, "department_and_dean")
    assert play.state.status is CaseStatus.IN_REVIEW
    answer(play, "department_and_dean", Verdict.REJECT)
    assert play.state.status is CaseStatus.REJECTED


# --- UBC --------------------------------------------------------------------------------------------------------------


def test_with_partner_and_fee_everybody_has_a_say(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path, "ubc", partners=(PARTNER,), price=PRICE)
    passed(play, "faculty", "extended_learning")
    committee_sits = stage(play, "curriculum_committee").sits_at
    # The sitting of 2 March was about to begin, and took items until two weeks before.
    assert committee_sits == dt.datetime(2026, 4, 6, 20, 0, tzinfo=dt.UTC)
    passed(play, "curriculum_committee")
    assert stage(play, "senate").sits_at == dt.datetime(2026, 4, 15, 23, 0, tzinfo=dt.UTC)
    assert asked(play, "fees") == []
    passed(play, "senate")
    assert asked(play, "fees") == [person("provost")]
    passed(play, "fees")
    assert set(outcomes(play).values()) == {"approved", "endorsed", "published"}
    assert_published(play)


def test_without_partner_and_fee_it_goes_without_them(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, "ubc")
    assert (outcomes(play)["extended_learning"], outcomes(play)["fees"]) == ("skipped", "skipped")
    passed(play, "faculty", "curriculum_committee", "senate")
    assert_published(play)
    assert person("provost") not in mails(play, MailKind.TASK)


def test_another_partner_is_no_reason_to_ask_extended_learning(sqlite_database: Database, tmp_path: Path) -> None:
    other = PARTNER.model_copy(update={"organisation": "Riverside Community Health"})
    play = begun(sqlite_database, tmp_path, "ubc", partners=(other,))
    assert outcomes(play)["extended_learning"] == "skipped"


def test_what_the_committee_agreed_on_is_a_consent_item_of_the_senate(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = begun(sqlite_database, tmp_path, "ubc")
    passed(play, "faculty", "curriculum_committee")
    [item] = agenda(sqlite_database, "senate", dt.date(2026, 4, 15)).items
    assert item.consent
