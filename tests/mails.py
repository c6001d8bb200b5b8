"""Mails of every kind, from cases that were really played; for tests."""

import datetime as dt
import shutil
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from sqlalchemy import select

from imprimatur.mail.context import MailContext, load
from imprimatur.mail.links import Links
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import render
from imprimatur.store import inbound, outbox
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Result
from imprimatur.store.publishing import due_runs, end_run
from models.messages import RunEnd
from models.tables import TaskRow
from models.vocabulary import InboundKind, MailKind, MailStatus, Verdict
from tests.facts import BASE_URL, Play, add_people, amended, example, furnish, whole_story
from tests.handover import handover_of_published
from tests.office_stories import STORIES, tell
from tests.published import approved, with_targets
from tests.reviewed_mails import review_of_published

DAY = dt.timedelta(days=1)
LATER = dt.datetime.now(dt.UTC) + DAY
LINKS = Links(["k" * 40], BASE_URL)
ANSWERABLE = (MailKind.TASK, MailKind.DELEGATION, MailKind.REMINDER, MailKind.ESCALATION, MailKind.CHANGED)
HEADERS = {
    "Content-Type", "MIME-Version", "From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To",
    "Auto-Submitted", "X-Imprimatur-Case",
}  # fmt: skip
BREAKS = ["\r\n", "\n", "\r", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\x0b", "\t"]
HOSTILE_PARTS = [*BREAKS, "Bcc: x@evil.example", "=?utf-8?q?x?=", "é", "研", " ", ","]
HOSTILE = st.lists(st.sampled_from(HOSTILE_PARTS) | st.text(max_size=30), max_size=8).map("".join)
quickly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SENDER = Sender("Example Institute <credentials@example.edu>", "mail.example.edu")


@dataclass(frozen=True)
class Read:
    """A rendered mail as its reader's program sees it."""

    message: EmailMessage
    text: str
    html: str

    content: bytes

    def header(self, name: str) -> str:
        return str(self.message[name])

    @property
    def addressee(self) -> tuple[str, str]:
        """Name and address. The library's newer reader leaves blanks between the parts of an encoded name."""
        name, email = parseaddr(str(message_from_bytes(self.content)["To"]).replace("\n", ""))
        return (str(make_header(decode_header(name))) if "=?" in name else name), email


def read(content: bytes) -> Read:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, html = [str(part.get_content()) for part in parts if part is not None]
    return Read(message, text, html, content)


def rendered(context: MailContext) -> Read:
    return read(render(context, LINKS, SENDER).content)


class Mails(list[MailContext]):
    """Says nothing of itself, for it would be much."""

    def __repr__(self) -> str:
        return f"{len(self)} mails"


def contexts(database: Database, limit: int = 10_000) -> list[MailContext]:
    """Of every mail in the outbox; they count as being sent from now on."""
    found = load(database, outbox.claim(database, limit, LATER))
    return [context for context in found if isinstance(context, MailContext)]


def every_mail(migrated_file: Path, folder: Path) -> Mails:
    """What cases of all sorts have put into the outbox."""
    file = folder / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    whole_story(database, folder)
    _returned_and_withdrawn(database, folder)
    _late(database, folder)
    _rejected(database, folder)
    _asked_for_other_reasons(database, folder)
    for name in STORIES:
        tell(name, database, folder)
    furnish(database)
    _unstaffed(database, folder)
    _replied(database)
    _unpublished(database, folder)
    furnish(database)
    review_of_published(database, folder)
    handover_of_published(database, folder)
    found = contexts(database)
    first = found[0].mail
    outbox.record(database, [Result(first, MailStatus.BOUNCED, "550 no such mailbox")], LATER)
    outbox.release(database, [context.mail for context in found[1:]])
    found += [context for context in contexts(database) if context.mail.data.get("kind") == "mail_bounced"]
    database.close()
    return Mails(found)


def _unpublished(database: Database, folder: Path) -> None:
    """A target of a publication refuses."""
    play = approved(database, folder, with_targets(database, "website"), case_id="mc-unpublished")
    [run] = [run for run in due_runs(database, LATER) if run.case_id == play.case_id]
    end_run(database, RunEnd(run_id=run.run_id, failed="website", reason="the disk is full"))


def _returned_and_withdrawn(database: Database, folder: Path) -> None:
    play = Play(database, folder, case_id="mc-withdrawn")
    lacking = example("industry-credit").model_copy(update={"summary": None, "partners": ()})
    play.submit(lacking)
    play.revise(example("industry-credit"))
    play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    play.revise(lacking)
    play.withdraw("the partner has left")


def _late(database: Database, folder: Path) -> None:
    play = Play(database, folder, "non-credit", case_id="mc-late")
    play.submit(example("non-credit"))
    play.decide("proposal")
    play.pass_time(40 * DAY)
    play.withdraw("too late")


def _rejected(database: Database, folder: Path) -> None:
    play = Play(database, folder, case_id="mc-rejected")
    play.submit(example("industry-credit"))
    play.decide("proposal", comment="A good fit.")
    for _ in range(2):
        play.decide("quality", Verdict.REJECT, "It repeats a course.\n\nSee the catalogue.", outcomes=1)


def _asked_for_other_reasons(database: Database, folder: Path) -> None:
    reviewers = [{"addresses": ["guest@example.net"]}, {"unit": "School of Health"}]
    play = Play(database, folder, amended(database, "industry-credit", "proposal", reviewers=reviewers), "mc-guests")
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.ABSTAIN)
    play.decide("proposal", Verdict.ABSTAIN)


def _unstaffed(database: Database, folder: Path) -> None:
    for case_id, leaving in [
        ("mc-short", ("quinn.reviewer", "rosa.reviewer", "dora.director")),
        ("mc-unstaffed", ("sam.reviewer",)),
    ]:
        add_people(database, folder, *(f"{person}@example.edu,Gone,,no" for person in leaving))
        play = Play(database, folder, case_id=case_id)
        play.submit(example("industry-credit"))
        play.decide("proposal")


def _replied(database: Database) -> None:
    """Replies of a reviewer whose task is done, and of another whose task waits."""
    with database.read() as connection:
        query = select(TaskRow.__table__.c.task_id, TaskRow.__table__.c.status)  # type: ignore[attr-defined]
        tasks = {status: task_id for task_id, status in connection.execute(query)}
    recorded = {"label": "Approve", "comment": "Fits.\n\nWell done.", "scores": {"no_duplication": 4}, "position": 7}
    unclear = {"message": 'The first line is no answer: "Well".', "hint": "Write one word.", "code": "reply_unclear"}
    thread = {"subject": "Re: Your review", "in_reply_to": "<reply@mail.example.edu>"}
    reactions: list[tuple[str, MailKind, dict[str, Any]]] = [
        ("decided", MailKind.REPLY_RECORDED, thread | recorded),
        ("open", MailKind.REPLY_NOT_RECORDED, thread | unclear | {"known": True}),
        ("open", MailKind.REPLY_NOT_RECORDED, unclear | {"known": False}),
    ]
    for number, (status, kind, data) in enumerate(reactions):
        arrival = inbound.Arrival(f"key-{number}", None, None, InboundKind.REPLY, "digest", b"")
        reaction = inbound.Reaction("recorded", answer=kind, data=data, answers_a_day=1_000)
        with database.write() as connection:
            holder = inbound.holder(connection, tasks[status])
            assert inbound.write_settled(connection, (arrival, holder, reaction, None))


def can_be_answered(context: MailContext) -> bool:
    return context.mail.kind in ANSWERABLE and context.mail.data.get("what") != "held"


def one(found: Mails, kind: MailKind, **data: object) -> MailContext:
    """The first mail of a kind whose data says this."""
    return next(c for c in found if c.mail.kind is kind and all(c.mail.data.get(k) == v for k, v in data.items()))


def changed(context: MailContext, *, title: str | None = None, **change: object) -> MailContext:
    if title is not None:
        change["proposal"] = context.proposal.model_copy(update={"title": title})
    return replace(context, **change)  # type: ignore[arg-type]
