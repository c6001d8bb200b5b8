"""Publications and reviews as acts: on the page of a case, on the page of reviews, and for programs."""

import datetime as dt
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import httpx
import pytest

from imprimatur.errors import Unavailable
from imprimatur.gateway import Gateway
from imprimatur.publishing import Publishing
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.store.indicators import indicators_of
from imprimatur.store.publishing import begin_run, due_runs, end_run
from models.messages import RunEnd
from models.tables import ImprovementRow
from models.vocabulary import EventType, KeyScope, RecordStatus, RunStatus
from tests.api import code_of, idle_api
from tests.facts import BASE_URL, OFFICE, PROPOSER, START, Play, event_types, example, furnish
from tests.improvement import CREDENTIAL, FIRST_REVIEW, Reviews, published
from tests.published import approved, with_targets
from tests.web import Site

CASE = "mc-published"
WHY = "The partner has left."
DAY = "2099-02-01"
SILENT = "temporal_unavailable"
CALLED = EventType.REVIEW_CALLED
IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    return approved(sqlite_database, tmp_path, with_targets(sqlite_database, "website", "lms"))


def failed(database: Database) -> None:
    """As when a target has refused."""
    [run] = due_runs(database, dt.datetime.now(dt.UTC))
    begin_run(database, run.run_id)
    end_run(database, RunEnd(run_id=run.run_id, failed="lms", reason="it says 500"))


def hidden(page: str) -> dict[str, str]:
    main = page.partition('<main id="content">')[2]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', main)
    return {name: html.unescape(value) for name, value in found}


async def pressed(visitor: httpx.AsyncClient, case_id: str, act: str, **said: str) -> httpx.Response:
    form = await visitor.get(f"/cases/{case_id}/acts/{act}")
    assert form.status_code == 200, form.text
    return await visitor.post(f"/cases/{case_id}/acts/{act}", data=hidden(form.text) | said)


@asynccontextmanager
async def program(database: Database, person: str = OFFICE) -> AsyncIterator[httpx.AsyncClient]:
    key = make_key(database, "a program", person, list(KeyScope), START)[1]
    transport, headers = httpx.ASGITransport(idle_api(database)), {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        yield client


async def test_the_page_of_a_case_says_what_failed_and_the_office_tries_it_again(play: Play) -> None:
    failed(play.database)
    async with Site(play).signed_in(OFFICE) as visitor:
        page = (await visitor.get(f"/cases/{CASE}")).text
        assert "What was done at the targets" in page and "it says 500" in page
        assert "/catalogue/" not in page.partition('<main id="content">')[2], "it is not public, and leads nowhere"
        answer = await pressed(visitor, CASE, "retry_publication")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{CASE}#publication")
        again = await visitor.get(f"/cases/{CASE}/acts/retry_publication")
        assert again.status_code == 403 and "Nothing of the publication has failed" in again.text
    assert [run.status for run in Publishing(play.database).show(CASE).runs] == [RunStatus.FAILED, RunStatus.QUEUED]


async def test_a_record_is_retracted_on_its_page_once_and_for_good(play: Play) -> None:
    async with Site(play).signed_in(OFFICE) as visitor:
        form = hidden((await visitor.get(f"/cases/{CASE}/acts/retract")).text) | {"reason": WHY}
        answers = [await visitor.post(f"/cases/{CASE}/acts/retract", data=form) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {303}
        assert answers[0].headers["location"] == answers[1].headers["location"]
        page = (await visitor.get(answers[0].headers["location"])).text
        assert "Recorded." in page and WHY in page
    assert Publishing(play.database).show(CASE).status is RecordStatus.RETRACTED
    assert event_types(play.database, CASE)[-1] == EventType.RECORD_STATUS_CHANGED


async def test_a_day_is_set_before_the_approval_and_the_same_day_again_changes_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    async with Site(play).signed_in(OFFICE) as visitor:
        wrong = await pressed(visitor, play.case_id, "schedule_publication", on="soon", reason=WHY)
        assert wrong.status_code == 422 and "No day was chosen" in wrong.text and WHY in wrong.text
        for _ in range(2):
            answer = await pressed(visitor, play.case_id, "schedule_publication", on=DAY, reason=WHY)
            assert answer.status_code == 303, answer.text
        assert "if it is approved by then" in (await visitor.get(f"/cases/{play.case_id}")).text
    assert event_types(sqlite_database, play.case_id).count(EventType.PUBLICATION_SCHEDULED) == 1


async def test_what_the_targets_said_is_the_offices_own_matter(play: Play) -> None:
    failed(play.database)
    async with Site(play).signed_in(PROPOSER) as visitor:
        page = (await visitor.get(f"/cases/{CASE}")).text
        assert 'id="publication"' in page and "it says 500" not in page
        assert (await visitor.get(f"/cases/{CASE}/acts/retract")).status_code == 403
    async with program(play.database, PROPOSER) as client:
        assert code_of(await client.get(f"/cases/{CASE}/publication")) == (403, "names_hidden")
        assert code_of(await client.post(f"/cases/{CASE}/retract", json={"reason": WHY})) == (403, "not_the_office")


async def test_programs_do_the_same(play: Play) -> None:
    failed(play.database)
    async with program(play.database) as client:
        seen = (await client.get(f"/cases/{CASE}")).headers["etag"]
        retried = await client.post(f"/cases/{CASE}/retry-publication", headers={"If-Match": seen})
        assert [run["status"] for run in retried.json()["runs"]] == ["failed", "queued"]
        assert (await client.get(f"/cases/{CASE}")).headers["etag"] != seen, "what may be done is another now"
        assert code_of(await client.post(f"/cases/{CASE}/retry-publication")) == (403, "publication_not_failed")
        day = {"on": DAY, "reason": WHY}
        assert code_of(await client.post(f"/cases/{CASE}/schedule-publication", json=day)) == (403, "publication_begun")
        fresh = (await client.get(f"/cases/{CASE}")).headers["etag"]
        retracted = await client.post(f"/cases/{CASE}/retract", json={"reason": WHY}, headers={"If-Match": fresh})
        assert retracted.json()["status"] == "retracted", retracted.text
        assert code_of(await client.post(f"/cases/{CASE}/retract", json={"reason": WHY})) == (403, "record_retracted")
        stale = await client.post(f"/cases/{CASE}/retract", json={"reason": WHY}, headers={"If-Match": fresh})
        assert code_of(stale) == (412, "case_changed")


# --- reviews ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def credential(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    return published(sqlite_database, tmp_path)


async def test_the_next_review_is_moved_where_reviews_are_listed(credential: Play) -> None:
    async with Site(credential).signed_in(OFFICE) as visitor:
        listed = (await visitor.get("/reviews")).text
        assert f'href="/cases/{CREDENTIAL}/acts/call_review"' in listed
        assert f'href="/cases/{CREDENTIAL}/acts/move_review"' in listed
        far = await pressed(visitor, CREDENTIAL, "move_review", on="2099-01-01", reason=WHY)
        assert far.status_code == 409 and "review_beyond_limit" in far.text
        assert (await pressed(visitor, CREDENTIAL, "move_review", on="2027-01-15", reason=WHY)).status_code == 303
        assert WHY in (await visitor.get("/reviews")).text
    async with program(credential.database) as client:
        [line] = (await client.get("/reviews")).json()["items"]
        assert (line["case_id"], line["why"]) == (CREDENTIAL, WHY)
        moved = await client.post(f"/cases/{CREDENTIAL}/move-review", json={"on": "2027-02-15", "reason": WHY})
        assert moved.status_code == 200 and moved.json()["due_at"].startswith("2027-02-1"), moved.text


async def test_indicators_are_taken_from_a_file_after_a_preview(credential: Play) -> None:
    text = f"case,indicator,period,value\n{CREDENTIAL},completion_rate,2026,80\n{CREDENTIAL},nothing,2026,1\n"
    async with Site(credential).signed_in(OFFICE) as visitor:
        form = hidden((await visitor.get("/reviews/indicators")).text)
        file = {"file": ("figures.csv", text, "text/csv")}
        preview = await visitor.post("/reviews/indicators", data=form, files=file)
        assert "Record 1 figure" in preview.text and "Line 3" in preview.text
        with credential.database.read() as connection:
            assert indicators_of(connection, CREDENTIAL) == []
        confirmed = hidden(preview.text) | {"text": text}
        assert "The figures are recorded." in (await visitor.post("/reviews/indicators", data=confirmed)).text
        assert "imported before" in (await visitor.post("/reviews/indicators", data=confirmed)).text
        empty = await visitor.post("/reviews/indicators", data=form | {"text": " "})
        assert empty.status_code == 422 and "form_without_file" in empty.text
    with credential.database.read() as connection:
        assert [(item.value, item.source) for item in indicators_of(connection, CREDENTIAL)] == [(80, "figures.csv")]


async def test_programs_send_the_same_file(credential: Play) -> None:
    text = f"case,indicator,period,value\n{CREDENTIAL},completion_rate,2026,80\n"
    async with program(credential.database) as client:
        for preview, known in ((True, 0), (False, 0), (False, 1)):
            answer = await client.post(
                "/indicators/csv",
                params={"source": "student-system", "preview": preview},
                content=text,
                headers={"Content-Type": "text/csv"},
            )
            assert (answer.json()["added"], answer.json()["unchanged"]) == (1 - known, known), answer.text


async def test_the_round_of_the_day_is_made_on_the_page_of_reviews_once(credential: Play) -> None:
    def due_again() -> None:
        with credential.database.write() as connection:
            at = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
            connection.execute(IMPROVEMENT.update().values(next_at=at, open_review=None))

    due_again()
    site = Site(credential, acting=cast(Gateway, Reviews(credential).cases))
    async with site.signed_in(OFFICE) as visitor:
        form = hidden((await visitor.get("/reviews")).text)
        forged = await visitor.post("/reviews/run", data=form | {"form_token": "0" * 64})
        assert forged.status_code == 403 and event_types(credential.database, CREDENTIAL).count(CALLED) == 0
        made = await visitor.post("/reviews/run", data=form)
        assert made.status_code == 200 and "The round is made." in made.text and "1 called" in made.text
        again = await visitor.post("/reviews/run", data=form)
        assert "sent before" in again.text and "The round is made." not in again.text
    assert event_types(credential.database, CREDENTIAL).count(CALLED) == 1
    async with site.signed_in(PROPOSER) as visitor:
        assert (await visitor.post("/reviews/run", data=form)).status_code == 403


async def test_a_program_s_call_that_found_the_engine_silent_may_come_again(
    credential: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def silent(gateway: Gateway, *given: object) -> None:
        raise Unavailable(SILENT, "The workflow service does not answer.")

    async def answers(gateway: Gateway, case_id: str, *given: object) -> None:
        begun.append(case_id)

    address, said = f"/cases/{CREDENTIAL}/call-review", {"reason": WHY}
    async with program(credential.database) as client:
        monkeypatch.setattr(Gateway, "begin", silent)
        for _ in range(2):
            assert code_of(await client.post(address, json=said)) == (503, SILENT)
        other = await client.post(address, json={"reason": "Another one."})
        assert code_of(other) == (403, "review_open")
        monkeypatch.setattr(Gateway, "begin", answers)
        answer = await client.post(address, json=said)
        assert (answer.status_code, answer.json()["review"]) == (200, FIRST_REVIEW) and begun == [FIRST_REVIEW]
    assert event_types(credential.database, CREDENTIAL).count(CALLED) == 1
