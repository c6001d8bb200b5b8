"""Real approvals are played again: each comes out as it had been, or is listed with the reason."""

import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from imprimatur.frameworks.checker import check_file
from imprimatur.history.verify import verify_case
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus
from tests import replay_approvals
from tests.approvals.log import MEANINGS, Trace, one_of_each_variant, outcome, read_log, wanted
from tests.approvals.players import ByRules, OnLedger, furnish
from tests.approvals.replay import REPRODUCED, Finding, compared, replay
from tests.approvals.ways import (
    ADMIN,
    BOSS,
    DAY,
    DIRECTOR,
    IMPOSSIBLE,
    IN,
    LONGEST,
    ORDERED,
    OWNER,
    PAID,
    PASSED_ON,
    WAYS,
    trace,
)
from tests.markdown import DOCS, code_spans, section

DOCUMENT = DOCS / "real-approvals.md"
HEADING = "case:concept:name,time:timestamp,concept:name"


@pytest.fixture
def desks(sqlite_database: Database, tmp_path: Path) -> Database:
    furnish(sqlite_database, tmp_path)
    return sqlite_database


# --- what can be reproduced, and what cannot ------------------------------------------------------------------------


def test_the_framework_passes_its_check() -> None:
    assert check_file(Path(replay_approvals.__file__).parent / "approvals" / "request-for-payment.yaml")[1] == []


@pytest.mark.parametrize("name", WAYS)
def test_a_way_is_reproduced_by_the_rules_with_its_outcome(name: str) -> None:
    names, status = WAYS[name]
    player, told = ByRules(), trace(*names)
    assert replay(told, player) == Finding("1", REPRODUCED)
    assert player.state.status is status


def test_the_ledger_gives_each_way_back_and_is_whole(desks: Database, tmp_path: Path) -> None:
    for name, (names, status) in WAYS.items():
        player = OnLedger(desks, tmp_path, name)
        assert replay(trace(*names), player) == Finding("1", REPRODUCED), name
        assert player.state.status is status
        assert verify_case(desks, player.state.case_id).ok


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_the_framework_does_not_admit_is_told_with_its_code(name: str) -> None:
    names, code, event = IMPOSSIBLE[name]
    found = replay(trace(*names), ByRules())
    assert found.code == code
    assert event is None or found.detail.startswith(f"event {event}, ")


@pytest.mark.parametrize("place", range(len(LONGEST) - 1))
def test_no_trace_in_another_order_is_reproduced(place: int) -> None:
    assert replay(trace(*LONGEST), ByRules()).reproduced
    names = [*LONGEST]
    names[place : place + 2] = reversed(names[place : place + 2])
    assert not replay(trace(*names), ByRules()).reproduced


@pytest.mark.parametrize("desk", ["administration", "budget_owner", "director"])
def test_a_desk_that_is_asked_and_says_nothing_stops_the_case(desk: str) -> None:
    acts = wanted(trace(IN, ADMIN, OWNER, PASSED_ON, DIRECTOR, ORDERED, PAID))
    player = ByRules()
    player.begin(acts[0].at)
    refused = [player.repeat(act) for act in acts if act.stages != (desk,)]
    assert any(refused)
    assert player.state.status is CaseStatus.IN_REVIEW


def test_a_desk_that_is_not_asked_cannot_decide() -> None:
    first, *rest = wanted(trace(IN, ADMIN, OWNER, BOSS))
    player = ByRules()
    player.begin(first.at)
    assert player.repeat(replace(first, desks=frozenset({"administration"}))) is None
    assert [player.repeat(act) is None for act in rest] == [True, False, True]


def test_a_late_answer_is_reminded_and_counts_as_it_would_have() -> None:
    player = ByRules()
    assert replay(trace(*LONGEST, apart=30 * DAY), player).reproduced
    assert all(player.state.stages[stage].breached for stage in ("administration", "payment"))


def test_a_record_that_differs_is_no_reproduction() -> None:
    way = trace(IN, ADMIN, BOSS)
    acts = [act.act for act in wanted(way)]
    assert compared(way, acts, outcome(acts)).reproduced
    assert compared(way, acts[::-1], outcome(acts)).code == "acts_differ"
    assert compared(way, acts[:-1], outcome(acts)).code == "acts_differ"
    assert compared(way, acts, CaseStatus.PUBLISHED).code == "outcome_differs"


# --- the log and the command ----------------------------------------------------------------------------------------


def written(folder: Path, *traces: Trace, name: str = "log.csv") -> Path:
    """Events of all cases in the order of time, as logs have them."""
    events = sorted((entry.at, t.case, entry.activity) for t in traces for entry in t.entries)
    text = "\n".join([HEADING, *(f"{case},{at.isoformat()},{activity}" for at, case, activity in events)])
    file = folder / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_a_log_is_read_case_by_case(tmp_path: Path, name: str) -> None:
    traces = [replace(trace(*WAYS[way][0]), case=way) for way in ("straight", "given_up")]
    found = {found.case: found for found in read_log(written(tmp_path, *traces, name=name))}
    assert found == {one.case: one for one in traces}


def test_the_command_counts_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traces = [replace(trace(*names), case=f"good-{name}") for name, (names, _) in WAYS.items()]
    bad = replace(trace(*IMPOSSIBLE["approved_twice"][0]), case="bad-one")
    assert replay_approvals.main([str(written(tmp_path, *traces))]) == 0
    assert f"| reproduced | {len(traces)} | 100.00% | |" in capsys.readouterr().out
    assert replay_approvals.main([str(written(tmp_path, *traces, bad))]) == 1, "15 of 16 are less than 97 %"
    lines = capsys.readouterr().out.splitlines()
    assert "| not: `already_decided` | 1 | 6.25% | bad-one |" in lines
    assert [line for line in lines if line.startswith("bad-one: already_decided: event 3")]


def test_the_command_can_write_the_ledger_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = trace(*WAYS["given_up"][0]), replace(trace(*IMPOSSIBLE["approved_twice"][0]), case="bad-one")
    assert replay_approvals.main([str(written(tmp_path, good, bad)), "--ledger"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {"| reproduced | 1 | 50.00% | |", "| not: `already_decided` | 1 | 50.00% | bad-one |"} <= set(lines)


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", f"{HEADING}\n1,yesterday,x\n"], ids=["empty", "other", "no time"]
)
def test_a_file_that_is_no_log_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    file = tmp_path / "log.csv"
    file.write_text(content)
    assert replay_approvals.main([str(file)]) == 2
    assert "log.csv" in capsys.readouterr().err
    assert replay_approvals.main([str(tmp_path / "none.csv")]) == 2


# --- the real log ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traces(shared_dir: Path) -> list[Trace]:
    return read_log(shared_dir / "data" / "request-for-payment.csv.gz")


@pytest.fixture(scope="module")
def variants(traces: list[Trace]) -> list[Trace]:
    found = one_of_each_variant(traces)
    assert (len(traces), len(found)) == (6760, 77)
    return found


def test_the_ways_told_above_are_ways_of_the_log(variants: list[Trace]) -> None:
    assert {trace(*names).variant for names, _ in WAYS.values()} <= {one.variant for one in variants}


def test_every_way_of_the_log_is_reproduced_or_told_in_the_document(traces: list[Trace], variants: list[Trace]) -> None:
    found = [replay(one, ByRules()) for one in variants]
    refused = {one.case: int(one.detail.split(",")[0].removeprefix("event ")) for one in found if not one.reproduced}
    told = {code_spans(row["case"])[0]: int(row["event"]) for row in section(DOCUMENT, "What was not reproduced").rows}
    assert refused == told
    alone = Counter(one.variant for one in traces)
    assert all(alone[one.variant] == 1 for one in variants if one.case in refused)


def test_the_document_counts_as_the_log_does(traces: list[Trace], variants: list[Trace]) -> None:
    refused = Counter(found.code for one in variants if not (found := replay(one, ByRules())).reproduced)
    rows = section(DOCUMENT, "Figures").rows
    told = {row["what"]: int(row["cases"].replace(",", "")) for row in rows}
    assert told.pop("in the log") == len(traces)
    assert told.pop("reproduced") == len(traces) - refused.total()
    assert told == {f"not: `{code}`": count for code, count in refused.items()}


def test_the_document_explains_every_event_of_the_log(variants: list[Trace]) -> None:
    spans = [
        span for row in section(DOCUMENT, "What an event means").rows for span in code_spans(row["event of the log"])
    ]
    full = {f"Request For Payment {span}" if " by " in span else span for span in spans}
    assert full == {activity for one in variants for activity in one.variant}
    assert full <= MEANINGS.keys()


def test_the_ledger_agrees_with_the_rules(variants: list[Trace], desks: Database, tmp_path: Path) -> None:
    some = variants[::3]
    by_rules = [replay(one, ByRules()) for one in some]
    on_ledger = [replay(one, OnLedger(desks, tmp_path, one.case)) for one in some]
    assert [found.code for found in on_ledger] == [found.code for found in by_rules]
    assert {found.code for found in on_ledger} > {REPRODUCED}


def test_a_sample_of_the_log_is_reproduced_at_its_own_times(traces: list[Trace]) -> None:
    sample = traces[::20]
    assert [found for one in sample if not (found := replay(one, ByRules())).reproduced] == []
