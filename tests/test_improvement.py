"""Reviews of what is published, over both databases: called once, held once, and carried to the published record."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from imprimatur import ids
from imprimatur.errors import Gone, NotAllowed, NotFound, Refused, Unavailable
from imprimatur.history.figures.filters import Filter, Scope, of_cases
from imprimatur.history.verify import verify_all
from imprimatur.improvement import Improvement
from imprimatur.store import improvement
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.indicators import indicators_of
from imprimatur.store.overlaps import Overlaps
from imprimatur.store.record_status import set_record_status
from imprimatur.store.reviews_reading import ReviewLine, review_lines, review_sheet, reviews_of_case
from imprimatur.store.task_page import publication_slugs
from models.events import Submitted
from models.messages import CaseAnswer
from models.plan import Plan
from models.tables import CaseRow, PublicationRow
from models.vocabulary import CaseStatus, EventType, RecordStatus, ReviewOutcome, ReviewTrigger, Verdict
from tests.facts import (
    OFFICE,
    PROPOSER,
    START,
    Play,
    add_people,
    event_types,
    everything,
    example,
    first_shipped,
    furnish,
    ledger_rows,
)  # fmt: skip
from tests.improvement import CREDENTIAL, FIRST_REVIEW, Cases, Reviews, published, recommend, reviewed_framework

DAY, YEAR = dt.timedelta(days=1), dt.timedelta(days=366)
E = EventType
SECOND_REVIEW = f"{CREDENTIAL}-r2"


@pytest.fixture
def reviews(database: Database, tmp_path: Path) -> Iterable[Reviews]:
    """A micro-credential that has just been published; in the end every ledger has to be whole."""
    furnish(database)
    yield Reviews(published(database, tmp_path))
    assert verify_all(database).problems == []


def line(reviews: Reviews) -> ReviewLine:
    [found] = review_lines(reviews.database, reviews.now)
    return found


def told(reviews: Reviews, type_: EventType, case_id: str = CREDENTIAL) -> list[dict[str, Any]]:
    return [row["data"] for row in ledger_rows(reviews.database, case_id) if row["type"] == type_]


def record(reviews: Reviews) -> tuple[str, str]:
    table = PublicationRow.__table__  # type: ignore[attr-defined]
    with reviews.database.read() as connection:
        row = connection.execute(select(table.c.status, table.c.status_reason)).one()
    return row.status, row.status_reason or ""


# --- on schedule ------------------------------------------------------------------------------------------------------


async def test_the_first_review_is_scheduled_with_the_publication(reviews: Reviews) -> None:
    [scheduled] = told(reviews, E.REVIEW_SCHEDULED)
    assert scheduled["due_at"].startswith("2028-03-02")
    assert line(reviews).latest_on == dt.date(2029, 3, 2)
    assert (await reviews.sweep(YEAR)).number == 0


def test_a_framework_without_reviews_schedules_none(database: Database, tmp_path: Path) -> None:
    furnish(database)
    before = first_shipped("industry-credit")
    add_framework(database, before, START)
    play = Play(database, tmp_path, before)
    play.submit(example("industry-credit"))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, outcomes=4, assessment=4, need=4)
    assert play.state.status is CaseStatus.PUBLISHED
    assert review_lines(database, play.now) == []
    with pytest.raises(NotFound, match="asks for reviews"), database.write() as connection:
        improvement.locked(connection, CREDENTIAL)


async def test_a_review_begins_when_it_is_due_and_only_once(reviews: Reviews) -> None:
    first = await reviews.sweep(2 * YEAR)
    assert (first.called, first.begun) == ([FIRST_REVIEW], [FIRST_REVIEW])
    assert (await reviews.sweep(DAY)).number == 0
    [called] = told(reviews, E.REVIEW_CALLED)
    assert (called["number"], called["trigger"]) == (1, "due")
    [begun] = told(reviews, E.REVIEW_BEGUN, FIRST_REVIEW)
    assert begun["of"] == CREDENTIAL
    assert reviews_of_case(reviews.database, CREDENTIAL).held[0].review_case == FIRST_REVIEW
    itself = reviews_of_case(reviews.database, FIRST_REVIEW).itself
    assert itself is not None and itself.of == CREDENTIAL


async def test_what_was_called_and_not_begun_is_begun_by_the_next_round(reviews: Reviews) -> None:
    with reviews.database.write() as connection:
        improvement.call(connection, CREDENTIAL, ReviewTrigger.DUE, "it is due", actor="system", at=reviews.now)
    assert (await reviews.sweep()).begun == [FIRST_REVIEW]


async def test_the_office_hears_of_a_coming_review_once(reviews: Reviews) -> None:
    assert (await reviews.sweep(690 * DAY)).announced == 2
    assert (await reviews.sweep(DAY)).announced == 0
    await reviews.improvement.move(CREDENTIAL, dt.date(2028, 3, 9), actor=OFFICE, reason="The reviewers are away.")
    assert (await reviews.sweep(DAY)).announced == 2


async def test_the_office_moves_a_review_within_bounds_and_says_why(reviews: Reviews) -> None:
    move = reviews.improvement.move
    with pytest.raises(Refused) as late:
        await move(CREDENTIAL, dt.date(2029, 3, 3), actor=OFFICE, reason="Later.")
    assert late.value.code == "review_beyond_limit"
    with pytest.raises(Refused) as silent:
        await move(CREDENTIAL, dt.date(2029, 3, 2), actor=OFFICE, reason=" ")
    assert silent.value.code == "reason_required"
    with pytest.raises(NotAllowed):
        await move(CREDENTIAL, dt.date(2027, 1, 1), actor=PROPOSER, reason="I want it.")
    due_at = await move(CREDENTIAL, dt.date(2026, 6, 1), actor=OFFICE, reason="The law has changed.")
    assert due_at == dt.datetime(2026, 5, 31, 12, tzinfo=dt.UTC), "the day begins where the calendar is"
    assert line(reviews).why == "The law has changed."
    assert (await reviews.sweep(100 * DAY)).called == [FIRST_REVIEW]
    with pytest.raises(Refused) as held:
        await move(CREDENTIAL, dt.date(2027, 1, 1), actor=OFFICE, reason="Later.")
    assert held.value.code == "review_open"


class Silent(Cases):
    """Begins nothing, as when the workflow service does not answer, until it is ``well``."""

    well = False

    async def begin(self, case_id: str, plan: Plan, event: Submitted) -> CaseAnswer:
        if not self.well:
            raise Unavailable("temporal_unavailable", "The workflow service does not answer.")
        return await super().begin(case_id, plan, event)


async def test_a_call_that_found_the_engine_silent_is_made_again_with_the_same_answer(
    database: Database, tmp_path: Path
) -> None:
    furnish(database)
    play = published(database, tmp_path)
    cases = Silent(database, tmp_path, play.now)
    call = Improvement(cases, database).call  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(Unavailable):
            await call(CREDENTIAL, actor=OFFICE, reason="A complaint.")
    assert cases.plays == {}
    with pytest.raises(Refused) as another:
        await call(CREDENTIAL, actor=OFFICE, reason="Another complaint.")
    assert another.value.code == "review_open"
    cases.well = True
    assert [await call(CREDENTIAL, actor=OFFICE, reason=" A complaint. ") for _ in range(2)] == [FIRST_REVIEW] * 2
    assert list(cases.plays) == [FIRST_REVIEW]
    assert event_types(database, CREDENTIAL).count(EventType.REVIEW_CALLED) == 1


async def test_the_office_calls_one_review_at_a_time(reviews: Reviews) -> None:
    assert await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="A complaint.") == FIRST_REVIEW
    with pytest.raises(Refused) as twice:
        await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="Another complaint.")
    assert twice.value.code == "review_open"
    with pytest.raises(Refused):
        await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="")
    with pytest.raises(NotAllowed):
        await reviews.improvement.call(CREDENTIAL, actor=PROPOSER, reason="I want it.")
    assert line(reviews).reasons[0].reason == "A complaint."


async def test_a_framework_of_reviews_that_is_missing_keeps_nothing_else_waiting(
    database: Database, tmp_path: Path
) -> None:
    furnish(database)
    reviews = Reviews(published(database, tmp_path, framework="no-such-policy"))
    done = await reviews.sweep(2 * YEAR)
    assert done.called == [FIRST_REVIEW] and done.begun == []
    assert done.problems == [f"{FIRST_REVIEW}: There is no framework no-such-policy."]


# --- on evidence ------------------------------------------------------------------------------------------------------


async def test_figures_below_the_line_call_a_review_when_they_come_in(reviews: Reviews) -> None:
    first = await reviews.take(f"{CREDENTIAL},enrolment,2026-S1,9,", f"{CREDENTIAL},learner_rating,2026-S1,4.5,")
    assert (first.added, first.reviews) == (2, [])
    second = await reviews.take(f"{CREDENTIAL},enrolment,2026-S2,8,Registry")
    assert second.reviews == [FIRST_REVIEW]
    assert reviews.review().state.status is CaseStatus.IN_REVIEW
    [reason] = line(reviews).reasons
    assert reason.reason == "enrolment is below 15: 9 in 2026-S1, 8 in 2026-S2"


async def test_the_same_file_again_changes_nothing(reviews: Reviews) -> None:
    lines = (f"{CREDENTIAL},enrolment,2026,9,", f"{publication_slugs(reviews.database)[0]},completion_rate,2026,80,")
    assert (await reviews.take(*lines)).added == 2
    before = everything(reviews.database)
    again = await reviews.take(*lines)
    assert (again.added, again.changed, again.unchanged, again.cases) == (0, 0, 2, [])
    assert everything(reviews.database) == before
    corrected = await reviews.take(f"{CREDENTIAL},enrolment,2026,19,Registry")
    assert corrected.changed == 1
    assert told(reviews, E.INDICATORS_RECEIVED)[-1]["values"] == [
        {"indicator": "enrolment", "period": "2026", "value": 19.0, "source": "Registry", "before": 9.0}
    ]


async def test_a_preview_stores_nothing_and_tells_every_line(reviews: Reviews) -> None:
    before = everything(reviews.database)
    lines = (f"{CREDENTIAL},enrolment,2026,9,", "mc-elsewhere,enrolment,2026,9,", f"{CREDENTIAL},enrolment,26,9,")
    report = await reviews.take(*lines, preview=True)
    assert (report.preview, report.added, report.cases) == (True, 1, [CREDENTIAL])
    assert [(item.line, item.field) for item in report.rejected] == [(3, "case"), (4, "period")]
    assert everything(reviews.database) == before


async def test_only_the_office_brings_figures(reviews: Reviews) -> None:
    with pytest.raises(NotAllowed):
        await reviews.improvement.import_lines([], source="x", actor=PROPOSER)


async def test_each_fact_speaks_once_and_joins_the_review_that_is_open(reviews: Reviews, tmp_path: Path) -> None:
    await reviews.take(f"{CREDENTIAL},completion_rate,2026,30,")
    add_people(
        reviews.database,
        tmp_path,
        "mere.tane@harbour-software.example,Mere,industry_partner,no",
    )
    assert (await reviews.sweep(DAY)).called == [FIRST_REVIEW]
    assert [reason.trigger for reason in line(reviews).reasons] == ["indicator", "partner_left"]
    assert (await reviews.sweep(DAY)).called == []
    reviews.conclude(Verdict.CONTINUE)
    assert (await reviews.sweep(DAY)).called == [], "what was before the reviewers is judged"
    await reviews.take(f"{CREDENTIAL},completion_rate,2027,31,")
    assert line(reviews).open_review == SECOND_REVIEW


async def test_a_superseded_framework_speaks_for_a_review(reviews: Reviews) -> None:
    newer = reviewed_framework(reviews.database).model_copy(update={"version": "100"})
    add_framework(reviews.database, newer, reviews.now)
    assert (await reviews.sweep(DAY)).called == [FIRST_REVIEW]
    assert "which version 100 has superseded" in line(reviews).reasons[0].reason


async def test_a_sign_off_that_ends_speaks_for_a_review(database: Database, tmp_path: Path) -> None:
    furnish(database)
    policy = reviewed_framework(database)
    document = policy.model_dump(mode="json") | {"version": "98"}
    document["stages"][2]["valid_for"] = {"months": 12}
    ending = type(policy).model_validate(document)
    add_framework(database, ending, dt.datetime.now(dt.UTC))
    play = Play(database, tmp_path, ending)
    play.submit(example("industry-credit"))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, outcomes=4, assessment=4, need=4)
    reviews = Reviews(play)
    reviews.cases.at = reviews.now
    assert (await reviews.sweep(200 * DAY)).called == []
    assert (await reviews.sweep(120 * DAY)).called == [FIRST_REVIEW]
    assert line(reviews).reasons[0].reason.startswith("the approval of Industry sign-off ends on 2027-03-")


async def test_a_trigger_that_is_off_says_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    reviews = Reviews(published(database, tmp_path, triggers=[]))
    add_people(database, tmp_path, "mere.tane@harbour-software.example,Mere,industry_partner,no")
    add_framework(
        database, reviewed_framework(database, triggers=[]).model_copy(update={"version": "100"}), reviews.now
    )
    assert (await reviews.sweep(DAY)).called == []


# --- what comes of it -------------------------------------------------------------------------------------------------


async def held(reviews: Reviews, verdict: Verdict, **facts: Any) -> Play:
    await reviews.sweep(2 * YEAR)
    return reviews.conclude(verdict, **facts)


async def test_what_continues_says_that_it_was_reviewed_and_is_reviewed_again(reviews: Reviews) -> None:
    play = await held(reviews, Verdict.CONTINUE)
    assert play.state.status is CaseStatus.CONCLUDED
    assert event_types(reviews.database, FIRST_REVIEW)[-2:] == [E.REVIEW_CONCLUDED, E.CASE_CLOSED]
    assert record(reviews) == ("offered", "Reviewed on 2028-03-03: it continues as it is.")
    found = line(reviews)
    assert (found.open_review, found.last_outcome) == (None, ReviewOutcome.CONTINUE)
    assert found.next_at is not None and found.next_at.date() == dt.date(2030, 3, 3)
    assert (await reviews.sweep(2 * YEAR)).called == [SECOND_REVIEW]


async def test_what_is_paused_says_so_until_a_review_lets_it_go_on(reviews: Reviews) -> None:
    await held(reviews, Verdict.PAUSE)
    assert record(reviews)[0] == RecordStatus.PAUSED
    await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="A new partner has been found.")
    reviews.conclude(Verdict.CONTINUE, SECOND_REVIEW)
    assert record(reviews)[0] == RecordStatus.OFFERED


async def test_what_is_retired_is_taught_out_and_then_retires_by_itself(reviews: Reviews) -> None:
    await held(reviews, Verdict.RETIRE, teach_out_on=dt.date(2028, 12, 31))
    assert record(reviews)[0] == RecordStatus.TEACHING_OUT
    assert line(reviews).next_at is None
    with pytest.raises(Gone) as over:
        await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="Anew.")
    assert over.value.code == "record_not_reviewed"
    reviews.now = dt.datetime(2028, 12, 31, 12, tzinfo=dt.UTC)
    assert (await reviews.sweep()).retired == []
    assert (await reviews.sweep(DAY)).retired == [CREDENTIAL]
    assert record(reviews)[0] == RecordStatus.RETIRED
    assert (await reviews.sweep(DAY)).number == 0


async def test_a_revision_opens_a_case_for_the_new_version(reviews: Reviews) -> None:
    await held(reviews, Verdict.REVISE)
    assert "under revision" in record(reviews)[1]
    draft = ids.replacement_case_id(FIRST_REVIEW)
    assert (await reviews.sweep()).drafted == [draft]
    assert (await reviews.sweep()).drafted == []
    assert reviews.cases.plays[draft].state.status is CaseStatus.INCOMPLETE
    assert told(reviews, E.REPLACEMENT_DRAFTED) == [{"draft": draft}]
    [missing] = told(reviews, E.CASE_RETURNED, draft)[0]["missing"]
    assert FIRST_REVIEW in missing["problem"]
    assert line(reviews).replacement == draft


async def test_a_review_that_is_withdrawn_leaves_the_record_as_it_was(reviews: Reviews) -> None:
    await reviews.sweep(2 * YEAR)
    before = record(reviews)
    reviews.review().withdraw("It was called by mistake.")
    assert told(reviews, E.REVIEW_CONCLUDED, FIRST_REVIEW)[0]["outcome"] is None
    assert record(reviews) == before
    assert line(reviews).open_review is None and line(reviews).next_at is not None


async def test_what_was_retracted_meanwhile_stays_so(reviews: Reviews) -> None:
    await reviews.sweep(2 * YEAR)
    with reviews.database.write() as connection:
        set_record_status(connection, CREDENTIAL, RecordStatus.RETRACTED, actor=OFFICE, reason="An error.")
    reviews.conclude(Verdict.CONTINUE)
    assert record(reviews)[0] == RecordStatus.RETRACTED
    assert (await reviews.sweep(3 * YEAR)).problems == []


async def test_the_office_cannot_approve_a_recommendation_in_the_reviewers_place(reviews: Reviews) -> None:
    from imprimatur.rules.admission import refusal
    from models.events import ActProposed
    from models.vocabulary import OfficeAct, StageOutcome

    await reviews.sweep(2 * YEAR)
    play = reviews.review()
    act = ActProposed(
        act_id="a-1",
        act=OfficeAct.OVERRIDE,
        actor=OFFICE,
        stage="peers",
        outcome=StageOutcome.APPROVED,
        reason="So.",
        by_office=True,
    )
    found = refusal(play.state, act, play.plan)
    assert found is not None and found.code == "outcome_not_offered"


# --- what reviewers see -----------------------------------------------------------------------------------------------


async def test_reviewers_see_why_and_what_was_decided_and_how_it_has_done(reviews: Reviews) -> None:
    await reviews.take(f"{CREDENTIAL},completion_rate,2026,30,Registry")
    sheet = review_sheet(reviews.database, FIRST_REVIEW)
    assert sheet is not None
    assert [reason.trigger for reason in sheet.review.reasons] == [ReviewTrigger.INDICATOR]
    assert {decision.stage for decision in sheet.decisions} == {"Proposal check", "Quality review", "Industry sign-off"}
    assert [(item.period, item.value) for item in sheet.indicators] == [("2026", 30.0)]
    assert review_sheet(reviews.database, CREDENTIAL) is None
    reviews.conclude(Verdict.CONTINUE)
    await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="Once more.")
    again = review_sheet(reviews.database, SECOND_REVIEW)
    assert again is not None and [review.outcome for review in again.before] == [ReviewOutcome.CONTINUE]
    assert Verdict.CONTINUE in {decision.verdict for decision in again.decisions}


async def test_reviewers_who_disagree_call_in_whoever_the_stage_escalates_to(reviews: Reviews) -> None:
    await reviews.sweep(2 * YEAR)
    play = reviews.review()
    recommend(play, "peers", Verdict.CONTINUE)
    recommend(play, "peers", Verdict.RETIRE)
    assert [task.role for task in play.state.open_tasks("peers")] == ["academic_director"]
    recommend(play, "peers", Verdict.REVISE)
    assert play.state.stages["peers"].recommendation is Verdict.REVISE


async def test_a_review_resembles_nothing_and_counts_as_no_credential(reviews: Reviews) -> None:
    await reviews.sweep(2 * YEAR)
    found = Overlaps(reviews.database).of(example("industry-credit"))
    assert [item.case_id for item in found] == [CREDENTIAL]


async def test_what_is_kept_of_figures_is_in_order(reviews: Reviews) -> None:
    await reviews.take(f"{CREDENTIAL},enrolment,2027,40,", f"{CREDENTIAL},enrolment,2026,30,")
    with reviews.database.read() as connection:
        found = indicators_of(connection, CREDENTIAL)
    assert [(item.period, item.value, item.imported_by) for item in found] == [
        ("2026", 30.0, OFFICE),
        ("2027", 40.0, OFFICE),
    ]


async def test_figures_of_approvals_count_no_reviews(reviews: Reviews) -> None:
    await reviews.sweep(2 * YEAR)
    reviews.conclude(Verdict.CONTINUE)

    def counted(**given: str) -> list[str]:
        chosen = Filter.parse({"from": "2026-01-01", "to": "2028-12-31", **given}, dt.date(2028, 12, 31))
        with reviews.database.read() as connection:
            table = CaseRow.__table__  # type: ignore[attr-defined]
            query = select(table.c.case_id).where(*of_cases(table, chosen, Scope()))
            return list(connection.execute(query).scalars())

    assert counted() == [CREDENTIAL]
    assert counted(kind="review") == counted(framework="improvement-review") == [FIRST_REVIEW]
