"""Pathways, and what proposals count towards and build on."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from imprimatur.errors import NotFound, Refused
from imprimatur.rules.completeness import FieldProblem, missing
from imprimatur.rules.stacking import Known, claim_problems, pathway_problems
from imprimatur.store.engine import Database
from imprimatur.store.skills import unknown_skills
from models.framework import Framework
from models.proposal import Proposal
from models.stacking import Pathway
from models.tables import CaseRow, PathwayRow, PublicationRow, StackingRow
from models.vocabulary import RecordStatus

_PATHWAY = PathwayRow.__table__  # type: ignore[attr-defined]
_STACKING = StackingRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
PATHWAY, CASE = "pathway", "case"
_LISTED = [str(status) for status in RecordStatus if status.is_listed]


class Member(NamedTuple):
    """A published credential that counts towards a pathway."""

    slug: str
    title: str
    case_id: str
    credits: float | None


def required_problems(
    connection: Connection, proposal: Proposal, framework: Framework, case_id: str | None = None
) -> tuple[FieldProblem, ...]:
    """What returns a proposal to its proposer.

    That is what the framework misses, stacking that does not add up, and skills that their framework does not have.
    """
    found = [*missing(proposal, framework).required, *unknown_skills(connection, proposal)]
    found += _replaced_problems(connection, proposal, case_id)
    stacking = proposal.stackability
    if stacking is not None and (stacking.claims or stacking.builds_on):
        found += claim_problems(proposal, known_to(connection, proposal), case_id)
    return tuple(found)


def _replaced_problems(connection: Connection, proposal: Proposal, case_id: str | None) -> list[FieldProblem]:
    """A later version names a record that can be replaced: published, and not by itself."""
    named = proposal.replaces
    if named is None:
        return []
    known = connection.execute(select(_PUBLICATION.c.case_id).where(_PUBLICATION.c.case_id == named)).first()
    if known is not None and named != case_id:
        return []
    return [FieldProblem("replaces", f"{named} is no published case that this one could replace", None)]


def known_to(connection: Connection, proposal: Proposal) -> Known:
    """What the proposal names, as far as it is known."""
    stacking = proposal.stackability
    named = {claim.pathway for claim in stacking.claims} if stacking is not None else set()
    rows = connection.execute(select(_PATHWAY.c.body).where(_PATHWAY.c.pathway_id.in_(named))).scalars()
    pathways = {found.id: found for found in map(Pathway.model_validate, rows)}
    return Known(pathways, _foundations(connection, stacking.builds_on if stacking is not None else ()))


def pathway_titles(connection: Connection, proposal: Proposal) -> dict[str, str]:
    """Of the pathways that a proposal counts towards, by their ids."""
    stacking = proposal.stackability
    named = [claim.pathway for claim in stacking.claims] if stacking is not None else []
    if not named:
        return {}
    query = select(_PATHWAY.c.pathway_id, _PATHWAY.c.title).where(_PATHWAY.c.pathway_id.in_(named))
    return {row.pathway_id: row.title for row in connection.execute(query)}


def _foundations(connection: Connection, cases: Iterable[str]) -> dict[str, list[str]]:
    """On what the cases build, and those in their turn: one query for each step of the chain."""
    found: dict[str, list[str]] = {}
    waiting = set(cases)
    while waiting:
        known = connection.execute(select(_CASE.c.case_id).where(_CASE.c.case_id.in_(waiting))).scalars()
        found |= {case: [] for case in known}
        query = (
            select(_STACKING.c.case_id, _STACKING.c.target)
            .join(_CASE, (_CASE.c.case_id == _STACKING.c.case_id) & (_CASE.c.version == _STACKING.c.version))
            .where(_STACKING.c.kind == CASE, _STACKING.c.case_id.in_(waiting))
        )
        for case, target in connection.execute(query):
            found[case].append(target)
        waiting = {target for case in waiting for target in found.get(case, ())} - found.keys()
    return found


def stacking_values(proposal: Proposal) -> list[dict[str, Any]]:
    """What of a proposal is written into the table, without the case and its version."""
    stacking = proposal.stackability
    if stacking is None:
        return []
    own = proposal.workload.credits if proposal.workload is not None else None
    worth: dict[tuple[str, str], float | None] = {
        (PATHWAY, claim.pathway): claim.credits or own for claim in stacking.claims
    }
    worth |= {(CASE, case): None for case in stacking.builds_on}
    return [{"kind": kind, "target": target, "credits": value} for (kind, target), value in worth.items()]


def put_pathway(database: Database, pathway: Pathway, at: dt.datetime) -> bool:
    """Keeps a pathway, in the place of one with its id; False where exactly this one is kept already.

    Raises Refused ``pathway_unsound`` with every problem.
    """
    with database.write() as connection:
        known = _all(connection)
        if known.get(pathway.id) == pathway:
            return False
        problems = pathway_problems(pathway, {name: other for name, other in known.items() if name != pathway.id})
        if problems:
            raise Refused(
                "pathway_unsound",
                f"The pathway {pathway.id} cannot be kept: {problems[0]}.",
                "Correct it and add it again.",
                problems=[{"where": pathway.id, "problem": problem} for problem in problems],
            )
        connection.execute(delete(_PATHWAY).where(_PATHWAY.c.pathway_id == pathway.id))
        connection.execute(
            _PATHWAY.insert().values(
                pathway_id=pathway.id,
                title=pathway.title,
                body=pathway.model_dump(mode="json", exclude_none=True),
                changed_at=at,
            )
        )
    return True


def remove_pathway(database: Database, pathway_id: str) -> None:
    """Raises NotFound ``pathway_unknown``, Refused ``pathway_in_use``."""
    with database.write() as connection:
        known = _all(connection)
        if pathway_id not in known:
            raise _unknown(pathway_id, known)
        others = [other.id for other in known.values() if pathway_id in (link.pathway for link in other.counts_towards)]
        claims = connection.execute(
            select(_STACKING.c.case_id).where(_STACKING.c.kind == PATHWAY, _STACKING.c.target == pathway_id).limit(3)
        ).scalars()
        if users := [*others, *claims]:
            raise Refused(
                "pathway_in_use",
                f"{', '.join(users)} count{'s' if len(users) == 1 else ''} towards {pathway_id}.",
                "A pathway that something counts towards stays; change it with `pathway add` instead.",
            )
        connection.execute(delete(_PATHWAY).where(_PATHWAY.c.pathway_id == pathway_id))


def pathways(database: Database) -> list[Pathway]:
    """All, by title."""
    with database.read() as connection:
        return sorted(_all(connection).values(), key=lambda pathway: (pathway.title.casefold(), pathway.id))


def pathway(database: Database, pathway_id: str) -> Pathway:
    """Raises NotFound ``pathway_unknown``."""
    with database.read() as connection:
        known = _all(connection)
    if pathway_id not in known:
        raise _unknown(pathway_id, known)
    return known[pathway_id]


def members(database: Database, pathway_id: str) -> list[Member]:
    """Published credentials that count towards it, by title."""
    query = (
        select(_PUBLICATION.c.slug, _PUBLICATION.c.title, _PUBLICATION.c.case_id, _STACKING.c.credits)
        .join(
            _STACKING,
            (_STACKING.c.case_id == _PUBLICATION.c.case_id) & (_STACKING.c.version == _PUBLICATION.c.version),
        )
        .where(_STACKING.c.kind == PATHWAY, _STACKING.c.target == pathway_id, _PUBLICATION.c.status.in_(_LISTED))
        .order_by(_PUBLICATION.c.title, _PUBLICATION.c.slug)
    )
    with database.read() as connection:
        return [Member(*row) for row in connection.execute(query)]


def _all(connection: Connection) -> dict[str, Pathway]:
    rows = connection.execute(select(_PATHWAY.c.body).order_by(_PATHWAY.c.pathway_id)).scalars()
    return {found.id: found for found in map(Pathway.model_validate, rows)}


def _unknown(pathway_id: str, known: Iterable[str]) -> NotFound:
    names: Sequence[str] = sorted(known)
    hint = f"Known are: {', '.join(names)}." if names else "Add one with `pathway add FILE`."
    return NotFound("pathway_unknown", f"There is no pathway {pathway_id}.", hint)
