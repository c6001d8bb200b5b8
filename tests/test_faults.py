"""Processes killed in the middle of many decisions: what was acknowledged is kept, once; what was open goes on."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from imprimatur.embedded.home import LOOPBACK
from imprimatur.embedded.probes import answers_tcp
from imprimatur.embedded.sink import read_mailbox
from imprimatur.history.verify import verify_all
from imprimatur.store import outbox, reading
from imprimatur.store.engine import Database
from models.tables import DecisionRow, LedgerRow, OutboxRow, TaskRow
from models.vocabulary import EventType, MailKind, MailStatus, TaskStatus
from tests.stack import (
    PROPOSER,
    WITHIN_SECONDS,
    Stack,
    approval,
    import_people,
    running,
    standing_still,
    starter,
    task_link,
    until,
)

CASES = 12
DECISION = re.compile(r"d-[a-z2-7]{16}")
DECISIONS, TASKS = DecisionRow.__table__, TaskRow.__table__  # type: ignore[attr-defined]
LEDGER, OUTBOX = LedgerRow.__table__, OutboxRow.__table__  # type: ignore[attr-defined]


@dataclass
class Load:
    """Reviewers who answer all at once and repeat themselves until they are answered; ``acknowledged`` by task."""

    stack: Stack
    database: Database
    acknowledged: dict[str, str] = field(default_factory=dict)
    too_late: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def links(self, stage: str) -> dict[str, str]:
        """The link of each open task of a stage, from its mail: every task is mailed before anyone answers."""
        tasks = {(t.case_id, t.assignee): t.task_id for t in reading.open_tasks(self.database) if t.stage == stage}
        found: dict[str, str] = {}

        def all_mailed() -> bool:
            for mail in read_mailbox(self.stack.home / "mail"):
                case_id = dict(mail.headers)["X-Imprimatur-Case"]
                for (of_case, assignee), task_id in tasks.items():
                    if of_case == case_id and assignee in mail.to and mail.subject.startswith("Your review"):
                        found[task_id] = task_link(mail)
            return found.keys() == set(tasks.values())

        until(all_mailed, f"a mail for each of {len(tasks)} tasks")
        return found

    def answer_all(self, stage: str, in_the_middle: Callable[[], None]) -> None:
        """Runs ``in_the_middle`` when a third is answered and others are under way."""
        links = self.links(stage)
        assert len(links) >= CASES
        before = len(self.acknowledged)
        with ThreadPoolExecutor(len(links)) as reviewers:
            answers = [reviewers.submit(self._answer, stage, task_id, link) for task_id, link in links.items()]
            until(lambda: len(self.acknowledged) - before >= CASES // 3, "the first answers")
            in_the_middle()
            for answer in answers:
                answer.result()

    def _answer(self, stage: str, task_id: str, link: str) -> None:
        form = approval("coursework-credit", stage) | {"comment": f"By {task_id}."}
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            assert time.monotonic() < deadline, f"{task_id} was never answered"
            try:
                answer = httpx.post(link, data=form, timeout=60)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code < 500:
                break
            time.sleep(0.1)
        with self._lock:
            if answer.status_code == 200:
                assert "your decision is recorded" in answer.text
                [self.acknowledged[task_id]] = set(DECISION.findall(answer.text))
            else:
                assert answer.status_code == 410, answer.text
                self.too_late.add(task_id)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'faults.db'}"
    fresh: Callable[[], str] = request.getfixturevalue("postgres_template")
    return fresh()


@pytest.mark.faults
def test_no_kill_loses_or_doubles_anything(tmp_path: Path, database_url: str) -> None:
    home = tmp_path / "home"
    with running(home, settings={"DATABASE_URL": database_url}) as stack:
        database = Database(database_url)
        import_people(home)
        submit_cases(home, database_url)
        load = Load(stack, database)

        load.answer_all("proposal", lambda: stack.kill("worker"))

        def kill_server_and_pages() -> None:
            stack.kill("temporal")
            stack.kill("web")

        load.answer_all("quality", kill_server_and_pages)

        # The supervisor stands still, so what is killed stays dead.
        with standing_still(stack.process.pid):
            links = load.links("industry")
            stack.kill("sink")
            until(lambda: not answers_tcp(LOOPBACK, stack.info.smtp_port), "an end of the sink")
            mails = len(list((home / "mail").glob("*.eml")))
            load.answer_all("industry", lambda: None)
            assert links.keys() <= load.acknowledged.keys() | load.too_late
            assert len(list((home / "mail").glob("*.eml"))) == mails
        until(stack.is_ready, "the stack is whole again")
        assert_all_published(database)
        assert_each_acknowledged_decision_is_kept_once(load)
        assert_no_mail_is_lost(load)
        proof = verify_all(database)
        assert (proof.ok, proof.problems, proof.cases) == (True, [], CASES)
        database.close()


def submit_cases(home: Path, database_url: str) -> None:
    record = {"outcomes": ["Explain it."], "provider": "Example University", "hours": 20, "ects": 1, "language": "en",
              "summary": "Short.", "unit": "School of Business", "field": "Business"}  # fmt: skip
    file = home / "records.jsonl"
    lines = [json.dumps(record | {"id": f"r{number}", "title": f"Record {number}"}) for number in range(CASES)]
    file.write_text("\n".join(lines), encoding="utf-8")
    done = starter(home, "import", str(file), "--as", PROPOSER, "--json")
    assert (done.returncode, json.loads(done.stdout)["accepted"]) == (0, CASES), done


def assert_all_published(database: Database) -> None:
    def statuses() -> Counter[str]:
        return Counter(case.status for case in reading.list_cases(database))

    until(lambda: statuses() == {"published": CASES}, f"{CASES} cases published")


def assert_each_acknowledged_decision_is_kept_once(load: Load) -> None:
    with load.database.read() as connection:
        rows = connection.execute(select(DECISIONS.c.task_id, DECISIONS.c.decision_id)).all()
        told = connection.execute(select(LEDGER.c.data).where(LEDGER.c.type == EventType.DECISION_RECORDED)).scalars()
        in_ledger = Counter(data["decision_id"] for data in told)
        decided = connection.execute(select(TASKS.c.task_id).where(TASKS.c.status == TaskStatus.DECIDED)).scalars()
        assert Counter(task_id for task_id, _ in rows) == Counter(decided)
    assert dict(rows) == load.acknowledged
    assert in_ledger == Counter(load.acknowledged.values())
    # Two approvals of three decide quality: the third came too late, or never had to come.
    assert len(load.acknowledged) == CASES * 4
    assert len(load.too_late) == CASES


def assert_no_mail_is_lost(load: Load) -> None:
    waiting = {MailStatus.QUEUED, MailStatus.SENDING, MailStatus.DEFERRED}
    until(lambda: not waiting & outbox.counts(load.database).keys(), "an empty outbox")
    with load.database.read() as connection:
        rows = connection.execute(select(OUTBOX.c.kind, OUTBOX.c.status, OUTBOX.c.task_id, OUTBOX.c.message_id)).all()
        tasks = set(connection.execute(select(TASKS.c.task_id)).scalars())
    kept = {dict(mail.headers)["Message-ID"] for mail in read_mailbox(load.stack.home / "mail")}
    assert {row.message_id for row in rows if row.status == MailStatus.SENT} == kept
    assert {row.status for row in rows} == {MailStatus.SENT}
    assert {row.task_id for row in rows if row.kind == MailKind.TASK} == tasks
