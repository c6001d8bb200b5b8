"""What hands proposals in, without a workflow service: cases played by the real rules and commit; for tests."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from imprimatur import ids
from imprimatur.errors import ImprimaturError, NotAllowed, ProposalIncomplete
from imprimatur.rules.admission import refusal
from imprimatur.rules.completeness import FieldProblem, changed_fields
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, framework_for_kind
from imprimatur.store.pathways import required_problems
from models.events import Revised
from models.framework import Framework
from models.messages import CaseAnswer
from models.proposal import Proposal
from tests.facts import Play

if TYPE_CHECKING:
    from tests.web import Site


@dataclass
class PlayedCases:
    """``submitted`` and ``revised`` are the cases of each call; ``trouble`` is raised in the place of the next."""

    database: Database
    folder: Path
    plays: dict[str, Play] = field(default_factory=dict)
    submitted: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    trouble: ImprimaturError | None = None

    def _policy(self, proposal: Proposal, framework_id: str | None) -> Framework:
        if framework_id is None:
            return framework_for_kind(self.database, proposal.credential_kind)
        name, _, version = framework_id.partition("@")
        return framework(self.database, name, version or None)

    def lacking(self, proposal: Proposal, framework_id: str) -> Sequence[FieldProblem]:
        with self.database.read() as connection:
            return required_problems(connection, proposal, self._policy(proposal, framework_id))

    async def submit(
        self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
    ) -> CaseAnswer:
        self._fail()
        case = case_id or ids.new_case_id()
        return await asyncio.to_thread(self._submit, proposal, proposer, framework_id, case)

    def _submit(self, proposal: Proposal, proposer: str, framework_id: str | None, case: str) -> CaseAnswer:
        self.submitted.append(case)
        if case not in self.plays:
            policy = self._policy(proposal, framework_id)
            play = self.plays[case] = Play(self.database, self.folder, policy, case)
            play.submit(proposal, by=proposer)
        return self._answer(case, proposal)

    async def revise(self, case_id: str, proposal: Proposal, *, actor: str) -> tuple[CaseAnswer, list[str]]:
        self._fail()
        return await asyncio.to_thread(self._revise, case_id, proposal, actor)

    def _revise(self, case_id: str, proposal: Proposal, actor: str) -> tuple[CaseAnswer, list[str]]:
        play = self.plays[case_id]
        refused = refusal(play.state, Revised(actor=actor, digest=proposal.digest, complete=True, changed=()))
        if refused is not None:
            raise NotAllowed(refused.code, refused.message, refused.hint)
        with self.database.read() as connection:
            before = proposal_by_digest(connection, play.state.digest)
        self.revised.append(case_id)
        play.revise(proposal)
        return self._answer(case_id, proposal), changed_fields(before, proposal)

    def _answer(self, case: str, proposal: Proposal) -> CaseAnswer:
        play = self.plays[case]
        with self.database.read() as connection:
            lacking = required_problems(connection, proposal, play.framework, case)
        if lacking:
            problems = [{"field": item.field, "problem": item.problem, "why": item.why} for item in lacking]
            raise ProposalIncomplete("proposal_incomplete", "It lacks things.", problems=problems, case_id=case)
        state = play.state
        return CaseAnswer(
            case_id=case,
            status=state.status,
            version=state.version,
            round=state.round,
            position=state.seq,
            digest=state.digest,
        )

    def _fail(self) -> None:
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble


class Populated:
    """The pages of ``populated``, made once; each test gets a copy."""

    def __init__(self, migrated_file: Path, folder: Path) -> None:
        # The site of the pages imports this module.
        from tests.pages import populated

        self._file = folder / "populated.db"
        shutil.copyfile(migrated_file, self._file)
        database = Database(f"sqlite:///{self._file}")
        self._play = populated(database, folder).play
        database.close()
        with sqlite3.connect(self._file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def copy(self, folder: Path) -> "Iterator[Site]":
        from tests.web import Site

        shutil.copyfile(self._file, folder / "pages.db")
        database = Database(f"sqlite:///{folder / 'pages.db'}")
        play = Play(database, folder, self._play.framework, self._play.case_id, self._play.now)
        play.state, play.plan, play.steps = self._play.state, self._play.plan, list(self._play.steps)
        yield Site(play)
        database.close()
