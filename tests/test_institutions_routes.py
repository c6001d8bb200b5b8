"""Cases in New Zealand, Kentucky and Denver: refusals, objections, routes by the answers, what goes back."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.committees.agenda import agenda
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import institutions
from imprimatur.rules.sittings import next_sitting
from imprimatur.store.engine import Database
from models.proposal import Level, Workload
from models.vocabulary import CaseStatus, EventType, MailKind, Verdict
from tests.facts import PROPOSER, event_types
from tests.governed import asked, mails, show, stage, told
from tests.institutions import (
    ANOTHER_ASSESSMENT,
    answer,
    assert_published,
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
    # On Monday 2 March those of February are closed; those of March close on the 31st, a day before the sitting.
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
