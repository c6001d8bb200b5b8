"""A reviewer's page: what it shows, what a sent form records, and what happens to links that are no longer good."""

import re
from pathlib import Path

import pytest

from imprimatur.errors import Unavailable
from imprimatur.store.engine import Database
from models.vocabulary import Verdict
from tests.facts import Play, example, furnish, ledger_rows
from tests.web import FORM, Site, post, under_review

GOOD = {"verdict": "approve", "comment": "Well made.", "score.outcomes": "3", "score.assessment": "4"}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return under_review(sqlite_database, tmp_path)


async def test_the_page_shows_all_that_a_reviewer_needs(site: Site) -> None:
    async with site.visitor() as visitor:
        page = (await visitor.get(site.link("quality"))).text
    proposal, stage = example("industry-credit"), site.play.framework.stage("quality")
    told = [
        proposal.title,
        proposal.summary,
        *proposal.learning_outcomes,
        stage.name,
        stage.asks,
        "390 hours",
        "15 ECTS",
    ]
    told += [criterion.question for criterion in stage.criteria] + ["Harbour Software", "1 March 2027"]
    told += ["Decisions so far", "Fits our offer.", "Proposal check", "Please answer by", "10 business days from"]
    for text in told:
        assert str(text).replace("'", "&#39;") in page, text
    assert page.count("(needed)") == 2
    for criterion in stage.criteria:
        assert len(re.findall(f'name="score.{criterion.id}"', page)) == 5
    assert re.findall('name="verdict" value="([a-z_]+)"', page) == [str(verdict) for verdict in stage.verdicts]


async def test_the_page_names_no_reviewer_to_another(site: Site) -> None:
    """Who decided is told by role: nobody shall be swayed, or called."""
    async with site.visitor() as visitor:
        page = (await visitor.get(site.link("quality"))).text
    assert "governance office" in page
    assert not re.findall(r"[\w.]+@example\.edu", page)


async def test_what_a_framework_recommends_and_a_proposal_leaves_out_is_shown(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path, "coursework-credit")
    play.submit(example("coursework-credit"))
    site = Site(play)
    async with site.visitor() as visitor:
        page = (await visitor.get(site.link("proposal"))).text
    assert "Not stated, though recommended" in page


async def test_a_sent_form_is_recorded_and_receipted(site: Site) -> None:
    before = len(ledger_rows(site.play.database, site.play.case_id))
    answer = await post(site, site.link("quality"), GOOD)
    assert answer.status_code == 200
    assert "your decision is recorded" in answer.text
    recorded = ledger_rows(site.play.database, site.play.case_id)[before:]
    [decision] = [row for row in recorded if row["type"] == "decision_recorded"]
    assert decision["data"]["scores"] == {"outcomes": 3, "assessment": 4}
    assert decision["data"]["channel"] == "link"
    for proof in (decision["digest"], decision["data"]["decision_id"], "Well made."):
        assert proof in answer.text


async def test_the_same_form_again_gets_the_same_receipt_and_records_nothing(site: Site) -> None:
    link = site.link("quality")
    first = await post(site, link, GOOD)
    recorded = ledger_rows(site.play.database, site.play.case_id)
    for form in (GOOD, GOOD | {"comment": "Well made.\r\n  "}):
        again = await post(site, link, form)
        assert (again.status_code, again.text) == (200, first.text)
    assert ledger_rows(site.play.database, site.play.case_id) == recorded


async def test_another_answer_to_an_answered_task_is_refused_and_the_first_one_shown(site: Site) -> None:
    link = site.link("quality")
    await post(site, link, GOOD)
    recorded = ledger_rows(site.play.database, site.play.case_id)
    other = await post(site, link, GOOD | {"verdict": "reject"})
    assert other.status_code == 410
    assert "already_decided" in other.text
    assert "You answered: Approve" in other.text
    assert "<form" not in other.text
    assert ledger_rows(site.play.database, site.play.case_id) == recorded


async def test_an_answered_task_shows_its_answer_in_place_of_the_form(site: Site) -> None:
    link = site.link("quality")
    await post(site, link, GOOD)
    async with site.visitor() as visitor:
        page = (await visitor.get(link)).text
    assert "You answered: Approve" in page
    assert "<form" not in page


MISSING = [
    ({"verdict": "reject", "comment": " \n"}, "comment_required", ["comment"]),
    ({"verdict": "request_changes", "comment": ""}, "comment_required", ["comment"]),
    ({"score.outcomes": ""}, "score_required", ["score.outcomes"]),
    ({"score.outcomes": "", "score.assessment": ""}, "score_required", ["score.outcomes", "score.assessment"]),
    ({"score.outcomes": "9"}, "score_out_of_range", ["score.outcomes"]),
    ({"score.outcomes": "-1"}, "score_out_of_range", ["score.outcomes"]),
    ({"score.outcomes": "three"}, "score_malformed", []),
    ({"score.outcomes": "9" * 5000}, "score_malformed", []),
    ({"score.beauty": "3"}, "criterion_unknown", ["score.beauty"]),
    ({"verdict": "applaud"}, "verdict_not_offered", []),
    ({"verdict": ""}, "verdict_not_offered", []),
    ({"comment": "x" * 20_001}, "comment_too_long", ["comment"]),
]


@pytest.mark.parametrize(("change", "code", "fields"), MISSING, ids=lambda value: str(value)[:40])
async def test_an_incomplete_answer_is_explained_and_keeps_what_was_typed(
    site: Site, change: dict[str, str], code: str, fields: list[str]
) -> None:
    form = {
        "verdict": "approve",
        "comment": "Three <fine> words",
        "score.outcomes": "3",
        "score.assessment": "1",
    } | change
    before = ledger_rows(site.play.database, site.play.case_id)
    answer = await post(site, site.link("quality"), form)
    assert answer.status_code == 422
    assert f"<code>{code}</code>" in answer.text
    assert 'role="alert"' in answer.text
    kept = answer.text.partition('name="comment"')[2].partition("</textarea>")[0].partition(">")[2].lstrip()
    assert kept == form["comment"].replace("<", "&lt;").replace(">", "&gt;").lstrip()
    checked = set(re.findall(r'name="([a-z_.]+)" value="([^"]+)"(?: required)? checked', answer.text))
    offered = {("score.outcomes", "3"), ("score.assessment", "1")} | {("verdict", str(verdict)) for verdict in Verdict}
    assert checked == {item for item in form.items() if item in offered}
    for field in fields:
        if f'id="{field}"' in answer.text:
            assert f'<a href="#{field}">' in answer.text
            assert f'id="wrong-{field}"' in answer.text
    assert ledger_rows(site.play.database, site.play.case_id) == before


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"verdict=approve", "text/plain", 415, "form_unreadable"),
        (b'{"verdict": "approve"}', "application/json", 415, "form_unreadable"),
        (b"verdict=approve", "", 415, "form_unreadable"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415, "form_unreadable"),
        (b"verdict=approve&comment=" + b"x" * 300_000, FORM, 413, "form_too_large"),
        (b"&".join(b"f%d=1" % number for number in range(300)), FORM, 422, "form_unreadable"),
        (b"verdict=%ff%fe", FORM, 422, "form_unreadable"),
        (b"\xff\xfe", FORM, 422, "form_unreadable"),
        (b"", FORM, 422, "verdict_not_offered"),
        (b"=&&==&%&verdict", FORM, 422, "verdict_not_offered"),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(
    site: Site, content: bytes, kind: str, status: int, code: str
) -> None:
    async with site.visitor() as visitor:
        headers = {"Accept": "application/json"} | ({"Content-Type": kind} if kind else {})
        answer = await visitor.post(site.link("quality"), content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_odd_characters_of_a_comment_are_kept_or_left_out_but_never_fatal(site: Site) -> None:
    form = GOOD | {"comment": "Zero\x00width\u200b, \U0001f393, عربى,\r\nsecond line\r\n\tindented"}
    answer = await post(site, site.link("quality"), form)
    assert answer.status_code == 200
    [decision] = [
        row["data"]
        for row in ledger_rows(site.play.database, site.play.case_id)
        if row["type"] == "decision_recorded" and row["data"]["stage"] == "quality"
    ]
    assert decision["comment"] == "Zerowidth\u200b, \U0001f393, عربى,\nsecond line\n\tindented"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_trouble_on_our_side_is_no_refusal_and_says_that_repeating_is_safe(site: Site, accept: str) -> None:
    site.decider.trouble = Unavailable("temporal_unavailable", "The service does not answer.", "Repeat it in a minute.")
    answer = await post(site, site.link("quality"), GOOD, accept)
    assert answer.status_code == 503
    assert "Repeat it in a minute" in answer.text
    assert "Record my decision" not in answer.text
    site.decider.trouble = None
    assert (await post(site, site.link("quality"), GOOD)).status_code == 200


async def test_a_refusal_is_json_for_machines(site: Site) -> None:
    answer = await post(site, site.link("quality"), GOOD | {"score.outcomes": "9"}, "application/json")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "score_out_of_range")
    assert error["hint"]
