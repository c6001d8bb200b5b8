"""Prints the table of the parts that are named; a run of all parts, which is usual, also writes docs/benchmarks.md."""

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from imprimatur import ids
from imprimatur.cli.output import leave
from imprimatur.gateway import Gateway
from imprimatur.payloads import data_converter
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from tests.bench import catalogue, figures, pages, post, publishing, records, rules
from tests.bench.scenario import DECISIONS, Run, decide, engine_run, floor_run, prepare, submit
from tests.bench.stack import BenchStack

CALLERS, CASES, RUNS = 32, 250, 3
# The floor itself varies by a tenth from run to run: a ratio of three would be luck.
PAIRS = 5
OPEN_CASES = (100, 1000, 5000)
REPLIES, REPLY_PAIRS = 150, 3
OUTGOING = (2_000, 10_000)
PARTS = ("rules", "records", "catalogue", "floor", "history", "inbound", "outgoing", "open", "figures", "pages")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
MARK = "<!-- figures -->"
# What Temporal bills as an action in a case's history: starts, updates, timers, local activities.
ACTIONS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_MARKER_RECORDED,
}


@dataclass(frozen=True)
class Figure:
    what: str
    value: str
    wanted: str
    met: bool | None = None

    def row(self) -> str:
        verdict = {True: "met", False: "not met", None: ""}[self.met]
        return f"| {self.what} | {self.value} | {self.wanted} | {verdict} |"


def of_the_rules() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as folder:
        first, again = rules.check_ms(Path(folder))
    name = f"check of a framework of {rules.STAGES} stages, the first time"
    figures = [
        Figure(name, f"{first:.0f} ms", "under 1,000 ms", first < 1000),
        Figure("the same check again", f"{again:.0f} ms", "under 1,000 ms", again < 1000),
    ]
    for stages in (1, rules.SIDE_BY_SIDE):
        took = rules.act_ms(stages)
        name = f"decision with {rules.TASKS} open tasks in {stages} stage{'s' * (stages > 1)}"
        figures.append(Figure(name, f"{took:.1f} ms", "under 5 ms", took < 5))
    return figures


def of_the_records() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as folder:
        told = records.catalogue()
        brought = publishing.to_a_folder(Path(folder))
        issued, again, checked = records.cohort(Path(folder))
    rows = [
        (f"records of {records.CREDENTIALS:,} credentials made and checked, a second", told, 100, 64),
        (f"{publishing.CREDENTIALS:,} credentials published, a second", brought, 20, 64),
        (f"{records.BADGES:,} badges awarded, a second", issued, 200, 128),
        ("the same awarded again, a second", again, 1000, 128),
        (f"{records.CHECKED:,} badges baked, read and verified, a second", checked, 100, 64),
    ]
    return [
        Figure(
            what,
            f"{run.rate:,.0f}, {run.grown_mib:.0f} MiB more",
            f"at least {least:,}, at most {most} MiB more",
            run.rate >= least and run.grown_mib <= most,
        )
        for what, run, least, most in rows
    ]


async def of_the_catalogue() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="imprimatur-bench-") as folder:
        cost, exported = await catalogue.costs(Path(folder))
    name = f"{catalogue.CREDENTIALS:,} published"
    told = f"{cost.p95_ms:.0f} ms ({cost.cpu_ms:.0f} ms of CPU), {cost.queries} queries"
    size, rate = f"{cost.size_bytes:,} bytes", f"{exported.rate:,.0f}, {exported.grown_mib:.0f} MiB more"
    return [
        Figure(f"{name}: p95 of /catalogue", told, "at most 50 ms", cost.p95_ms <= 50),
        Figure(f"{name} / {catalogue.FEW} published: median", f"{cost.ratio:.2f}", "at most 3.00", cost.ratio <= 3),
        Figure(f"{name}: most bytes of /catalogue, compressed", size, "at most 60,000", cost.size_bytes <= 60_000),
        Figure(f"{name}: exported, a second", rate, "at most 64 MiB more", exported.grown_mib <= 64),
    ]


def of_the_figures() -> list[Figure]:
    found = []
    for kind, events, costs in figures.costs():
        found.append(Figure(f"{kind}: ledger events of {figures.CASES:,} cases", f"{events:,}", ""))
        for cost in costs:
            told = f"{cost.p95_ms:.0f} ms ({cost.cpu_ms:.0f} ms of CPU), {cost.queries} queries"
            wanted = f"at most {figures.WORST_MS} ms"
            found.append(Figure(f"{kind}: p95 of {cost.address}", told, wanted, cost.p95_ms <= figures.WORST_MS))
    return found


async def of_the_pages(kept: Path | None) -> list[Figure]:
    found = []
    wanted = f"at most {pages.WORST_MS} ms and {pages.MOST_BYTES:,} bytes"
    with pages.kept_in(kept) as folder, pages.databases(folder) as databases:
        for kind, database in databases.items():
            events = f"{pages.events_of(database):,}"
            found.append(Figure(f"{kind}: ledger events of {pages.CASES:,} cases", events, ""))
            async for cost in pages.costs(kind, database, folder):
                told = f"{cost.p95_ms:.0f} ms ({cost.cpu_ms:.0f} ms of CPU), {cost.queries} queries"
                told = f"{told}, {cost.size_bytes:,} bytes"
                what = f"{kind}: p95 of {cost.address}, {(cost.person or 'nobody').partition('@')[0]}"
                met = cost.p95_ms <= pages.WORST_MS and cost.size_bytes <= pages.MOST_BYTES
                found.append(Figure(what, told, wanted, met))
    return found


async def against_the_floor(stack: BenchStack, client: Client, gateway: Gateway, database: Database) -> list[Figure]:
    """Floor and engine in turn, each pair compared for itself: a machine that slows down slows both of a pair."""
    floors, engines = [], []
    for _ in range(PAIRS):
        with stack.floor_worker():
            await floor_run(client, 20, CALLERS)
            floors.append(await floor_run(client, CASES, CALLERS))
        with stack.engine():
            await engine_run(gateway, database, 20, CALLERS)
            engines.append(await engine_run(gateway, database, CASES, CALLERS))
    floor_rate, rate = (statistics.median(run.rate for run in runs) for runs in (floors, engines))
    floor_p95, p95 = (statistics.median(run.p95_ms for run in runs) for runs in (floors, engines))
    pairs = list(zip(floors, engines, strict=True))
    ratios = sorted(engine.rate / floor.rate for floor, engine in pairs)
    ratio = statistics.median(ratios)
    slower = statistics.median(engine.p95_ms / floor.p95_ms for floor, engine in pairs)
    return [
        Figure("floor: cases per second", f"{floor_rate:.1f}", ""),
        Figure("engine: cases per second, all rows and mail", f"{rate:.1f}", ""),
        Figure(
            f"engine / floor, median of {PAIRS} pairs",
            f"{ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            "at least 0.60",
            ratio >= 0.6,
        ),
        Figure("floor: answer p95", f"{floor_p95:.0f} ms", ""),
        Figure("engine: answer p95", f"{p95:.0f} ms", ""),
        Figure("p95 engine / floor", f"{slower:.2f}", "at most 2.00", slower <= 2),
    ]


async def history_of_a_case(stack: BenchStack, client: Client, gateway: Gateway) -> list[Figure]:
    with stack.engine():
        case_id = await submit(gateway, 1)
        for stage, reviewer in DECISIONS:
            await decide(gateway, case_id, stage, reviewer)
        handle = client.get_workflow_handle(ids.workflow_id(case_id))
        await handle.result()
        events = [event async for event in handle.fetch_history_events()]
        description = await handle.describe()
    size = description.raw_description.workflow_execution_info.history_size_bytes
    actions = sum(event.event_type in ACTIONS for event in events)
    return [
        Figure("history events a case", str(len(events)), "at most 40", len(events) <= 40),
        Figure("history bytes a case", f"{size:,}", "at most 8,192", size <= 8192),
        Figure("billable actions a case", str(actions), "at most 15", actions <= 15),
    ]


async def of_replies(stack: BenchStack, gateway: Gateway, database: Database) -> list[Figure]:
    """The same decisions by the gateway and by mail, in turn: a machine that slows down slows both of a pair."""
    by_gateway: list[Run] = []
    by_mail: list[Run] = []
    spent = {"gateway": 0.0, "mail": 0.0}
    with stack.engine():
        for _ in range(REPLY_PAIRS + 1):
            cases = await post.opened(gateway, 2 * REPLIES, CALLERS)
            await post.drained(database)
            begin = post.processor_seconds()
            by_gateway.append(await post.decided_by_gateway(gateway, cases[:REPLIES], CALLERS))
            await post.drained(database)
            between = post.processor_seconds()
            by_mail.append(await post.decided_by_mail(gateway, database, cases[REPLIES:], CALLERS))
            await post.drained(database)
            spent["gateway"] += between - begin
            spent["mail"] += post.processor_seconds() - between
    # The first pair warms caches.
    direct, mailed = by_gateway[1:], by_mail[1:]
    ratios = sorted(mail.rate / run.rate for mail, run in zip(mailed, direct, strict=True))
    ratio = statistics.median(ratios)
    a_decision = {name: seconds * 1000 / (REPLIES * (REPLY_PAIRS + 1)) for name, seconds in spent.items()}
    return [
        Figure("decisions per second by the gateway", f"{statistics.median(run.rate for run in direct):.1f}", ""),
        Figure("decisions per second by mail", f"{statistics.median(run.rate for run in mailed):.1f}", ""),
        Figure(
            f"mail / gateway, median of {REPLY_PAIRS} pairs",
            f"{ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            "at least 0.70",
            ratio >= 0.7,
        ),
        Figure(
            "processor time of a decision and all its mail: gateway, mail",
            f"{a_decision['gateway']:.1f} ms, {a_decision['mail']:.1f} ms",
            "",
        ),
    ]


async def of_outgoing_mail(stack: BenchStack, gateway: Gateway, database: Database) -> list[Figure]:
    few, many = OUTGOING
    with stack.engine():
        await post.opened(gateway, 50, CALLERS)
        await post.drained(database)
    already = sum(outbox.counts(database).get(status, 0) for status in ("sent", "dropped"))
    post.fill(database, many)
    with stack.engine() as worker:
        sent = await post.sent(database, worker.pid, already, OUTGOING)
    before, after = sent.mebibytes
    name = f"worker's memory after {many:,} mails, and after {few:,}"
    return [
        Figure(f"task mails per second, {many:,} in the outbox", f"{sent.rate:.0f}", ""),
        Figure(name, f"{after:.0f} MiB, {before:.0f} MiB", "at most a tenth more", after <= before * 1.1),
    ]


async def with_open_cases(stack: BenchStack, gateway: Gateway, database: Database) -> list[Figure]:
    figures, first, opened = [], 0.0, 0
    with stack.engine():
        for wanted in OPEN_CASES:
            await _open(gateway, wanted - opened)
            opened = wanted
            rates = [(await engine_run(gateway, database, 100, CALLERS)).rate for _ in range(RUNS)]
            rate = statistics.median(rates)
            first = first or rate
            name = f"cases per second with {wanted:,} open"
            figures.append(Figure(name, f"{rate:.1f} ({rate / first:.2f})", "at least 0.85", rate / first >= 0.85))
    return figures


async def _open(gateway: Gateway, number: int) -> None:
    numbers = iter(range(number))

    async def caller() -> None:
        for each in numbers:
            await submit(gateway, 10_000 + each)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite on a local disk; Temporal, worker, mail sink and callers share it."
    )


def table_of(figures: Sequence[Figure]) -> str:
    return "\n".join(["| what | measured | wanted | |", "|---|---|---|---|", *(figure.row() for figure in figures)])


def write(table: str) -> None:
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    DOCUMENT.write_text(f"{before}{MARK}\nMachine: {machine()}\n\n{table}\n{MARK}{after}", encoding="utf-8")


async def main(parts: Sequence[str], kept: Path | None = None) -> None:
    found = of_the_rules() if "rules" in parts else []
    found += await asyncio.to_thread(of_the_records) if "records" in parts else []
    found += await of_the_catalogue() if "catalogue" in parts else []
    if {*parts} - {"rules", "records", "catalogue", "figures", "pages"}:
        found += await of_the_engine(parts)
    if "figures" in parts:
        found += of_the_figures()
    if "pages" in parts:
        found += await of_the_pages(kept)
    table = table_of(found)
    sys.stdout.write(f"{machine()}\n{table}\n")
    # Rows of several runs would stand beside each other as if they were one.
    if {*parts} == {*PARTS}:
        write(table)


async def of_the_engine(parts: Sequence[str]) -> list[Figure]:
    figures: list[Figure] = []
    folder = Path(tempfile.mkdtemp(prefix="imprimatur-bench-"))
    with BenchStack(folder).running() as stack:
        database = Database(stack.database_url)
        prepare(database, folder)
        client = await Client.connect(stack.temporal, data_converter=data_converter(None))
        gateway = Gateway(client, database)
        if "floor" in parts:
            figures += await against_the_floor(stack, client, gateway, database)
        if "history" in parts:
            figures += await history_of_a_case(stack, client, gateway)
        if "inbound" in parts:
            figures += await of_replies(stack, gateway, database)
        if "outgoing" in parts:
            figures += await of_outgoing_mail(stack, gateway, database)
        if "open" in parts:
            figures += await with_open_cases(stack, gateway, database)
        database.close()
    shutil.rmtree(folder)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"some of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="the data of `pages` is made here, and used again")
    given = parser.parse_args()
    chosen = given.parts
    if unknown := {*chosen} - {*PARTS}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    asyncio.run(main(chosen, given.keep))
    leave(0)
