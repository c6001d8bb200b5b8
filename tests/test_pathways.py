"""Pathways as they are kept, claimed, shown and published; skills as they are imported and found."""

import json
from pathlib import Path
from typing import Any

import pytest

from imprimatur.errors import ImprimaturError
from imprimatur.publication.pathways import chain, pathway_record
from imprimatur.store import pathways as store
from imprimatur.store.engine import Database
from imprimatur.store.skills import import_skills, search_skills, skill_frameworks
from models.proposal import Proposal
from models.stacking import Pathway
from models.vocabulary import CaseStatus, EventType
from tests.facts import START, Play, event_types, everything, example, furnish, ledger_rows
from tests.web import Site

ESCO = """conceptUri,preferredLabel,altLabels,description
http://data.europa.eu/esco/skill/1,manage tenders,"run tenders
handle bids",Write and judge tenders.
http://data.europa.eu/esco/skill/2,judge offers,,
not an address,broken,,
http://data.europa.eu/esco/skill/2,twice,,
,nameless,,
"""


def pathway(name: str, *towards: str, **other: Any) -> Pathway:
    facts = {"title": f"The {name}", "kind": "certificate", "credits": 60, "credit_system": "ects"}
    return Pathway.model_validate(
        facts | {"id": name, "counts_towards": [{"pathway": target} for target in towards]} | other
    )


def claiming(*claims: dict[str, Any], builds_on: list[str] | None = None) -> Proposal:
    stacking = {"stackable": True, "claims": list(claims), "builds_on": builds_on or []}
    return Proposal.model_validate(example("industry-credit").model_dump() | {"stackability": stacking})


def published(play: Play, proposal: Proposal) -> Play:
    play.submit(proposal)
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, comment="Well done.")
    assert play.state.status is CaseStatus.PUBLISHED
    return play


def test_a_pathway_is_kept_once_and_changed_by_its_id(database: Database) -> None:
    assert store.put_pathway(database, pathway("master"), START) is True
    assert store.put_pathway(database, pathway("certificate", "master"), START) is True
    assert store.put_pathway(database, pathway("certificate", "master"), START) is False
    assert store.put_pathway(database, pathway("certificate", "master", most_stacked=30), START) is True
    assert [found.id for found in store.pathways(database)] == ["certificate", "master"]
    assert store.pathway(database, "certificate").limit == 30


def test_a_circle_of_pathways_does_not_come_to_be(database: Database) -> None:
    store.put_pathway(database, pathway("master"), START)
    store.put_pathway(database, pathway("certificate", "master"), START)
    with pytest.raises(ImprimaturError) as refused:
        store.put_pathway(database, pathway("master", "certificate"), START)
    assert refused.value.code == "pathway_unsound"
    assert store.pathway(database, "master").counts_towards == ()


def test_what_something_counts_towards_stays(database: Database, tmp_path: Path) -> None:
    furnish(database)
    for kept in (pathway("master"), pathway("certificate", "master")):
        store.put_pathway(database, kept, START)
    Play(database, tmp_path).submit(claiming({"pathway": "certificate"}))
    for name in ("master", "certificate"):
        with pytest.raises(ImprimaturError, match="count"):
            store.remove_pathway(database, name)
    with pytest.raises(ImprimaturError) as unknown:
        store.pathway(database, "doctorate")
    assert (unknown.value.code, unknown.value.hint) == ("pathway_unknown", "Known are: certificate, master.")


def test_a_proposal_whose_claims_do_not_add_up_is_returned_with_the_reasons(database: Database, tmp_path: Path) -> None:
    furnish(database)
    store.put_pathway(database, pathway("small", credits=10), START)
    play = Play(database, tmp_path)
    play.submit(claiming({"pathway": "small"}, {"pathway": "nowhere"}))
    assert play.state.status is CaseStatus.INCOMPLETE
    returned = next(row for row in ledger_rows(database, play.case_id) if row["type"] == EventType.CASE_RETURNED)
    assert [item["problem"] for item in returned["data"]["missing"]] == [
        "count 15 credits towards small, which takes at most 10, in entry 1",
        "name the pathway nowhere, which is not known, in entry 2",
    ]
    play.revise(claiming({"pathway": "small", "credits": 5}))
    assert EventType.STAGE_OPENED in event_types(database, play.case_id)


def test_a_circle_of_foundations_is_found_over_several_cases(database: Database, tmp_path: Path) -> None:
    furnish(database)
    first = Play(database, tmp_path, case_id="mc-first")
    first.submit(claiming())
    second = Play(database, tmp_path, case_id="mc-second")
    second.submit(claiming(builds_on=["mc-first"]))
    assert second.state.status is CaseStatus.IN_REVIEW
    third = Play(database, tmp_path, case_id="mc-third")
    third.submit(claiming(builds_on=["mc-second"]))
    with database.read() as connection:
        problems = store.required_problems(connection, claiming(builds_on=["mc-third"]), first.framework, first.case_id)
    assert [item.problem for item in problems] == ["names mc-third, which itself builds on this one, in entry 1"]


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    furnish(sqlite_database)
    for kept in (pathway("master"), pathway("certificate", "master", most_stacked=30)):
        store.put_pathway(sqlite_database, kept, START)
    return Site(published(Play(sqlite_database, tmp_path), claiming({"pathway": "certificate"})))


async def test_a_pathway_is_drawn_with_what_counts_and_changes_nothing(site: Site, sqlite_database: Database) -> None:
    before = everything(sqlite_database)
    async with site.visitor() as visitor:
        assert "/pathways/certificate" in (await visitor.get("/pathways")).text
        page = (await visitor.get("/pathways/certificate")).text
        assert (await visitor.head("/pathways/master")).status_code == 200
        assert (await visitor.get("/pathways/doctorate")).status_code == 404
        machine = await visitor.get("/pathways/certificate", headers={"Accept": "application/ld+json"})
    assert page.count("<rect") == 3
    assert page.count('class="link"') == 2
    assert "Product Discovery and Prototyping with AI</a>, 15 credits" in page
    assert "at most 30 credits" in page
    graph = {node["@id"].rsplit("/", 1)[1]: node for node in machine.json()["@graph"]}
    assert graph["certificate"]["@type"] == "ceterms:Pathway"
    assert len(graph["certificate"]["ceterms:hasPart"]) == 2
    assert everything(sqlite_database) == before


def test_every_part_of_a_published_pathway_names_the_pathway_and_is_named_by_it() -> None:
    record = pathway_record(pathway("certificate"), [("a", "A", 5.0), ("b", "B", None)], base_url="https://x.example/")
    whole, *parts = record["@graph"]
    assert whole["ceterms:hasPart"] == [part["@id"] for part in parts]
    assert {tuple(part["ceterms:isPartOf"]) for part in parts} == {("https://x.example/pathways/certificate",)}
    destination = parts[0]
    assert whole["ceterms:hasDestinationComponent"] == [destination["@id"]]
    assert destination["ceterms:hasCondition"][0]["ceterms:targetComponent"] == [part["@id"] for part in parts[1:]]
    assert [part.get("ceterms:creditValue", [{}])[0].get("schema:value") for part in parts] == [60, 5.0, None]
    assert json.loads(json.dumps(record)) == record


def test_what_is_larger_comes_in_the_order_of_the_climb() -> None:
    known = {p.id: p for p in (pathway("a", "b", "c"), pathway("b", "c"), pathway("c"))}
    assert [p.id for p in chain(known["a"], known)] == ["a", "b", "c"]


async def test_reviewers_see_what_a_proposal_resembles(site: Site, tmp_path: Path) -> None:
    other = Play(site.play.database, tmp_path, case_id="mc-other")
    other.submit(claiming())
    reviewed = Site(other)
    async with reviewed.visitor() as visitor:
        page = (await visitor.get(reviewed.link("proposal"))).text
    assert "Resembles what there is" in page
    assert site.play.case_id in page and "title 100 % alike, outcomes 100 % alike" in page


def test_skills_are_imported_found_and_replaced(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "skills_en.csv"
    file.write_text(ESCO, encoding="utf-8")
    result = import_skills(database, "ESCO", file, START)
    assert (result.imported, result.removed) == (2, 0)
    assert [(line.line, line.problem) for line in result.rejected] == [
        (5, "'not an address' is no address"),
        (6, "http://data.europa.eu/esco/skill/2 stands in an earlier line too"),
        (7, "has neither address nor code"),
    ]
    assert [skill.title for skill in search_skills(database, "TENDERS")] == ["manage tenders"]
    assert [skill.title for skill in search_skills(database, "handle bids", "ESCO")] == ["manage tenders"]
    assert search_skills(database, "100% of_it") == []
    file.write_text("conceptUri,preferredLabel\nhttp://data.europa.eu/esco/skill/9,bake bread\n", encoding="utf-8")
    assert import_skills(database, "ESCO", file, START)[:2] == (1, 2)
    assert [(name, number) for name, number, _ in skill_frameworks(database)] == [("ESCO", 1)]


def test_codes_get_an_address_where_one_is_given(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "onet.txt"
    file.write_text("Element ID\tElement Name\tDescription\n2.B.4.e\tJudgment\tWeighs.\n", encoding="utf-8")
    import_skills(database, "O*NET", file, START, "https://skills.example.org/{code}")
    [found] = search_skills(database, "judgment")
    assert (found.code, found.url) == ("2.B.4.e", "https://skills.example.org/2.B.4.e")


@pytest.mark.parametrize(
    ("text", "address", "code"),
    [
        ("title,description\na,b\n", "", "skills_columns_missing"),
        ("url,description\nhttp://x.example,b\n", "", "skills_columns_missing"),
        ("code,title\n1,a\n", "https://skills.example.org/", "skills_address_invalid"),
        ("code,title\n1,a\n", "javascript:{code}", "skills_address_invalid"),
    ],
)
def test_a_file_that_holds_no_skills_is_refused(
    database: Database, tmp_path: Path, text: str, address: str, code: str
) -> None:
    file = tmp_path / "skills.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ImprimaturError) as refused:
        import_skills(database, "X", file, START, address)
    assert refused.value.code == code


def test_a_skill_that_an_imported_framework_does_not_have_is_named(database: Database, tmp_path: Path) -> None:
    furnish(database)
    file = tmp_path / "skills.csv"
    file.write_text("code,title\nT-1,Solder\n", encoding="utf-8")
    import_skills(database, "Trades", file, START)
    skills = [
        {"framework": "Trades", "title": "Solder", "code": "T-1"},
        {"framework": "Trades", "title": "Fly", "code": "T-9"},
        {"framework": "Trades", "title": "Nameless"},
        {"framework": "Never imported", "title": "Anything"},
    ]
    proposal = Proposal.model_validate(example("industry-credit").model_dump() | {"skills": skills})
    play = Play(database, tmp_path)
    play.submit(proposal)
    assert play.state.status is CaseStatus.INCOMPLETE
    returned = next(row for row in ledger_rows(database, play.case_id) if row["type"] == EventType.CASE_RETURNED)
    assert [(item["field"], item["problem"]) for item in returned["data"]["missing"]] == [
        ("skills", "names 'Fly', which Trades does not have, in entry 2"),
        ("skills", "names 'Nameless', which Trades does not have, in entry 3"),
    ]
