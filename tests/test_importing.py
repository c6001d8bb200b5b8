"""Importing many proposals: every line accounted for, nothing imported twice, and what was begun can be finished."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from imprimatur import ids
from imprimatur.errors import ImprimaturError, NotFound, ProposalIncomplete, Refused, Unavailable
from imprimatur.frameworks.loader import shipped
from imprimatur.importing import ENDS_THE_IMPORT, ImportReport, import_proposals
from imprimatur.records import proposal_of, read_records
from imprimatur.rules.completeness import FieldProblem, missing
from imprimatur.store import reading
from imprimatur.store.engine import Database
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.vocabulary import CaseStatus
from tests.facts import PROPOSER, Play, furnish

COMPLETE = {
    "title": "Fishing",
    "summary": "Learn to fish.",
    "provider": "Example University",
    "outcomes": ["Casts a net."],
    "ects": 3,
    "hours": 78,
    "language": "en",
}


class PlayedCases:
    """Stands in for the gateway: cases run by the real rules and commits, without a workflow service."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.plays: dict[str, Play] = {}
        self.frameworks: list[str | None] = []
        self.failures: dict[str, ImprimaturError] = {}
        self._database = database
        self._folder = folder

    def lacking(self, proposal: Proposal, framework_id: str) -> Sequence[FieldProblem]:
        return missing(proposal, shipped()[framework_id.partition("@")[0]]).required

    async def submit(
        self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
    ) -> CaseAnswer:
        # Everyone who waits gets a turn, as in life.
        await asyncio.sleep(0)
        assert framework_id is not None
        assert case_id is not None
        assert proposer == PROPOSER
        assert case_id not in self.plays, "no case is submitted twice"
        self._fail(proposal)
        self.frameworks.append(framework_id)
        play = Play(self._database, self._folder, framework_id.partition("@")[0], case_id)
        self.plays[case_id] = play
        play.submit(proposal)
        return self._answer(play, proposal, framework_id)

    async def revise(self, case_id: str, proposal: Proposal, *, actor: str) -> tuple[CaseAnswer, list[str]]:
        await asyncio.sleep(0)
        self._fail(proposal)
        play = self.plays[case_id]
        play.revise(proposal)
        return self._answer(play, proposal, play.framework.id), []

    def _fail(self, proposal: Proposal) -> None:
        if failure := self.failures.get(proposal.display_title):
            raise failure

    def _answer(self, play: Play, proposal: Proposal, framework_id: str) -> CaseAnswer:
        if lacking := self.lacking(proposal, framework_id):
            problems = [{"field": item.field, "problem": item.problem, "why": item.why} for item in lacking]
            raise ProposalIncomplete("proposal_incomplete", "It lacks something.", problems=problems)
        state = play.state
        return CaseAnswer(
            case_id=state.case_id, status=state.status, version=state.version, round=state.round, position=1, digest="d"
        )


@pytest.fixture
def played(sqlite_database: Database, tmp_path: Path) -> PlayedCases:
    furnish(sqlite_database)
    return PlayedCases(sqlite_database, tmp_path / "published")


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join(lines), encoding="utf-8")


async def take(
    played: PlayedCases, database: Database, file: Path, *rows: dict[str, Any], framework: str | None = None
) -> ImportReport:
    """Imports rows, by way of a file."""
    if rows:
        write(file, *map(json.dumps, rows))
    seen: list[int] = []
    found = read_records(file)
    report = await import_proposals(played, database, found, PROPOSER, framework, lambda: seen.append(1))
    assert len(seen) == len(found), "progress counts every record"
    return report


def statuses(database: Database) -> list[str]:
    return sorted(case.status for case in reading.list_cases(database))


def told(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(item["line"], item["field"], item["problem"]) for item in report.as_dict()["rejected"]]


# --- the real catalogue -----------------------------------------------------------------------------------------


def raw_rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def test_the_real_catalogue_is_accounted_for_line_by_line(
    shared_dir: Path, played: PlayedCases, sqlite_database: Database
) -> None:
    file = shared_dir / "data" / "microcredentials.jsonl"
    rows = list(enumerate(raw_rows(file), 1))
    expected = {
        (line, field, "is missing")
        for line, row in rows
        for column, field in (
            ("outcomes", "learning_outcomes"),
            ("hours", "workload.hours"),
            ("ects", "workload.credits"),
        )
        if not row[column]
    }
    complete = [row for line, row in rows if line not in {line for line, _, _ in expected}]
    report = await take(played, sqlite_database, file)
    assert Counter(told(report)) == Counter(expected)
    assert Counter(field for _, field, _ in told(report)) == {
        "learning_outcomes": 65,
        "workload.hours": 53,
        "workload.credits": 53,
    }
    assert (report.accepted, report.skipped, len(report.rejected_lines)) == (len(complete), 0, 154 - len(complete))
    assert report.accepted == 75
    # Six lines are one and the same record.
    assert report.returned == 74
    assert Counter(statuses(sqlite_database)) == {"in_review": 75, "incomplete": 74}
    again = await take(played, sqlite_database, file)
    assert (again.accepted, again.skipped, again.returned) == (0, 75, 0)
    assert Counter(told(again)) == Counter(expected)


def test_every_record_of_the_real_catalogue_says_what_it_said(shared_dir: Path) -> None:
    file = shared_dir / "data" / "microcredentials.jsonl"
    rows = raw_rows(file)
    found = read_records(file)
    assert len(found) == len(rows) == 154
    for row, record in zip(rows, found, strict=True):
        proposal = proposal_of(record.data)
        assert (proposal.title, proposal.provider, proposal.source_url) == (
            " ".join(row["title"].split()),
            row["provider"],
            row["url"],
        )
        assert [str(outcome) for outcome in proposal.learning_outcomes] == [text.strip() for text in row["outcomes"]]
        assert (proposal.workload.hours if proposal.workload else None) == row["hours"]
        assert (proposal.workload.credits if proposal.workload else None) == row["ects"]
        starts_on = proposal.delivery.starts_on if proposal.delivery else None
        assert (starts_on.isoformat() if starts_on else None) == row["start"]


# --- one line at a time -----------------------------------------------------------------------------------------


async def test_each_line_is_accepted_returned_or_rejected(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    lines = [
        json.dumps(COMPLETE | {"id": "1"}),
        "{",
        json.dumps({"id": "2", "title": "Half"}),
        json.dumps(COMPLETE | {"id": "3", "hours": "many", "titel": "x"}),
        json.dumps(COMPLETE | {"id": "4", "ects": 0.25}),
    ]
    file = tmp_path / "records.jsonl"
    write(file, *lines)
    report = await take(played, sqlite_database, file)
    assert (report.accepted, report.skipped, report.returned) == (1, 0, 2)
    assert [(line, field) for line, field, _ in told(report)] == [
        (2, ""),
        *[
            (3, field)
            for field in ("summary", "provider", "learning_outcomes", "workload.hours", "workload.credits", "language")
        ],
        (4, "workload.hours"),
        (4, "titel"),
        (5, "workload.credits"),
    ]
    assert (5, "workload.credits", "must be at least 0.5, is 0.25") in told(report)
    assert report.rejected_lines == {2, 3, 4, 5}
    assert Counter(statuses(sqlite_database)) == {"in_review": 1, "incomplete": 2}
    assert set(report.as_dict()) == {"accepted", "skipped", "returned", "rejected"}


async def test_a_line_imported_before_is_not_imported_again(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "records.jsonl"
    rows = [COMPLETE | {"id": str(n)} for n in range(3)]
    assert (await take(played, sqlite_database, file, *rows)).accepted == 3
    more = await take(
        played, sqlite_database, file, *rows, COMPLETE | {"id": "9"}, COMPLETE | {"id": "1", "title": "New"}
    )
    assert (more.accepted, more.skipped, more.rejected) == (1, 4, [])


async def test_a_record_without_an_id_is_known_by_what_it_says(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "records.jsonl"
    assert (await take(played, sqlite_database, file, COMPLETE)).accepted == 1
    turned = dict(reversed(COMPLETE.items()))
    again = await take(played, sqlite_database, file, turned, COMPLETE | {"title": "Other"})
    assert (again.accepted, again.skipped) == (1, 1)


async def test_a_record_that_stands_twice_in_a_file_is_one_case(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    report = await take(played, sqlite_database, tmp_path / "r.jsonl", *[COMPLETE | {"id": "1"}] * 10)
    assert (report.accepted, report.skipped) == (1, 9)
    assert len(played.plays) == 1


async def test_a_record_that_is_completed_becomes_the_next_version_of_its_case(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "records.jsonl"
    half = COMPLETE | {"id": "1", "outcomes": []}
    first = await take(played, sqlite_database, file, half)
    assert (first.returned, told(first)) == (1, [(1, "learning_outcomes", "is missing")])
    same = await take(played, sqlite_database, file, half)
    assert (same.returned, told(same)) == (0, [(1, "learning_outcomes", "is missing")])
    done = await take(played, sqlite_database, file, COMPLETE | {"id": "1"})
    assert (done.accepted, done.rejected) == (1, [])
    [play] = played.plays.values()
    assert (play.state.version, play.state.status) == (2, CaseStatus.IN_REVIEW)


async def test_a_record_may_be_completed_within_one_file(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    rows = [COMPLETE | {"id": "1", "outcomes": []}, COMPLETE | {"id": "1"}, COMPLETE | {"id": "1"}]
    report = await take(played, sqlite_database, tmp_path / "r.jsonl", *rows)
    assert (report.accepted, report.skipped, report.returned) == (1, 1, 1)
    assert told(report) == [(1, "learning_outcomes", "is missing")]


async def test_the_same_record_under_another_framework_is_another_case(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    file, row = tmp_path / "r.jsonl", COMPLETE | {"id": "1"}
    for framework, accepted in ((None, 1), ("coursework-credit", 0), ("coursework-credit@1.1", 0), ("non-credit", 0)):
        assert (await take(played, sqlite_database, file, row, framework=framework)).accepted == accepted
    assert set(played.plays) == {ids.imported_case_id(name, "1") for name in ("coursework-credit", "non-credit")}
    assert played.frameworks == ["coursework-credit", "non-credit"]


async def test_a_refusal_of_one_record_is_told_and_it_can_come_again(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "r.jsonl"
    rows = [COMPLETE | {"id": "1", "title": "Bad"}, COMPLETE | {"id": "2"}]
    played.failures["Bad"] = Refused("framework_kind_mismatch", "It is of another kind.")
    report = await take(played, sqlite_database, file, *rows)
    assert (report.accepted, told(report)) == (1, [(1, "", "It is of another kind.")])
    played.failures.clear()
    again = await take(played, sqlite_database, file, *rows)
    assert (again.accepted, again.skipped) == (1, 1)


# --- stopping and going on --------------------------------------------------------------------------------------

FATAL: list[ImprimaturError] = [
    Unavailable("temporal_unavailable", "The workflow service does not answer."),
    Unavailable("database_unavailable", "The database does not answer."),
    NotFound("person_unknown", "Nobody."),
    Refused("person_inactive", "No longer active."),
    NotFound("framework_unknown", "There is no framework."),
]


@pytest.mark.parametrize("failure", FATAL, ids=lambda failure: failure.code)
async def test_what_would_fail_for_every_record_ends_the_import(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path, failure: ImprimaturError
) -> None:
    rows = [COMPLETE | {"id": str(n), "title": f"Title {n}"} for n in range(40)]
    played.failures["Title 20"] = failure
    with pytest.raises(type(failure)) as caught:
        await take(played, sqlite_database, tmp_path / "r.jsonl", *rows)
    assert caught.value.code == failure.code
    begun = len(played.plays)
    assert begun < 40
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(played.plays) == begun, "nothing goes on behind the error"
    played.failures.clear()
    rest = await take(played, sqlite_database, tmp_path / "r.jsonl")
    assert (rest.accepted, rest.skipped) == (40 - begun, begun)
    assert statuses(sqlite_database) == ["in_review"] * 40


def test_every_failure_that_ends_an_import_is_tried() -> None:
    assert {failure.code for failure in FATAL} == ENDS_THE_IMPORT


class Interrupted(Exception):
    """Somebody stops the import."""


async def test_an_import_that_was_stopped_goes_on_where_it_was(
    played: PlayedCases, sqlite_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "r.jsonl"
    write(file, *[json.dumps(COMPLETE | {"id": str(n)}) for n in range(30)])
    seen: list[int] = []

    def interrupt() -> None:
        seen.append(1)
        if len(seen) == 12:
            raise Interrupted

    with pytest.raises(Interrupted):
        await import_proposals(played, sqlite_database, read_records(file), PROPOSER, None, interrupt)
    done = len(played.plays)
    assert 12 <= done < 30
    rest = await take(played, sqlite_database, file)
    assert (rest.accepted, rest.skipped) == (30 - done, done)
