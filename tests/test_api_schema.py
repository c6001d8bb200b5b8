"""The description of the programming interface is kept to, whatever is sent: no fault, and nothing that is not told."""

import datetime as dt
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from imprimatur.embedded.home import Home
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from models.vocabulary import KeyScope
from tests.command import Command
from tests.stack import OFFICE, Stack, submitted

EXAMPLES = 5
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/jsonl", "application/yaml", "text/csv")
def as_it_stands(context: Any, value: Any) -> bytes:
    """A file is sent as the text that it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture
def key(stack: Stack) -> str:
    database = Database(Home(stack.home).database_url)
    try:
        return make_key(database, "the fuzzer", OFFICE, list(KeyScope), dt.datetime.now(dt.UTC))[1]
    finally:
        database.close()


@pytest.fixture
def case_id(office: Command) -> str:
    return submitted(office)


def test_whatever_is_sent_is_answered_as_described(stack: Stack, key: str, case_id: str) -> None:
    described = schemathesis.openapi.from_url(f"{stack.base_url}/openapi.json")
    found: Any = described.get_all_operations()
    operations = [item.ok() for item in found]
    assert len(operations) >= 90
    for operation in operations:
        _ask(operation, {"Authorization": f"Bearer {key}"}, case_id)


def _ask(operation: Any, headers: dict[str, str], case_id: str) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        # A stream goes on as long as its case: those of unknown cases end at once.
        if "case_id" in case.path_parameters and not case.path.endswith("/events"):
            case.path_parameters["case_id"] = case_id
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

    asked()
