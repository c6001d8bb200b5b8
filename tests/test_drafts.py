"""Proposals that are written on the pages: begun, saved as they are typed, looked over, handed in once; and revised."""

import asyncio
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from imprimatur import ids
from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.frameworks.forms import typed
from imprimatur.store import drafts
from imprimatur.store.engine import Database
from imprimatur.store.skills import import_skills
from models.vocabulary import CaseStatus, Verdict
from tests.facts import OFFICE, PROPOSER, add_people, everything, example
from tests.pages import ELSEWHERE, HERE, PEOPLE
from tests.proposing import Populated
from tests.web import Site, form_token

AUDITOR = PEOPLE["auditor"]


@pytest.fixture(scope="module")
def populated_once(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Populated:
    return Populated(migrated_file, tmp_path_factory.mktemp("populated"))


@pytest.fixture
def site(populated_once: Populated, tmp_path: Path) -> Iterator[Site]:
    with populated_once.copy(tmp_path) as site:
        yield site


def hidden(page: str) -> dict[str, str]:
    """What the page of a draft sends along unseen."""
    found = dict(re.findall(r'type="hidden" name="(revision|tab|form_token)" value="([^"]*)"', page))
    assert {"revision", "tab", "form_token"} <= found.keys()
    return found


def filled(name: str) -> dict[str, str]:
    """An example as the fields of the form."""
    found: dict[str, str] = {}

    def put(value: object, at: str) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                put(part, f"{at}.{key}" if at else key)
        elif isinstance(value, list):
            for number, entry in enumerate(value):
                put(entry, f"{at}.{number}")
        else:
            found[at] = str(value)

    put(typed(example(name)), "")
    return {name: value for name, value in found.items() if not name.startswith("credential_kind")}


async def begun(visitor: httpx.AsyncClient, framework: str = "industry-credit", **more: str) -> str:
    """The path of a new draft."""
    token = form_token((await visitor.get("/proposals/new")).text)
    answer = await visitor.post("/proposals/new", data={"form_token": token, "framework": framework} | more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def sent(visitor: httpx.AsyncClient, path: str, said: dict[str, str], act: str = "save") -> httpx.Response:
    page = (await visitor.get(path)).text
    return await visitor.post(path, data=hidden(page) | said | {"act": act})


async def test_a_proposal_is_written_looked_over_and_submitted_once(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        assert re.search(r"[01] of \d+ required things said", (await visitor.get(path)).text)
        answer = await sent(visitor, path, filled("industry-credit"), "review")
        assert answer.headers["location"] == f"{path}/review"
        review = (await visitor.get(f"{path}/review")).text
        assert "misses nothing" in review and example("industry-credit").display_title in review
        form = {"form_token": form_token(review), "case": ""}
        first, second = await asyncio.gather(*(visitor.post(f"{path}/submit", data=form) for _ in range(2)))
        third = await visitor.post(f"{path}/submit", data=form)
        case_id = ids.drafted_case_id(path.rpartition("/")[2])
        assert {answer.headers["location"] for answer in (first, second, third)} == {f"/cases/{case_id}"}
        assert (await visitor.get(f"/cases/{case_id}")).status_code == 200
        assert (await visitor.get(path)).status_code == 404
        assert "You have no draft" in (await visitor.get("/drafts")).text
    assert site.cases.plays[case_id].state.digest == example("industry-credit").digest


async def test_what_is_incomplete_becomes_a_case_that_its_proposer_completes_in_the_form(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        said = filled("industry-credit")
        await sent(visitor, path, {name: value for name, value in said.items() if not name.startswith("learning")})
        review = (await visitor.get(f"{path}/review")).text
        assert "Learning outcomes</a> is missing" in review and "Submit as it is" in review
        answer = await visitor.post(f"{path}/submit", data={"form_token": form_token(review)})
        case_id = answer.headers["location"].rpartition("/")[2]
        assert site.cases.plays[case_id].state.status is CaseStatus.INCOMPLETE
        asked = (await visitor.get(f"/cases/{case_id}/revise")).text
        begin = await visitor.post(f"/cases/{case_id}/revise", data={"form_token": form_token(asked)})
        again = begin.headers["location"]
        assert (await visitor.get(f"/cases/{case_id}/revise")).headers["location"] == again
        await sent(visitor, again, said)
        review = (await visitor.get(f"{again}/review")).text
        assert "Changed since version 1: Learning outcomes" in review
        form = {"form_token": form_token(review), "case": case_id}
        answers = [await visitor.post(f"{again}/submit", data=form) for _ in range(2)]
        assert {answer.headers["location"] for answer in answers} == {f"/cases/{case_id}"}
    assert site.cases.plays[case_id].state.status is CaseStatus.IN_REVIEW
    assert site.cases.plays[case_id].state.version == 2


async def test_a_revision_shows_what_reviewers_have_said(site: Site) -> None:
    for _ in range(2):
        site.play.decide("quality", Verdict.REQUEST_CHANGES, "Say how ethics are kept.", outcomes=2, assessment=2)
    async with site.signed_in(PROPOSER) as visitor:
        asked = (await visitor.get(f"/cases/{HERE}/revise")).text
        assert "Say how ethics are kept." in asked and "Quinn" not in asked
        path = (await visitor.post(f"/cases/{HERE}/revise", data={"form_token": form_token(asked)})).headers["location"]
        assert 'value="Prototyping"' in (await visitor.get(path)).text
    async with site.signed_in(OFFICE) as visitor:
        denied = await visitor.get(f"/cases/{HERE}/revise")
        assert denied.status_code == 403 and "Only the case&#39;s proposer can do this." in denied.text


# --- saved while typing -----------------------------------------------------------------------------------------------


async def test_typing_is_saved_with_what_is_still_missing(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        page = (await visitor.get(path)).text
        form = hidden(page) | {"title": "Circular Procurement", "workload.hours": "abc"}
        first = await visitor.post(f"{path}/save", data=form, headers={"HX-Request": "true"})
        assert first.status_code == 200 and "<html" not in first.text
        assert "is not a number" in first.text and "Summary</a> is missing" in first.text
        # What was said in a way that cannot be read is not called missing as well.
        assert "Hours</a>: " in first.text and "Hours</a> is missing" not in first.text
        # The page has not heard of its own save, and goes on.
        second = await visitor.post(f"{path}/save", data=form | {"workload.hours": "52"})
        assert second.status_code == 200 and "is not a number" not in second.text
        shown = (await visitor.get(path)).text
        assert 'value="Circular Procurement"' in shown and 'value="52"' in shown


async def test_a_page_never_overwrites_unawares_what_another_has_saved(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        one, other = [hidden((await visitor.get(path)).text) for _ in range(2)]
        assert one["tab"] != other["tab"]
        saved = await visitor.post(path, data=one | {"title": "The first", "act": "save"})
        assert saved.status_code == 303
        for address in (path, f"{path}/save"):
            refused = await visitor.post(address, data=other | {"title": "The second"})
            assert refused.status_code == 409
            assert "draft_changed" in refused.text and "Keep what stands here" in refused.text
            assert 'value="The first"' in (await visitor.get(path)).text
        assert 'value="The second"' in (await visitor.post(path, data=other | {"title": "The second"})).text
        kept = await visitor.post(path, data=other | {"title": "The second", "act": "keep"})
        assert kept.status_code == 303 and 'value="The second"' in (await visitor.get(path)).text


def test_of_two_pages_that_save_at_once_one_is_told(database: Database) -> None:
    now = dt.datetime.now(dt.UTC)
    found = drafts.draft(database, PROPOSER, drafts.begin(database, PROPOSER, "non-credit", {}, now))
    drafts.save(database, found, {"title": "a"}, now, revision=1, tab="one", anyway=False)
    with pytest.raises(ImprimaturError) as refused:
        drafts.save(database, found, {"title": "b"}, now, revision=1, tab="two", anyway=False)
    assert refused.value.code == "draft_changed"
    drafts.save(database, found, {"title": "c"}, now, revision=1, tab="one", anyway=False)
    assert drafts.draft(database, PROPOSER, found.draft_id).title == "c"
    with pytest.raises(ImprimaturError) as hidden_one:
        drafts.save(database, found.model_copy(update={"owner": OFFICE}), {}, now, revision=3, tab="", anyway=True)
    assert hidden_one.value.code == "draft_unknown"


async def test_rows_are_added_and_removed_without_scripts(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        said = {"learning_outcomes.0": "Casts a net.", "partners.0.organisation": "Harbour"}
        added = await sent(visitor, path, said, "add:learning_outcomes")
        assert added.headers["location"].endswith("at=learning_outcomes.1#learning_outcomes-1")
        page = (await visitor.get(added.headers["location"])).text
        assert 'name="learning_outcomes.1" autofocus' in page and 'value="Harbour"' in page
        await sent(visitor, path, said | {"learning_outcomes.1": "Mends it."}, "remove:learning_outcomes.0")
        page = (await visitor.get(path)).text
        assert "Mends it." in page and "Casts a net." not in page


async def test_a_skill_is_looked_for_and_taken(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "skills.csv"
    file.write_text("preferredLabel,conceptUri\nmend nets,https://skills.example.org/1\n", encoding="utf-8")
    import_skills(site.play.database, "ESCO", file, dt.datetime.now(dt.UTC))
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        found = await sent(visitor, path, {"find": "nets"}, "find")
        page = (await visitor.get(found.headers["location"])).text
        part = (await visitor.get(f"{path}/skills?find=nets")).text
        [button] = re.findall(r'value="(skill:[^"]*)"', part)
        assert button in page and "<html" not in part
        await sent(visitor, path, {}, button.replace("&#9;", "\t"))
        assert 'value="mend nets"' in (await visitor.get(path)).text
        assert (await sent(visitor, path, {}, "skill:ESCO\tnothing")).status_code == 422


# --- where it begins --------------------------------------------------------------------------------------------------


async def test_a_draft_begins_from_a_file_or_tells_every_problem_of_it(site: Site) -> None:
    good = b"title: Nets\ncredential_kind: non_credit\nworkload: {hours: 12}\n"
    bad = b"title: Nets\nworkload: {hours: many}\nnothing: 1\n"
    async with site.signed_in(PROPOSER) as visitor:
        token = form_token((await visitor.get("/proposals/new")).text)
        form = {"form_token": token, "framework": "industry-credit", "from": "file"}
        begin = await visitor.post("/proposals/new", data=form, files={"file": ("nets.yaml", good)})
        page = (await visitor.get(begin.headers["location"])).text
        assert 'value="Nets"' in page and 'value="12"' in page
        refused = await visitor.post("/proposals/new", data=form, files={"file": ("nets.yaml", bad)})
        assert refused.status_code == 422
        assert "Line 2" in refused.text and "Line 3" in refused.text and "proposal_invalid" in refused.text
        none = await visitor.post("/proposals/new", data=form, files={"file": ("", b"")})
        assert none.status_code == 422 and "attachment_unchosen" in none.text
        unknown = await visitor.post("/proposals/new", data=form | {"from": "empty", "framework": "nothing"})
        assert unknown.status_code == 404 and "framework_unknown" in unknown.text


async def test_a_draft_begins_as_a_copy_of_a_case_that_one_sees(site: Site) -> None:
    async with site.signed_in(PEOPLE["reviewer"]) as visitor:
        path = await begun(visitor, **{"from": "copy", "copy": HERE})
        assert 'value="Prototyping"' in (await visitor.get(path)).text
        token = form_token((await visitor.get("/proposals/new")).text)
        form = {"form_token": token, "framework": "industry-credit", "from": "copy", "copy": ELSEWHERE}
        assert (await visitor.post("/proposals/new", data=form)).status_code == 404
        assert "A secret of another unit" not in (await visitor.get("/proposals/new?q=secret")).text


async def test_what_it_resembles_is_shown_as_far_as_one_sees_it(site: Site) -> None:
    found = {}
    for person in (PROPOSER, PEOPLE["reviewer"]):
        async with site.signed_in(person) as visitor:
            path = await begun(visitor, "non-credit")
            said = filled("non-credit") | {"title": "A secret of another unit"}
            await sent(visitor, path, said)
            found[person] = (await visitor.get(f"{path}/review")).text
    assert f'href="/cases/{ELSEWHERE}"' in found[PROPOSER]
    assert ELSEWHERE not in found[PEOPLE["reviewer"]]


# --- whose it is ------------------------------------------------------------------------------------------------------


async def test_a_draft_is_its_owner_s_alone(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        await sent(visitor, path, {"title": "Mine alone"})
    for name in ("office", "admin", "reviewer"):
        async with site.signed_in(PEOPLE[name]) as visitor:
            token = form_token((await visitor.get("/account")).text)
            for address in (path, f"{path}/review", f"{path}/skills?find=x", f"{path}/files/{'0' * 64}"):
                assert (await visitor.get(address)).status_code == 404, (name, address)
            for address in (path, f"{path}/save", f"{path}/delete"):
                assert (await visitor.post(address, data={"form_token": token})).status_code == 404
            assert "Mine alone" not in (await visitor.get("/drafts")).text
    async with site.signed_in(PROPOSER) as visitor:
        assert 'value="Mine alone"' in (await visitor.get(path)).text


async def test_auditors_propose_nothing_and_are_not_led_there(site: Site) -> None:
    async with site.signed_in(AUDITOR) as visitor:
        assert "/proposals/new" not in (await visitor.get("/")).text
        token = form_token((await visitor.get("/account")).text)
        form = {"form_token": token, "framework": "non-credit"}
        answer = await visitor.post("/proposals/new", data=form)
        assert answer.status_code == 403 and "proposing_not_allowed" in answer.text
    assert everything(site.play.database)["draft"] == []


async def test_a_form_of_another_session_changes_nothing(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        before = everything(site.play.database)
        for address in (path, f"{path}/save", f"{path}/submit", f"{path}/delete", "/proposals/new", "/imports"):
            answer = await visitor.post(address, data={"form_token": "0" * 64, "title": "x", "framework": "non-credit"})
            assert (answer.status_code, "form_token_wrong" in answer.text) == (403, True), address
        assert everything(site.play.database) == before


async def test_looking_at_drafts_changes_nothing(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        before = everything(site.play.database)
        for address in ("/proposals/new", "/drafts", path, f"{path}/review", f"{path}/skills?find=x", "/imports"):
            assert (await visitor.get(address)).status_code == 200
        assert everything(site.play.database) == before


# --- when something fails ---------------------------------------------------------------------------------------------


async def test_nothing_is_lost_when_the_case_does_not_answer(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        await sent(visitor, path, filled("industry-credit"))
        form = {"form_token": form_token((await visitor.get(f"{path}/review")).text)}
        site.cases.trouble = Unavailable("temporal_unavailable", "The workflow service does not answer.")
        answer = await visitor.post(f"{path}/submit", data=form)
        assert answer.status_code == 503 and "temporal_unavailable" in answer.text
        assert (await visitor.post(f"{path}/submit", data=form)).status_code == 303


async def test_a_draft_whose_case_was_made_before_the_web_process_died_is_not_submitted_twice(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        await sent(visitor, path, filled("industry-credit"))
        case_id = ids.drafted_case_id(path.rpartition("/")[2])
        await site.cases.submit(
            example("industry-credit"), proposer=PROPOSER, framework_id="industry-credit", case_id=case_id
        )
        form = {"form_token": form_token((await visitor.get(f"{path}/review")).text)}
        assert (await visitor.post(f"{path}/submit", data=form)).headers["location"] == f"/cases/{case_id}"
        assert site.cases.submitted == [case_id]


async def test_a_draft_that_was_submitted_and_changed_since_is_not_lost(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        case_id = ids.drafted_case_id(path.rpartition("/")[2])
        await site.cases.submit(
            example("industry-credit"), proposer=PROPOSER, framework_id="industry-credit", case_id=case_id
        )
        await sent(visitor, path, filled("industry-credit") | {"title": "Changed since"})
        form = {"form_token": form_token((await visitor.get(f"{path}/review")).text)}
        answer = await visitor.post(f"{path}/submit", data=form)
        assert answer.status_code == 409 and "draft_submitted_before" in answer.text
        assert 'value="Changed since"' in (await visitor.get(path)).text


async def test_a_revision_of_a_version_that_was_replaced_is_handed_in_knowingly(site: Site) -> None:
    for _ in range(2):
        site.play.decide("quality", Verdict.REQUEST_CHANGES, "Say how.", outcomes=2, assessment=2)
    async with site.signed_in(PROPOSER) as visitor:
        token = form_token((await visitor.get(f"/cases/{HERE}/revise")).text)
        path = (await visitor.post(f"/cases/{HERE}/revise", data={"form_token": token})).headers["location"]
        await sent(visitor, path, filled("industry-credit.revised"))
        site.play.revise(example("industry-credit").model_copy(update={"learning_outcomes": ()}))
        form = {"form_token": token, "case": HERE}
        refused = await visitor.post(f"{path}/submit", data=form)
        assert refused.status_code == 409 and "draft_outdated" in refused.text
        answer = await visitor.post(f"{path}/submit", data=form | {"anyway": "yes"})
        assert answer.headers["location"] == f"/cases/{HERE}"
    assert site.play.state.version == 3


async def test_there_is_an_end_to_the_number_of_drafts(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 2)
    add_people(site.play.database, tmp_path, "new@example.edu,New,proposer,yes")
    async with site.signed_in("new@example.edu") as visitor:
        for _ in range(2):
            await begun(visitor)
        token = form_token((await visitor.get("/proposals/new")).text)
        answer = await visitor.post("/proposals/new", data={"form_token": token, "framework": "non-credit"})
        assert answer.status_code == 409 and "drafts_full" in answer.text
