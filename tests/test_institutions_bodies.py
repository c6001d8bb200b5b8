"""Cases in Sydney, at ACU, in Buffalo and at UBC: endorsements, sittings, windows, and who is asked only sometimes."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.committees.agenda import agenda
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import institutions
from imprimatur.rules.admission import refusal
from imprimatur.rules.sittings import window_for
from imprimatur.store.engine import Database
from models.events import Decided
from models.proposal import Level
from models.vocabulary import CaseStatus, EventType, MailKind, StageStatus, Verdict
from tests.governed import asked, mails, stage
from tests.institutions import (
    ANOTHER_ASSESSMENT,
    PARTNER,
    PRICE,
    TEMPLATE,
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
    assert outcomes(play)["department_and_dean"] is None
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
