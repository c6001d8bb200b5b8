"""One case as its page shows it: where it stands, what was decided, what its proposal says, and who may do what."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from imprimatur.access.acts import CaseAct, acts_on
from imprimatur.access.published import Denial
from imprimatur.access.viewer import Viewer
from imprimatur.rules.completeness import FieldProblem, missing
from imprimatur.store.access import facts_of, published_columns, unseen_case
from imprimatur.store.deliveries import counts_of_case
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.reading import TROUBLED, CaseView, show_case
from models.framework import Framework
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, ImprovementRow, IncidentRow, OutboxRow, PersonRow, TaskRow, VersionRow
from models.vocabulary import StageStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class CaseSheet:
    """``names`` are people's, by address, for whoever may know them; ``roles`` say as what each task is held.

    ``rounds`` are the decisions by round, the latest first.
    """

    view: CaseView
    framework: Framework
    proposal: Proposal
    unstated: tuple[FieldProblem, ...]
    acts: Mapping[CaseAct, Denial | None]
    names: Mapping[str, str]
    roles: Mapping[str, str]
    rounds: Sequence[tuple[int, Sequence[Mapping[str, Any]]]]
    versions: Sequence[Mapping[str, Any]]

    @property
    def names_are_seen(self) -> bool:
        return self.acts[CaseAct.READ_NAMES] is None

    @property
    def time_zone(self) -> str:
        return self.framework.calendar_of(None).time_zone

    def stage_name(self, stage_id: str) -> str:
        """As the case's framework calls it; a stage of an earlier version by its id."""
        return next((stage.name for stage in self.view.stages if stage.stage == stage_id), stage_id.replace("_", " "))

    def called(self, email: str, role: str | None) -> str:
        """A person by name, or by role for whoever may not know names."""
        if self.names_are_seen:
            return self.names.get(email) or email
        article = "an" if (role or "").startswith(tuple("aeiou")) else "a"
        return f"{article} {role.replace('_', ' ')}" if role else "a reviewer"


def case_tag(database: Database, viewer: Viewer, case_id: str) -> str:
    """An ETag (RFC 9110) of all that a case's document shows to somebody. Raises NotFound ``case_unseen``.

    Its first part is the case's own, and another one after every act on it or on what it has published; the rest tells
    incidents, mails, the ledger, and who looks.
    """
    with database.read() as connection:
        query = select(_CASE.c.seq, *published_columns(), _CASE.c.head)
        joined = query.outerjoin_from(_CASE, _IMPROVEMENT, _IMPROVEMENT.c.case_id == _CASE.c.case_id)
        row = connection.execute(joined.where(_CASE.c.case_id == case_id)).first()
        if row is None:
            raise unseen_case()
        of_case = _INCIDENT.c.case_id == case_id, _INCIDENT.c.resolved_at.is_(None)
        incidents = connection.execute(select(_INCIDENT.c.incident_id).where(*of_case)).scalars().all()
        columns = [_MAIL.c[name] for name in ("mail_id", "recipient", "status", "last_reply")]
        query = select(*columns).where(_MAIL.c.case_id == case_id, _MAIL.c.status.in_(TROUBLED))
        mails = [tuple(found) for found in connection.execute(query)]
        counts = [(str(count.state), count.number) for count in counts_of_case(connection, case_id)]
    looks = [viewer.person, *(sorted(map(str, found)) for found in (viewer.roles, viewer.units, viewer.scopes or ()))]
    shown = hashlib.sha256(repr((sorted(incidents), sorted(mails), counts, row.head, looks)).encode()).hexdigest()
    acted = hashlib.sha256(repr(tuple(row)[:-1]).encode()).hexdigest()
    return f'"{row.seq}-{acted[:16]}-{shown[:12]}"'


def same_case(tag: str, other: str) -> bool:
    """Whether two tags tell of the same acts, whatever became of incidents and mails meanwhile."""
    return tag.rpartition("-")[0] == other.rpartition("-")[0]


def acts_of(database: Database, viewer: Viewer, case_id: str) -> Mapping[CaseAct, Denial | None]:
    """Raises NotFound ``case_unseen``."""
    with database.read() as connection:
        return acts_on(viewer, facts_of(connection, viewer, case_id))


def case_sheet(database: Database, viewer: Viewer, case_id: str) -> CaseSheet:
    """Raises NotFound ``case_unseen``, also for a case outside the viewer's scope."""
    acts = acts_of(database, viewer, case_id)
    view = show_case(database, case_id)
    shown = _shown(view, viewer, acts)
    view = view.model_copy(update={"conditions": [item for item in view.conditions if shown(item.stage, item.round)]})
    with database.read() as connection:
        framework = framework_by_digest(connection, view.framework_digest)
        proposal = proposal_by_digest(connection, view.digest)
        decisions = [row for row in _decisions(connection, case_id) if shown(row["stage"], row["round"])]
        people = {view.proposer, *(row["actor"] for row in decisions), *(task.assignee for task in view.tasks)}
        columns = (_TASK.c.task_id, _TASK.c.role, _TASK.c.assignee, _TASK.c.assignee_name)
        tasks = connection.execute(select(*columns).where(_TASK.c.case_id == case_id)).all()
        roles = {row.task_id: row.role for row in tasks if row.role}
        # A partner's contact is called as the proposal has it, and stands in no directory.
        names = {row.assignee: row.assignee_name for row in tasks if row.assignee_name}
        names |= _names(connection, people | ({view.held.actor} if view.held else set()))
        versions = connection.execute(
            select(_VERSION).where(_VERSION.c.case_id == case_id).order_by(_VERSION.c.version.desc())
        ).mappings()
        return CaseSheet(
            view=view,
            framework=framework,
            proposal=proposal,
            unstated=missing(proposal, framework).recommended,
            acts=acts,
            names=names,
            roles=roles,
            rounds=_by_round(decisions),
            versions=[dict(row) for row in versions],
        )


def _decisions(connection: Connection, case_id: str) -> list[dict[str, Any]]:
    query = select(_DECISION).where(_DECISION.c.case_id == case_id).order_by(_DECISION.c.position)
    return [dict(row) for row in connection.execute(query).mappings()]


def _shown(view: CaseView, viewer: Viewer, acts: Mapping[CaseAct, Denial | None]) -> Callable[[str, int], bool]:
    """Whether what was answered in a stage and round is shown.

    A proposer who sees no names learns what a stage has decided when it has; nobody is watched while deciding.
    """
    if viewer.person != view.proposer or acts[CaseAct.READ_NAMES] is None:
        return lambda stage, number: True
    still_open = {(stage.stage, stage.round) for stage in view.stages if stage.status is StageStatus.OPEN}
    return lambda stage, number: (stage, number) not in still_open


def _by_round(decisions: Sequence[dict[str, Any]]) -> list[tuple[int, list[dict[str, Any]]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in decisions:
        found.setdefault(row["round"], []).append(row)
    return sorted(found.items(), reverse=True)


def _names(connection: Connection, emails: set[str]) -> dict[str, str]:
    query = select(_PERSON.c.email, _PERSON.c.name).where(_PERSON.c.email.in_(sorted(emails)))
    return {row.email: row.name for row in connection.execute(query)}
