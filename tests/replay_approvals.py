"""Plays the cases of an event log of requests for payment again and prints how many came out as they had been."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from imprimatur.store.engine import Database, migrate
from tests.approvals.log import Trace, read_log
from tests.approvals.players import ByRules, OnLedger, Player, furnish
from tests.approvals.replay import REPRODUCED, Finding, replay

EXAMPLES = 3
WANTED_SHARE = 0.97


def report(findings: Sequence[Finding], traces: Sequence[Trace]) -> list[str]:
    """A table of outcomes, then every case that was not reproduced."""
    counts = Counter(finding.code for finding in findings)
    done = counts.pop(REPRODUCED, 0)
    lines = [
        "| what | cases | share | for example |",
        "|---|---|---|---|",
        f"| in the log | {len(findings)} | | {len({trace.variant for trace in traces})} different ways |",
        f"| reproduced | {done} | {done / len(findings):.2%} | |",
    ]
    for code, count in counts.most_common():
        examples = [finding.case for finding in findings if finding.code == code][:EXAMPLES]
        lines.append(f"| not: `{code}` | {count} | {count / len(findings):.2%} | {', '.join(examples)} |")
    return lines + [f"{f.case}: {f.code}: {f.detail}" for f in findings if not f.reproduced]


def play(traces: Sequence[Trace], on_ledger: bool) -> list[Finding]:
    if not on_ledger:
        return _each(traces, lambda trace: ByRules())
    with tempfile.TemporaryDirectory(prefix="imprimatur-approvals-") as name:
        folder = Path(name)
        migrate(f"sqlite:///{folder / 'approvals.db'}")
        database = Database(f"sqlite:///{folder / 'approvals.db'}")
        furnish(database, folder)
        findings = _each(traces, lambda trace: OnLedger(database, folder, trace.case))
        database.close()
    return findings


def _each(traces: Sequence[Trace], player: Callable[[Trace], Player]) -> list[Finding]:
    findings = []
    for number, trace in enumerate(traces, 1):
        findings.append(replay(trace, player(trace)))
        if number % 1000 == 0:
            sys.stderr.write(f"{number} of {len(traces)}\n")
    return findings


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when at least 97 % are reproduced, 1 when not, 2 when there is nothing to read."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay_approvals", description=__doc__)
    parser.add_argument("file", type=Path, help="the log as CSV, or as .csv.gz")
    parser.add_argument("--ledger", action="store_true", help="with the real commit and its ledger; takes minutes")
    chosen = parser.parse_args(arguments)
    try:
        traces = read_log(chosen.file)
    except (OSError, KeyError, ValueError) as error:
        sys.stderr.write(f"{chosen.file} is no event log that can be read: {error!r}\n")
        return 2
    if not traces:
        sys.stderr.write(f"{chosen.file} has no cases\n")
        return 2
    began = time.perf_counter()
    findings = play(traces, chosen.ledger)
    sys.stdout.write("\n".join([*report(findings, traces), f"played in {time.perf_counter() - began:.0f} s", ""]))
    return 0 if sum(finding.reproduced for finding in findings) >= WANTED_SHARE * len(findings) else 1


if __name__ == "__main__":
    sys.exit(main())
