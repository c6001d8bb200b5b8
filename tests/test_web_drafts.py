"""What a reviewer has typed is kept, the task can be passed on, and the receipt of a decision is found again."""

import re
from pathlib import Path

import httpx
import pytest

from imprimatur.store.answer_drafts import draft_of
from imprimatur.store.engine import Database
from models.vocabulary import TaskStatus
from tests.admin import words
from tests.facts import ledger_rows
from tests.test_web_acts import code_of
from tests.web import Site, under_review

SCORES = {"score.outcomes": "4", "score.assessment": "3"}
ADVISER = "ivo.adviser@example.org"


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return under_review(sqlite_database, tmp_path)


def once(page: httpx.Response) -> dict[str, str]:
    return {"once": re.findall(r'name="once" value="([^"]+)"', page.text)[0]}


async def test_what_was_typed_is_there_again_and_nothing_was_sent(site: Site) -> None:
    link = site.link("quality")
    async with site.visitor() as visitor:
        form = once(await visitor.get(link)) | SCORES | {"verdict": "approve", "act": "keep"}
        for comment in ("First thoughts", "First <thoughts>, and more"):
            answer = await visitor.post(link, data=form | {"comment": comment})
            assert (answer.status_code, answer.headers["location"]) == (303, f"{link}#answer")
        page = (await visitor.get(link)).text
    assert "First &lt;thoughts&gt;, and more" in page and "Your draft of" in page
    assert 'value="approve" required checked' in page
    assert re.search(r'name="score.assessment" value="3" checked', page)
    assert site.decider.asked == [] and len(site.play.state.open_tasks("quality")) == 3


async def test_a_script_is_told_when_the_draft_was_kept(site: Site) -> None:
    link = site.link("quality")
    async with site.visitor() as visitor:
        form = once(await visitor.get(link)) | {"comment": "x", "act": "keep"}
        answer = await visitor.post(link, data=form, headers={"Accept": "application/json"})
        assert answer.json()["kept_at"]
        unseen = await visitor.post(link, data={"comment": "x", "act": "keep"}, headers={"Accept": "application/json"})
        assert (unseen.status_code, unseen.json()["error"]["code"]) == (409, "form_value_stale")


async def test_what_is_taken_out_again_is_no_draft(site: Site) -> None:
    link, task = site.link("quality"), site.play.state.open_tasks("quality")[0]
    async with site.visitor() as visitor:
        form = once(await visitor.get(link)) | {"act": "keep"}
        await visitor.post(link, data=form | {"comment": "No."})
        assert draft_of(site.play.database, task.id, task.assignee) is not None
        empty = await visitor.post(link, data=form | {"comment": ""})
        assert (empty.status_code, code_of(empty)) == (422, "draft_empty")
    assert draft_of(site.play.database, task.id, task.assignee) is None


async def test_a_draft_is_its_holder_s_alone_and_ends_with_the_answer(site: Site) -> None:
    mine, other = site.link("quality", 0), site.link("quality", 1)
    task = site.play.state.open_tasks("quality")[0]
    async with site.visitor() as visitor:
        form = once(await visitor.get(mine)) | SCORES | {"verdict": "approve", "comment": "Half a thought"}
        await visitor.post(mine, data=form | {"act": "keep"})
        assert "Half a thought" not in (await visitor.get(other)).text
        assert (await visitor.post(mine, data=form)).status_code == 200
        assert draft_of(site.play.database, task.id, task.assignee) is None
        late = await visitor.post(mine, data=form | {"act": "keep"}, headers={"Accept": "application/json"})
        assert late.json() == {"kept_at": None}
    assert draft_of(site.play.database, task.id, task.assignee) is None


async def test_a_task_is_passed_on_from_its_page(site: Site) -> None:
    link = site.link("industry")
    before = site.play.state.open_tasks("industry")[0]
    async with site.visitor() as visitor:
        page = await visitor.get(link)
        assert "Pass the task on" in page.text
        said = {"act": "delegate", "to": before.assignee, "delegate_reason": "On leave"}
        wrong = await visitor.post(link, data=once(page) | said)
        assert (wrong.status_code, code_of(wrong)) == (404, "person_unknown") and "On leave" in wrong.text
        done = await visitor.post(link, data=once(wrong) | said | {"to": ADVISER})
        assert done.status_code == 303, words(done.text)
        assert "passed on" in words((await visitor.get(link)).text)
    assert site.play.state.tasks[before.id].status is TaskStatus.CLOSED
    holders = [task.assignee for task in site.play.state.open_tasks("industry")]
    assert ADVISER in holders and before.assignee not in holders


async def test_the_receipt_is_found_again_and_proves_the_decision(site: Site) -> None:
    link = site.link("quality")
    async with site.visitor() as visitor:
        early = await visitor.get(f"{link}/receipt")
        assert (early.status_code, code_of(early)) == (404, "receipt_unknown")
        form = once(await visitor.get(link)) | SCORES | {"verdict": "approve", "comment": "Good & sound."}
        answered = await visitor.post(link, data=form)
        assert f'href="{link}/receipt.txt"' in answered.text
        assert f'href="{link}/receipt"' in (await visitor.get(link)).text
        again, text = await visitor.get(f"{link}/receipt"), await visitor.get(f"{link}/receipt.txt")
    assert again.text == answered.text
    decided = [row for row in ledger_rows(site.play.database, site.play.case_id) if row["type"] == "decision_recorded"]
    for proof in (decided[-1]["digest"], str(decided[-1]["position"]), decided[-1]["data"]["decision_id"]):
        assert proof in again.text and proof in text.text
    assert "Good & sound." in text.text and text.headers["content-type"].startswith("text/plain")
    assert text.headers["content-disposition"].startswith("attachment")
    async with site.visitor() as visitor:
        assert (await visitor.get(f"{site.link('quality')}/receipt.txt")).status_code == 404
