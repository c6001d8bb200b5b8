"""A reviewer's page: what it shows, what a sent form records, and what happens to links that are no longer good."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from itsdangerous import TimestampSigner

from imprimatur.errors import Unavailable
from imprimatur.mail.links import LINK_DAYS, Links
from imprimatur.store.engine import Database
from models.vocabulary import TaskClosure, Verdict
from tests.facts import BASE_URL, OFFICE, PROPOSER, Play, example, furnish, ledger_rows
from tests.web import FORM, KEY, Site

GOOD = {"verdict": "approve", "comment": "Well made.", "score.outcomes": "3", "score.assessment": "4"}


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", comment="Fits our offer.", fit=4, no_duplication=3)
    return play


@pytest.fixture
def site(play: Play) -> Site:
    return Site(play)


async def post(site: Site, link: str, form: dict[str, str], accept: str = "text/html") -> httpx.Response:
    async with site.visitor() as visitor:
        return await visitor.post(link, data=form, headers={"Accept": accept})


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


def forged(site: Site) -> str:
    return site.link("quality").replace("/t/", "/t/x")


def of_another_key(site: Site) -> str:
    task = site.play.state.open_tasks("quality")[0]
    return f"/t/{Links(['k' * 40], BASE_URL).token(task.id, task.assignee)}"


def cut_off(site: Site) -> str:
    return site.link("quality")[:-3]


def wrapped(site: Site) -> str:
    return site.link("quality") + "%3E."


def without_signature(site: Site) -> str:
    return site.link("quality").split(".")[0]


def of_another_purpose(site: Site) -> str:
    token = site.link("quality").removeprefix("/t/").split(".")[0]
    return f"/t/{TimestampSigner([KEY], salt=b'imprimatur.reply-address', sep='.').sign(token).decode()}"


@pytest.mark.parametrize("broken", [forged, of_another_key, cut_off, wrapped, without_signature, of_another_purpose])
async def test_a_link_that_is_not_whole_and_ours_opens_nothing(site: Site, broken: Callable[[Site], str]) -> None:
    async with site.visitor() as visitor:
        for answer in (await visitor.get(broken(site)), await visitor.post(broken(site), data=GOOD)):
            assert answer.status_code == 404
            assert "link_invalid" in answer.text
            assert example("industry-credit").title not in answer.text  # type: ignore[operator]
    assert site.decider.asked == []


class Late(TimestampSigner):
    """Signs as it did long ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - int(dt.timedelta(days=LINK_DAYS, hours=1).total_seconds())


async def test_an_expired_link_says_so(site: Site) -> None:
    payload = site.link("quality").removeprefix("/t/").split(".")[0]
    old = Late([KEY], salt=b"imprimatur.task-link", sep=".").sign(payload).decode()
    async with site.visitor() as visitor:
        for answer in (await visitor.get(f"/t/{old}"), await visitor.post(f"/t/{old}", data=GOOD)):
            assert answer.status_code == 410
            assert "link_expired" in answer.text
            assert "governance office" in answer.text


async def test_links_of_an_older_key_go_on_working(site: Site) -> None:
    link = site.link("quality")
    rotated = Site(site.play, links=Links(["n" * 40, KEY], BASE_URL))
    assert (await post(rotated, link, GOOD)).status_code == 200


@pytest.mark.parametrize("whose", [("t-aaaaaaaaaaaaaaaa", OFFICE), (None, OFFICE)])
async def test_a_signed_link_to_no_task_of_that_person_opens_nothing(site: Site, whose: tuple[str | None, str]) -> None:
    task = whose[0] or site.play.state.open_tasks("quality")[0].id
    async with site.visitor() as visitor:
        answer = await visitor.get(f"/t/{site.links.token(task, whose[1])}")
    assert answer.status_code == 404
    assert "task_unknown" in answer.text


def decide_without_them(play: Play) -> None:
    for _ in range(2):
        play.decide("quality", outcomes=4, assessment=4)


def send_back(play: Play) -> None:
    for _ in range(2):
        play.decide("quality", Verdict.REQUEST_CHANGES, "More.", outcomes=1, assessment=1)


def send_back_elsewhere(play: Play) -> None:
    for _ in range(2):
        play.decide("industry", Verdict.REQUEST_CHANGES, "Show the job.", need=1)


def reject_elsewhere(play: Play) -> None:
    for _ in range(2):
        play.decide("industry", Verdict.REJECT, "No need.", need=0)


def reject_here(play: Play) -> None:
    for _ in range(2):
        play.decide("quality", Verdict.REJECT, "No.", outcomes=0, assessment=0)


def withdraw(play: Play) -> None:
    play.withdraw("No budget.")


CLOSURES = {
    "decided": (decide_without_them, "The stage was decided before you answered"),
    "revision": (send_back, "The stage was decided before you answered"),
    "rejected": (reject_here, "The stage was decided before you answered"),
    "revision elsewhere": (send_back_elsewhere, "Changes were requested and a new version is awaited"),
    "rejected elsewhere": (reject_elsewhere, "The proposal was rejected"),
    "withdrawn": (withdraw, f"The proposal was withdrawn by {PROPOSER}"),
}


@pytest.mark.parametrize("how", CLOSURES)
async def test_a_closed_task_says_why_and_takes_no_answer(site: Site, how: str) -> None:
    close, told = CLOSURES[how]
    link = site.link("quality", 2)
    close(site.play)
    before = ledger_rows(site.play.database, site.play.case_id)
    async with site.visitor() as visitor:
        shown, late = await visitor.get(link), await visitor.post(link, data=GOOD)
    assert (shown.status_code, late.status_code) == (200, 410)
    for page in (shown.text, late.text):
        assert "Nothing is asked of you any more" in page
        assert told in page
        assert "<form" not in page
    assert ledger_rows(site.play.database, site.play.case_id) == before


async def test_a_new_round_voids_the_links_of_the_last_one(site: Site) -> None:
    old = site.link("quality")
    send_back(site.play)
    site.play.revise(example("industry-credit.revised"))
    new = site.link("quality")
    async with site.visitor() as visitor:
        assert "<form" not in (await visitor.get(old)).text
        assert (await visitor.post(old, data=GOOD)).status_code == 410
        page = (await visitor.get(new)).text
        assert "round 2" in page and "More." in page and "<form" in page
        assert (await visitor.post(new, data=GOOD)).status_code == 200


def test_the_page_has_words_for_every_closure() -> None:
    template = Path(__file__).parents[1] / "imprimatur" / "web" / "templates" / "task.html"
    text = template.read_text(encoding="utf-8")
    assert [closure for closure in TaskClosure if f'"{closure}": ' not in text] == []


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
