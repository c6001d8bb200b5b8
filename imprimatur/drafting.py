"""Writing a proposal: begun empty, from a file, as a copy or as a case's next version; and handed in, once."""

import datetime as dt
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Scope, Viewer
from imprimatur.errors import DocumentInvalid, ImprimaturError, NotAllowed, Problem, ProposalIncomplete, Refused
from imprimatur.frameworks.forms import Body, Reading, Wrong, reading, typed
from imprimatur.frameworks.loader import proposal_of_text
from imprimatur.frameworks.tracks import select_track
from imprimatur.rules.completeness import FieldProblem, Progress, changed_fields, missing, progress
from imprimatur.store import attachments, drafts
from imprimatur.store.access import within
from imprimatur.store.case_reading import acts_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.drafts import Draft
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, framework_by_digest
from imprimatur.store.overlaps import Overlaps
from imprimatur.store.pathways import required_problems
from models.framework import Framework
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.tables import CaseRow, PublicationRow, VersionRow
from models.tracks import Selection

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]


class Cases(Protocol):
    """What handing in needs of the gateway."""

    async def submit(
        self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
    ) -> CaseAnswer: ...

    async def revise(self, case_id: str, proposal: Proposal, *, actor: str) -> tuple[CaseAnswer, list[str]]: ...


@dataclass(frozen=True)
class Present:
    """A version of a case, as it stands now."""

    case_id: str
    version: int
    framework: Framework
    proposal: Proposal
    proposer: str


@dataclass(frozen=True)
class Standing:
    """How far a draft is: what cannot be read, what its framework finds missing, and which way it would go.

    ``present`` is the version that a revision replaces.
    """

    policy: Framework
    read: Reading
    lacking: tuple[FieldProblem, ...]
    recommended: tuple[FieldProblem, ...]
    progress: Progress
    selection: Selection | None
    present: Present | None

    @property
    def unsaid(self) -> list[FieldProblem]:
        """What is lacking, but for what somebody did say, in a way that cannot be read."""
        unread = {_field(item.name) for item in self.read.wrong}
        return [item for item in self.lacking if item.field not in unread]

    @property
    def changed(self) -> list[str]:
        return changed_fields(self.present.proposal, self.read.usable) if self.present else []


@dataclass(frozen=True)
class Alike:
    """A case that the proposal resembles, with where to read it: a path."""

    title: str
    path: str
    likeness: float


def proposer(viewer: Viewer) -> Viewer:
    """Raises NotAllowed ``proposing_not_allowed``."""
    if not viewer.proposes:
        raise NotAllowed(
            "proposing_not_allowed",
            "An auditor looks, and proposes nothing.",
            "Ask the governance office for another role if you should propose.",
        )
    return viewer


# --- beginning --------------------------------------------------------------------------------------------------------


def begin(database: Database, viewer: Viewer, framework_id: str, now: dt.datetime) -> str:
    """An empty draft under the newest version of a framework. Raises NotFound ``framework_unknown``."""
    return _begun(database, viewer, framework_id, Proposal(), now)


def begin_from_file(
    database: Database, viewer: Viewer, framework_id: str, name: str, content: bytes, now: dt.datetime
) -> str:
    """Raises DocumentInvalid ``proposal_invalid`` and what reading a document raises."""
    proposal = proposal_of_text(content, PurePath(name).name or "proposal.yaml")
    if not framework_id:
        raise Refused("framework_unchosen", "No framework was chosen.", "Choose one, and send the file again.")
    return _begun(database, viewer, framework_id, proposal, now)


def begin_with(database: Database, viewer: Viewer, framework_id: str, proposal: Proposal, now: dt.datetime) -> str:
    """A draft that says what a proposal says. Raises NotFound ``framework_unknown``."""
    return _begun(database, viewer, framework_id, proposal, now)


def begin_copy(database: Database, viewer: Viewer, framework_id: str, case_id: str, now: dt.datetime) -> str:
    """A copy of a case's proposal, with its files. Raises NotFound ``case_unseen``."""
    acts_of(database, viewer, case_id)
    present = present_version(database, case_id)
    begun = _begun(database, viewer, framework_id or present.framework.id, present.proposal, now)
    attachments.hold(database, present.proposal.attachments, viewer.person, present.proposer)
    return begun


def _begun(database: Database, viewer: Viewer, framework_id: str, proposal: Proposal, now: dt.datetime) -> str:
    policy = framework(database, framework_id)
    kind = {"credential_kind": policy.credential_kind}
    return drafts.begin(database, proposer(viewer).person, policy.id, typed(proposal.model_copy(update=kind)), now)


def begin_revision(
    database: Database, viewer: Viewer, case_id: str, now: dt.datetime, file: tuple[str, bytes] | None = None
) -> str:
    """The draft of a case's next version: the one there is, else the present version, or what a file says.

    Raises NotAllowed with the reason why the viewer may not revise; NotFound ``case_unseen``.
    """
    may_revise(database, viewer, case_id)
    present = present_version(database, case_id)
    proposal = present.proposal if file is None else proposal_of_text(file[1], PurePath(file[0]).name)
    body = typed(proposal)
    begun = drafts.begin(database, viewer.person, present.framework.id, body, now, case=case_id, of=present.version)
    if file is not None:
        found = drafts.draft(database, viewer.person, begun)
        drafts.save(database, found, body, now, revision=0, tab="", anyway=True)
    return begun


def may_revise(database: Database, viewer: Viewer, case_id: str) -> None:
    """Raises NotAllowed ``revision_not_possible``, NotFound ``case_unseen``."""
    denied = acts_of(database, viewer, case_id)[CaseAct.REVISE]
    if denied is not None:
        raise NotAllowed("revision_not_possible", denied.sentence, "The page of the case says what you may do.")


def present_version(database: Database, case_id: str) -> Present:
    with database.read() as connection:
        return _present(connection, case_id)


def _present(connection: Connection, case_id: str) -> Present:
    columns = (_CASE.c.framework_digest, _CASE.c.version, _VERSION.c.digest, _VERSION.c.submitted_by)
    latest = (_VERSION.c.case_id == _CASE.c.case_id) & (_VERSION.c.version == _CASE.c.version)
    row = connection.execute(select(*columns).join(_VERSION, latest).where(_CASE.c.case_id == case_id)).one()
    policy = framework_by_digest(connection, row.framework_digest)
    return Present(case_id, row.version, policy, proposal_by_digest(connection, row.digest), row.submitted_by)


# --- how far it is ----------------------------------------------------------------------------------------------------


def standing(database: Database, draft: Draft) -> Standing:
    """By the rules that the case itself is admitted by."""
    policy = None if draft.case_id else framework(database, draft.framework)
    with database.read() as connection:
        present = _present(connection, draft.case_id) if draft.case_id else None
        policy = present.framework if present else policy
        assert policy is not None
        found = reading(_of_kind(draft.body, policy))
        lacking = required_problems(connection, found.usable, policy, draft.case_id)
    unread = {_field(item.name) for item in found.wrong}
    return Standing(
        policy,
        found,
        lacking,
        missing(found.usable, policy).recommended,
        progress(policy, {item.field for item in lacking} | unread),
        select_track(policy, found.usable),
        present,
    )


def _of_kind(body: Body, policy: Framework) -> Body:
    return body | {"credential_kind": str(policy.credential_kind)}


def _field(name: str) -> str:
    """The field of a framework's rules that a place of the form belongs to: ``partners.1.logo`` is partners.logo."""
    return ".".join([part for part in name.split(".") if not part.isdecimal()][:2])


def alike(database: Database, overlaps: Overlaps, scope: Scope, proposal: Proposal, besides: str | None) -> list[Alike]:
    """What the proposal resembles, of all that is published and of the cases that the scope holds."""
    found = overlaps.of(proposal, besides=[besides] if besides else [])
    cases = [item.case_id for item in found]
    with database.read() as connection:
        published = connection.execute(
            select(_PUBLICATION.c.case_id, _PUBLICATION.c.slug).where(_PUBLICATION.c.case_id.in_(cases))
        )
        paths = {row.case_id: f"/catalogue/{row.slug}" for row in published}
        seen = connection.execute(select(_CASE.c.case_id).where(_CASE.c.case_id.in_(cases), within(scope)))
        paths |= {case: f"/cases/{case}" for case in seen.scalars() if case not in paths}
    return [Alike(item.title, paths[item.case_id], item.likeness) for item in found if item.case_id in paths]


# --- handing in -------------------------------------------------------------------------------------------------------


async def hand_in(cases: Cases, database: Database, draft: Draft, now: Standing) -> str:
    """Submits a draft, or revises its case with it; answers the case's id, and the draft is no more.

    What is incomplete is kept by the case, and returned to the proposer there. Twice the same draft is one case.
    Raises DocumentInvalid ``proposal_invalid``, Refused ``draft_outdated`` or ``draft_submitted_before``.
    """
    if now.read.wrong:
        raise _unreadable(now.read.wrong)
    proposal, case_id = now.read.usable, draft.case_id or ids.drafted_case_id(draft.draft_id)
    try:
        if now.present is None:
            if _handed_in_before(database, case_id, proposal):
                drafts.remove(database, draft.owner, draft.draft_id)
                return case_id
            await cases.submit(proposal, proposer=draft.owner, framework_id=draft.framework, case_id=case_id)
        elif proposal.digest == now.present.proposal.digest and draft.version < now.present.version:
            # The revision was recorded, and nobody was told.
            pass
        else:
            _still_of_this_version(draft, now.present)
            await cases.revise(case_id, proposal, actor=draft.owner)
    except ProposalIncomplete:
        # It is a case, or a version of it, all the same.
        pass
    drafts.remove(database, draft.owner, draft.draft_id)
    return case_id


def over_later_version(database: Database, draft: Draft, now: Standing) -> Draft:
    """The draft as one of the version that the case has by now: its owner has seen what came meanwhile."""
    if now.present is None:
        return draft
    drafts.rebase(database, draft, now.present.version)
    return draft.model_copy(update={"version": now.present.version})


def _unreadable(wrong: tuple[Wrong, ...]) -> ImprimaturError:
    problems = [Problem(item.name, item.problem, item.expected) for item in wrong]
    return DocumentInvalid(
        "proposal_invalid", f"{len(problems)} of the fields cannot be used.", problems, "Correct them and try again."
    )


def _handed_in_before(database: Database, case_id: str, proposal: Proposal) -> bool:
    with database.read() as connection:
        known = connection.execute(select(_CASE.c.digest).where(_CASE.c.case_id == case_id)).scalar()
    if known is not None and known != proposal.digest:
        raise Refused(
            "draft_submitted_before",
            f"This draft was submitted before, as {case_id}, and has been changed since.",
            "Open the case: what came of it stands there. Copy the draft's changes into its next version.",
        )
    return known is not None


def _still_of_this_version(draft: Draft, present: Present) -> None:
    if draft.version != present.version:
        raise Refused(
            "draft_outdated",
            f"Version {present.version} of the proposal came after this draft was begun from version {draft.version}.",
            "Compare the two; hand it in all the same if yours is right.",
        )
