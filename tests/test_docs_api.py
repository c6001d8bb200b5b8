"""The document of the programming interface names every address there is, and none that is gone."""

import warnings
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from imprimatur.store.engine import Database
from imprimatur.web.api.app import PREFIX, description
from imprimatur.web.api.examples import EXAMPLES
from models.proposal import Proposal
from models.sitting import SittingRecord
from models.stacking import Pathway
from models.vocabulary import KeyScope
from tests.api import idle_api
from tests.facts import Play
from tests.markdown import DOCS, code_spans, section
from tests.web import Site

API = DOCS / "api.md"


@cache
def described() -> dict[str, Any]:
    return description(idle_api(cast(Database, None)))


def test_every_address_is_told_with_its_methods() -> None:
    told: dict[str, set[str]] = {}
    for row in section(API, "What is where").rows:
        for path in code_spans(row["address"]):
            assert path not in told, path
            told[path] = set(row["methods"].split(", "))
    paths = described()["paths"]
    found = {path.removeprefix(PREFIX): {method.upper() for method in item} for path, item in paths.items()}
    assert told == found


def test_every_act_of_a_page_has_its_place_or_a_reason_against_one(sqlite_database: Database, tmp_path: Path) -> None:
    rows = section(API, "What pages do, and where programs do it").rows
    site = Site(Play(sqlite_database, tmp_path))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        acts = {path for path, ways in site.app.openapi()["paths"].items() if "post" in ways}
    assert {path for row in rows for path in code_spans(row["page"])} == acts
    known = {path.removeprefix(PREFIX) for path in described()["paths"]}
    for row in rows:
        named = {span for span in code_spans(row["programs"]) if span.startswith("/")}
        assert named <= known and (named or row["programs"].startswith("nothing: ")), row


def test_every_operation_says_what_it_does_and_how_it_can_fail() -> None:
    for path, item in described()["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], path
            assert {"401", "403", "404", "422", "503"} <= set(operation["responses"]), path
            assert operation["security"] == [{"key": []}], path
            names = {parameter["name"] for parameter in operation.get("parameters", ())}
            assert method != "post" or "Idempotency-Key" in names, path
            named = {"{case_id}", "{task_id}", "{condition_id}"} & set(path.split("/"))
            on_a_draft = (method, path) == ("put", f"{PREFIX}/drafts/{{draft_id}}")
            assert ("if-match" in names) == (on_a_draft or (method == "post" and bool(named))), path


def test_every_scope_is_told() -> None:
    assert [code_spans(row["scope"])[0] for row in section(API, "Keys").rows] == list(KeyScope)


def test_whatever_is_sent_has_an_example_that_could_be_sent() -> None:
    document, shown = described(), set[str]()
    for path, item in document["paths"].items():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                shown.add(path.removeprefix(PREFIX))
                schema = content["schema"] | {"components": document["components"]}
                problems = Draft202012Validator(schema).iter_errors(content["example"])
                assert [error.message for error in problems] == [], path
    assert shown == set(EXAMPLES), "and no example is left over"


def test_every_proposal_that_is_shown_is_one() -> None:
    """The schema alone does not tell it."""
    for path in ("/cases", "/similar"):
        assert Proposal.model_validate(EXAMPLES[path]["proposal"]).title
    assert Pathway.model_validate(EXAMPLES["/pathways/{pathway_id}"]).limit == 60
    assert SittingRecord.model_validate(EXAMPLES["/committees/sittings"]["record"]).items
