"""Whether a mail still says what is so, looked at just before it leaves: each kind has a test of its own."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from imprimatur.store.outbox import Mail
from imprimatur.store.preferences import Preferences
from models.tables import ConditionRow, IncidentRow, ProposedActRow, StageRow
from models.vocabulary import CaseStatus, ConditionStatus, MailKind, TaskStatus

_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_ACT = ProposedActRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
# What a condition has to be for what is told of it to be so.
CONDITION_IS = {
    "set": ConditionStatus.OPEN,
    "reminder": ConditionStatus.OPEN,
    "late": ConditionStatus.OPEN,
    "reopened": ConditionStatus.OPEN,
    "fulfilled": ConditionStatus.FULFILLED,
    "accepted": ConditionStatus.ACCEPTED,
    "waived": ConditionStatus.WAIVED,
    "lapsed": ConditionStatus.LAPSED,
}


@dataclass(frozen=True)
class Standing:
    """What a mail speaks of besides its task, as it is now; None where it speaks of none."""

    condition: str | None = None
    incident_open: bool | None = None
    act_confirmed: bool | None = None
    outcome: str | None = None


UNKNOWN = Standing()


@dataclass(frozen=True)
class Situation:
    mail: Mail
    case: Mapping[str, Any]
    task: Mapping[str, Any] | None
    standing: Standing
    preferences: Preferences

    @property
    def status(self) -> CaseStatus:
        return CaseStatus(self.case["status"])


Truth = Callable[[Situation], str | None]


def _always(situation: Situation) -> None:
    """It tells what has happened."""


def _task_waits(situation: Situation) -> str | None:
    task = situation.task
    return f"the task is {task['status']}" if task and not TaskStatus(task["status"]).is_pending else None


def _task_may_be_answered(situation: Situation) -> str | None:
    """Whoever is reminded can answer, and is late if they are told so."""
    waits = _task_waits(situation)
    if waits is None and situation.status is CaseStatus.ON_HOLD:
        return "the case is on_hold"
    due_at = situation.task["due_at"] if situation.task else None
    if waits is None and situation.mail.data.get("late") and due_at and due_at > situation.mail.created_at:
        return "the task has more time"
    return waits


def _due_as_told(situation: Situation) -> str | None:
    told = situation.mail.data["due_at"]
    due_at = situation.task["due_at"] if situation.task else None
    if waits := _task_waits(situation):
        return waits
    if (situation.mail.data["what"] == "held") is not (situation.status is CaseStatus.ON_HOLD):
        return f"the case is {situation.status}"
    return None if due_at == (dt.datetime.fromisoformat(told) if told else None) else "it has changed again"


def _task_is_closed(situation: Situation) -> str | None:
    return None if _task_waits(situation) else "the task is not closed"


def _proposer_is_awaited(situation: Situation) -> str | None:
    return None if situation.status.waits_for_proposer else f"the case is {situation.status}"


def _case_goes_on(situation: Situation) -> str | None:
    return f"the case is {situation.status}" if situation.status.is_final else None


def _case_has_ended(situation: Situation) -> str | None:
    return None if situation.status.is_final else f"the case is {situation.status}"


def _outcome_stands(situation: Situation) -> str | None:
    """A proposer whose case has ended, or who is to hand in a new version, is told that instead."""
    if situation.status.is_final or situation.status.waits_for_proposer:
        return f"the case is {situation.status}"
    stands = situation.standing.outcome == situation.mail.data["outcome"]
    return None if stands else "the outcome no longer stands"


def _incident_is_open(situation: Situation) -> str | None:
    return "the incident is resolved" if situation.standing.incident_open is False else None


def _act_waits(situation: Situation) -> str | None:
    return "the act is confirmed" if situation.standing.act_confirmed else _case_goes_on(situation)


def _condition_is_as_told(situation: Situation) -> str | None:
    now, told = situation.standing.condition, CONDITION_IS[situation.mail.data["happened"]]
    return None if now in (None, told) else f"the condition is {now}"


def _receipt_is_wished(situation: Situation) -> str | None:
    return None if situation.preferences.receipts else "its recipient wants no receipts"


def _has_a_case(situation: Situation) -> str:
    raise LookupError(f"{situation.mail.kind} is about no single case")


TRUTHS: dict[MailKind, Truth] = {
    MailKind.TASK: _task_waits,
    MailKind.DELEGATION: _task_waits,
    MailKind.ESCALATION: _task_waits,
    MailKind.REMINDER: _task_may_be_answered,
    MailKind.ADVICE_ASKED: _task_waits,
    MailKind.ADVICE_GIVEN: _task_waits,
    MailKind.CHANGED: _due_as_told,
    MailKind.TASK_CLOSED: _task_is_closed,
    MailKind.PASSED_ON: _task_is_closed,
    MailKind.RETURNED: _proposer_is_awaited,
    MailKind.REVISION: _proposer_is_awaited,
    MailKind.BREACH: _case_goes_on,
    MailKind.STAGE_OUTCOME: _outcome_stands,
    MailKind.OUTCOME: _case_has_ended,
    MailKind.INCIDENT: _incident_is_open,
    MailKind.CONFIRMATION: _act_waits,
    MailKind.CONDITION: _condition_is_as_told,
    MailKind.RECEIPT: _receipt_is_wished,
    MailKind.REVIEW: _always,
    MailKind.HANDED_OVER: _always,
    MailKind.REPLY_RECORDED: _always,
    MailKind.REPLY_NOT_RECORDED: _always,
    MailKind.DIGEST: _has_a_case,
    MailKind.AGENDA: _has_a_case,
    MailKind.SIGN_IN: _has_a_case,
}


def standings(connection: Connection, mails: Sequence[Mail]) -> Callable[[Mail], Standing]:
    """One query for each kind of thing that the mails of a batch speak of, and none for what they do not."""
    by_kind: dict[MailKind, list[Mail]] = {}
    for mail in mails:
        by_kind.setdefault(mail.kind, []).append(mail)
    conditions = _conditions(connection, by_kind.get(MailKind.CONDITION, ()))
    incidents = _incidents(connection, by_kind.get(MailKind.INCIDENT, ()))
    acts = _acts(connection, by_kind.get(MailKind.CONFIRMATION, ()))
    outcomes = _outcomes(connection, by_kind.get(MailKind.STAGE_OUTCOME, ()))

    def standing(mail: Mail) -> Standing:
        data = mail.data
        match mail.kind:
            case MailKind.CONDITION:
                return Standing(condition=conditions.get(data["condition_id"]))
            case MailKind.INCIDENT:
                return Standing(incident_open=incidents.get(_incident_of(mail)))
            case MailKind.CONFIRMATION:
                return Standing(act_confirmed=acts.get(data["act_id"]))
            case MailKind.STAGE_OUTCOME:
                return Standing(outcome=outcomes.get((mail.case_id, data["stage"], data["round"])))
        return UNKNOWN

    return standing


def _conditions(connection: Connection, mails: Iterable[Mail]) -> dict[str, str]:
    wanted = {mail.data["condition_id"] for mail in mails}
    if not wanted:
        return {}
    columns = _CONDITION.c.condition_id, _CONDITION.c.status
    rows = connection.execute(select(*columns).where(columns[0].in_(wanted)))
    return {row.condition_id: row.status for row in rows}


def _incident_of(mail: Mail) -> tuple[Any, ...]:
    return mail.case_id, mail.data["kind"], mail.data["stage"], mail.data["detail"]


def _incidents(connection: Connection, mails: Iterable[Mail]) -> dict[tuple[Any, ...], bool]:
    """Whether what is known of an incident by its words is open: several can be told in the same ones.

    One that was closed by the step that opened it, because the stage was escalated, is still news to the office.
    """
    cases = {mail.case_id for mail in mails}
    if not cases:
        return {}
    found: dict[tuple[Any, ...], bool] = {}
    for row in connection.execute(select(_INCIDENT).where(_INCIDENT.c.case_id.in_(cases))):
        key = row.case_id, row.kind, row.stage, row.detail
        found[key] = found.get(key, False) or row.resolved_at in (None, row.opened_at)
    return found


def _acts(connection: Connection, mails: Iterable[Mail]) -> dict[str, bool]:
    wanted = {mail.data["act_id"] for mail in mails}
    if not wanted:
        return {}
    query = select(_ACT.c.act_id, _ACT.c.confirmed_at).where(_ACT.c.act_id.in_(wanted))
    return {row.act_id: row.confirmed_at is not None for row in connection.execute(query)}


def _outcomes(connection: Connection, mails: Iterable[Mail]) -> dict[tuple[str, str, int], str | None]:
    cases = {mail.case_id for mail in mails}
    if not cases:
        return {}
    columns = _STAGE.c.case_id, _STAGE.c.stage, _STAGE.c.round, _STAGE.c.outcome
    return {
        (row.case_id, row.stage, row.round): row.outcome
        for row in connection.execute(select(*columns).where(_STAGE.c.case_id.in_(cases)))
    }
