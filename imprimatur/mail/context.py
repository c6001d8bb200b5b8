"""What the templates say, read for a whole batch of mails at once."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from imprimatur.errors import NotFound
from imprimatur.mail.regular import RegularContext, load_regular
from imprimatur.mail.sign_in import SignInContext
from imprimatur.mail.truth import TRUTHS, UNKNOWN, Situation, Standing, standings
from imprimatur.store.baselines import Baseline, comparison
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest, stage_in
from imprimatur.store.handovers_reading import packages_of
from imprimatur.store.outbox import Mail
from imprimatur.store.preferences import Preferences, Recipient, recipients
from models.framework import Framework, StageDef
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, StageRow, TaskRow
from models.vocabulary import MailKind

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
Sittings = dict[tuple[str, str, int], dt.datetime]
DEFAULTS = Preferences()
# What tells a proposer what reviewers wrote.
QUOTING = (MailKind.REVISION, MailKind.STAGE_OUTCOME, MailKind.OUTCOME)


@dataclass(frozen=True)
class MailContext:
    """Everything one mail may speak of. ``task`` is None when the mail is about the case as a whole.

    ``principal`` is the name of the person whose place the task's assignee takes. ``sits_at``: when the committee
    meets that decides the task's stage, where it has not met yet. ``package`` is what is handed over, where
    it is about that.
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
    preferences: Preferences = DEFAULTS
    standing: Standing = UNKNOWN
    package: dict[str, Any] | None = None

    @property
    def stale(self) -> str | None:
        """Why the mail should not be sent any more: nobody is asked for what is done."""
        situation = Situation(self.mail, self.case, self.task, self.standing, self.preferences)
        return TRUTHS[self.mail.kind](situation)

    @property
    def zone(self) -> ZoneInfo:
        return self.preferences.time_zone or ZoneInfo(self.framework.calendar_of(self.stage).time_zone)

    @property
    def language(self) -> str:
        return self.preferences.language


Readable = MailContext | RegularContext | SignInContext


@dataclass(frozen=True)
class Unready:
    """A mail whose case, document or framework cannot be read."""

    mail: Mail
    reason: str


def load(
    database: Database, mails: Sequence[Mail], defaults: Preferences = DEFAULTS, now: dt.datetime | None = None
) -> list[Readable | Unready]:
    """A constant number of queries, whatever the size of the batch; what cannot be read holds up no other mail.

    ``defaults`` are what the institution prefers; ``now`` is the moment of sending.
    """
    with database.read() as connection:
        cases = _by(connection, _CASE, "case_id", {mail.case_id for mail in mails})
        tasks = _by(connection, _TASK, "task_id", {mail.task_id for mail in mails if mail.task_id})
        named = {mail.recipient for mail in mails}
        named |= {task["on_behalf_of"] for task in tasks.values() if task["on_behalf_of"]}
        people, standing = recipients(connection, named, defaults), standings(connection, mails)
        wanted = {mail.case_id for mail in mails if mail.kind in QUOTING}
        decisions, sittings = _decisions(connection, wanted), _sittings(connection, tasks)
        agreed = conditions_of(connection, {mail.case_id for mail in mails if mail.kind is MailKind.OUTCOME})
        compared = comparison(connection, tasks.values())
        packages = packages_of(connection, {task["case_id"] for task in tasks.values()}) if tasks else {}
        now = now or dt.datetime.now(dt.UTC)
        regular = load_regular(connection, mails, people, defaults, now)
        found: list[Readable | Unready] = []
        for mail in mails:
            if mail.mail_id in regular:
                found.append(regular[mail.mail_id])
                continue
            known = people.get(mail.recipient)
            preferences = known.preferences if known else defaults
            if mail.kind is MailKind.SIGN_IN:
                found.append(SignInContext(mail, mail.recipient_name, preferences, now))
                continue
            try:
                context = _context(connection, mail, cases, tasks, people, decisions, agreed, sittings)
                baseline = compared(context.task, context.case["digest"]) if context.task else None
                context = replace(context, baseline=baseline, preferences=preferences, standing=standing(mail))
                found.append(replace(context, package=packages.get(mail.case_id)))
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
    people: dict[str, Recipient],
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
        name=mail.recipient_name or _name(people, mail.recipient),
        principal=_name(people, task["on_behalf_of"]) if task else "",
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


def _name(people: dict[str, Recipient], email: str | None) -> str:
    return people[email].name if email in people else ""
