"""`make demo`: the main job on the shipped examples, through real mail and real HTTP, told as a story."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from imprimatur.embedded.home import read_stack
from imprimatur.embedded.sink import StoredMail, read_mail
from imprimatur.embedded.supervisor import ROOT
from imprimatur.settings import Settings

MAIL_WITHIN_SECONDS = 60
PROPOSER = "ana.proposer@example.edu"
OFFICE = "omar.office@example.edu"
PROPOSAL, QUALITY, INDUSTRY = "Proposal check", "Quality review", "Industry sign-off"


class DemoFailed(Exception):
    """The story did not go as it must."""


@dataclass
class Demo:
    """One stack in one home, and what was seen of it. Reviewers act on what is in their mail, and on nothing else."""

    home: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    mails: dict[str, StoredMail] = field(default_factory=dict)
    done_with: set[str] = field(default_factory=set)
    decisions: int = 0

    def office(self, *arguments: str) -> dict[str, Any]:
        """A command of the governance office; its JSON answer."""
        command = [sys.executable, str(ROOT / "starter.py"), *arguments, "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(self.home), cwd=self.home, check=False
        )
        if done.returncode != 0:
            raise DemoFailed(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def submit(self, name: str) -> str:
        answer = self.office("submit", str(ROOT / "examples" / f"{name}.yaml"), "--as", PROPOSER)
        return str(answer["case_id"])

    def mail(self, case_id: str, begins: str, about: str = "") -> StoredMail:
        """Waits for a mail of a case that was not dealt with yet; it counts as dealt with from now on."""
        deadline = time.monotonic() + MAIL_WITHIN_SECONDS
        while time.monotonic() < deadline:
            for found in self._unread():
                of_case = ("X-Imprimatur-Case", case_id) in found.headers
                if of_case and found.subject.startswith(begins) and about in found.subject:
                    self.done_with.add(found.name)
                    return found
            time.sleep(0.05)
        raise DemoFailed(f"no mail {begins!r} {about!r} of {case_id}")

    def _unread(self) -> Iterator[StoredMail]:
        folder = self.home / "mail"
        for path in sorted(folder.glob("*.eml")):
            if path.name not in self.mails and (found := read_mail(folder, path.name)) is not None:
                self.mails[path.name] = found
        return (found for name, found in self.mails.items() if name not in self.done_with)

    def answer(
        self, case_id: str, stage: str, verdict: str = "approve", comment: str = "", begins: str = "", **scores: int
    ) -> None:
        """The next reviewer of whom an answer is asked opens the link in the mail, and posts the form."""
        found, link = self._asked(case_id, begins or "Your review", f"({stage})")
        form = {"verdict": verdict, "comment": comment} | {
            f"score.{name}": str(value) for name, value in scores.items()
        }
        posted = self.http.post(link, data=form)
        if posted.status_code != 200 or "is recorded" not in posted.text:
            raise DemoFailed(f"the decision of {found.to} was answered with {posted.status_code}")
        self.decisions += 1
        told = f': "{comment}"' if comment else ""
        say(f"{found.to} opens the link in the mail and answers {verdict.replace('_', ' ')}{told}")

    def _asked(self, case_id: str, begins: str, about: str) -> tuple[StoredMail, str]:
        while True:
            found = self.mail(case_id, begins, about)
            link = next(link for link in found.links if urlsplit(link).path.startswith("/t/"))
            opened = self.http.get(link)
            if opened.status_code != 200:
                raise DemoFailed(f"the task page of {found.to} answered {opened.status_code}")
            # Of an earlier round's mail nobody may be asked any more.
            if "Record my decision" in opened.text:
                return found, link

    def expect_status(self, case_id: str, status: str) -> dict[str, Any]:
        view = self.office("show", case_id)
        if view["status"] != status:
            raise DemoFailed(f"{case_id} is {view['status']}, not {status}")
        return view


def environment(home: Path) -> dict[str, str]:
    """Of this machine, without settings that belong to another installation."""
    foreign = {str(field.alias) for field in Settings.model_fields.values()}
    return {name: value for name, value in os.environ.items() if name not in foreign} | {"IMPRIMATUR_HOME": str(home)}


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def chapter(title: str) -> None:
    print(f"\n{title}", flush=True)


def coursework(demo: Demo) -> str:
    chapter("1. Existing coursework, with credit: the straight way")
    case_id = demo.submit("coursework-credit")
    say(f"the proposal is complete and becomes case {case_id}")
    demo.answer(case_id, PROPOSAL)
    say("quality review and industry sign-off open side by side")
    for _ in range(2):
        demo.answer(case_id, QUALITY, standalone=4, assessment=4, outcomes=3)
    closed = demo.mail(case_id, "No longer needed")
    say(f"two of three approvals decide; {closed.to} hears that their review is no longer needed")
    demo.answer(case_id, INDUSTRY, need=4)
    _published(demo, case_id)
    return case_id


def industry(demo: Demo) -> str:
    chapter("2. Developed with industry, with credit: a revision round")
    case_id = demo.submit("industry-credit")
    say(f"the proposal is complete and becomes case {case_id}")
    demo.answer(case_id, PROPOSAL)
    demo.answer(case_id, INDUSTRY, need=4, value=4)
    for _ in range(2):
        why = "Say how the assessment shows each outcome."
        demo.answer(case_id, QUALITY, "request_changes", why, outcomes=3, assessment=1)
    demo.expect_status(case_id, "revising")
    request = demo.mail(case_id, "Changes requested")
    say(f"{request.to} gets the comments; the clock stands still")
    revised = demo.office("revise", case_id, str(ROOT / "examples" / "industry-credit.revised.yaml"), "--as", PROPOSER)
    say(f"version {revised['version']} changes {', '.join(revised['changed'])}")
    say(f"approvals kept: {', '.join(revised['kept']) or 'none'}; lapsed: {', '.join(revised['lapsed']) or 'none'}")
    for _ in range(2):
        demo.answer(case_id, QUALITY, outcomes=4, assessment=4)
    demo.answer(case_id, INDUSTRY, need=4, value=4)
    _published(demo, case_id)
    return case_id


def non_credit(demo: Demo) -> str:
    chapter("3. Co-curricular, without credit: nobody answers in time")
    case_id = demo.submit("non-credit")
    say(f"the proposal is complete and becomes case {case_id}")
    demo.answer(case_id, PROPOSAL)
    now = demo.office("forward", case_id, "9d")["now"]
    say(f"the case's own clock moves to {now[:16].replace('T', ' ')}; the reviewers stay silent")
    for _ in range(2):
        say(f"{demo.mail(case_id, 'Reminder', f'({QUALITY})').to} was reminded")
    say("the SLA is breached, and the stage is escalated")
    demo.answer(case_id, QUALITY, begins="Escalated to you", outcomes=4)
    demo.answer(case_id, INDUSTRY, need=3)
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
    say(f"published: {achievement['name']}, an Open Badges Achievement, as {view['slug']}")
    [review] = [line for line in demo.office("reviews")["reviews"] if line["case_id"] == case_id]
    say(f"its first review is due on {review['next_at'][:10]}, or earlier on evidence")


def figures(demo: Demo, cases: list[str]) -> None:
    chapter("What the ledger says")
    checked = demo.office("verify", "--all")
    breached = 0
    for case_id in cases:
        document = demo.office("history", case_id)
        events = document["events"]
        breaches = sum(event["type"] == "sla_breached" for event in events)
        rounds = max(event["data"].get("round", 1) for event in events)
        breached += breaches
        say(
            f"{case_id}: {document['count']} events, {_counted(rounds, 'round')}, "
            f"{_counted(breaches, 'breach', 'breaches')}, head {document['head'][:16]}"
        )
    if breached != 1 or not checked["ok"]:
        raise DemoFailed(f"{breached} breaches are recorded, the chain is whole: {checked['ok']}")
    mails = len(list((demo.home / "mail").glob("*.eml")))
    say(f"{demo.decisions} decisions by link, {mails} mails")
    say(f"{checked['events']} events in all, and the chain of each case is whole")
    chapter("Where it lies")
    say(f"published files: {demo.home / 'published'}")
    say(f"mail: {demo.home / 'mail'}")
    say(f"to look around: {sys.executable} starter.py up --home {demo.home} --time-skipping")
    say(f"then sign in on its page /sign-in as {OFFICE}; the link lies in the page /inbox")


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


def run(demo: Demo) -> None:
    chapter("Directory")
    people = demo.office("people", "import", str(ROOT / "examples" / "people.csv"))
    say(f"{people['created']} people imported")
    figures(demo, [coursework(demo), industry(demo), non_credit(demo)])


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="imprimatur-demo-"))
    began = time.monotonic()
    stack = subprocess.Popen(
        [sys.executable, str(ROOT / "starter.py"), "up", "--home", str(home), "--time-skipping"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(home),
        cwd=home,
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
    except KeyboardInterrupt:
        print("The demo was stopped.", file=sys.stderr)
        return 1
    finally:
        stack.send_signal(signal.SIGINT)
        stack.wait(60)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Python would end by the signal it was stopped with, whatever came of that, if it came amid an import.
    os._exit(status)
