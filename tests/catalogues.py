"""A catalogue of many micro-credentials, put into the tables in bulk; for tests and measurements."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from activities.publishing import digest_of_record
from imprimatur.frameworks.loader import shipped
from imprimatur.publication.openbadges import build_achievement, slug
from imprimatur.publication.page import Assurance, CataloguePage, Endorsement, catalogue_page
from imprimatur.publication.record import credential_record
from imprimatur.store.engine import Database
from imprimatur.store.pathways import put_pathway, stacking_values
from models.proposal import Level, Partner, Price, Proposal, Stackability, StackingClaim, Workload
from models.stacking import Pathway
from models.tables import CaseRow, DocumentRow, PublicationRow, StackingRow, VersionRow
from models.vocabulary import CaseStatus
from tests.facts import BASE_URL, PROPOSER, START, example

AT_ONCE = 100
FIELDS = ("Computer science", "Health care", "Business administration", "Renewable energy", "Design", "Agriculture")
UNITS = ("School of Computing", "Institute of Health", "Business School", "Continuing Education", None)
PROVIDERS = ("Example University", "Example University", "Example Polytechnic")
SUBJECTS = (
    "Data Analytics", "Wound Care", "Circular Economy", "Machine Learning", "Water Quality", "User Research",
    "Supply Chains", "Offshore Wind", "Digital Accounting", "Food Safety", "Cyber Security", "Négociation",
)  # fmt: skip
AIMS = ("Foundations", "in Practice", "for Team Leaders", "Methods", "and Society", "Advanced Topics")
NAMES = ("Harbour", "Fieldnote", "Northwind", "Kauri", "Delta", "Alpen", "Ostsee")
KINDS = ("Software", "Health", "Foods")
PARTNERS = tuple(f"{name} {kind}" for name in NAMES for kind in KINDS)
SKILLS = ("statistics", "patient safety", "project planning", "stakeholder interviews", "risk assessment", "modelling")
PRICES = (None, "0", "90", "240", "480", "750", "1450", "2600")
DEGREE = Pathway(id="bachelor-of-applied-practice", title="Bachelor of Applied Practice", kind="degree",
                 provider="Example University", credits=180, credit_system="ects", most_stacked=60)  # fmt: skip


def proposal(number: int) -> Proposal:
    """The same for the same number."""
    dice = random.Random(number)
    subject, aim, price = dice.choice(SUBJECTS), dice.choice(AIMS), dice.choice(PRICES)
    stackable = dice.random() < 0.6
    base = example("industry-credit.revised").model_dump(mode="json")
    changed: dict[str, Any] = {
        "title": f"{subject} {aim} {number}",
        "summary": f"How {subject.lower()} is done where it matters, with cases from {dice.choice(FIELDS).lower()}.",
        "provider": dice.choice(PROVIDERS),
        "unit": dice.choice(UNITS),
        "field_of_study": dice.choice(FIELDS),
        "learning_outcomes": [f"Apply {skill} to {subject.lower()}." for skill in dice.sample(SKILLS, 3)],
        "workload": Workload(hours=dice.choice((20, 50, 75, 125, 250, 390)), credits=dice.choice((1, 3, 5, 10)),
                             credit_system="ects"),
        "level": Level(framework="EQF", value=str(dice.choice((4, 5, 6, 7)))),
        "mode": dice.choice(("online", "onsite", "blended", "workplace")),
        "language": dice.choice(("en", "en", "de", "mi")),
        "partners": [Partner(organisation=name, contact_email=f"z.{number}@partner.example", contact_name="Zoe Secret")
                     for name in dice.sample(PARTNERS, dice.randrange(3))],
        "price": Price(amount=Decimal(price), currency=dice.choice(("EUR", "EUR", "NZD"))) if price else None,
        "skills": [{"framework": "ESCO", "title": dice.choice(SKILLS)}],
        "stackability": Stackability(stackable=stackable, towards=(), claims=(
            (StackingClaim(pathway=DEGREE.id, credits=3),) if stackable and dice.random() < 0.5 else ())),
    }  # fmt: skip
    return Proposal.model_validate(base | {name: _plain(value) for name, value in changed.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def fill(database: Database, numbers: Sequence[int], framework: str = "industry-credit") -> None:
    """The shipped frameworks have to be there. An hour passes between publications."""
    put_pathway(database, DEGREE, START)
    for first in range(0, len(numbers), AT_ONCE):
        rows = [row for number in numbers[first : first + AT_ONCE] for row in _rows(number, framework)]
        with database.write() as connection:
            for table in (DocumentRow, CaseRow, VersionRow, PublicationRow, StackingRow):
                some = [values for of, values in rows if of is table]
                if some:
                    connection.execute(insert(table.__table__), some)  # type: ignore[union-attr]


def case_id_of(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "mc-" + "".join(letters[number // 26**power % 26] for power in range(12))


def _rows(number: int, framework: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    policy, found, case_id = shipped()[framework], proposal(number), case_id_of(number)
    at = START + dt.timedelta(hours=number)
    page = catalogue_page(
        found,
        policy,
        assurances=[
            Assurance(stage="Quality review", by=["quality_reviewer"], approvals=2, closed_at=at),
            Assurance(stage="Industry sign-off", by=["industry_partner"], approvals=1, closed_at=at),
        ],
        endorsements=[
            Endorsement(organisation=p.organisation, statement="We hire for it.") for p in found.partners[:1]
        ],
        case_id=case_id,
        version=1,
        ledger_digest=f"{number:064x}",
        published_at=at,
    )
    name = slug(found.display_title, case_id)
    record = credential_record(found, policy, CataloguePage.model_validate(page), slug=name, base_url=BASE_URL)
    achievement = build_achievement(record)
    yield DocumentRow, {"digest": found.digest, "body": found.canonical.decode()}
    yield (
        CaseRow,
        _case(case_id, found, policy.digest, at) | {"framework_id": policy.id, "framework_version": policy.version},
    )
    yield VersionRow, {
        "case_id": case_id, "version": 1, "digest": found.digest, "submitted_by": PROPOSER, "submitted_at": at,
        "complete": True, "changed": [],
    }  # fmt: skip
    yield PublicationRow, {
        "slug": name, "case_id": case_id, "version": 1, "title": found.display_title, "page": page,
        "digest": digest_of_record(achievement), "achievement": achievement, "published_at": at,
    }  # fmt: skip
    for values in stacking_values(found):
        yield StackingRow, {"case_id": case_id, "version": 1, **values}


def _case(case_id: str, found: Proposal, framework_digest: str, at: dt.datetime) -> dict[str, Any]:
    row = CaseRow(
        case_id=case_id,
        framework_id="",
        framework_version="",
        framework_digest=framework_digest,
        title=found.display_title,
        proposer=PROPOSER,
        unit=found.unit,
        status=str(CaseStatus.PUBLISHED),
        round=1,
        version=1,
        digest=found.digest,
        opened_at=at,
        updated_at=at,
        closed_at=at,
    )
    return {name: getattr(row, name) for name in CaseRow.model_fields}
