"""docs/errors.md against the source: every code with its class and statuses, and none that no longer exists."""

from collections import defaultdict

import pytest

from imprimatur import errors
from imprimatur.errors import ImprimaturError
from tests.error_codes import Raised, problem_codes, raised
from tests.markdown import DOCS, code_spans, section, sections

ERRORS, FRAMEWORK = DOCS / "errors.md", DOCS / "framework-reference.md"
DOCTOR = "imprimatur/cli/doctor.py"
# Given to the answer where it is made: the framework of the pages has decided on it before.
STATUS_OF_THE_REQUEST = {"method_not_allowed": "405", "request_refused": "4xx"}


def _errors() -> dict[str, list[Raised]]:
    """By code; what `doctor` says in the detail of a check is no error of its own."""
    found: dict[str, list[Raised]] = defaultdict(list)
    for item in raised():
        if item.file != DOCTOR:
            found[item.code].append(item)
    return found


ERRORS_BY_CODE = _errors()
ROWS = {code_spans(row["code"])[0]: row for found in sections(ERRORS) for row in found.rows if "exit" in row}


def test_every_error_is_explained_and_none_that_is_gone() -> None:
    assert sorted(set(ERRORS_BY_CODE) - set(ROWS)) == []
    assert sorted(set(ROWS) - set(ERRORS_BY_CODE)) == []


@pytest.mark.parametrize("code", sorted(ERRORS_BY_CODE))
def test_an_error_is_told_with_its_class_and_statuses(code: str) -> None:
    row, places = ROWS[code], ERRORS_BY_CODE[code]
    assert set(code_spans(row["class"])) == {item.cls for item in places}
    assert row["exit"] == ", ".join(sorted({str(item.exit_status) for item in places}))
    statuses = sorted({str(item.http_status) for item in places})
    assert row["HTTP"] == STATUS_OF_THE_REQUEST.get(code, ", ".join(statuses))
    assert len(row["what happened, and what to do"]) > 15


def test_classes_are_told_with_their_statuses() -> None:
    told = {
        code_spans(row["class"])[0]: (row["exit status"], row["HTTP status"]) for row in section(ERRORS, "Classes").rows
    }
    classes = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, ImprimaturError)]
    assert told == {cls.__name__: (str(cls.exit_status), str(cls.http_status)) for cls in classes}


def test_every_problem_is_explained_and_none_that_is_gone() -> None:
    in_answers = _codes(section(ERRORS, "Problems in an answer").rows)
    in_documents = _codes(section(FRAMEWORK, "Problems that a check reports").rows)
    assert sorted([*in_answers, *in_documents]) == sorted(problem_codes())


def test_what_doctor_finds_is_explained_and_nothing_else() -> None:
    of_doctor = {item.code for item in raised() if item.file == DOCTOR} - set(ERRORS_BY_CODE)
    assert sorted(_codes(section(ERRORS, "What doctor finds").rows)) == sorted(of_doctor)


def _codes(rows: list[dict[str, str]]) -> list[str]:
    return [code_spans(row["code"])[0] for row in rows]


@pytest.mark.parametrize(
    "code",
    ["task_closed", "form_too_large", "proposal_invalid", "refused", "fault"],
    ids=["by a rule", "by a private class", "by a parameter", "by a worker", "by the last resort"],
)
def test_codes_are_found_however_they_are_given(code: str) -> None:
    assert code in ERRORS_BY_CODE


@pytest.mark.parametrize("code", ["cycle", "sla_missing", "threshold_out_of_reach", "duplicate_key", "wrong_type"])
def test_problems_are_found_however_they_are_given(code: str) -> None:
    assert code in problem_codes()
