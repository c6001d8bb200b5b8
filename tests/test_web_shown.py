"""What the pages behind the sign-in show of cases, tasks, people and frameworks."""

import re
from pathlib import Path

import pytest

from imprimatur.frameworks.loader import shipped
from imprimatur.store.engine import Database
from models.events import ActProposed, Held
from models.vocabulary import OfficeAct, StageOutcome, Verdict
from tests.facts import OFFICE, PROPOSER
from tests.pages import HERE, REVIEWER, UNIT, of_unit, populated
from tests.web import Site


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


async def read(site: Site, person: str, path: str) -> str:
    """The words of a page's main part."""
    async with site.signed_in(person) as visitor:
        answer = await visitor.get(path)
    assert answer.status_code == 200
    main = answer.text.partition('<main id="content">')[2]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


async def test_a_case_says_where_it_stands_and_who_is_waited_for(site: Site) -> None:
    text = await read(site, OFFICE, f"/cases/{HERE}")
    for told in ("Proposal check Approved", "Quality review Open", "Industry sign-off Open", "Publication Waiting"):
        assert told in text
    # Who comes from a partner stands in no directory.
    for told in (
        "Waiting for Quinn Abara",
        "Waiting for Mere Tane",
        "Fits our offer.",
        "To be published",
        "Learning outcomes",
    ):
        assert told in text
    order = [text.index(stage.name) for stage in site.play.framework.stages]
    assert order == sorted(order)


@pytest.mark.parametrize("person", [PROPOSER, REVIEWER])
async def test_names_of_reviewers_are_kept_from_whoever_does_not_oversee(site: Site, person: str) -> None:
    text = await read(site, person, f"/cases/{HERE}")
    assert "Waiting for a quality reviewer" in text
    for name in ("Quinn", "Rosa", "Sam", "Omar", "Lena", REVIEWER, "harbour-software"):
        assert name not in text.replace("Quinn Abara Sign out", ""), name
    assert "/history" not in text


async def test_a_proposer_sees_what_a_stage_has_decided_once_it_has(site: Site) -> None:
    site.play.decide("quality", comment="Not yet known to others.", outcomes=4, assessment=4)
    assert "Not yet known" not in await read(site, PROPOSER, f"/cases/{HERE}")
    assert "Fits our offer." in await read(site, PROPOSER, f"/cases/{HERE}")
    assert "Not yet known" in await read(site, OFFICE, f"/cases/{HERE}")
    site.play.decide("quality", comment="Nor this.", outcomes=4, assessment=4)
    assert "Not yet known" in await read(site, PROPOSER, f"/cases/{HERE}")


async def test_a_case_tells_what_may_be_done_and_why_not(site: Site) -> None:
    office, proposer = [await read(site, person, f"/cases/{HERE}") for person in (OFFICE, PROPOSER)]
    assert "Hold Extend Skip Override Send back Reassign Nudge" in office
    assert "Resume The case is not on hold." in office
    assert "Hold Only the governance office can do this." in proposer
    assert "Revise The proposal is under review; nobody asked for changes." in proposer
    site.play.office(Held)
    text = await read(site, OFFICE, f"/cases/{HERE}")
    assert "On hold since" in text and "It has to be." in text


async def test_an_act_that_waits_for_a_second_person_is_shown(site: Site) -> None:
    act = ActProposed(act_id="a-1", act=OfficeAct.SKIP, actor=OFFICE, stage="quality", outcome=StageOutcome.SKIPPED,
                      reason="The board said so", by_office=True)  # fmt: skip
    site.play.act(act)
    mine, second = [await read(site, person, f"/cases/{HERE}") for person in (OFFICE, "lena.office@example.edu")]
    assert "Skip Quality review: skipped" in mine
    assert "Confirm Whoever proposed an act cannot confirm it as well." in mine
    assert "Nudge Annul" not in second and "Override Confirm" in second


async def test_decisions_stand_by_round_the_latest_first(site: Site) -> None:
    for _ in range(2):
        site.play.decide("quality", Verdict.REQUEST_CHANGES, "Show how.", outcomes=2, assessment=2)
    site.play.revise(of_unit("industry-credit.revised", UNIT, "Prototyping"))
    site.play.decide("quality", comment="Better.", outcomes=4, assessment=4)
    text = await read(site, OFFICE, f"/cases/{HERE}")
    assert text.index("Round 2") < text.index("Better.") < text.index("Round 1") < text.index("Show how.")
    assert "Version 2" in text and "Version 1" in text


async def test_my_tasks_lead_to_the_task_itself(site: Site) -> None:
    async with site.signed_in(REVIEWER) as visitor:
        page = (await visitor.get("/tasks")).text
        [link] = re.findall(r'href="(/t/[^"]+)"', page)
        assert "Record my decision" in (await visitor.get(link)).text
    assert "Nobody waits for an answer of yours" in await read(site, PROPOSER, "/tasks")


async def test_the_front_page_shows_whoever_is_signed_in_what_is_theirs(site: Site) -> None:
    assert "What needs the office now" in await read(site, OFFICE, "/")
    proposer = await read(site, PROPOSER, "/")
    assert "What waits for you" in proposer and "Prototyping" in proposer and "A secret of another unit" in proposer


async def test_the_history_tells_everything_that_happened(site: Site) -> None:
    text = await read(site, OFFICE, f"/cases/{HERE}/history")
    assert "Fits our offer." in text and f"Event {len(site.play.steps)}" in text


async def test_lists_of_people_frameworks_and_incidents_are_complete(site: Site) -> None:
    people = await read(site, OFFICE, "/people")
    assert "Tove Hansen Not active" in people and "Aud Other" in people
    assert "Aud Other" not in await read(site, OFFICE, "/people?q=tove")
    frameworks = await read(site, REVIEWER, "/frameworks")
    for policy in shipped().values():
        assert policy.name in frameworks
        text = await read(site, REVIEWER, f"/frameworks/{policy.id}/{policy.version}")
        assert all(stage.name in text for stage in policy.stages)
    assert "No incident is open" in await read(site, OFFICE, "/incidents")
