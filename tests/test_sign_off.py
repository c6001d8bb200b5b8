"""Industry sign-off: several signatories, public words and logos, an end to an approval, a refusal to be judged."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from imprimatur import ids
from imprimatur.errors import DocumentInvalid
from imprimatur.history.verify import verify_case
from imprimatur.rules.answers import check_answer
from imprimatur.store.engine import Database
from imprimatur.store.task_page import publication, publication_slugs
from models.events import Decided, Held, Resumed
from models.framework import StageDef
from models.proposal import Partner, Proposal, Signatory
from models.vocabulary import CaseStatus, EventType, StageOutcome, StageStatus, Verdict
from tests.facts import Play, event_types, example
from tests.governed import DIRECTOR, asked, mails, play_of, review, stage, told

E = EventType
DAY = dt.timedelta(days=1)
ONE = {"quorum": 1, "threshold": 1}
LOGO = "data:image/png;base64,iVBORw0KGgo="
MERE, JONAS, TAMA = "mere.tane@harbour-software.example", "jonas.weber@fieldnote.example", "tama@harbour.example"


def signed_by(**change: Any) -> dict[str, Any]:
    """A stage that the proposal's partners decide; one of them is enough."""
    return review("industry", **{"reviewers": [{"partners": "all"}], "voting": ONE} | change)


def with_signatories(*, logo: str | None = LOGO) -> Proposal:
    """Harbour Software has a second person who signs, and a logo."""
    proposal = example("industry-credit")
    first, *others = proposal.partners
    harbour = first.model_copy(update={"signatories": (Signatory(name="Tama", email=TAMA),), "logo": logo})
    return proposal.model_copy(update={"partners": (harbour, *others)})


def begun(database: Database, folder: Path, *stages: dict[str, Any], proposal: Proposal | None = None) -> Play:
    play = play_of(database, folder, *(stages or (signed_by(),)))
    play.submit(proposal or with_signatories())
    return play


def sign(
    play: Play, person: str, verdict: Verdict = Verdict.APPROVE, stage_id: str = "industry", **public: Any
) -> None:
    task = next(task for task in play.state.open_tasks(stage_id) if task.assignee == person)
    comment = "" if verdict is Verdict.APPROVE else "Nobody needs it."
    number = ids.decision_id(task.id, person, verdict, comment, {})
    facts = {"decision_id": number, "task_id": task.id, "actor": person, "verdict": verdict, "comment": comment}
    play.act(Decided(**facts, **public))


# --- signatories ------------------------------------------------------------------------------------------------------


def test_the_contacts_alone_are_asked_unless_all_signatories_are(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path)
    assert asked(play, "industry") == [MERE, JONAS]


def test_all_who_sign_for_a_partner_are_asked(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path, signed_by(reviewers=[{"partners": "all", "signatories": True}]))
    assert asked(play, "industry") == [MERE, TAMA, JONAS]
    assert {task.role for task in play.state.open_tasks("industry")} == {"industry_partner"}


def test_of_the_lead_partner_all_who_sign_are_asked(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path, signed_by(reviewers=[{"partners": "lead", "signatories": True}]))
    assert asked(play, "industry") == [MERE, TAMA]


def test_a_signature_of_each_can_be_needed(database: Database, tmp_path: Path) -> None:
    rule = {"quorum": 3, "threshold": 3}
    play = begun(database, tmp_path, signed_by(reviewers=[{"partners": "all", "signatories": True}], voting=rule))
    sign(play, MERE)
    sign(play, TAMA)
    assert stage(play, "industry").status is StageStatus.OPEN
    sign(play, JONAS)
    assert play.state.status is CaseStatus.PUBLISHED


def test_signatories_sign_for_partners_only() -> None:
    with pytest.raises(ValidationError, match="signatories sign for partners"):
        StageDef.model_validate(review("quality", reviewers=[{"role": "quality_reviewer", "signatories": True}]))


@pytest.mark.parametrize("logo", ["https://example.org/logo.png", "data:text/html;base64,AAAA", "data:image/svg+xml,x"])
def test_a_logo_is_a_picture_in_itself(logo: str) -> None:
    with pytest.raises(ValidationError):
        Partner(organisation="Harbour", logo=logo)


# --- statements -------------------------------------------------------------------------------------------------------

STAGE = StageDef.model_validate(signed_by(statement="required"))
OPTIONAL = StageDef.model_validate(signed_by(statement="optional"))
NONE = StageDef.model_validate(signed_by())


@pytest.mark.parametrize(
    ("stage_def", "verdict", "statement", "code"),
    [
        (STAGE, "approve", "", "statement_required"),
        (STAGE, "reject", "", ""),
        (STAGE, "approve", "We hire for it.", ""),
        (STAGE, "approve", "x" * 1000, ""),
        (STAGE, "approve", "x" * 1001, "statement_too_long"),
        (STAGE, "approve", "a\x00b", "statement_not_printable"),
        (STAGE, "reject", "We do not.", "statement_without_approval"),
        (OPTIONAL, "approve", "", ""),
        (OPTIONAL, "abstain", "Well.", "statement_without_approval"),
        (NONE, "approve", "We hire for it.", "statement_not_offered"),
    ],
)
def test_public_words_come_with_an_approval_where_they_are_asked_for(
    stage_def: StageDef, verdict: str, statement: str, code: str
) -> None:
    comment = "Because." if verdict == "reject" else ""
    try:
        check_answer(stage_def, verdict, comment, {}, statement=statement)
    except DocumentInvalid as error:
        assert error.code == code
        assert [problem["where"] for problem in error.details["problems"]] == ["statement"]
    else:
        assert code == ""


def published(play: Play) -> dict[str, Any]:
    [slug] = publication_slugs(play.database)
    return publication(play.database, slug).page


def test_what_a_partner_says_is_published_with_the_logo_that_it_allows(database: Database, tmp_path: Path) -> None:
    rule = {"quorum": 2, "threshold": 2}
    play = begun(database, tmp_path, signed_by(statement="optional", voting=rule))
    sign(play, MERE, statement="We hire for it.", logo=True)
    sign(play, JONAS, statement="It meets a need.")
    assert published(play)["endorsements"] == [
        {"organisation": "Harbour Software", "statement": "We hire for it.", "logo": LOGO},
        {"organisation": "Fieldnote Analytics", "statement": "It meets a need.", "logo": None},
    ]
    assert [row.get("statement") for row in told(play, E.DECISION_RECORDED)] == ["We hire for it.", "It meets a need."]
    assert verify_case(database, play.case_id).ok


def test_a_logo_is_not_shown_without_a_word(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path, signed_by(statement="optional"))
    sign(play, MERE, statement="We hire for it.")
    assert published(play)["endorsements"][0]["logo"] is None


def test_what_was_said_of_a_version_that_lapsed_is_not_published(database: Database, tmp_path: Path) -> None:
    rule = {"quorum": 2, "threshold": 2}
    play = begun(database, tmp_path, signed_by(statement="optional", voting=rule))
    sign(play, MERE, statement="We hire for it.")
    sign(play, JONAS, Verdict.REQUEST_CHANGES)
    revised = example("industry-credit.revised")
    play.revise(revised)
    for person in (MERE, JONAS):
        sign(play, person)
    assert "endorsements" not in published(play)


def test_a_statement_that_somebody_altered_is_found(sqlite_database: Database, tmp_path: Path) -> None:
    play = begun(sqlite_database, tmp_path, signed_by(statement="optional"))
    sign(play, MERE, statement="We hire for it.")
    with sqlite_database.write() as connection:
        connection.exec_driver_sql("UPDATE decision SET statement = 'We pay for it.'")
    found = verify_case(sqlite_database, play.case_id)
    assert [problem.problem for problem in found.problems] == ["it differs from the ledger in statement"]


# --- an approval that ends --------------------------------------------------------------------------------------------


def long_case(database: Database, folder: Path, **change: Any) -> Play:
    """The sign-off holds for two months; the board takes longer."""
    slow = review("board", "industry", voting=ONE, reviewers=[{"role": "governance_office", "count": 1}])
    stages = (signed_by(**{"valid_for": {"months": 2}} | change), slow)
    return begun(database, folder, *stages)


def expiry(play: Play) -> dt.datetime:
    found = play.state.stages["industry"].expires_at
    assert found is not None
    return found


def test_an_approval_that_ends_is_confirmed_by_those_who_gave_it(database: Database, tmp_path: Path) -> None:
    play = long_case(database, tmp_path)
    sign(play, MERE)
    # Two months later by the clocks of Auckland, which go back meanwhile.
    assert expiry(play) == play.now.replace(month=play.now.month + 2) + dt.timedelta(hours=1)
    play.pass_time(expiry(play) - play.now)
    [expired] = told(play, E.APPROVAL_EXPIRED)
    assert (expired["stage"], expired["round"], expired["of_round"]) == ("industry", 2, 1)
    assert asked(play, "industry") == [MERE]
    assert stage(play, "industry").status is StageStatus.OPEN
    sign(play, MERE)
    found = stage(play, "industry")
    assert (found.outcome, found.round) == ("approved", 2)
    assert expiry(play) > play.now + 50 * DAY
    assert verify_case(database, play.case_id).ok


def test_an_approval_that_nobody_confirms_is_sought_anew(database: Database, tmp_path: Path) -> None:
    play = long_case(database, tmp_path)
    sign(play, MERE)
    play.pass_time(expiry(play) - play.now)
    sign(play, MERE, Verdict.ABSTAIN)
    assert E.STAGE_LAPSED in event_types(database, play.case_id)
    assert JONAS in asked(play, "industry")


def test_an_approval_by_silence_that_ends_is_decided_anew(database: Database, tmp_path: Path) -> None:
    silent = {"within": {"business_days": 5}, "calendar": "campus", "escalate_to": "academic_director"}
    clause = silent | {"at_breach": "approve", "policy_clause": "Senate regulation 14."}
    play = long_case(database, tmp_path, sla=clause)
    play.pass_time(10 * DAY)
    assert stage(play, "industry").outcome == "approved"
    play.pass_time(expiry(play) - play.now)
    assert stage(play, "industry").status is StageStatus.OPEN
    assert asked(play, "industry") == [MERE, JONAS]


def test_a_case_on_hold_finds_the_end_when_it_goes_on(database: Database, tmp_path: Path) -> None:
    play = long_case(database, tmp_path)
    sign(play, MERE)
    play.office(Held)
    play.pass_time(90 * DAY)
    assert E.APPROVAL_EXPIRED not in event_types(database, play.case_id)
    play.office(Resumed)
    play.pass_time(dt.timedelta(minutes=1))
    assert E.APPROVAL_EXPIRED in event_types(database, play.case_id)


def test_how_long_a_sign_off_holds_is_published(database: Database, tmp_path: Path) -> None:
    play = begun(database, tmp_path, signed_by(valid_for={"months": 24}))
    sign(play, MERE)
    [assurance] = published(play)["assurances"]
    assert assurance["valid_until"].startswith("2028-03-0")
    assert stage(play, "industry").outcome == "approved"


# --- a refusal that is judged -----------------------------------------------------------------------------------------


def referred(database: Database, folder: Path) -> Play:
    return begun(database, folder, signed_by(on_rejection="refer", voting={"quorum": 2, "threshold": 2}))


def test_a_refusal_is_referred_and_can_be_overridden_on_the_record(database: Database, tmp_path: Path) -> None:
    play = referred(database, tmp_path)
    sign(play, MERE, Verdict.REJECT)
    sign(play, JONAS, Verdict.REJECT)
    assert stage(play, "industry").status is StageStatus.OPEN
    [row] = told(play, E.STAGE_ESCALATED)
    assert (row["cause"], row["to"]) == ("refusal", [DIRECTOR])
    assert mails(play, "escalation") == [DIRECTOR]
    sign(play, DIRECTOR)
    assert play.state.status is CaseStatus.PUBLISHED
    assert stage(play, "industry").outcome == "approved"
    verdicts = [(row["by"], row["verdict"]) for row in told(play, E.DECISION_RECORDED)]
    assert verdicts == [(MERE, "reject"), (JONAS, "reject"), (DIRECTOR, "approve")], "nothing is forgotten"


def test_a_refusal_that_is_upheld_ends_the_case(database: Database, tmp_path: Path) -> None:
    play = referred(database, tmp_path)
    sign(play, MERE, Verdict.REJECT)
    sign(play, JONAS, Verdict.REJECT)
    sign(play, DIRECTOR, Verdict.REJECT)
    assert play.state.status is CaseStatus.REJECTED
    assert play.state.stages["industry"].outcome is StageOutcome.REJECTED


def test_whoever_judges_a_refusal_can_ask_for_changes(database: Database, tmp_path: Path) -> None:
    play = referred(database, tmp_path)
    sign(play, MERE, Verdict.REJECT)
    sign(play, JONAS, Verdict.REJECT)
    sign(play, DIRECTOR, Verdict.REQUEST_CHANGES)
    assert play.state.status is CaseStatus.REVISING


def test_a_veto_is_referred_as_well(database: Database, tmp_path: Path) -> None:
    rule = {"quorum": 1, "threshold": 1, "veto": ["industry_partner"]}
    play = begun(database, tmp_path, signed_by(on_rejection="refer", voting=rule))
    sign(play, MERE, Verdict.REJECT)
    assert asked(play, "industry") == [DIRECTOR], "nobody else need answer any more"
    sign(play, DIRECTOR)
    assert play.state.status is CaseStatus.PUBLISHED
