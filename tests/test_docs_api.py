"""The document of the programming interface names every address there is, and none that is gone."""

from typing import Any, cast

from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web.api.app import PREFIX, create_api, description
from models.vocabulary import KeyScope
from tests.facts import BASE_URL
from tests.markdown import DOCS, code_spans, section
from tests.web import KEY

API = DOCS / "api.md"


def described(database: Database) -> dict[str, Any]:
    return description(create_api(database, cast(Gateway, None), Links([KEY], BASE_URL)))


def test_every_address_is_told_with_its_methods(sqlite_database: Database) -> None:
    told: dict[str, set[str]] = {}
    for row in section(API, "What is where").rows:
        for path in code_spans(row["address"]):
            assert path not in told, path
            told[path] = set(row["methods"].split(", "))
    paths = described(sqlite_database)["paths"]
    found = {path.removeprefix(PREFIX): {method.upper() for method in item} for path, item in paths.items()}
    assert told == found


def test_every_operation_says_what_it_does_and_how_it_can_fail(sqlite_database: Database) -> None:
    for path, item in described(sqlite_database)["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], path
            assert {"401", "403", "404", "422", "503"} <= set(operation["responses"]), path
            assert operation["security"] == [{"key": []}], path
            names = {parameter["name"] for parameter in operation.get("parameters", ())}
            assert method == "get" or "Idempotency-Key" in names, path
            named = {"{case_id}", "{task_id}", "{condition_id}"} & set(path.split("/"))
            assert ("if-match" in names) == (method == "post" and bool(named)), path


def test_every_scope_is_told() -> None:
    assert [code_spans(row["scope"])[0] for row in section(API, "Keys").rows] == list(KeyScope)
