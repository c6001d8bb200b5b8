"""One credential in the words of every standard, against the standards' own schemas and shapes."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft201909Validator
from rdflib import RDF, Graph, URIRef

from imprimatur.errors import DocumentInvalid, InputError
from imprimatur.frameworks.loader import shipped
from imprimatur.publication.checking import checked
from imprimatur.publication.ctdl import MicroCredential, build_ctdl, ctid, duration
from imprimatur.publication.elm import LANGUAGES, build_elm, country_code
from imprimatur.publication.endorsements import endorsement
from imprimatur.publication.openbadges import Achievement
from imprimatur.publication.reading import published_record
from imprimatur.publication.records import FORMATS, check_records, standard_record
from imprimatur.publication.schema_org import build_schema_org
from imprimatur.records import proposal_of, read_records
from imprimatur.store.engine import Database
from models.proposal import Assessment, Delivery, Level, Proposal, Stackability, Workload
from tests.credentials import CASE_ID, SAID, record_of
from tests.facts import BASE_URL, EXAMPLES, example, furnish, whole_story
from tests.test_publication import LINE, NAMES, PROPOSALS, PROSE

# The shapes' checker still uses what its own library has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
ELM = "http://data.europa.eu/snb/model/elm/"
Problems = Callable[[dict[str, Any]], list[str]]
ALL_EXAMPLES = pytest.mark.parametrize(
    ("name", "framework"), [(name, framework) for name in NAMES for framework in sorted(shipped())]
)


RICH = st.builds(
    lambda proposal, more: proposal.model_copy(update=more),
    PROPOSALS,
    st.fixed_dictionaries(
        {
            "country": st.none() | st.sampled_from(["NZ", "DE", "XX"]),
            "mode": st.none() | st.sampled_from(["online", "onsite", "blended", "workplace"]),
            "target_learners": st.none() | PROSE.map(str.strip),
            "prerequisites": st.none() | PROSE.map(str.strip),
            "stackability": st.none()
            | st.builds(Stackability, stackable=st.booleans(), towards=st.just(("", "A degree"))),
            "assessment": st.none() | st.builds(Assessment, types=st.sampled_from([(), ("",), ("portfolio", "")])),
            "delivery": st.none()
            | st.builds(
                Delivery,
                starts_on=st.none() | st.dates(),
                ends_on=st.none() | st.dates(),
                registration_deadline_on=st.none() | st.dates(),
                location=st.none() | LINE,
            ),
        }
    ),
)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def ctdl_problems(shared_dir: Path) -> Problems:
    """By the registry's own schema."""
    schema = _read(shared_dir / "standards/ctdl/registry-credential.schema.json")
    definitions = schema["definitions"]
    validator = Draft4Validator(definitions["ceterms:MicroCredential"] | {"definitions": definitions})
    return lambda found: [f"{error.json_path}: {error.message}" for error in validator.iter_errors(found)]


@pytest.fixture(scope="session")
def elm_graph(shared_dir: Path) -> Callable[[dict[str, Any]], Graph]:
    """A record as triples, with the model's own context read from a file instead of its address."""
    context = _read(shared_dir / "standards/elm/edc-ap-context.jsonld")["@context"]
    return lambda found: Graph().parse(data=json.dumps(found | {"@context": context}), format="json-ld")


@pytest.fixture(scope="session")
def elm_problems(shared_dir: Path, elm_graph: Callable[[dict[str, Any]], Graph]) -> Problems:
    """By the shapes of the European Digital Credentials' profile."""
    shapes = Graph().parse(shared_dir / "standards/elm/EDC-generic-full.ttl")

    def problems(found: dict[str, Any]) -> list[str]:
        conforms, _, text = pyshacl.validate(elm_graph(found), shacl_graph=shapes)
        return [] if conforms else [text]

    return problems


@pytest.fixture(scope="session")
def endorsement_problems(shared_dir: Path) -> Problems:
    schema = _read(shared_dir / "standards/openbadges3/ob_v3p0_achievementcredential_schema.json")
    found = schema["$defs"]["EndorsementCredential"] | {"$defs": schema["$defs"]}
    validator = Draft201909Validator(found)
    return lambda content: [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


@cache
def full() -> dict[str, Any]:
    record = record_of(example("industry-credit.revised"), endorsements=SAID)
    return {name: standard_record(record, name) for name in FORMATS}


@ALL_EXAMPLES
def test_every_example_is_valid_in_the_credential_registry(ctdl_problems: Problems, name: str, framework: str) -> None:
    assert ctdl_problems(build_ctdl(record_of(example(name), framework, endorsements=SAID))) == []


@ALL_EXAMPLES
def test_every_example_conforms_to_the_european_shapes(elm_problems: Problems, name: str, framework: str) -> None:
    assert elm_problems(build_elm(record_of(example(name), framework, endorsements=SAID))) == []


def test_the_registry_schema_would_find_a_mistake(ctdl_problems: Problems) -> None:
    good = full()["ctdl"]
    assert ctdl_problems({name: value for name, value in good.items() if name != "ceterms:ctid"})
    assert ctdl_problems(good | {"ceterms:subjectWebpage": 7})


def test_the_european_shapes_would_find_a_mistake(elm_problems: Problems) -> None:
    for list_ in ("authority/country", "authority/language", "authority/currency", "snb/eqf/25831c2"):
        wrong = json.dumps(full()["elm"]).replace(f'{list_}"', 'nowhere"')
        assert elm_problems(json.loads(wrong)), list_


def test_the_european_record_keeps_its_types_and_names(elm_graph: Callable[[dict[str, Any]], Graph]) -> None:
    graph, record = elm_graph(full()["elm"]), record_of(example("industry-credit.revised"))
    for kind, number in (("Qualification", 1), ("LearningOutcome", 4), ("LearningOpportunity", 1), ("CreditPoint", 1)):
        assert len(set(graph.subjects(RDF.type, URIRef(f"{ELM}{kind}")))) == number
    assert (URIRef(record.address), RDF.type, URIRef(f"{ELM}Qualification")) in graph
    assert not [text for text in graph.predicates() if not str(text).startswith("http")]


def test_real_micro_credentials_are_valid_everywhere(
    shared_dir: Path, ctdl_problems: Problems, elm_problems: Problems
) -> None:
    found = read_records(shared_dir / "data" / "microcredentials.jsonl")
    proposals = [proposal_of(item.data) for item in found if not item.problems]
    assert len(proposals) > 100
    # The shapes take longest: every fifth is enough of many that are alike.
    for number, proposal in enumerate(proposals):
        record = record_of(proposal)
        check_records(record)
        assert ctdl_problems(build_ctdl(record)) == []
        if number % 5 == 0:
            assert elm_problems(build_elm(record)) == []


@given(RICH)
@settings(deadline=None)
def test_any_proposal_has_every_record(proposal: Proposal) -> None:
    check_records(record_of(proposal, endorsements=SAID))


@given(RICH)
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_any_proposal_is_valid_everywhere(
    ctdl_problems: Problems, elm_problems: Problems, endorsement_problems: Problems, proposal: Proposal
) -> None:
    record = record_of(proposal, endorsements=SAID)
    assert ctdl_problems(build_ctdl(record)) + elm_problems(build_elm(record)) == []
    assert [endorsement_problems(endorsement(record, item)) for item in record.sign_offs] == [[], []]


@given(PROPOSALS)
@settings(deadline=None)
def test_no_record_reaches_a_person(proposal: Proposal) -> None:
    record = record_of(proposal, endorsements=SAID)
    for name in FORMATS:
        text = json.dumps(standard_record(record, name)).lower()
        assert "secret.person" not in text and "secret person" not in text


def test_the_same_facts_stand_in_every_record() -> None:
    proposal, found = example("industry-credit.revised"), full()
    for name in ("openbadges", "ctdl", "elm", "schema-org"):
        text = json.dumps(found[name], ensure_ascii=False)
        for said in (proposal.title, *proposal.learning_outcomes, "Example Institute of Technology"):
            assert str(said) in text, (name, said)
    for name, spelled in (("ctdl", "PT390H"), ("elm", "PT390H"), ("schema-org", "PT390H"), ("ctdl", "1450.0")):
        assert spelled in json.dumps(found[name])
    assert found["ctdl"]["ceterms:recognizedBy"][0]["ceterms:name"] == "Harbour Software"
    assert [item["name"] for item in found["schema-org"]["@graph"][0]["recognizedBy"]] == [
        "Harbour Software", "Fieldnote Analytics",
    ]  # fmt: skip
    assert found["schema-org"]["@graph"][1]["offers"] == [
        {"@type": "Offer", "category": "Paid", "price": "1450.00", "priceCurrency": "NZD",
         "url": found["openbadges"]["id"], "validThrough": "2027-02-12"},
    ]  # fmt: skip
    assert found["issuer"]["name"] == "Example Institute of Technology"


def test_quality_approvals_are_told_with_the_ledger_s_head() -> None:
    record = record_of(example("industry-credit"), endorsements=SAID)
    [quality] = full()["ctdl"]["ceterms:reviewProcess"]
    assert quality["ceterms:description"] == "Quality review: 2 approvals by quality reviewer, 2026-03-02."
    assert "f" * 64 in quality["ceterms:verificationMethodDescription"]
    [industry] = full()["ctdl"]["ceterms:developmentProcess"]
    assert "Industry sign-off" in industry["ceterms:description"]
    first, second = (endorsement(record, item) for item in record.sign_offs)
    assert first["issuer"]["name"] == "Harbour Software"
    assert first["issuer"]["id"] != second["issuer"]["id"] and first["issuer"]["id"].startswith("urn:uuid:")
    assert first["credentialSubject"]["endorsementComment"] == "We hire for it."
    assert "endorsementComment" not in second["credentialSubject"]
    [evidence] = first["evidence"]
    assert evidence["name"] == "Quality review" and "f" * 64 in evidence["narrative"]


def test_several_signatories_of_a_partner_are_one_endorser() -> None:
    said = [SAID[1], SAID[0].model_copy(update={"organisation": "Fieldnote Analytics", "logo": None})]
    [only] = record_of(example("industry-credit"), endorsements=said).sign_offs
    assert (only.number, only.statement, only.logo) == (1, "We hire for it.", SAID[1].logo)


def test_a_case_keeps_its_registry_number() -> None:
    other = record_of(example("industry-credit"), base_url="https://elsewhere.example")
    assert build_ctdl(other)["ceterms:ctid"] == full()["ctdl"]["ceterms:ctid"] == ctid(CASE_ID) != ctid("mc-other")


@pytest.mark.parametrize(
    ("hours", "spelled"), [(390, "PT390H"), (0.5, "PT0H30M"), (1.25, "PT1H15M"), (0.001, "PT0H1M"), (2.9999, "PT3H")]
)
def test_durations_are_spelled_to_the_minute(hours: float, spelled: str) -> None:
    assert duration(hours) == spelled


@pytest.mark.parametrize(("two", "three"), [("NZ", "NZL"), ("DE", "DEU"), ("GB", "GBR"), ("EE", "EST"), ("XX", None)])
def test_countries_are_named_as_the_authority_names_them(two: str, three: str | None) -> None:
    assert country_code(two) == three
    assert country_code(None) is None


def test_languages_are_named_once() -> None:
    assert len(set(LANGUAGES.values())) == len(LANGUAGES)
    assert all(len(two) == 2 and len(three) == 3 and three.isupper() for two, three in LANGUAGES.items())


def test_what_has_no_term_of_its_own_is_told_in_a_note() -> None:
    level = Level(framework="NZQCF", value="7")
    changed = {"level": level, "mode": "workplace", "language": "tlh"}
    found = build_elm(record_of(example("industry-credit").model_copy(update=changed)))["@graph"][0]
    notes = [text for note in found["additionalNote"] for text in note["noteLiteral"].values()]
    assert {"Level: NZQCF 7.", "Form of participation: workplace."} <= set(notes)
    assert not {"eqfLevel", "mode", "language"} & set(found)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Achievement, {"name": " "}),
        (Achievement, {"humanKode": "x"}),
        (Achievement, {"creditsAvailable": 0}),
        (MicroCredential, {"ceterms:ctid": "ce-1"}),
        (MicroCredential, {"ceterms:subjectWebpage": "nowhere"}),
    ],
)
def test_a_record_that_would_not_be_valid_is_not_made(model: Any, change: dict[str, Any]) -> None:
    good = {name: value for name, value in full()["openbadges"].items() if name != "@context"}
    good = good if model is Achievement else full()["ctdl"]
    assert checked(model, good) == good
    with pytest.raises(DocumentInvalid) as refused:
        checked(model, good | change)
    assert refused.value.code == "record_invalid"
    assert refused.value.problems[0].where == next(iter(change))


def test_there_is_no_other_format() -> None:
    with pytest.raises(InputError) as refused:
        standard_record(record_of(example("industry-credit")), "marc21")
    assert refused.value.code == "format_unknown" and "schema-org" in refused.value.hint


def test_what_was_published_can_be_told_anew(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = whole_story(database, tmp_path)
    record = published_record(database, play.case_id)
    assert record == published_record(database, record.slug)
    assert (record.base_url, record.title) == (BASE_URL, "Product Discovery and Prototyping with AI")
    assert [approval.of_industry for approval in record.approvals] == [False, False, True]
    check_records(record)


def test_a_credit_of_another_system_is_no_ects() -> None:
    changed = {"workload": Workload(credits=40, credit_system="nzqf")}
    record = record_of(example("industry-credit").model_copy(update=changed))
    assert "creditPoint" not in build_elm(record)["@graph"][0]
    assert build_schema_org(record)["@graph"][1]["numberOfCredits"] == {
        "@type": "StructuredValue", "value": 40.0, "unitText": "NZQF",
    }  # fmt: skip


def test_all_examples_are_covered() -> None:
    assert len(NAMES) == len(list(EXAMPLES.glob("*.yaml"))) >= 4
