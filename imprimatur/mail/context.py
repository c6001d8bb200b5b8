"""What the templates say, read for a whole batch of mails at once."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from imprimatur.errors import NotFound
from imprimatur.store.baselines import Baseline, comparison
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest, stage_in
from imprimatur.store.outbox import Mail
from models.framework import Framework, StageDef
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, PersonRow, StageRow, TaskRow
from models.vocabulary import CaseStatus, MailKind, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
Sittings = dict[tuple[str, str, int], dt.datetime]
NEEDS_OPEN_TASK = frozenset({MailKind.TASK, MailKind.REMINDER, MailKind.ESCALATION, MailKind.ADVICE_ASKED})
NEEDS_PROPOSER = frozenset({MailKind.RETURNED, MailKind.REVISION})


@dataclass(frozen=True)
class MailContext:
    """Everything one mail may speak of. ``task`` is None when the mail is about the case as a whole.

    ``principal`` is the name of the person whose place the task's assignee takes. ``sits_at``: when the committee
    meets that decides the task's stage, where it has not met yet.
    """

    mail: Mail
    name: str
    principal: str
    case: dict[str, Any]
    framework: Framework
    proposal: Proposal
    task: dict[str, Any] | None
    stage: StageDef | None
    decisions: tuple[dict[str, Any], ...]
    sits_at: dt.datetime | None = None
    conditions: tuple[ConditionView, ...] = ()
    baseline: Baseline | None = None
    language: str = ""

    @property
    def stale(self) -> str | None:
        """Why the mail should not be sent any more: nobody is asked for what is done."""
        status = CaseStatus(self.case["status"])
        if self.mail.kind in NEEDS_OPEN_TASK and self.task and not TaskStatus(self.task["status"]).is_pending:
            return f"the task is {self.task['status']}"
        if self.mail.kind in NEEDS_PROPOSER and not status.waits_for_proposer:
            return f"the case is {status}"
        if self.mail.kind is MailKind.BREACH and status.is_final:
            return f"the case is {status}"
        return None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.framework.calendar_of(self.stage).time_zone)


@dataclass(frozen=True)
class Unready:
    """A mail whose case, document or framework cannot be read."""

    mail: Mail
    reason: str


def load(database: Database, mails: Sequence[Mail]) -> list[MailContext | Unready]:
    """A constant number of queries, whatever the size of the batch; what cannot be read holds up no other mail."""
    with database.read() as connection:
        cases = _by(connection, _CASE, "case_id", {mail.case_id for mail in mails})
        tasks = _by(connection, _TASK, "task_id", {mail.task_id for mail in mails if mail.task_id})
        named = {mail.recipient for mail in mails}
        named |= {task["on_behalf_of"] for task in tasks.values() if task["on_behalf_of"]}
        people = _by(connection, _PERSON, "email", named)
        wanted = {mail.case_id for mail in mails if mail.kind in (MailKind.REVISION, MailKind.OUTCOME)}
        decisions, sittings = _decisions(connection, wanted), _sittings(connection, tasks)
        agreed = conditions_of(connection, {mail.case_id for mail in mails if mail.kind is MailKind.OUTCOME})
        compared = comparison(connection, tasks.values())
        found: list[MailContext | Unready] = []
        for mail in mails:
            try:
                context = _context(connection, mail, cases, tasks, people, decisions, agreed, sittings)
                baseline = compared(context.task, context.case["digest"]) if context.task else None
                found.append(replace(context, baseline=baseline))
            except (NotFound, LookupError, ValueError) as error:
                found.append(Unready(mail, str(error)))
        return found


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
        standing = _DECISION.c.case_id.in_(wanted), _DECISION.c.annulled_at.is_(None)
        query = select(_DECISION).where(*standing).order_by(_DECISION.c.position)
        for row in connection.execute(query).mappings():
            found.setdefault(row["case_id"], []).append(dict(row))
    return found


def _sittings(connection: Connection, tasks: dict[str, dict[str, Any]]) -> Sittings:
    """Sittings that are to come, by case, stage and round."""
    cases = {task["case_id"] for task in tasks.values()}
    if not cases:
        return {}
    query = select(_STAGE.c.case_id, _STAGE.c.stage, _STAGE.c.round, _STAGE.c.sits_at).where(
        _STAGE.c.case_id.in_(cases), _STAGE.c.sits_at.is_not(None), _STAGE.c.begun_at.is_(None)
    )
    return {(row.case_id, row.stage, row.round): row.sits_at for row in connection.execute(query)}


def _context(
    connection: Connection,
    mail: Mail,
    cases: dict[str, dict[str, Any]],
    tasks: dict[str, dict[str, Any]],
    people: dict[str, dict[str, Any]],
    decisions: dict[str, list[dict[str, Any]]],
    conditions: dict[str, list[ConditionView]],
    sittings: Sittings,
) -> MailContext:
    case = cases[mail.case_id]
    framework = framework_by_digest(connection, case["framework_digest"])
    task = tasks.get(mail.task_id) if mail.task_id else None
    stage_id = task["stage"] if task else mail.data.get("stage")
    return MailContext(
        mail=mail,
        name=mail.recipient_name or people.get(mail.recipient, {}).get("name", ""),
        language=people.get(mail.recipient, {}).get("language") or "",
        principal=people.get(task["on_behalf_of"], {}).get("name", "") if task else "",
        case=case,
        framework=framework,
        proposal=proposal_by_digest(connection, case["digest"]),
        task=task,
        stage=stage_in(connection, framework, stage_id) if stage_id else None,
        decisions=tuple(
            row | {"stage_name": stage_in(connection, framework, row["stage"]).name}
            for row in decisions.get(mail.case_id, ())
        ),
        sits_at=sittings.get((task["case_id"], task["stage"], task["round"])) if task else None,
        conditions=tuple(item for item in conditions.get(mail.case_id, ()) if not item.status.is_settled),
    )
