"""What the templates say, read for a whole batch of mails at once."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from imprimatur.store.baselines import Baseline, baselines
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.outbox import Mail
from models.framework import Framework, StageDef
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, PersonRow, TaskRow
from models.vocabulary import MailKind, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
NEEDS_OPEN_TASK = frozenset({MailKind.TASK, MailKind.REMINDER, MailKind.ESCALATION})


@dataclass(frozen=True)
class MailContext:
    """Everything one mail may speak of. ``task`` is None when the mail is about the case as a whole."""

    mail: Mail
    name: str
    case: dict[str, Any]
    framework: Framework
    proposal: Proposal
    task: dict[str, Any] | None
    stage: StageDef | None
    decisions: tuple[dict[str, Any], ...]
    conditions: tuple[ConditionView, ...] = ()
    baseline: Baseline | None = None

    @property
    def stale(self) -> str | None:
        """Why the mail should not be sent any more: nobody is asked for what is done."""
        if self.mail.kind in NEEDS_OPEN_TASK and self.task is not None and self.task["status"] != TaskStatus.OPEN:
            return f"the task is {self.task['status']}"
        return None

    @property
    def zone(self) -> ZoneInfo:
        calendar = self.stage.sla.calendar if self.stage and self.stage.sla else self.framework.speed_to_market.calendar
        return ZoneInfo(self.framework.calendars[calendar].time_zone)

    def local(self, instant: dt.datetime) -> str:
        """An instant in the calendar's own time, as people write it."""
        return instant.astimezone(self.zone).strftime("%A %-d %B %Y, %H:%M (%Z)")


def load(database: Database, mails: Sequence[Mail]) -> list[MailContext]:
    """A constant number of queries, whatever the size of the batch."""
    with database.read() as connection:
        cases = _by(connection, _CASE, "case_id", {mail.case_id for mail in mails})
        tasks = _by(connection, _TASK, "task_id", {mail.task_id for mail in mails if mail.task_id})
        people = _by(connection, _PERSON, "email", {mail.recipient for mail in mails if not mail.recipient_name})
        wanted = {mail.case_id for mail in mails if mail.kind in (MailKind.REVISION, MailKind.OUTCOME)}
        decisions = _decisions(connection, wanted)
        agreed = conditions_of(connection, {mail.case_id for mail in mails if mail.kind is MailKind.OUTCOME})
        digests = {case_id: case["digest"] for case_id, case in cases.items()}
        compared = baselines(connection, tasks.values(), digests)
        found = [_context(connection, mail, cases, tasks, people, decisions, agreed) for mail in mails]
        return [replace(context, baseline=compared.get(context.mail.task_id or "")) for context in found]


def _by(connection: Connection, table: Any, key: str, values: Iterable[str]) -> dict[str, dict[str, Any]]:
    wanted = list(values)
    if not wanted:
        return {}
    rows = connection.execute(select(table).where(table.c[key].in_(wanted))).mappings()
    return {row[key]: dict(row) for row in rows}


def _decisions(connection: Connection, case_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    wanted = list(case_ids)
    found: dict[str, list[dict[str, Any]]] = {}
    if wanted:
        query = select(_DECISION).where(_DECISION.c.case_id.in_(wanted)).order_by(_DECISION.c.decided_at)
        for row in connection.execute(query).mappings():
            found.setdefault(row["case_id"], []).append(dict(row))
    return found


def _context(
    connection: Connection,
    mail: Mail,
    cases: dict[str, dict[str, Any]],
    tasks: dict[str, dict[str, Any]],
    people: dict[str, dict[str, Any]],
    decisions: dict[str, list[dict[str, Any]]],
    conditions: dict[str, list[ConditionView]],
) -> MailContext:
    case = cases[mail.case_id]
    framework = framework_by_digest(connection, case["framework_digest"])
    task = tasks.get(mail.task_id) if mail.task_id else None
    stage_id = task["stage"] if task else mail.data.get("stage")
    return MailContext(
        mail=mail,
        name=mail.recipient_name or people.get(mail.recipient, {}).get("name", ""),
        case=case,
        framework=framework,
        proposal=proposal_by_digest(connection, case["digest"]),
        task=task,
        stage=framework.stage(stage_id) if stage_id else None,
        decisions=tuple(decisions.get(mail.case_id, ())),
        conditions=tuple(item for item in conditions.get(mail.case_id, ()) if not item.status.is_settled),
    )
