"""Skills and pathways in the published records: by their addresses, and valid by every official measure there is."""

from pathlib import Path
from typing import Any

import pytest

from imprimatur.frameworks.loader import shipped
from imprimatur.publication.ctdl import build_ctdl
from imprimatur.publication.elm import build_elm
from imprimatur.publication.openbadges import build_achievement
from imprimatur.publication.page import CataloguePage
from imprimatur.publication.reading import served_record
from imprimatur.publication.record import PublishedCredential, Standing, Towards, credential_record
from imprimatur.store.engine import Database
from imprimatur.store.pathways import put_pathway
from models.proposal import Skill, Stackability, StackingClaim, Workload
from models.stacking import Pathway
from tests.credentials import page_of, record_of
from tests.facts import BASE_URL, START, example
from tests.published import approved
from tests.test_standard_records import Problems, ctdl_problems, elm_graph, elm_problems

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
__all__ = ["ctdl_problems", "elm_graph", "elm_problems"]
ESCO = Skill(
    framework="ESCO", title="use spreadsheets", url="https://data.europa.eu/esco/skill/b590d4e4-3b5e", code=None
)
ONET = Skill(framework="O*NET", title="Judgment and Decision Making", code="2.B.4.e")
WORK = Skill(framework="O*NET", title="Software Developers", code="15-1252.00")
PATHWAY_DOCUMENT = {
    "id": "data-diploma",
    "title": "Diploma in Data",
    "kind": "diploma",
    "credits": 30,
    "credit_system": "ects",
}
PATHWAY = Towards(id="data-diploma", title="Diploma in Data", credits=2.0)


def aligned() -> PublishedCredential:
    wanted = example("industry-credit").model_copy(update={"skills": (ESCO, ONET, WORK)})
    found = record_of(wanted)
    return found.model_copy(update={"pathways": (PATHWAY,)})


def test_a_badge_is_aligned_with_what_has_an_address() -> None:
    alignments = build_achievement(aligned())["alignment"]
    assert [(item["targetFramework"], item["targetName"], item["targetUrl"]) for item in alignments[-2:]] == [
        ("ESCO", "use spreadsheets", ESCO.url),
        (f"Pathways of {aligned().issuer.name}", "Diploma in Data", f"{BASE_URL}/pathways/data-diploma"),
    ]
    assert "Judgment and Decision Making" not in str(alignments)


def test_the_registry_is_told_of_skills_occupations_and_pathways(ctdl_problems: Problems) -> None:
    found = build_ctdl(aligned())
    assert ctdl_problems(found) == []
    skills = found["ceterms:requires"][0]["ceterms:targetCompetency"]
    assert [item["ceterms:targetNodeName"] for item in skills] == ["use spreadsheets", "Judgment and Decision Making"]
    assert [item["ceterms:codedNotation"] for item in found["ceterms:occupationType"]] == ["15-1252.00"]
    claimed = found["ceterms:isPreparationFor"][-1]
    assert (claimed["ceterms:name"], claimed["ceterms:creditUnitValue"]) == ("Diploma in Data", 2.0)


def test_european_skills_are_named_as_their_vocabulary_does(elm_problems: Problems) -> None:
    found = build_elm(aligned())
    assert elm_problems(found) == []
    assert "http://data.europa.eu/esco/skill/b590d4e4-3b5e" in str(found) and "2.B.4.e" not in str(found)


@pytest.mark.parametrize("build", [build_achievement, build_ctdl, build_elm])
def test_what_has_neither_skills_nor_pathways_says_nothing_of_them(build: Any) -> None:
    text = str(build(record_of(example("industry-credit").model_copy(update={"skills": ()}))))
    assert "targetCompetency" not in text and "ESCOSkill" not in text and "pathways/" not in text


def test_a_version_names_the_one_before_in_the_record_that_is_bound() -> None:
    standing = Standing.model_validate({"replaces": {"slug": "before", "case_id": "mc-before", "version": 3}})
    wanted = example("industry-credit")
    page = page_of(wanted)
    record = credential_record(
        wanted,
        shipped()["industry-credit"],
        CataloguePage.model_validate(page),
        slug="after",
        base_url=BASE_URL,
        standing=standing,
    )
    assert build_achievement(record)["related"] == [
        {"id": f"{BASE_URL}/catalogue/before", "type": ["Related"], "version": "3"}
    ]


def test_a_claim_on_a_pathway_is_published_with_its_title(sqlite_database: Database, tmp_path: Path) -> None:
    put_pathway(sqlite_database, Pathway.model_validate(PATHWAY_DOCUMENT), START)
    claim = Stackability(stackable=True, claims=(StackingClaim(pathway="data-diploma"),))
    worth = Workload(hours=25, credits=1, credit_system="ects")
    play = approved(sqlite_database, tmp_path, shipped()["non-credit"], stackability=claim, workload=worth)
    served = served_record(sqlite_database, play.case_id, "openbadges")
    assert served["alignment"][-1]["targetName"] == "Diploma in Data"
    told = served_record(sqlite_database, play.case_id, "ctdl")["ceterms:isPreparationFor"]
    assert told[-1]["ceterms:name"] == "Diploma in Data"
