"""Builds what happened: a case played through the real rules and the real commit, without Temporal."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from activities.commit import Committer
from imprimatur import ids
from imprimatur.frameworks.loader import handovers, load_proposal, reviews, shipped
from imprimatur.frameworks.tracks import course_of
from imprimatur.gateway import identified
from imprimatur.rules.admission import refusal
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.completeness import FieldProblem, changed_fields
from imprimatur.rules.plan import plan_in_force, plan_of
from imprimatur.rules.transition import following, settle, transition
from imprimatur.store.documents import proposal_by_digest, put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.pathways import required_problems
from imprimatur.store.people import import_people
from models.case import CaseState
from models.commit import Resolution, Step
from models.conditions import Condition
from models.events import Decided, Event, Revised, Submitted, Ticked, Withdrawn
from models.framework import Framework
from models.plan import Plan
from models.proposal import Proposal
from models.tables import CaseRow, LedgerRow
from models.vocabulary import CaseStatus, EventType, Verdict

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
BASE_URL = "https://credentials.example.edu"
START = dt.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
PROPOSER = "ana.proposer@example.edu"
OFFICE = "omar.office@example.edu"
SECOND = "lena.office@example.edu"
LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
CASE = CaseRow.__table__  # type: ignore[attr-defined]


def example(name: str) -> Proposal:
    return load_proposal(EXAMPLES / f"{name}.yaml")


def furnish(database: Database) -> None:
    """The shipped frameworks and the example directory."""
    for policy in (*shipped().values(), *reviews().values(), *handovers().values()):
        add_framework(database, policy, START)
    import_people(database, EXAMPLES / "people.csv")


def add_people(database: Database, folder: Path, *lines: str) -> None:
    """Lines of email, name, roles and active; whoever is known already is changed."""
    file = folder / "more-people.csv"
    file.write_text("\n".join(["email,name,roles,active", *lines]), encoding="utf-8")
    assert import_people(database, file).rejected == []


def amended(database: Database, framework: str, stage_id: str | None = None, **change: Any) -> Framework:
    """A shipped framework with something changed in one of its stages, or in itself, stored as another version."""
    document = shipped()[framework].model_dump(mode="json") | {"version": "99"}
    for part in [document] if stage_id is None else [s for s in document["stages"] if s["id"] == stage_id]:
        part |= change
    policy = Framework.model_validate(document)
    add_framework(database, policy, START)
    return policy


def first_shipped(framework: str) -> Framework:
    """Version 1.0 of a shipped framework: it knew no reviews."""
    document = shipped()[framework].model_dump(mode="json") | {"version": "1.0", "review": None}
    return Framework.model_validate(document)


def planned(state: CaseState, event: Event, plan: Plan, at: dt.datetime) -> tuple[CaseState, Step | None]:
    """The step that an event causes; None where it has nothing to write."""
    after, effects = transition(state, event, plan, at)
    if not effects:
        return after, None
    return after, Step(
        event=event,
        at=at,
        case_id=after.case_id,
        seq=after.seq,
        framework_digest=plan.digest,
        digest=after.digest,
        status=after.status,
        round=after.round,
        version=after.version,
        effects=effects,
    )


class Play:
    """One case in motion; a minute passes between acts."""

    def __init__(
        self,
        database: Database,
        published_dir: Path,
        framework: str | Framework = "industry-credit",
        case_id: str = "mc-abcdefghijkl",
        at: dt.datetime = START,
    ) -> None:
        self.database = database
        self.published_dir = published_dir
        self.framework = shipped()[framework] if isinstance(framework, str) else framework
        self.plan = plan_of(self.framework)
        self.state = CaseState(case_id=case_id)
        self.now = at
        self.woken = 0
        self.steps: list[Step] = []
        self.committer = Committer(
            database, base_url=BASE_URL, published_dir=published_dir, after_mail=self._count_wake_up
        )

    @property
    def case_id(self) -> str:
        return self.state.case_id

    def _count_wake_up(self) -> None:
        self.woken += 1

    def submit(self, proposal: Proposal, by: str = PROPOSER) -> None:
        self.act(self._submission(proposal).model_copy(update={"actor": by}))

    def first_step(self, proposal: Proposal) -> Step:
        """What submitting would write; nothing is written but the document."""
        _, step = planned(self.state, self._submission(proposal), self.plan, self.now)
        assert step is not None
        return step

    def _submission(self, proposal: Proposal) -> Submitted:
        complete = not self._lacking(proposal)
        self.plan, selection = course_of(self.framework, proposal)
        return Submitted(actor=PROPOSER, digest=self.keep(proposal), complete=complete, selection=selection)

    def decide(
        self,
        stage: str,
        verdict: Verdict = Verdict.APPROVE,
        comment: str = "",
        conditions: Sequence[Condition] = (),
        **scores: int,
    ) -> str:
        """The stage's first open task; answers its id."""
        task = self.state.open_tasks(stage)[0]
        given = identified(task.id, conditions)
        decision = ids.decision_id(task.id, task.assignee, verdict, comment, scores, [item.id for item in given])
        self.act(
            Decided(
                decision_id=decision,
                task_id=task.id,
                actor=task.assignee,
                verdict=verdict,
                comment=comment,
                scores=scores,
                conditions=given,
            )
        )
        return task.id

    def revise(self, proposal: Proposal) -> None:
        with self.database.read() as connection:
            before = proposal_by_digest(connection, self.state.digest)
        complete = not self._lacking(proposal)
        changed = tuple(changed_fields(before, proposal))
        plan, selection = course_of(self.framework, proposal) if complete else (None, None)
        self.act(
            Revised(
                actor=self.state.proposer,
                digest=self.keep(proposal),
                complete=complete,
                changed=changed,
                plan=plan if selection else None,
                selection=selection,
            )
        )

    def _lacking(self, proposal: Proposal) -> Sequence[FieldProblem]:
        with self.database.read() as connection:
            return required_problems(connection, proposal, self.framework, self.case_id)

    def withdraw(self, reason: str) -> None:
        self.act(Withdrawn(actor=PROPOSER, reason=reason))

    def office(self, kind: type[Any], *, actor: str = OFFICE, **facts: Any) -> None:
        """An act of the office, with a reason where it takes one."""
        if "reason" in kind.model_fields:
            facts.setdefault("reason", "it has to be")
        self.act(kind(actor=actor, by_office=True, **facts))

    def pass_time(self, span: dt.timedelta) -> None:
        until = self.now + span
        while (deadline := next_deadline(self.state)) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self._run(Ticked())
        self.now = until

    def act(self, event: Event) -> None:
        refused = refusal(self.state, event, self.plan)
        assert refused is None, refused
        self.now += MINUTE
        self._run(event)

    def _run(self, event: Event) -> None:
        coming: Event | None = event
        while coming is not None:
            self.plan = plan_in_force(self.plan, coming)
            state, step = planned(self.state, coming, self.plan, self.now)
            self.state = settle(state, self._commit(step)) if step is not None else state
            coming = following(self.state, self.plan)

    def _commit(self, step: Step) -> Resolution:
        self.steps.append(step)
        [answer] = self.committer.write_steps([step])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def keep(self, proposal: Proposal) -> str:
        with self.database.write() as connection:
            return put_proposal(connection, proposal)


def whole_story(
    database: Database, published_dir: Path, case_id: str = "mc-abcdefghijkl", at: dt.datetime = START, **said: Any
) -> Play:
    """A case that knows nearly everything: a breach, an escalation, a revision round, publication."""
    play = Play(database, published_dir, case_id=case_id, at=at)
    play.submit(example("industry-credit").model_copy(update=said))
    play.decide("proposal", fit=4, no_duplication=3)
    play.pass_time(dt.timedelta(days=45))
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("quality", Verdict.REQUEST_CHANGES, "Wie wird Forschungsethik gesichert? 研究倫理 🎓", outcomes=2)
    play.revise(example("industry-credit.revised").model_copy(update=said))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, comment="Well done.", outcomes=4)
    return play


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in one order."""
    with database.read() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }


def ledger_rows(database: Database, case_id: str) -> list[dict[str, Any]]:
    query = select(LEDGER).where(LEDGER.c.case_id == case_id).order_by(LEDGER.c.position)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def event_types(database: Database, case_id: str) -> list[EventType]:
    return [EventType(row["type"]) for row in ledger_rows(database, case_id)]
