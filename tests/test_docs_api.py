"""The document of the programming interface names every address there is, and none that is gone."""

from typing import Any, cast

from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web.api.app import create_api
from models.vocabulary import KeyScope
from tests.facts import BASE_URL
from tests.markdown import DOCS, code_spans, section
from tests.web import KEY

API = DOCS / "api.md"


def described(database: Database) -> dict[str, Any]:
    return create_api(database, cast(Gateway, None), Links([KEY], BASE_URL)).openapi()


def test_every_address_is_told_with_its_methods(sqlite_database: Database) -> None:
    told: dict[str, set[str]] = {}
    for row in section(API, "What is where").rows:
        spans = code_spans(row["address"])
        parent = spans[0].rpartition("/")[0]
        for path in spans:
            full = path if path.count("/") > 1 or path == spans[0] or path in ("/incidents",) else f"{parent}{path}"
            told[full] = set(row["methods"].split(", "))
    found = {path: {method.upper() for method in item} for path, item in described(sqlite_database)["paths"].items()}
    assert told == found


def test_every_operation_says_what_it_does_and_how_it_can_fail(sqlite_database: Database) -> None:
    for path, item in described(sqlite_database)["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], path
            assert {"401", "403", "404", "422", "503"} <= set(operation["responses"]), path
            assert operation["security"] == [{"key": []}], path
            names = {parameter["name"] for parameter in operation.get("parameters", ())}
            assert method == "get" or "idempotency-key" in names, path


def test_every_scope_is_told() -> None:
    assert [code_spans(row["scope"])[0] for row in section(API, "Keys").rows] == list(KeyScope)
