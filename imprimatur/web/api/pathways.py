"""What credentials count towards, skills to name in proposals, and what a proposal resembles."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import select

from imprimatur.access.viewer import Viewer
from imprimatur.errors import InputError
from imprimatur.rules.overlap import Overlap
from imprimatur.store import pathways as store
from imprimatur.store.access import facts_of
from imprimatur.store.engine import Database
from imprimatur.store.overlaps import Overlaps
from imprimatur.store.reading import latest_proposal
from imprimatur.store.skills import Skill, search_skills, skill_frameworks, take_skills
from imprimatur.web.api.documents import Given, Name, Page
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import run_all, seen_of
from imprimatur.web.api.uploads import CsvText
from models.proposal import Proposal
from models.stacking import Pathway
from models.tables import PublicationRow

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]


class Member(BaseModel):
    """A published credential that counts towards a pathway."""

    slug: str
    title: str
    case_id: str
    credits: float | None


class PathwayDocument(BaseModel):
    pathway: Pathway
    members: list[Member]


class Kept(BaseModel):
    """``changed``: false where exactly this was kept already."""

    id: str
    changed: bool


class SkillFramework(BaseModel):
    framework: str
    skills: int
    imported_at: dt.datetime


class RejectedSkill(BaseModel):
    """``line`` counts from 1, a heading included."""

    line: int
    problem: str


class SkillsTaken(BaseModel):
    """``removed`` were there before and are no longer in the file."""

    imported: int
    removed: int
    rejected: list[RejectedSkill]


class Alike(BaseModel):
    """Both likenesses lie between 0 and 1."""

    case_id: str
    title: str
    titles: float
    outcomes: float


class Compared(Given):
    proposal: Proposal


def router(database: Database, overlaps: Overlaps) -> APIRouter:
    routes = APIRouter()
    _add_pathways(routes, database)
    _add_skills(routes, database)
    _add_similar(routes, database, overlaps)
    return routes


def _add_pathways(routes: APIRouter, database: Database) -> None:
    @routes.get("/pathways", summary="Pathways, by title", tags=["pathways"])
    def pathways(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[Pathway]:
        return page_of(store.pathways(database), lambda pathway: pathway.id, cursor, limit)

    @routes.get("/pathways/{pathway_id}", summary="A pathway, and what counts towards it", tags=["pathways"])
    def pathway(viewer: Reads, pathway_id: str) -> PathwayDocument:
        members = [Member(**member._asdict()) for member in store.members(database, pathway_id)]
        return PathwayDocument(pathway=store.pathway(database, pathway_id), members=members)

    @routes.put(
        "/pathways/{pathway_id}", summary="Keep a pathway, in the place of the one with its id", tags=["pathways"]
    )
    def put(viewer: Runs, pathway_id: str, given: Pathway) -> Kept:
        run_all(viewer)
        if given.id != pathway_id:
            raise InputError(
                "pathway_id_differs",
                f"The pathway is {given.id}, its address names {pathway_id}.",
                "Name the same one.",
            )
        return Kept(id=given.id, changed=store.put_pathway(database, given, dt.datetime.now(dt.UTC)))

    @routes.delete("/pathways/{pathway_id}", status_code=204, summary="Remove a pathway", tags=["pathways"])
    def remove(viewer: Runs, pathway_id: str) -> None:
        """One that something counts towards stays."""
        run_all(viewer)
        store.remove_pathway(database, pathway_id)


def _add_skills(routes: APIRouter, database: Database) -> None:
    @routes.get("/skills", summary="Skills to name in a proposal, the nearest first", tags=["skills"])
    def skills(
        viewer: Reads,
        q: Annotated[str, Query(min_length=1, max_length=200)],
        framework: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Page[Skill]:
        """At most 20."""
        return Page(items=search_skills(database, q, framework))

    @routes.post("/skills/import", summary="Skills of a framework from its own CSV file", tags=["skills"])
    def take(
        viewer: Runs,
        text: CsvText,
        framework: Annotated[Name, Query(description="As proposals call it.", examples=["ESCO"])],
        address: Annotated[
            str, Query(max_length=1000, description="Where the file has codes only: the address, with `{code}` in it.")
        ] = "",
    ) -> SkillsTaken:
        """In the place of those imported before; a bad line never blocks the others."""
        run_all(viewer)
        found = take_skills(database, framework, text, dt.datetime.now(dt.UTC), address)
        rejected = [RejectedSkill(line=line.line, problem=line.problem) for line in found.rejected]
        return SkillsTaken(imported=found.imported, removed=found.removed, rejected=rejected)

    @routes.get("/skills/frameworks", summary="Frameworks of skills that were imported", tags=["skills"])
    def frameworks(viewer: Reads) -> Page[SkillFramework]:
        found = skill_frameworks(database)
        return Page(items=[SkillFramework(framework=name, skills=number, imported_at=at) for name, number, at in found])


def _add_similar(routes: APIRouter, database: Database, overlaps: Overlaps) -> None:

    @routes.get("/cases/{case_id}/similar", summary="Live and published cases that a case resembles", tags=["cases"])
    def of_case(viewer: Reads, case_id: str) -> Page[Alike]:
        """Those that the key's person sees, and whatever is published."""
        with database.read() as connection:
            facts_of(connection, viewer, case_id)
        return _told(database, viewer, overlaps.of(latest_proposal(database, case_id), besides=[case_id]))

    @routes.post("/similar", summary="Live and published cases that a proposal resembles", tags=["cases"])
    def of_proposal(viewer: Reads, given: Compared) -> Page[Alike]:
        """As of a case; nothing of the proposal is kept."""
        return _told(database, viewer, overlaps.of(given.proposal))


def _told(database: Database, viewer: Viewer, found: list[Overlap]) -> Page[Alike]:
    cases = [overlap.case_id for overlap in found]
    with database.read() as connection:
        query = select(_PUBLICATION.c.case_id).where(_PUBLICATION.c.case_id.in_(cases))
        known = {*connection.execute(query).scalars(), *seen_of(database, viewer.scope, cases)}
    return Page(
        items=[
            Alike(case_id=overlap.case_id, title=overlap.title, titles=overlap.titles, outcomes=overlap.outcomes)
            for overlap in found
            if overlap.case_id in known
        ]
    )
