"""Published lists of what must be said of a micro-credential, demanded by a framework."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from imprimatur.frameworks.checker import check_framework
from imprimatur.frameworks.fields import is_proposal_field
from imprimatur.frameworks.loader import shipped
from imprimatur.records import proposal_of, read_records
from imprimatur.rules.completeness import Missing, missing
from imprimatur.rules.profiles import PROFILES
from models.framework import Framework, ProposalRules
from models.proposal import Proposal
from models.vocabulary import InformationProfile
from tests.facts import example

EU, AU, NZ = InformationProfile


def demanding(profile: InformationProfile | None, *fields: dict[str, object]) -> Framework:
    rules = ProposalRules.model_validate(
        {"fields": fields or ({"field": "title"},), "requires_profile": profile and str(profile)}
    )
    return shipped()["industry-credit"].model_copy(update={"proposal": rules})


def lacking(proposal: Proposal, profile: InformationProfile) -> dict[str, str]:
    return {problem.field: problem.problem for problem in missing(proposal, demanding(profile)).required}


@pytest.mark.parametrize("profile", list(InformationProfile))
def test_a_profile_asks_each_field_once_and_names_its_source(profile: InformationProfile) -> None:
    rules = PROFILES[profile]
    assert len({rule.field for rule in rules}) == len(rules)
    assert all(is_proposal_field(rule.field) and rule.why for rule in rules)
    assert check_framework(demanding(profile, *(rule.model_dump(exclude_defaults=True) for rule in rules))) == []


@pytest.mark.parametrize(
    ("profile", "fields"),
    [
        (EU, {"title", "country", "provider", "learning_outcomes", "workload", "assessment.types", "mode",
              "quality_assurance"}),
        (AU, {"title", "provider", "learning_outcomes", "assessment.description", "workload.hours",
              "quality_assurance"}),
        (NZ, {"title", "workload.credits", "level", "field_of_study", "summary", "demand_evidence",
              "learning_outcomes", "stackability", "provider"}),
    ],
)  # fmt: skip
def test_an_empty_proposal_lacks_everything_that_is_demanded(profile: InformationProfile, fields: set[str]) -> None:
    assert set(lacking(Proposal(), profile)) == fields
    whole = example("industry-credit.revised")
    assert lacking(whole, profile) == {}


@pytest.mark.parametrize(
    ("profile", "change", "problems"),
    [
        (NZ, {"title": "National Certificate of Welding"}, {"title": "may not contain the word 'national'"}),
        (NZ, {"title": "Master the forge"}, {"title": "may not contain the word 'master'"}),
        (NZ, {"title": "Nationally relevant mastery"}, {}),
        (NZ, {"workload": {"credits": 41}}, {"workload.credits": "may be at most 40, is 41"}),
        (AU, {"workload": {"hours": 0.5}}, {"workload.hours": "must be at least 1, is 0.5"}),
        (EU, {"workload": {"hours": 0.5}, "level": None}, {}),
        (EU, {"assessment": {"description": "An exam."}}, {"assessment.types": "is missing"}),
        (EU, {"country": None, "mode": None}, {"country": "is missing", "mode": "is missing"}),
    ],
)
def test_each_element_is_asked_for(
    profile: InformationProfile, change: dict[str, object], problems: dict[str, str]
) -> None:
    document = example("industry-credit.revised").model_dump(mode="json") | change
    assert lacking(Proposal.model_validate(document), profile) == problems


def test_a_problem_is_told_once_in_the_framework_s_own_words() -> None:
    found = missing(Proposal(), demanding(EU, {"field": "title", "why": "We ask."}, {"field": "level"}))
    [title] = [problem for problem in found.required if problem.field == "title"]
    assert title.why == "We ask."
    assert [problem.field for problem in found.required].count("level") == 1
    assert "level" not in [problem.field for problem in found.recommended]
    country = next(problem for problem in found.required if problem.field == "country")
    assert country.why and "2022/C 243/02" in country.why and country.why.startswith("Country or region")


def test_without_a_profile_nothing_more_is_asked() -> None:
    whole = example("industry-credit.revised")
    assert missing(whole, demanding(None)) == Missing((), ())
    assert demanding(None).digest != demanding(EU).digest
    assert "requires_profile" not in demanding(None).canonical["proposal"]


def test_there_is_no_other_profile() -> None:
    with pytest.raises(ValidationError, match="'eu', 'au' or 'nz'"):
        ProposalRules.model_validate({"fields": [{"field": "title"}], "requires_profile": "us"})


def test_real_records_lack_what_their_catalogues_do_not_say(shared_dir: Path) -> None:
    """The catalogues name titles, providers and outcomes; no record says how quality is assured."""
    records = read_records(shared_dir / "data" / "microcredentials.jsonl")
    proposals = [proposal_of(record.data) for record in records if not record.problems]
    assert len(proposals) > 100
    for profile in InformationProfile:
        told = [lacking(proposal, profile) for proposal in proposals]
        assert all("title" not in found and "provider" not in found for found in told if profile is not NZ)
        if profile is not NZ:
            assert all("quality_assurance" in found for found in told)
    estonian = [proposal for proposal in proposals if proposal.country == "EE" and proposal.workload]
    assert estonian and all("workload" not in lacking(proposal, EU) for proposal in estonian)
    assert all("demand_evidence" in lacking(proposal, NZ) for proposal in estonian)
