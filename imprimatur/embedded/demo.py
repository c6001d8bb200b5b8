"""`make demo`: the main job on the shipped examples, through real mail and real HTTP, told as a story."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from imprimatur.embedded.home import read_stack
from imprimatur.embedded.sink import StoredMail, find_mails, read_mailbox
from imprimatur.embedded.supervisor import ROOT

MAIL_WITHIN_SECONDS = 30
PROPOSER = "ana.proposer@example.edu"


class DemoFailed(Exception):
    """The story did not go as it must."""


@dataclass
class Demo:
    """One stack in one home, and what was seen of it."""

    home: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    answered: set[str] = field(default_factory=set)
    decisions: int = 0

    def office(self, *arguments: str) -> dict[str, Any]:
        """A command of the governance office; its JSON answer."""
        command = [sys.executable, str(ROOT / "starter.py"), *arguments, "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"IMPRIMATUR_HOME": str(self.home)}, check=False
        )
        if done.returncode != 0:
            raise DemoFailed(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def submit(self, name: str) -> str:
        answer = self.office("submit", str(ROOT / "examples" / f"{name}.yaml"), "--as", PROPOSER)
        return str(answer["case_id"])

    def mail(self, to: str, subject: str, case_id: str) -> StoredMail:
        """Waits for a mail that has not been answered yet."""
        deadline = time.monotonic() + MAIL_WITHIN_SECONDS
        while time.monotonic() < deadline:
            for found in find_mails(self.home / "mail", to=to, subject=subject):
                if ("X-Imprimatur-Case", case_id) in found.headers and found.name not in self.answered:
                    return found
            time.sleep(0.05)
        raise DemoFailed(f"no mail to {to} about {subject!r}")

    def task_mail(self, task: dict[str, Any]) -> StoredMail:
        return self.mail(task["assignee"], "", task["case_id"])

    def answer(self, task: dict[str, Any], verdict: str, comment: str = "", **scores: int) -> None:
        """Opens the link of a task's mail as a reviewer would, and posts the form."""
        found = self.task_mail(task)
        link = next(link for link in found.links if urlsplit(link).path.startswith("/t/"))
        opened = self.http.get(link)
        if opened.status_code != 200 or "Record my decision" not in opened.text:
            raise DemoFailed(f"the task page of {task['assignee']} answered {opened.status_code}")
        form = {"verdict": verdict, "comment": comment} | {
            f"score.{name}": str(value) for name, value in scores.items()
        }
        posted = self.http.post(link, data=form)
        if posted.status_code != 200 or "is recorded" not in posted.text:
            raise DemoFailed(f"the decision of {task['assignee']} was answered with {posted.status_code}")
        self.answered.add(found.name)
        self.decisions += 1
        told = f': "{comment}"' if comment else ""
        say(f"{task['assignee']} opens the link in the mail and answers {verdict}{told}")

    def tasks(self, case_id: str, stage: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.office("tasks", "--case", case_id)["tasks"]
        return [task for task in found if task["stage"] == stage]

    def approve_stage(self, case_id: str, stage: str, number: int, **scores: int) -> None:
        for task in self.tasks(case_id, stage)[:number]:
            self.answer(task, "approve", "", **scores)

    def expect_status(self, case_id: str, status: str) -> dict[str, Any]:
        view = self.office("show", case_id)
        if view["status"] != status:
            raise DemoFailed(f"{case_id} is {view['status']}, not {status}")
        return view


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def chapter(title: str) -> None:
    print(f"\n{title}", flush=True)


def coursework(demo: Demo) -> str:
    chapter("1. Existing coursework, with credit: the straight way")
    case_id = demo.submit("coursework-credit")
    say(f"the proposal is complete and becomes case {case_id}")
    demo.approve_stage(case_id, "proposal", 1)
    say("quality review and industry sign-off open side by side")
    demo.approve_stage(case_id, "quality", 2, standalone=4, outcomes=3)
    closed = demo.mail("", "No longer needed", case_id)
    say(f"two of three approvals decide; {closed.to} hears that their review is no longer needed")
    demo.approve_stage(case_id, "industry", 1, need=4)
    _published(demo, case_id)
    return case_id


def industry(demo: Demo) -> str:
    chapter("2. Developed with industry, with credit: a revision round")
    case_id = demo.submit("industry-credit")
    demo.approve_stage(case_id, "proposal", 1)
    demo.approve_stage(case_id, "industry", 1, need=4, value=4)
    for task in demo.tasks(case_id, "quality")[:2]:
        demo.answer(task, "request_changes", "Say how the assessment shows each outcome.", outcomes=3, assessment=1)
    demo.expect_status(case_id, "revising")
    request = demo.mail(PROPOSER, "Changes requested", case_id)
    say(f"{request.to} gets the comments; the clock stands still")
    revised = demo.office("revise", case_id, str(ROOT / "examples" / "industry-credit.revised.yaml"), "--as", PROPOSER)
    say(f"version {revised['version']} changes {', '.join(revised['changed'])}")
    say(f"approvals kept: {', '.join(revised['kept']) or 'none'}; lapsed: {', '.join(revised['lapsed']) or 'none'}")
    demo.approve_stage(case_id, "quality", 2, outcomes=4, assessment=4)
    demo.approve_stage(case_id, "industry", 1, need=4, value=4)
    _published(demo, case_id)
    return case_id


def non_credit(demo: Demo) -> str:
    chapter("3. Co-curricular, without credit: nobody answers in time")
    case_id = demo.submit("non-credit")
    demo.approve_stage(case_id, "proposal", 1)
    now = demo.office("forward", case_id, "9d")["now"]
    say(f"the case's own clock moves to {now[:16]}; the reviewers stay silent")
    for task in demo.tasks(case_id, "quality"):
        if task["reason"] != "escalation":
            reminder = demo.mail(task["assignee"], "Reminder", case_id)
            say(f"{reminder.to} was reminded")
    events = [event["type"] for event in demo.office("history", case_id)["events"]]
    if "sla_breached" not in events or "stage_escalated" not in events:
        raise DemoFailed("the breach was not recorded")
    escalated = next(task for task in demo.tasks(case_id, "quality") if task["reason"] == "escalation")
    say(f"the SLA is breached; the stage is escalated to {escalated['assignee']}")
    demo.answer(escalated, "approve", outcomes=4)
    demo.approve_stage(case_id, "industry", 1, need=3)
    _published(demo, case_id)
    return case_id


def _published(demo: Demo, case_id: str) -> None:
    view = demo.expect_status(case_id, "published")
    base_url = read_stack(demo.home).base_url  # type: ignore[union-attr]
    address = f"{base_url}/catalogue/{view['slug']}"
    achievement = demo.http.get(address, headers={"Accept": "application/json"}).json()
    file = demo.home / "published" / view["slug"] / "achievement.json"
    if achievement["achievementType"] != "MicroCredential" or not file.exists():
        raise DemoFailed(f"{case_id} has no published record")
    say(f"published: {achievement['name']} as Open Badges Achievement")


def figures(demo: Demo, cases: list[str]) -> None:
    chapter("What the ledger says")
    checked = demo.office("verify", "--all")
    for case_id in cases:
        document = demo.office("history", case_id)
        events = document["events"]
        breaches = sum(event["type"] == "sla_breached" for event in events)
        rounds = max(event["data"].get("round", 1) for event in events)
        facts = f"{document['count']} events, {rounds} round(s), {breaches} breach(es)"
        say(f"{case_id}: {facts}, head {document['head'][:16]}")
    mails = len(read_mailbox(demo.home / "mail"))
    say(f"{demo.decisions} decisions by link, {mails} mails")
    say(f"{checked['events']} ledger events, chain whole: {checked['ok']}")
    say(f"published files: {demo.home / 'published'}")
    say(f"mail: {demo.home / 'mail'}")


def run(demo: Demo) -> None:
    people = demo.office("people", "import", str(ROOT / "examples" / "people.csv"))
    chapter("Directory")
    say(f"{people['created']} people imported")
    figures(demo, [coursework(demo), industry(demo), non_credit(demo)])


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="imprimatur-demo-"))
    began = time.monotonic()
    stack = subprocess.Popen(
        [sys.executable, str(ROOT / "starter.py"), "up", "--home", str(home), "--time-skipping"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert stack.stdout is not None
        line = stack.stdout.readline()
        if not line.startswith("ready "):
            print("The stack did not start.", file=sys.stderr)
            return 1
        print(f"The stack is {line.strip()} after {time.monotonic() - began:.1f} s, home {home}")
        run(Demo(home))
        print(f"\nDone in {time.monotonic() - began:.1f} s.")
        return 0
    except (DemoFailed, httpx.HTTPError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    finally:
        stack.send_signal(signal.SIGINT)
        stack.wait(60)


if __name__ == "__main__":
    sys.exit(main())
