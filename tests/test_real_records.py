"""Records of a real catalogue become cases on the running engine, each once, however often the import is begun."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from imprimatur import ids
from imprimatur.frameworks.loader import shipped
from imprimatur.importing import DEFAULT_FRAMEWORK, ImportReport, import_proposals
from imprimatur.records import Record, proposal_of, read_records
from imprimatur.rules.completeness import missing
from imprimatur.store.reading import list_cases
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine
from tests.facts import PROPOSER

LINES = 60


class Interrupted(Exception):
    """Somebody stops the import."""


@pytest.fixture
def records(shared_dir: Path, live: Engine) -> list[Record]:
    """Under keys of this test: the cases of one catalogue have the same ids everywhere, and tests share a server."""
    found = read_records(shared_dir / "data" / "microcredentials.jsonl")[:LINES]
    return [replace(record, key=f"{record.key}{live.mark}") for record in found]


def case_of(record: Record) -> str:
    return ids.imported_case_id(DEFAULT_FRAMEWORK, record.key)


def lacking(record: Record) -> list[str]:
    return [item.field for item in missing(proposal_of(record.data), shipped()[DEFAULT_FRAMEWORK]).required]


async def imported(live: Engine, records: list[Record], stop_after: int | None = None) -> ImportReport:
    done = 0

    def advanced() -> None:
        nonlocal done
        done += 1
        if done == stop_after:
            raise Interrupted

    return await import_proposals(live.gateway, live.database, records, PROPOSER, None, advanced)


async def test_each_record_is_a_case_or_told_line_by_line(live: Engine, records: list[Record]) -> None:
    report = await imported(live, records)
    returned = {record.line: lacking(record) for record in records if lacking(record)}
    assert (report.accepted, report.returned, report.skipped) == (LINES - len(returned), len(returned), 0)
    told: dict[int, list[str]] = {line: [] for line in returned}
    for rejection in report.rejected:
        told[rejection.line].append(rejection.field)
    assert told == returned, "everything that is missing, at its line"
    for record in records:
        view = live.show(case_of(record))
        assert view.status is (CaseStatus.INCOMPLETE if record.line in returned else CaseStatus.IN_REVIEW)
        assert view.title == record.data["title"]
    live.assert_whole(*map(case_of, records))
    again = await imported(live, records)
    assert (again.accepted, again.returned, again.skipped) == (0, 0, LINES - len(returned))


async def test_an_import_that_was_stopped_goes_on_where_it_was(live: Engine, records: list[Record]) -> None:
    with pytest.raises(Interrupted):
        await imported(live, records, stop_after=LINES // 2)
    begun = len(list_cases(live.database))
    assert LINES // 2 <= begun < LINES
    report = await imported(live, records)
    cases = list_cases(live.database)
    assert {case.case_id for case in cases} == set(map(case_of, records))
    assert report.accepted + report.returned <= LINES - LINES // 2, "what was imported is not imported again"
    for case in cases:
        told = Counter(live.types(case.case_id))
        assert (told[EventType.CASE_SUBMITTED], told[EventType.PROPOSAL_VERSION_ADDED]) == (1, 1)
    live.assert_whole(*map(case_of, records))


async def test_two_imports_of_one_file_at_once_make_each_case_once(live: Engine, records: list[Record]) -> None:
    own = records[:20]
    await asyncio.gather(imported(live, own), imported(live, own))
    cases = list_cases(live.database)
    assert {case.case_id for case in cases} == set(map(case_of, own))
    assert {live.types(case.case_id).count(EventType.CASE_SUBMITTED) for case in cases} == {1}
    assert live.refusals() == []
