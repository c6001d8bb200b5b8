"""The frameworks that are shipped: that they work, and that they hold what their sources ask for."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from imprimatur.frameworks.checker import check_file
from imprimatur.frameworks.loader import SHIPPED, handovers, reviews, shipped, shipped_path
from imprimatur.rules.completeness import missing
from imprimatur.rules.migration import altered_stages
from models.framework import FieldRule, Framework, StageDef
from models.proposal import Assessment
from models.vocabulary import CredentialKind, StageKind
from tests.facts import EXAMPLES, example, first_shipped

INDUSTRY, COURSEWORK, NON_CREDIT = "industry-credit", "coursework-credit", "non-credit"
# A version that someone may have stored never changes: raise `version` with the content, and add a line here.
DIGESTS = {
    ("industry-credit", "1.1"): "e71041da88c82406258517003e909308cdcef762df4ce9d92dfeafc79d125f7d",
    ("coursework-credit", "1.1"): "ac023aee9c981dbf1a7a885cc1b30117f87936e572238b98aab63f6c5693a181",
    ("non-credit", "1.1"): "cb0fb829ba26ded895c9a3f3853772af49a4933cf5c57b9e6235fcc904d9c4a6",
    ("industry-credit", "1.0"): "8edb15339991f18f3d884c7f06dd0643295d6f4ef1f1a15e360dec2548f684aa",
    ("coursework-credit", "1.0"): "bab3443d33dd898b2c78f3a121719c7cc73d7982fa22043c7b6a9b4caa4e0adf",
    ("non-credit", "1.0"): "b375b71b73abf8779c69f5fceca975e6fc94a6c867320aa1f72c4ccae76430a6",
}


def rule(framework: str, field: str) -> FieldRule:
    return next(rule for rule in shipped()[framework].proposal.fields if rule.field == field)


def fields(framework: str, presence: str) -> set[str]:
    return {rule.field for rule in shipped()[framework].proposal.fields if rule.presence == presence}


def days(stage: StageDef) -> int:
    assert stage.sla is not None
    assert stage.sla.within.business_days is not None
    return stage.sla.within.business_days


@pytest.fixture(params=SHIPPED)
def policy(request: pytest.FixtureRequest) -> Framework:
    return shipped()[request.param]


# --- that they work ---------------------------------------------------------------------------------------------


def test_each_passes_the_check_with_the_example_directory(policy: Framework) -> None:
    rows = csv.DictReader((EXAMPLES / "people.csv").read_text(encoding="utf-8").splitlines())
    held = Counter(role for row in rows if row["active"] == "yes" for role in row["roles"].split(";"))
    found, problems = check_file(shipped_path(policy.id), held)
    assert found == policy
    assert problems == []


def test_each_kind_has_a_framework_of_its_own() -> None:
    stored = (*shipped().values(), *reviews().values(), *handovers().values())
    assert Counter(policy.credential_kind for policy in stored) == dict.fromkeys(CredentialKind, 1)


def test_each_goes_through_the_four_stages(policy: Framework) -> None:
    assert [stage.id for stage in policy.stages] == ["proposal", "quality", "industry", "publication"]
    assert [stage.kind for stage in policy.stages] == [StageKind.REVIEW] * 3 + [StageKind.PUBLICATION]
    assert set(policy.stage("publication").needs) == {"quality", "industry"}


def test_quality_review_and_industry_sign_off_run_side_by_side(policy: Framework) -> None:
    assert policy.stage("quality").needs == policy.stage("industry").needs == ("proposal",)


def test_only_without_credit_industry_may_be_left_out() -> None:
    optional = {(policy.id, stage.id) for policy in shipped().values() for stage in policy.stages if stage.optional}
    assert optional == {(NON_CREDIT, "industry")}
    assert any(rule.partners for rule in shipped()[INDUSTRY].stage("industry").reviewers)
    assert "partners" in fields(INDUSTRY, "required")


def test_each_reviewed_stage_promises_a_time_and_escalates(policy: Framework) -> None:
    for stage in policy.stages:
        assert (stage.sla is None) == stage.is_automatic
        if stage.sla:
            assert days(stage) >= 1
            assert stage.sla.remind_before
            assert stage.sla.escalate_to
            assert any(criterion.question for criterion in stage.criteria)


def test_the_whole_promise_leaves_time_for_every_stage(policy: Framework) -> None:
    longest = days(policy.stage("proposal")) + max(days(policy.stage(name)) for name in ("quality", "industry"))
    assert policy.speed_to_market.within.business_days is not None
    assert policy.speed_to_market.within.business_days >= longest


def test_each_says_where_it_comes_from(policy: Framework) -> None:
    assert len(policy.sources) >= 4
    assert all(stage.source for stage in policy.stages if not stage.is_automatic)
    named = " ".join(policy.sources)
    for stage in policy.stages:
        for source in (stage.source or "").split(";"):
            assert source.split(",")[0].strip() in named, f"{source} is not among the sources"


def test_a_shipped_version_never_changes() -> None:
    assert {(policy.id, policy.version): policy.digest for policy in shipped().values()}.items() <= DIGESTS.items()


def test_version_1_1_adds_reviews_to_version_1_0_and_nothing_else() -> None:
    """Whoever has stored 1.0, or a case that goes by it, finds the digest that it had."""
    before = [first_shipped(name) for name in SHIPPED]
    assert {(policy.id, policy.version): policy.digest for policy in before}.items() <= DIGESTS.items()
    assert {policy.version for policy in before} == {"1.0"}
    for policy in before:
        assert altered_stages(policy, shipped()[policy.id]) == ()


def test_each_is_reviewed_after_one_to_three_years_or_on_evidence(policy: Framework) -> None:
    rule = policy.review
    assert rule is not None
    assert rule.framework in reviews()
    assert 12 <= rule.every.months <= rule.at_most.months <= 36
    assert {line.indicator for line in rule.thresholds} >= {"enrolment", "completion_rate", "learner_rating"}
    # A newer version can come with an update, which would call a review of everything at once.
    assert rule.triggers == ("partner_left", "sign_off_expiring")


@pytest.mark.parametrize("name", ["industry-credit", "industry-credit.revised", "coursework-credit", "non-credit"])
def test_the_examples_are_complete(name: str) -> None:
    policy = shipped()[name.partition(".")[0]]
    assert missing(example(name), policy).required == ()
    assert example(name).credential_kind is policy.credential_kind


def test_the_industry_example_says_what_is_recommended_too() -> None:
    assert missing(example("industry-credit"), shipped()[INDUSTRY]).recommended == ()


# --- that they hold what their sources ask for ------------------------------------------------------------------


@pytest.fixture(scope="module")
def standards(shared_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_dir / "research" / "frameworks.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def institutions(shared_dir: Path) -> dict[str, Any]:
    found = json.loads((shared_dir / "research" / "institutions.json").read_text(encoding="utf-8"))
    return {institution["id"]: institution for institution in found}


ELEMENTS = {
    "title": "title",
    "issuer_country_region": "country",
    "awarding_body": "provider",
    "learning_outcomes": "learning_outcomes",
    "notional_workload": "workload.hours",
    "level": "level",
    "assessment_type": "assessment.types",
    "participation_form": "mode",
    "quality_assurance_type": "quality_assurance",
    "prerequisites": "prerequisites",
    "assessment_supervision_and_id_verification": "assessment.supervision",
    "integration_stackability": "stackability",
}


@pytest.mark.parametrize("name", [INDUSTRY, NON_CREDIT])
def test_the_european_standard_elements_are_asked_for(name: str, standards: dict[str, Any]) -> None:
    assert any("2022/C 243/02" in source for source in shipped()[name].sources)
    elements = standards["eu_2022_annex1"]
    asked, recommended = fields(name, "required"), fields(name, "recommended")
    # What is known at issuance only is no part of a proposal.
    for element in elements["mandatory"]:
        if element["when"] != "definition":
            continue
        field = ELEMENTS[element["k"]]
        where_it_applies = "if applicable" in element.get("note", "")
        assert field in (asked | recommended if where_it_applies else asked), element
    for element in elements["optional"]:
        if element["k"] in ELEMENTS:
            assert ELEMENTS[element["k"]] in asked | recommended, element
    supervision = next(e for e in elements["optional"] if e["k"].startswith("assessment_supervision"))
    known = get_args(get_args(Assessment.model_fields["supervision"].annotation)[0])
    assert len(known) == len(supervision["enum"])


def test_credit_goes_by_level_and_workload_where_industry_has_a_say() -> None:
    assert {"level", "workload.hours", "workload.credits", "workload.credit_system"} <= fields(INDUSTRY, "required")


def test_titles_keep_to_the_listing_rules(standards: dict[str, Any]) -> None:
    forbidden = {word.lower() for word in rule(INDUSTRY, "title").forbidden_words}
    assert {word.lower() for word in standards["nz_listing_2022"]["title_rules"]["forbidden_words"]} <= forbidden


def test_the_listing_finds_what_it_lists(standards: dict[str, Any]) -> None:
    listed = " ".join(standards["nz_listing_2022"]["fields"])
    asked = fields(INDUSTRY, "required")
    for said, field in (
        ("title", "title"),
        ("level", "level"),
        ("NZSCED", "field_of_study"),
        ("purpose", "summary"),
        ("relevance", "demand_evidence"),
        ("knowledge, skills", "learning_outcomes"),
        ("appointed developer", "provider"),
        ("review period", "quality_assurance"),
    ):
        assert said in listed
        assert field in asked
    assert "stackability" in fields(INDUSTRY, "recommended"), "education pathways"
    least, most = re.findall(r"\d+", next(f for f in standards["nz_listing_2022"]["fields"] if "credit" in f))
    size = rule(INDUSTRY, "workload.credits")
    assert (size.minimum, size.maximum) == (int(least), int(most))


def test_need_and_duplication_are_judged(standards: dict[str, Any]) -> None:
    criteria = standards["nz_approval"]["criteria"]
    assert any("evidence of need" in criterion for criterion in criteria)
    assert any("does not duplicate" in criterion for criterion in criteria)
    assert any("coherent set of skills" in criterion for criterion in criteria)
    judged = {criterion.id for criterion in shipped()[INDUSTRY].stage("proposal").criteria}
    assert {"fit", "no_duplication"} <= judged


def test_industry_signs_off_by_the_councils_criteria_in_their_time(
    standards: dict[str, Any], institutions: dict[str, Any]
) -> None:
    support = standards["nz_wdc_support"]
    stage = shipped()[INDUSTRY].stage("industry")
    for said, criterion in (("value", "value"), ("need", "need"), ("structure", "structure"), ("gap", "gap")):
        assert any(said in text for text in support["criteria"])
        assert stage.criterion(criterion) is not None
    assert len(support["criteria"]) == 4
    assert (
        support["sla"] == institution_time(institutions, "nz_nzqa", "Industry letter") == f"{days(stage)} working days"
    )
    endorsement = " ".join(standards["ca_ecampusontario"]["framework"])
    assert "assessment reflects job performance" in endorsement
    assert stage.criterion("job_performance") is not None


def test_the_australian_minimum_standards_hold_for_coursework(standards: dict[str, Any]) -> None:
    rules = [standard["rule"] for standard in standards["au_nmf_2021"]["minimum_standards"]]
    assert "learning outcomes clearly stated" in rules
    assert rule(COURSEWORK, "learning_outcomes").min_items == 1
    assert "volume of learning >= 1 hour" in rules
    assert rule(COURSEWORK, "workload.hours").minimum == 1
    # A catalogue does not say how it assesses: reviewers have to judge it.
    assert rules.index("assessment that evidences outcomes achieved") == 1
    judged = shipped()[COURSEWORK].stage("quality").criterion("assessment")
    assert judged is not None
    assert judged.required
    assert "minimum standard 2" in (judged.source or "")


def test_what_is_not_verified_is_not_claimed(standards: dict[str, Any]) -> None:
    assert standards["au_nmf_2021"]["critical_information"]["verified"] is False
    for policy in shipped().values():
        assert not any("Australia" in source and "critical information" in source for source in policy.sources)


def test_coursework_counts_towards_a_degree_and_is_assessed_in_person(standards: dict[str, Any]) -> None:
    rules = " ".join(entry["rule"] for entry in standards["emc_cmf"]["rules"])
    assert "counts towards at least one degree programme" in rules
    assert "reliable ID verification" in rules
    assert "stackability" in fields(COURSEWORK, "recommended")
    assert rule(COURSEWORK, "assessment.supervision").one_of == ("supervised_with_id_check",)


def test_a_badge_is_summed_up_as_the_critical_information_summary_does(standards: dict[str, Any]) -> None:
    summary = standards["oliver_2019_cis"]["fields"]
    words = next(re.findall(r"description \((\d+) words\)", field) for field in summary if "description" in field)
    assert rule(NON_CREDIT, "summary").max_words == int(words[0])
    asked = fields(NON_CREDIT, "required")
    for said, field in (
        ("effort hours", "workload.hours"),
        ("participation", "mode"),
        ("quality", "quality_assurance"),
    ):
        assert any(said in entry for entry in summary)
        assert field in asked


def institution_time(institutions: dict[str, Any], institution: str, step: str) -> str:
    return str(next(s["sla"] for s in institutions[institution]["stages"] if s["name"].startswith(step)))


def test_the_times_promised_are_those_of_the_institutions(institutions: dict[str, Any]) -> None:
    assert "two-week window" in institution_time(institutions, "us_ub", "Central review")
    assert [days(shipped()[name].stage("quality")) for name in (INDUSTRY, COURSEWORK)] == [2 * 5, 2 * 5]
    tacit = institution_time(institutions, "us_uky", "Web posting")
    assert tacit == f"{days(shipped()[NON_CREDIT].stage('industry'))} business days"
    assert "average three months" in institutions["us_ub"]["total"]
    assert shipped()[INDUSTRY].speed_to_market.within.business_days == 13 * 5


def test_the_steps_are_those_of_the_institutions(institutions: dict[str, Any]) -> None:
    steps = {key: " ".join(step["name"] for step in value["stages"]) for key, value in institutions.items()}
    known = {
        "University at Buffalo": ("us_ub", "Fit check"),
        "University of Kentucky": ("us_uky", "council review"),
        "MSU Denver": ("us_msudenver", "Completeness check"),
        "University of Sydney": ("au_sydney", "Approval"),
        "Workforce Development Councils": ("nz_nzqa", "Industry letter of support"),
    }
    cited = " ".join(source for policy in shipped().values() for source in policy.sources)
    for name, (institution, step) in known.items():
        assert name in cited
        assert step in steps[institution]
        if institution != "nz_nzqa":
            assert name in institutions[institution]["name"]
