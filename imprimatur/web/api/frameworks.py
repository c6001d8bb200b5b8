"""Approval policies: read, checked, added, compared."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from imprimatur.errors import DocumentInvalid, Problem
from imprimatur.frameworks.checker import check_text
from imprimatur.frameworks.comparing import compare
from imprimatur.store import frameworks as store
from imprimatur.store.access import facts_of
from imprimatur.store.engine import Database
from imprimatur.store.people import role_counts
from imprimatur.store.reading import latest_proposal
from imprimatur.trial import Trial, try_out
from imprimatur.web.api.documents import Page
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee, run_all
from imprimatur.web.api.uploads import YamlText
from models.calendars import BusinessDuration
from models.framework import Framework

FILE = "framework.yaml"


class Finding(BaseModel):
    """``where`` is a key path such as ``stages[1].voting.quorum``; ``line`` counts from 1."""

    where: str
    problem: str
    expected: str = ""
    line: int | None = None
    code: str


class Checked(BaseModel):
    """``problems`` keep it from being added; ``warnings`` are what the people of today lack for it."""

    id: str | None
    version: str | None
    digest: str | None
    problems: list[Finding]
    warnings: list[Finding]


class ChangeDocument(BaseModel):
    """``key`` is the place in the document; what is not there is empty."""

    key: str
    words: str
    before: str
    after: str


class StageDocument(BaseModel):
    """``asked_again``: a case that moves there does the stage anew."""

    stage: str
    name: str
    fate: str
    asked_again: bool
    changes: list[ChangeDocument]


class ComparisonDocument(BaseModel):
    """``whole``: what differs beside the stages."""

    framework: str
    before: str
    after: str
    whole: list[ChangeDocument]
    stages: list[StageDocument]


class TrialStageDocument(BaseModel):
    """``left_out`` says why the stage would not apply; ``asked`` who would be asked, in words."""

    stage: str
    name: str
    left_out: str
    passes_by: str
    asked: list[str]
    within: BusinessDuration | None


class LackingDocument(BaseModel):
    field: str
    problem: str
    why: str | None


class TrialDocument(BaseModel):
    """``lacking`` is what would return the proposal to its proposer."""

    framework: str
    version: str
    track: str
    why: str
    within: BusinessDuration
    stages: list[TrialStageDocument]
    lacking: list[LackingDocument]


def _tried(found: Trial) -> TrialDocument:
    stages = [
        TrialStageDocument(
            stage=item.stage.id,
            name=item.stage.name,
            left_out=item.left_out,
            passes_by=item.passes_by,
            asked=list(item.asked),
            within=item.within,
        )
        for item in found.stages
    ]
    return TrialDocument(
        framework=found.framework.id,
        version=found.framework.version,
        track=found.track,
        why=found.why,
        within=found.within,
        stages=stages,
        lacking=[LackingDocument.model_validate(item, from_attributes=True) for item in found.lacking],
    )


def router(database: Database) -> APIRouter:
    routes = APIRouter(tags=["frameworks"])

    @routes.get("/frameworks", summary="Approval policies, every version")
    def frameworks(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[store.FrameworkEntry]:
        found = store.list_frameworks(database)
        return page_of(found, lambda entry: f"{entry.id}@{entry.version}", cursor, limit)

    @routes.get("/frameworks/{framework_id}/compare", summary="What two versions differ in")
    def two_versions(
        viewer: Reads,
        framework_id: str,
        before: Annotated[str, Query(alias="from", max_length=50)],
        after: Annotated[str, Query(alias="to", max_length=50)],
    ) -> ComparisonDocument:
        old, new = (store.framework(database, framework_id, version) for version in (before, after))
        found = compare(old, new)
        return ComparisonDocument(
            framework=new.id,
            before=old.version,
            after=new.version,
            whole=[ChangeDocument.model_validate(change, from_attributes=True) for change in found.whole],
            stages=[StageDocument.model_validate(stage, from_attributes=True) for stage in found.stages],
        )

    @routes.get("/frameworks/{framework_id}/trial", summary="What a case would go through under a version: a dry run")
    def trial(
        viewer: Reads,
        framework_id: str,
        case: Annotated[str, Query(max_length=200)],
        version: Annotated[str | None, Query(max_length=50, description="The newest unless given.")] = None,
    ) -> TrialDocument:
        """Nothing is started, and nothing kept."""
        oversee(viewer)
        with database.read() as connection:
            facts_of(connection, viewer, case)
        policy = store.framework(database, framework_id, version)
        return _tried(try_out(database, policy, latest_proposal(database, case)))

    @routes.get("/frameworks/{framework_id}/{version}", summary="One version of an approval policy")
    def one_framework(viewer: Reads, framework_id: str, version: str) -> Framework:
        return store.framework(database, framework_id, version)

    @routes.post("/frameworks/check", summary="Check a framework: every problem, at its place")
    def check(viewer: Reads, text: YamlText) -> Checked:
        """Nothing is stored."""
        return _checked(database, text)[1]

    @routes.post("/frameworks", status_code=201, summary="Store a version of a framework; running cases keep theirs")
    def add(viewer: Runs, text: YamlText) -> Checked:
        run_all(viewer)
        policy, checked = _checked(database, text)
        if policy is None or checked.problems:
            problems = [
                Problem(item.where, item.problem, item.expected, FILE, item.line, item.code)
                for item in checked.problems
            ]
            raise DocumentInvalid(
                "framework_invalid", "The framework cannot be added.", problems, "Nothing was stored: correct it first."
            )
        store.add_framework(database, policy, dt.datetime.now(dt.UTC))
        return checked

    return routes


def _checked(database: Database, text: str) -> tuple[Framework | None, Checked]:
    """Raises what reading a document raises."""
    file = Path(FILE)
    policy, problems = check_text(text, file)
    warnings: list[Problem] = []
    if policy is not None and not problems:
        with database.read() as connection:
            warnings = check_text(text, file, role_counts(connection))[1]
    facts: dict[str, Any] = {name: getattr(policy, name, None) for name in ("id", "version", "digest")}
    return policy, Checked(**facts, problems=_findings(problems), warnings=_findings(warnings))


def _findings(problems: list[Problem]) -> list[Finding]:
    return [Finding.model_validate(asdict(problem)) for problem in problems]
