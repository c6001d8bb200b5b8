"""Mails that are about no single case: the digest of a person's open tasks, and the agenda of a sitting."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.mail.calendar import SITTING_LASTS, Entry
from imprimatur.mail.languages import Language
from imprimatur.mail.links import Links
from imprimatur.mail.words import GROUPS
from imprimatur.rules.wording import asked_for
from imprimatur.store.frameworks import framework_by_digest, stage_in
from imprimatur.store.outbox import Mail
from imprimatur.store.preferences import Preferences, Recipient
from imprimatur.store.regular import period_of
from models.framework import StageDef
from models.tables import CaseRow, StageRow, TaskRow
from models.vocabulary import AssignmentReason, CaseStatus, Digest, MailKind, StageKind, StageStatus, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
REGULAR = frozenset({MailKind.DIGEST, MailKind.AGENDA})
UTC = ZoneInfo("UTC")
# What takes a click or two, for whoever has read the proposal or need not judge it.
QUICK_KINDS = frozenset({StageKind.INFORMATION, StageKind.OBJECTION, StageKind.ENDORSEMENT})


@dataclass(frozen=True)
class OpenTask:
    """A task that waits for the recipient. ``effort`` is a key of ``GROUPS``."""

    task_id: str
    case_id: str
    title: str
    stage: str
    stage_name: str
    round: int
    effort: str
    wanted: str
    due_at: dt.datetime | None


@dataclass(frozen=True)
class RegularContext:
    """``items`` of an agenda are those that are on it still."""

    mail: Mail
    name: str
    known: bool
    preferences: Preferences
    now: dt.datetime
    tasks: tuple[OpenTask, ...]
    items: tuple[Mapping[str, Any], ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return self.preferences.time_zone or ZoneInfo(self.mail.data.get("time_zone", UTC.key))

    @property
    def stale(self) -> str | None:
        """Why the mail should not be sent any more."""
        if not self.known:
            return "its recipient is not active"
        return self._stale_agenda() if self.mail.kind is MailKind.AGENDA else self._stale_digest()

    def _stale_agenda(self) -> str | None:
        if self.sits_at <= self.now:
            return "the sitting has begun"
        return None if self.items else "nothing is on the agenda"

    def _stale_digest(self) -> str | None:
        every = Digest(self.mail.data["every"])
        if self.preferences.digest is not every:
            return f"its recipient wants no {every} digest"
        if not self.tasks:
            return "nothing is open"
        today = self.now.astimezone(self.zone).date()
        return None if period_of(every, today) == self.mail.data["period"] else "a newer one follows"

    @property
    def sits_at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.mail.data["sits_at"])

    @property
    def thread(self) -> str:
        data = self.mail.data
        if self.mail.kind is MailKind.AGENDA:
            return f"agenda.{data['committee']}.{data['on']}"
        return f"digest.{ids.thread_id('digest', self.mail.recipient)}"

    @property
    def language(self) -> str:
        return self.preferences.language

    def values(self, links: Links, language: Language) -> dict[str, Any]:
        """For the templates."""
        own = {(task.case_id, task.stage, task.round): task for task in self.tasks}
        values = {"name": self.name, "data": self.mail.data, "base_url": links.base_url, "number": len(self.tasks)}
        if self.mail.kind is MailKind.AGENDA:
            shown = []
            for number, item in enumerate(self.items, 1):
                task = own.get(_place(item))
                link = links.task_url(task.task_id, self.mail.recipient) if task else None
                shown.append({**item, "number": number, "link": link})
            return values | {"items": shown, "at": language.local(self.sits_at, self.zone)}
        return values | {
            "groups": list(self._groups(links, language)),
            "late": sum(self._is_late(task) for task in self.tasks),
        }

    def _groups(self, links: Links, language: Language) -> Iterator[dict[str, Any]]:
        for effort, heading in GROUPS.items():
            tasks = sorted(
                (task for task in self.tasks if task.effort == effort),
                key=lambda task: (task.due_at is None, task.due_at, task.title),
            )
            if tasks:
                shown = [self._shown(task, links, language) for task in tasks]
                yield {"heading": language.gettext(heading), "tasks": shown}

    def _shown(self, task: OpenTask, links: Links, language: Language) -> dict[str, Any]:
        return {
            "title": task.title,
            "stage": task.stage_name,
            "due": language.local(task.due_at, self.zone) if task.due_at and task.wanted != "acknowledgement" else None,
            "late": self._is_late(task),
            "link": links.task_url(task.task_id, self.mail.recipient),
        }

    def _is_late(self, task: OpenTask) -> bool:
        return task.due_at is not None and task.due_at <= self.now and task.wanted == "decision"

    def entries(self, domain: str) -> tuple[Entry, ...]:
        """The sitting, for the calendar; a new edition of its agenda replaces it there."""
        if self.mail.kind is not MailKind.AGENDA:
            return ()
        data = self.mail.data
        entry = Entry(
            uid=f"sitting.{data['committee']}.{data['on']}@{domain}",
            sequence=data["edition"],
            begins=self.sits_at,
            ends=self.sits_at + SITTING_LASTS,
            summary=data["committee_name"],
            description="\n".join(f"{number}. {item['title']}" for number, item in enumerate(self.items, 1)),
            zone=ZoneInfo(data["time_zone"]),
            occupies=True,
        )
        return (entry,)


def _place(item: Mapping[str, Any]) -> tuple[str, str, int]:
    return item["case_id"], item["stage"], item["round"]


def load_regular(
    connection: Connection,
    mails: Sequence[Mail],
    people: Mapping[str, Recipient],
    defaults: Preferences,
    now: dt.datetime,
) -> dict[str, RegularContext]:
    """By mail; two queries for all of them."""
    wanted = [mail for mail in mails if mail.kind in REGULAR]
    if not wanted:
        return {}
    tasks = open_tasks(connection, {mail.recipient for mail in wanted})
    placed = _placed(connection, [mail for mail in wanted if mail.kind is MailKind.AGENDA])
    found = {}
    for mail in wanted:
        person = people.get(mail.recipient)
        found[mail.mail_id] = RegularContext(
            mail,
            mail.recipient_name or (person.name if person else ""),
            person.known if person else mail.kind is MailKind.AGENDA,
            person.preferences if person else defaults,
            now,
            tuple(tasks.get(mail.recipient, ())),
            tuple(item for item in mail.data.get("items", ()) if placed.get(_place(item)) == mail.data["sits_at"]),
        )
    return found


def open_tasks(connection: Connection, people: set[str]) -> dict[str, list[OpenTask]]:
    """Tasks that can be answered now, by whom they wait for: those of a case on hold cannot."""
    query = (
        select(_TASK, _CASE.c.title, _CASE.c.framework_digest)
        .join(_CASE, _CASE.c.case_id == _TASK.c.case_id)
        .where(
            _TASK.c.assignee.in_(people),
            _TASK.c.status.in_([status for status in TaskStatus if status.is_pending]),
            _CASE.c.status != str(CaseStatus.ON_HOLD),
        )
    )
    found: dict[str, list[OpenTask]] = {}
    for row in connection.execute(query).mappings():
        stage = stage_in(connection, framework_by_digest(connection, row["framework_digest"]), row["stage"])
        task = OpenTask(
            row["task_id"],
            row["case_id"],
            row["title"],
            row["stage"],
            stage.name,
            row["round"],
            _effort(dict(row), stage),
            asked_for(stage, row["reason"]),
            row["due_at"],
        )
        found.setdefault(row["assignee"], []).append(task)
    return found


def _effort(task: Mapping[str, Any], stage: StageDef) -> str:
    if task["status"] == TaskStatus.OFFERED:
        return "offer"
    confirms = task["reason"] == AssignmentReason.CONFIRMATION
    quick = stage.kind in QUICK_KINDS and task["reason"] != AssignmentReason.ESCALATION
    return "quick" if confirms or quick else "review"


def _placed(connection: Connection, mails: Sequence[Mail]) -> dict[tuple[str, str, int], str]:
    """When the items of agendas are to be sat upon, where they are open still."""
    cases = {item["case_id"] for mail in mails for item in mail.data["items"]}
    if not cases:
        return {}
    query = select(_STAGE.c.case_id, _STAGE.c.stage, _STAGE.c.round, _STAGE.c.sits_at).where(
        _STAGE.c.case_id.in_(cases), _STAGE.c.status == str(StageStatus.OPEN), _STAGE.c.sits_at.is_not(None)
    )
    return {(row.case_id, row.stage, row.round): row.sits_at.isoformat() for row in connection.execute(query)}
