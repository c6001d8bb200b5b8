"""docs/patterns.md against its tests: every pattern that an approval engine must have, by its number and its name."""

import inspect
from importlib import import_module

import pytest

from tests.markdown import ROOT, text_of
from tests.patterns.catalogue import DOCUMENT, MODULES, Pattern, declared, page

CONTROL_FLOW = {
    1: "Sequence",
    2: "Parallel Split",
    3: "Synchronization",
    4: "Exclusive Choice",
    5: "Simple Merge",
    6: "Multi-Choice",
    7: "Structured Synchronizing Merge",
    10: "Arbitrary Cycles",
    14: "Multiple Instances with a priori Run-Time Knowledge",
    15: "Multiple Instances without a priori Run-Time Knowledge",
    16: "Deferred Choice",
    18: "Milestone",
    19: "Cancel Task",
    20: "Cancel Case",
    21: "Structured Loop",
    23: "Transient Trigger",
    24: "Persistent Trigger",
    25: "Cancel Region",
    26: "Cancel Multiple Instance Activity",
    27: "Complete Multiple Instance Activity",
    30: "Structured Partial Join",
    34: "Static Partial Join for Multiple Instances",
    35: "Cancelling Partial Join for Multiple Instances",
    36: "Dynamic Partial Join for Multiple Instances",
    43: "Explicit Termination",
}
RESOURCES = {
    1: "Direct Distribution",
    2: "Role-Based Distribution",
    3: "Deferred Distribution",
    4: "Authorization",
    5: "Separation of Duties",
    7: "Retain Familiar",
    10: "Organisational Distribution",
    12: "Distribution by Offer - Single Resource",
    13: "Distribution by Offer - Multiple Resources",
    14: "Distribution by Allocation - Single Resource",
    19: "Distribution on Enablement",
    21: "Resource-Initiated Allocation",
    24: "System-Determined Work Queue Content",
    26: "Selection Autonomy",
    27: "Delegation",
    28: "Escalation",
    29: "Deallocation",
    30: "Stateful Reallocation",
    32: "Suspension/Resumption",
    33: "Skip",
    34: "Redo",
    40: "Configurable Unallocated Work Item Visibility",
    41: "Configurable Allocated Work Item Visibility",
    43: "Additional Resources",
}
DECLARED = declared()


def test_every_pattern_has_its_test_under_its_number_and_name() -> None:
    expected = [f"WCP{number} {name}" for number, name in CONTROL_FLOW.items()]
    expected += [f"WRP{number} {name}" for number, name in RESOURCES.items()]
    assert [found.title for found in DECLARED] == expected


def test_every_test_of_a_pattern_is_looked_for() -> None:
    folder = ROOT / "tests" / "patterns"
    assert sorted(MODULES) == sorted(path.stem for path in folder.glob("test_*.py"))
    for name in MODULES:
        module = import_module(f"tests.patterns.{name}")
        tests = [value for value in vars(module).values() if getattr(value, "__name__", "").startswith("test_")]
        assert [test for test in tests if not hasattr(test, "pattern")] == []


@pytest.mark.parametrize("found", DECLARED, ids=lambda found: found.id)
def test_a_pattern_is_played_under_the_snippet_that_is_shown(found: Pattern) -> None:
    test = getattr(import_module(f"tests.patterns.{found.module}"), found.test)
    assert test.pattern is found
    assert {"case", "cases"} & set(inspect.signature(test).parameters)


def test_the_document_is_made_of_the_tests() -> None:
    assert text_of(DOCUMENT) == page(DECLARED), "write it anew: python -m tests.patterns"
