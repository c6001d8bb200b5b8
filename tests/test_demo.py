"""`make demo`: the whole story through real mail and real pages, as a process; it must come to its end and add up."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from imprimatur.embedded.demo import environment
from imprimatur.history.verify import verify_all
from imprimatur.store.engine import Database
from models.tables import CaseRow, DecisionRow
from tests.stack import ROOT, WITHIN_SECONDS

CASES, DECISIONS = CaseRow.__table__, DecisionRow.__table__  # type: ignore[attr-defined]
DEMO = [sys.executable, "-m", "imprimatur.embedded.demo"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    # A machine on which Imprimatur is in use has settings of its own, which are none of the demo's business.
    foreign = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "IMPRIMATUR_SECRET_KEYS": "short",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "TMPDIR": str(tmp_path_factory.mktemp("demo")),
    }
    done = subprocess.run(
        DEMO, cwd=ROOT, env=environment(ROOT) | foreign, capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_demo_tells_three_stories_to_their_end(told: str) -> None:
    assert re.findall(r"^(\d)\. ", told, re.MULTILINE) == ["1", "2", "3"]
    assert told.count("an Open Badges Achievement") == 3
    for event in ("request changes", "approvals kept: ", "was reminded", "the stage is escalated", "no longer needed"):
        assert event in told
    assert "_" not in re.sub(r"[\w.-]*/\S+|learning_outcomes", "", told)


def test_the_figures_of_the_demo_are_those_of_what_it_leaves(told: str) -> None:
    [decisions, mails] = map(int, re.findall(r"(\d+) decisions by link, (\d+) mails", told)[0])
    heads = dict(re.findall(r"(mc-[a-z2-7]+): .* head ([0-9a-f]{16})", told))
    mail, published = (Path(re.findall(f"^  {name}: (.+)$", told, re.M)[0]) for name in ("mail", "published files"))
    assert len(list(mail.glob("*.eml"))) == mails >= decisions
    assert len(list(published.glob("*/achievement.json"))) == len(heads) == 3
    database = Database(f"sqlite:///{mail.parent / 'imprimatur.db'}")
    proof = verify_all(database)
    with database.read() as connection:
        rows = connection.execute(select(CASES.c.case_id, CASES.c.head)).all()
        channels = list(connection.execute(select(DECISIONS.c.channel)).scalars())
    database.close()
    assert proof.ok
    assert {case_id: head[:16] for case_id, head in rows} == heads
    assert f"{proof.events} events in all" in told
    assert channels == ["link"] * decisions


def test_the_demo_leaves_nothing_running(told: str) -> None:
    home = Path(re.findall(r"home (\S+)$", told, re.MULTILINE)[0])
    assert not (home / "stack.json").exists()
    for line in told.splitlines():
        assert len(line) < 200


def test_a_demo_that_is_stopped_stops_its_stack(tmp_path: Path) -> None:
    machine = environment(ROOT) | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(DEMO, cwd=ROOT, env=machine, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    home = Path(process.stdout.readline().strip().rpartition("home ")[2])
    assert json.loads((home / "stack.json").read_text(encoding="utf-8"))["pids"]
    process.send_signal(signal.SIGINT)
    _, told_at_the_end = process.communicate(timeout=WITHIN_SECONDS)
    assert (process.returncode, told_at_the_end) == (1, "The demo was stopped.\n")
    assert not (home / "stack.json").exists()
