"""The frameworks of real institutions against what was found out about them: steps, roles, times, criteria, form."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from imprimatur.frameworks.loader import INSTITUTIONS, institutions
from models.framework import Framework, StageDef
from models.vocabulary import OnRejection, StageKind


@pytest.fixture(params=INSTITUTIONS)
def policy(request: pytest.FixtureRequest) -> Framework:
    return institutions()[request.param]


def days(stage: StageDef) -> int | None:
    return stage.sla.within.business_days if stage.sla else None


# By institution: each step of the source with its role, and the stages that hold it with theirs. What is done by the
# proposer before, or by anybody after the publication, is no stage.
Step = tuple[str, str | None, tuple[str, ...], tuple[str, ...]]
STEPS: dict[str, tuple[str, list[Step]]] = {
    "nzqa": (
        "nz_nzqa",
        [
            ("Draft (NZQA form + WDC form)", "provider", (), ()),
            ("Industry letter of support", "Workforce Development Council", ("industry",), ("industry_body",)),
            ("NZQA listing + approval (+ accreditation)", "NZQA", ("listing",), ("qualifications_authority",)),
            ("Listed on NZQCF, unique number", None, ("publication",), ()),
            ("Periodic review", None, (), ()),
            ("Discontinue", None, (), ()),
        ],
    ),
    "kentucky": (
        "us_uky",
        [
            ("Faculty body approval", "overseeing faculty body", ("faculty",), ("faculty_body",)),
            (
                "Academic council review (routing decided by answers in the form)",
                "council(s)",
                ("undergraduate_council", "graduate_council", "health_council"),
                ("undergraduate_council", "graduate_council", "health_council"),
            ),
            ("Provost review", "Office of the Provost", ("provost",), ("provost",)),
            ("Web posting / tacit approval", "senators", ("posting",), ("senator",)),
        ],
    ),
    "msu-denver": (
        "us_msudenver",
        [
            (
                "Completeness check (returned to originator if below minimum)",
                "Office of Curriculum, Academic Effectiveness and Policy Development",
                ("completeness",),
                ("curriculum_office",),
            ),
            ("Support", "dean or unit head", ("support",), ("unit_head",)),
            ("Badging Committee", "committee", ("committee",), ("badging_secretary",)),
            ("Notify originator", None, ("publication",), ()),
        ],
    ),
    "sydney": (
        "au_sydney",
        [
            ("Design framework + business case", "proposer", (), ()),
            ("Approval", "faculty/school", ("faculty",), ("faculty_board",)),
            ("Endorsement", "SCPC Non-Award Subcommittee", ("subcommittee",), ("non_award_subcommittee",)),
            (
                "Approval",
                "Deputy Vice-Chancellor (Education)",
                ("deputy_vice_chancellor",),
                ("deputy_vice_chancellor",),
            ),
        ],
    ),
    "acu": (
        "au_acu",
        [
            ("Faculty Board submits on template", "Faculty Board", ("faculty_board",), ("faculty_board",)),
            (
                "Academic approval",
                "Courses and Academic Quality Committee",
                ("approval",),
                ("committee_secretary",),
            ),
            ("Report", "Academic Board (via minutes)", ("report",), ("academic_board",)),
        ],
    ),
    "buffalo": (
        "us_ub",
        [
            ("Fit check (6 questions)", "proposer", (), ()),
            (
                "Consultation (recommended)",
                "Office of Micro-Credentials",
                ("consultation",),
                ("micro_credentials_office",),
            ),
            (
                "Department/decanal approval",
                "chair, dean",
                ("department_and_dean",),
                ("department_chair", "dean"),
            ),
            ("Central review", "Micro-Credential Review Committee", ("central_review",), ("review_committee",)),
            ("Badge set-up", "Office of Micro-Credentials", ("badge",), ("micro_credentials_office",)),
        ],
    ),
    "ubc": (
        "ca_ubc",
        [
            ("Proposing Faculty(ies)", None, ("faculty",), ("faculty",)),
            ("UBC Extended Learning (if partner)", None, ("extended_learning",), ("extended_learning",)),
            ("Senate Curriculum Committee", None, ("curriculum_committee",), ("committee_secretary",)),
            ("Vancouver Senate", None, ("senate",), ("senate_clerk",)),
            ("Fees", "Provost (delegated)", ("fees",), ("provost",)),
        ],
    ),
}
VARIANTS = {"msu-denver": ("lifelong_learning", "notice")}


@pytest.fixture(scope="module")
def told(shared_dir: Path) -> dict[str, Any]:
    """What was found out about each institution, by the id of its framework."""
    found = json.loads((shared_dir / "research" / "institutions.json").read_text(encoding="utf-8"))
    by_id = {institution["id"]: institution for institution in found}
    return {name: by_id[source] for name, (source, _) in STEPS.items()}


@pytest.fixture(scope="module")
def standards(shared_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_dir / "research" / "frameworks.json").read_text(encoding="utf-8"))
    return found


def step_of(told: dict[str, Any], name: str, begins: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in told[name]["stages"] if step["name"].startswith(begins))
    return found


def test_every_institution_has_its_framework(told: dict[str, Any], shared_dir: Path) -> None:
    found = json.loads((shared_dir / "research" / "institutions.json").read_text(encoding="utf-8"))
    assert sorted(told) == sorted(INSTITUTIONS)
    assert len(found) == len(told)


def test_the_steps_of_the_source_are_the_stages_in_their_order(told: dict[str, Any], policy: Framework) -> None:
    steps = STEPS[policy.id][1]
    assert [(step["name"], step.get("role")) for step in told[policy.id]["stages"]] == [step[:2] for step in steps]
    expected = [stage for step in steps for stage in step[2]]
    further = {*VARIANTS.get(policy.id, ()), *({"publication"} - set(expected))}
    assert [stage.id for stage in policy.stages if stage.id not in further] == expected
    for name, _, stages, roles in steps:
        asked = [rule.role for stage in stages for rule in policy.stage(stage).reviewers]
        assert asked == list(roles), name
    order = [stage.id for stage in policy.stages]
    assert all(order.index(need) < order.index(stage.id) for stage in policy.stages for need in stage.needs)


def test_its_pages_are_named_and_its_days_are_those_of_its_country(told: dict[str, Any], policy: Framework) -> None:
    named = " ".join(policy.sources)
    for address in told[policy.id]["url"]:
        if "unattributed" not in address:
            assert address.removeprefix("https://").rstrip("/") in named
    [calendar] = policy.calendars.values()
    assert calendar.country == STEPS[policy.id][0].partition("_")[0].upper()
    assert calendar.subdivision is not None


def test_a_letter_of_support_takes_twenty_days_and_four_criteria(
    told: dict[str, Any], standards: dict[str, Any]
) -> None:
    step, stage = step_of(told, "nzqa", "Industry letter"), institutions()["nzqa"].stage("industry")
    assert step["sla"] == standards["nz_wdc_support"]["sla"] == f"{days(stage)} working days"
    assert step["criteria"] == len(stage.criteria) == 4
    for criterion, said in zip(stage.criteria, standards["nz_wdc_support"]["criteria"], strict=True):
        assert criterion.id in said
    assert "refusal recorded" in step["on_reject"]
    assert stage.on_rejection is OnRejection.PROCEED


def test_the_listing_keeps_to_its_rules(standards: dict[str, Any]) -> None:
    rules = {rule.field: rule for rule in institutions()["nzqa"].proposal.fields}
    forbidden = {word.lower() for word in rules["title"].forbidden_words}
    assert {word.lower() for word in standards["nz_listing_2022"]["title_rules"]["forbidden_words"]} <= forbidden
    credit = next(field for field in standards["nz_listing_2022"]["fields"] if "credit" in field)
    least, most = (int(number) for number in re.findall(r"\d+", credit))
    assert (rules["workload.credits"].minimum, rules["workload.credits"].maximum) == (least, most)


def test_senators_have_ten_business_days(told: dict[str, Any]) -> None:
    step, stage = step_of(told, "kentucky", "Web posting"), institutions()["kentucky"].stage("posting")
    assert step["sla"] == f"{days(stage)} business days"
    assert "no objection" in step["rule"]
    assert stage.kind is StageKind.OBJECTION


def test_the_badging_committee_decides_or_is_informed(told: dict[str, Any]) -> None:
    policy = institutions()["msu-denver"]
    assert "last day of month" in step_of(told, "msu-denver", "Badging Committee")["rule"]
    assert policy.stage("committee").committee is not None
    [variant] = told["msu-denver"]["variants"]
    track = policy.tracks[0]
    assert variant["when"].replace("-", "_") == track.id
    assert "Innovative and Lifelong Learning approves" in variant["route"]
    assert "information item" in variant["route"]
    assert track.without == ("committee",)
    assert policy.stage("notice").kind is StageKind.INFORMATION


def test_the_central_review_has_a_window_of_two_weeks_and_all_of_it_three_months(told: dict[str, Any]) -> None:
    policy = institutions()["buffalo"]
    assert "two-week window" in step_of(told, "buffalo", "Central review")["sla"]
    assert told["buffalo"]["windows"] is True
    stage = policy.stage("central_review")
    assert stage.window in policy.windows
    assert days(stage) == 2 * 5
    assert "three months" in told["buffalo"]["total"]
    assert policy.speed_to_market.within.business_days == 13 * 5


FORM = {
    "name and code": "title",
    "rationale/purpose and community need": "demand_evidence",
    "aim and objectives": "summary",
    "business case (market, cost/benefit, fee)": "price",
    "mission alignment": "attachments",
    "max 3 learning outcomes": "learning_outcomes",
    "QA measures": "quality_assurance",
    "learning support strategy": "attachments",
    "assessment strategy": "assessment.description",
    "credit arrangements": "stackability",
    "mode of delivery": "mode",
    "location": "delivery.location",
    "resources + consultation checklist": "attachments",
    "commencement date": "delivery.starts_on",
}


def test_the_template_is_asked_for_field_by_field(told: dict[str, Any]) -> None:
    assert told["acu"]["form_fields"] == list(FORM)
    rules = {rule.field: rule for rule in institutions()["acu"].proposal.fields}
    assert set(rules) == set(FORM.values())
    assert {rule.presence for rule in rules.values()} == {"required"}
    assert rules["learning_outcomes"].max_items == 3
