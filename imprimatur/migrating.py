"""Live cases to another version of their framework: which can move, and moving them, as an act on many cases."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from imprimatur.bulk import BulkAct
from imprimatur.errors import Refused
from imprimatur.frameworks.tracks import course_of
from imprimatur.office import Office
from imprimatur.rules.migration import altered_stages
from imprimatur.store.bulk_subjects import whole_cases
from imprimatur.store.bulks import Item, Operation
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, framework_by_digest
from imprimatur.store.pathways import required_problems
from imprimatur.store.reading import unknown_case
from models.events import ChangeScheduled, FrameworkChanged
from models.framework import Framework
from models.tables import CaseRow
from models.vocabulary import Boundary, CaseStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
MIGRATE = "migrate"


@dataclass(frozen=True)
class Move:
    """``before``: only cases that go by this version; ``case_ids``: only these."""

    framework_id: str
    to: str
    before: str | None = None
    at: Boundary = Boundary.NOW
    case_ids: tuple[str, ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        said = {"framework": self.framework_id, "to": self.to, "from": self.before, "at": str(self.at)}
        return {name: value for name, value in (said | {"cases": list(self.case_ids)}).items() if value}


def migration(office: Office, database: Database, move: Move, *, actor: str, reason: str) -> BulkAct:
    """Every live case of a framework that does not go by the version ``to`` yet, or the cases named.

    Raises NotFound ``framework_unknown`` or ``person_unknown``, NotAllowed ``not_the_office``, Refused
    ``framework_kind_mismatch``, ``person_inactive`` or ``reason_required``.
    """
    email = office.standing_in_office(actor)
    if not reason.strip():
        raise Refused("reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")
    target = framework(database, move.framework_id, move.to)
    if move.before is not None:
        framework(database, move.framework_id, move.before)

    async def event(item: Item, bulk_id: str) -> ChangeScheduled | FrameworkChanged:
        facts: dict[str, Any] = {"actor": email, "reason": reason, "at": move.at, "by_office": True}
        facts |= {"bulk": bulk_id} if bulk_id else {}
        facts |= await asyncio.to_thread(_drawn_up, database, item.case_id, target, move.at)
        return FrameworkChanged(**facts) if move.at is Boundary.NOW else ChangeScheduled(**facts)

    operation = Operation(MIGRATE, email, reason, move.said)
    return BulkAct(operation, lambda: whole_cases(move.case_ids or _live(database, move, target)), event)


def _live(database: Database, move: Move, target: Framework) -> list[str]:
    final = [str(status) for status in CaseStatus if status.is_final]
    query = select(_CASE.c.case_id).where(
        _CASE.c.framework_id == move.framework_id,
        _CASE.c.framework_digest != target.digest,
        _CASE.c.status.not_in(final),
    )
    if move.before is not None:
        query = query.where(_CASE.c.framework_version == move.before)
    with database.read() as connection:
        return list(connection.execute(query.order_by(_CASE.c.opened_at, _CASE.c.case_id)).scalars())


def _drawn_up(database: Database, case_id: str, target: Framework, at: Boundary) -> dict[str, Any]:
    """What a case must be told of the version to come; raises what else keeps it from moving than its state."""
    with database.read() as connection:
        case = connection.execute(select(_CASE).where(_CASE.c.case_id == case_id)).mappings().first()
        if case is None:
            raise unknown_case(connection, case_id)
        before = framework_by_digest(connection, case["framework_digest"])
        proposal = proposal_by_digest(connection, case["digest"])
        required = required_problems(connection, proposal, target, case_id)
    _check_framework(before, target, case_id)
    # Whoever revises completes it by the version that is in force then.
    is_judged = at is not Boundary.NEXT_ROUND and not CaseStatus(case["status"]).waits_for_proposer
    lacking = required if is_judged else ()
    if lacking:
        fields = ", ".join(dict.fromkeys(item.field for item in lacking))
        raise Refused(
            "incomplete_under_version",
            f"Version {target.version} asks for what the proposal does not say: {fields}.",
            "Move the case --at next_round: its proposer completes it with the next revision.",
        )
    plan, selection = course_of(target, proposal)
    applied_before = {stage.id: not stage.skip for stage in course_of(before, proposal)[0].stages}
    # What did not apply and does now has not been judged, and the other way round.
    turned = [stage.id for stage in plan.stages if applied_before.get(stage.id, not stage.skip) == bool(stage.skip)]
    altered = tuple(dict.fromkeys((*altered_stages(before, target), *turned)))
    facts = {"plan": plan, "base": before.digest, "altered": altered}
    return facts | ({"selection": selection} if selection is not None else {})


def _check_framework(before: Framework, target: Framework, case_id: str) -> None:
    if before.id != target.id:
        raise Refused(
            "framework_differs",
            f"{case_id} goes by {before.id}, not by {target.id}.",
            "A case moves only between versions of its own framework.",
        )
    if before.credential_kind != target.credential_kind:
        raise Refused(
            "framework_kind_mismatch",
            f"{target.id} {target.version} is for {target.credential_kind}, the case is {before.credential_kind}.",
            "Add a version for the same kind of micro-credential.",
        )
