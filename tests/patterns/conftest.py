"""Cases under the snippet of the pattern that a test declares."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from tests.patterns.cases import Cases, PatternCase
from tests.patterns.catalogue import Pattern


@pytest.fixture
def cases(request: pytest.FixtureRequest, sqlite_database: Database, tmp_path: Path) -> Iterator[Cases]:
    """What they leave behind is looked at in the end."""
    pattern: Pattern = request.function.pattern
    found = Cases(sqlite_database, tmp_path, pattern)
    yield found
    found.verify()


@pytest.fixture
def case(cases: Cases) -> PatternCase:
    """Submitted with the example proposal."""
    return cases.begin()
