"""The embedded stack as users run it: a process of `starter.py up`, and what it leaves in its home; for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from imprimatur.embedded.demo import environment
from imprimatur.embedded.home import StackInfo, read_stack
from imprimatur.embedded.sink import StoredMail, read_mailbox
from imprimatur.embedded.supervisor import start_time
from imprimatur.frameworks.loader import shipped
from tests.command import Command

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
PROPOSER = "ana.proposer@example.edu"
OFFICE = "omar.office@example.edu"
SENDER = "Credentials Office <credentials@example.edu>"
# Far above what anything takes; a test that needs it all has failed.
WITHIN_SECONDS = 180.0


def until(condition: Callable[[], object], what: str) -> None:
    """Waits for something that must come about."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came about: {what}"
        time.sleep(0.02)


@dataclass
class Stack:
    """``lines`` is what `up` has printed."""

    home: Path
    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def info(self) -> StackInfo:
        found = read_stack(self.home)
        assert found is not None
        return found

    @property
    def base_url(self) -> str:
        return self.info.base_url

    def pid(self, part: str) -> int:
        return self.info.pids[part][0]

    def kill(self, part: str) -> None:
        os.kill(self.pid(part), signal.SIGKILL)

    def revived(self, part: str) -> None:
        """Kills a part and waits until the stack is whole again."""
        before = self.pid(part)
        self.kill(part)
        until(lambda: self.pid(part) != before, f"{part} runs again")
        until(self.is_ready, f"the stack is ready again without its old {part}")

    def kill_supervisor(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(WITHIN_SECONDS) == -signal.SIGKILL

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=10).status_code == 200
        except httpx.HTTPError:
            return False

    def mails(self, case_id: str, begins: str = "", to: str = "") -> list[StoredMail]:
        """Of one case, oldest first."""
        return [
            mail
            for mail in reversed(read_mailbox(self.home / "mail"))
            if ("X-Imprimatur-Case", case_id) in mail.headers and mail.subject.startswith(begins) and to in mail.to
        ]

    def mail(self, case_id: str, begins: str, to: str = "") -> StoredMail:
        """The newest such mail, once there is one."""
        until(lambda: self.mails(case_id, begins, to), f"mail {begins!r} to {to!r}")
        return self.mails(case_id, begins, to)[-1]


def record(title: str) -> str:
    """A line of a catalogue that is complete under the framework for coursework."""
    data = {"outcomes": ["Explain it."], "provider": "Example University", "hours": 20, "ects": 1, "language": "en",
            "summary": "Short.", "unit": "School of Business", "field": "Business"}  # fmt: skip
    return json.dumps(data | {"id": title, "title": title})


def submitted(office: Command, name: str = "coursework-credit") -> str:
    """One of the examples as a case; its id."""
    return str(office.json("submit", EXAMPLES / f"{name}.yaml", "--as", PROPOSER)["case_id"])


def decided(office: Command, case_id: str, stage: str, verdict: str = "approve", comment: str = "") -> None:
    """Answers the first open task of a stage by command, with every score that is needed."""
    shown = office.json("show", case_id)
    task = next(task for task in shown["tasks"] if task["stage"] == stage)
    scores = [f"--score={name}=4" for name in needed_scores(shown["framework"].partition("@")[0], stage)]
    receipt = office.json(
        "decide", task["task_id"], "--verdict", verdict, "--as", task["assignee"], "--comment", comment, *scores
    )
    assert (receipt["task_id"], receipt["verdict"]) == (task["task_id"], verdict)
    assert receipt["decision_id"] and receipt["case_status"]


def published(office: Command) -> str:
    """A case that went all the way; the address of its credential."""
    case_id = submitted(office)
    for stage in ("proposal", "quality", "quality", "industry"):
        decided(office, case_id, stage)
    return str(office.json("show", case_id)["slug"])


def needed_scores(framework: str, stage: str) -> list[str]:
    return [criterion.id for criterion in shipped()[framework].stage(stage).criteria if criterion.required]


def approval(framework: str, stage: str) -> dict[str, str]:
    """The fields of a complete form."""
    return {"verdict": "approve"} | {f"score.{name}": "4" for name in needed_scores(framework, stage)}


def task_link(mail: StoredMail) -> str:
    return next(link for link in mail.links if urlsplit(link).path.startswith("/t/"))


def start(home: Path, *options: str, settings: Mapping[str, str] | None = None) -> Stack:
    """`starter.py up` in a home; returns when it has said that it is ready."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "starter.py"), "up", "--home", str(home), *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(home) | dict(settings or {}),
            cwd=home,
        )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline()]
        while lines[-1] and not lines[-1].startswith("home "):
            lines.append(process.stdout.readline())
        assert lines[0].startswith("ready http://"), (home / "up.log").read_text()
    except BaseException:
        # Whoever stops the tests here stops this stack too.
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    return Stack(home, process, lines)


def starter(home: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own."""
    return subprocess.run(
        [sys.executable, str(ROOT / "starter.py"), *arguments],
        capture_output=True,
        text=True,
        env=environment(home) | dict(settings or {}),
        cwd=home,
        check=False,
        timeout=WITHIN_SECONDS,
    )


def import_people(home: Path) -> None:
    done = starter(home, "people", "import", str(EXAMPLES / "people.csv"))
    assert done.returncode == 0, done.stderr


def stop(stack: Stack) -> int:
    """As Ctrl-C does; answers the exit status, and that nothing is left running."""
    parts = dict(stack.info.pids) if stack.process.poll() is None else {}
    stack.process.send_signal(signal.SIGINT)
    status = stack.process.wait(WITHIN_SECONDS)
    if stack.process.stdout is not None:
        stack.process.stdout.close()
    assert left_running(parts) == []
    return status


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """Within the block the process does nothing, and is not dead."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def left_running(parts: Mapping[str, tuple[int, str]]) -> list[str]:
    return [name for name, (pid, started) in parts.items() if start_time(pid) == started]


@contextmanager
def running(home: Path, *options: str, settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    stack = start(home, *options, settings=settings)
    try:
        yield stack
    finally:
        stop(stack)
