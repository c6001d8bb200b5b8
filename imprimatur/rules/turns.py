"""Whose time is running in a case, and how much of it each has used: a fold over the ledger's events. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.vocabulary import OFFICE_ROLES, AssignmentReason, Boundary, CaseStatus, EventType, Party

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """An act of the office that still has its effect: who, when and why."""

    actor: str
    at: dt.datetime
    reason: str
    due_at: str | None = None


@dataclass(frozen=True)
class Change:
    """A move to another version of the framework that waits for its boundary ``at``."""

    version: str
    at: Boundary
    actor: str
    reason: str
    scheduled_at: dt.datetime


@dataclass
class Turns:
    """The state after some events.

    ``used`` counts seconds by the case's own clock, at all hours; where several are waited for, each one's time runs.
    ``revised_round`` is the round in which the latest version came under review: results of earlier ones may lapse.
    """

    status: CaseStatus = CaseStatus.INCOMPLETE
    round: int = 0
    revised_round: int = 0
    at: dt.datetime | None = None
    used: dict[Party, float] = field(default_factory=dict)
    held: Note | None = None
    change: Change | None = None
    extensions: dict[str, list[Note]] = field(default_factory=dict)
    _open: dict[str, dict[str, Party]] = field(default_factory=dict)
    _blocking: dict[str, Party] = field(default_factory=dict)
    _revised_before: int = 0

    @property
    def running(self) -> tuple[Party, ...]:
        """Nobody's when the case is closed; the system's while an open stage looks for someone."""
        if self.status.is_final:
            return ()
        if self.status.waits_for_proposer:
            return (Party.AUTHOR,)
        if self.status is CaseStatus.ON_HOLD:
            return (Party.OFFICE,)
        found = {party for tasks in self._open.values() for party in tasks.values() or (Party.SYSTEM,)}
        found = found or set(self._blocking.values())
        return tuple(party for party in Party if party in found) or (Party.SYSTEM,)

    def pass_time(self, at: dt.datetime) -> None:
        """Until ``at``, time ran for whoever was waited for."""
        if self.at is not None and at > self.at:
            for party in self.running:
                self.used[party] = self.used.get(party, 0.0) + (at - self.at).total_seconds()
        self.at = at

    def take(self, type_: str, actor: str, data: Data) -> None:
        match type_:
            case EventType.PROPOSAL_VERSION_ADDED:
                self.status, self.round = CaseStatus.IN_REVIEW, self.round + 1
                self._revised_before, self.revised_round = self.revised_round, self.round
            case EventType.CASE_RETURNED:
                # An incomplete version starts no round.
                self.status, self.round = CaseStatus.INCOMPLETE, self.round - 1
                self.revised_round = self._revised_before
            case EventType.REVISION_REQUESTED:
                self.status = CaseStatus.REVISING
            case EventType.CASE_HELD:
                self.status, self.held = CaseStatus.ON_HOLD, Note(actor, self._now, data["reason"])
            case EventType.CASE_RESUMED:
                self.status, self.held = CaseStatus.IN_REVIEW, None
            case EventType.STAGE_SENT_BACK:
                self.round = data["round"]
            case EventType.FRAMEWORK_CHANGE_SCHEDULED:
                version, reason = str(data["to"]["version"]), str(data["reason"])
                waits = Change(version, Boundary(data["at"]), actor, reason, self._now)
                self.change = waits if data["to"] != data["from"] else None
            case EventType.FRAMEWORK_CHANGED:
                self.round, self.change = data["round"], None
                for stage in (*data["repeated"], *data["removed"]):
                    self._open.pop(stage, None)
            case EventType.CASE_CLOSED:
                self.status, self.held, self.change = CaseStatus(data["status"]), None, None
            case EventType.CONDITION_SET | EventType.CONDITION_REOPENED if self._holds_up(data):
                self._blocking[data["condition_id"]] = Party.AUTHOR
            case EventType.CONDITION_FULFILLED if self._holds_up(data):
                self._blocking[data["condition_id"]] = Party.REVIEWER
            case EventType.CONDITION_ACCEPTED | EventType.CONDITION_WAIVED | EventType.CONDITION_LAPSED:
                self._blocking.pop(data["condition_id"], None)
            case _:
                self._take_stage(type_, actor, data)

    def _holds_up(self, data: Data) -> bool:
        return bool(data.get("blocking")) or data["condition_id"] in self._blocking

    def _take_stage(self, type_: str, actor: str, data: Data) -> None:
        match type_:
            case EventType.STAGE_OPENED | EventType.CONFIRMATION_SOUGHT:
                # What was to be confirmed opens anew with the tasks that it has.
                self._open.setdefault(data["stage"], {})
                self.extensions.pop(data["stage"], None)
            case EventType.STAGE_CLOSED | EventType.STAGE_SKIPPED:
                # Tasks of a stage that only informs stay open, and nobody waits for them.
                self._open.pop(data["stage"], None)
            case EventType.TASK_ASSIGNED | EventType.TASK_OFFERED if data["stage"] in self._open:
                self._open[data["stage"]][data["task_id"]] = party_of(data["reason"], data.get("role"))
            case EventType.TASK_CLOSED | EventType.DECISION_RECORDED:
                self._open.get(data["stage"], {}).pop(data["task_id"], None)
            case EventType.STAGE_EXTENDED:
                note = Note(actor, self._now, data["reason"], data["due_at"])
                self.extensions.setdefault(data["stage"], []).append(note)

    @property
    def _now(self) -> dt.datetime:
        assert self.at is not None
        return self.at


def party_of(reason: str, role: str | None) -> Party:
    """As what somebody is asked: a partner's contact, the office, or any other reviewer."""
    if reason == AssignmentReason.PARTNER or role == "industry_partner":
        return Party.PARTNER
    return Party.OFFICE if role in OFFICE_ROLES else Party.REVIEWER


def turns_of(rows: Iterable[Mapping[str, Any]]) -> Turns:
    """After ``rows`` of a ledger in order (type, actor, at and data of each); one that cannot be read tells nothing."""
    turns = Turns()
    for row in rows:
        turns.pass_time(row["at"])
        try:
            turns.take(row["type"], row["actor"], row["data"])
        except (KeyError, TypeError, ValueError, AttributeError):
            # Somebody has tampered with it; `verify` is the place to judge that.
            continue
    return turns
