"""Who reviews a stage. Read when it happens, never when the case starts."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from activities.book import Book
from activities.resolving import local_date
from imprimatur.rules.assignment import Contender, Draw, Pool, Record, Share, staff
from imprimatur.rules.standing import Bench, Matter
from imprimatur.store.people import PersonEntry, holders, open_task_counts, unit_members
from imprimatur.store.standing import facts_of, turns
from models.case import Offer
from models.effects import RecordDecision
from models.framework import ReviewerRule, StageDef
from models.proposal import Partner, Proposal
from models.tables import TaskRow
from models.vocabulary import AssignmentReason, Pick, StageKind, TaskStatus, Verdict

OWN_UNIT = "own"
PARTNER_ROLE = "industry_partner"


@dataclass(frozen=True)
class Candidate:
    """A person and the hat they would wear; perhaps in someone's place, perhaps with others to choose from."""

    email: str
    name: str
    reason: AssignmentReason
    role: str | None = None
    on_behalf_of: str | None = None
    offer: Offer | None = None
    on_offer: bool = False


@dataclass(frozen=True)
class Found:
    """``people`` is how many of the candidates will review; reasons are ends of sentences, by person."""

    candidates: tuple[Candidate, ...]
    people: int
    passed_over: dict[str, str]
    although_away: dict[str, str]
    draws: tuple[Draw, ...] = ()

    @property
    def reasons(self) -> str:
        return "; ".join(f"{person} {why}" for person, why in self.passed_over.items())


@dataclass(frozen=True)
class _Wanted:
    """The people whom one rule names, and how to choose from them."""

    candidates: Sequence[Candidate]
    count: int | None = None
    pick: Pick = Pick.LEAST_LOADED
    familiar: bool = False
    claim: bool = False
    rule: int = 0

    @property
    def role(self) -> str | None:
        return self.candidates[0].role if self.candidates else None


def find_reviewers(book: Book, stage: StageDef, round_number: int) -> Found:
    """Those whom the stage's rules name, each once, by the first rule that chooses them."""
    wanted = [_wanted(book, rule, number) for number, rule in enumerate(stage.reviewers)]
    needed = stage.voting.least_people if stage.voting else 0
    # Where nobody waits for an answer, whoever is away is told all the same.
    return _find(book, stage, round_number, wanted, needed=needed, leave_counts=stage.voting is not None)


def find_holders(
    book: Book,
    stage: StageDef,
    round_number: int,
    role: str,
    count: int | None,
    reason: AssignmentReason = AssignmentReason.ESCALATION,
) -> Found:
    """Holders of ``role`` who were not asked in this round yet: for an escalation, or to take someone's place."""
    pool = _as_candidates(holders(book.connection, role), reason, role)
    taken = book.people_of_round(stage.id, round_number)
    return _find(book, stage, round_number, [_Wanted(pool, count)], taken=taken)


def find_confirmers(book: Book, stage: StageDef, round_number: int, approved: Sequence[dict[str, Any]]) -> Found:
    """Whoever ``approved`` by these tasks, or stands in for them; nobody, unless each of them can be asked.

    Nobody else can confirm, so whoever is away without a deputy is asked all the same.
    """
    reason = AssignmentReason.CONFIRMATION
    pool = [
        Candidate(task["assignee"], task["assignee_name"], reason, task["role"], task["on_behalf_of"])
        for task in approved
    ]
    found = _find(book, stage, round_number, [_Wanted(pool)], needed=len(approved))
    return found if found.people == len(approved) else replace(found, candidates=(), people=0, although_away={})


def find_others(book: Book, stage: StageDef, round_number: int) -> Found:
    """Those whom the stage's rules name beyond whoever reviews already; nobody who was asked in this round."""
    reviewing = reviewing_now(book, stage.id, round_number)
    served = Counter(task["role"] for task in reviewing)
    wanted = []
    for number, rule in enumerate(stage.reviewers):
        whole = _wanted(book, rule, number)
        if whole.count is not None:
            seats = min(whole.count, served[_role_of(rule)])
            served[_role_of(rule)] -= seats
            whole = replace(whole, count=whole.count - seats)
        if whole.count != 0:
            wanted.append(whole)
    needed = max(0, (stage.voting.least_people if stage.voting else 0) - len(reviewing))
    taken = book.people_of_round(stage.id, round_number)
    return _find(book, stage, round_number, wanted, needed=needed, taken=taken)


def reviewing_now(book: Book, stage_id: str, round_number: int) -> list[dict[str, Any]]:
    """The tasks of those who have answered or will; whoever stands aside, by this very step too, does not."""
    decided = {e.decision.task_id: e.decision.verdict for e in book.step.effects if isinstance(e, RecordDecision)}
    return [
        task
        for task in book.tasks_of_round(stage_id, round_number)
        if task["status"] in (TaskStatus.OPEN, TaskStatus.DECIDED)
        and decided.get(task["task_id"], task["verdict"]) != Verdict.RECUSE
    ]


def find_again(book: Book, stage: StageDef, round_number: int, offer: Offer, taken: Iterable[str]) -> Found:
    """Those to whom a task of this offer can be offered once more."""
    wanted = replace(_wanted(book, stage.reviewers[offer.rule], offer.rule), count=offer.seats)
    return _find(book, stage, round_number, [wanted], taken=taken)


def find_successor(book: Book, stage: StageDef, round_number: int, role: str | None) -> Found:
    """One more person of those whom the stage's rules name under ``role``; else any other holder of it."""
    named = [_wanted(book, rule, 0) for rule in stage.reviewers if _role_of(rule) == role]
    if not named and role is not None:
        named = [_Wanted(_as_candidates(holders(book.connection, role), AssignmentReason.SUCCESSION, role))]
    together = tuple(candidate for wanted in named for candidate in wanted.candidates)
    one = _Wanted(together, 1, named[0].pick if named else Pick.LEAST_LOADED)
    taken = book.people_of_round(stage.id, round_number)
    return _find(book, stage, round_number, [one], taken=taken)


def _wanted(book: Book, rule: ReviewerRule, number: int) -> _Wanted:
    pool = _pool(book.connection, rule, book.proposal)
    return _Wanted(pool, rule.most, rule.pick, rule.familiar, rule.claim, number)


def _role_of(rule: ReviewerRule) -> str | None:
    return PARTNER_ROLE if rule.partners else rule.role


def _pool(connection: Connection, rule: ReviewerRule, proposal: Proposal) -> list[Candidate]:
    unit = proposal.unit if rule.unit == OWN_UNIT else rule.unit
    if rule.role is not None:
        wanted_unit = (unit or "") if rule.unit is not None else None
        return _as_candidates(holders(connection, rule.role, wanted_unit), AssignmentReason.ROLE, rule.role)
    if rule.partners is not None:
        return _partner_contacts(proposal.partners, rule)
    if rule.addresses:
        return [Candidate(address.lower(), "", AssignmentReason.ADDRESS) for address in rule.addresses]
    return _as_candidates(unit_members(connection, unit or ""), AssignmentReason.UNIT, None)


def _as_candidates(people: list[PersonEntry], reason: AssignmentReason, role: str | None) -> list[Candidate]:
    return [Candidate(person.email, person.name, reason, role) for person in people]


def _partner_contacts(partners: tuple[Partner, ...], rule: ReviewerRule) -> list[Candidate]:
    wanted = [partner for partner in partners if partner.signers(all_of_them=rule.signatories)]
    if rule.partners == "lead":
        wanted = ([partner for partner in wanted if partner.lead] or wanted)[:1]
    candidates: dict[str, Candidate] = {}
    for partner in wanted:
        for email, name in partner.signers(all_of_them=rule.signatories):
            candidates.setdefault(email, Candidate(email, name, AssignmentReason.PARTNER, PARTNER_ROLE))
    return list(candidates.values())


def _find(
    book: Book,
    stage: StageDef,
    round_number: int,
    wanted: Sequence[_Wanted],
    *,
    needed: int = 0,
    taken: Iterable[str] = (),
    leave_counts: bool = True,
) -> Found:
    busy = {email.lower() for email in taken}
    named = {candidate.email for rule in wanted for candidate in rule.candidates} - busy
    if not named:
        return Found((), 0, {}, {})
    bench = _bench(book, stage, named)
    barred: dict[str, str] = {}
    pools = []
    for rule in wanted:
        contenders = []
        for candidate in rule.candidates:
            against = None if candidate.email in busy else bench.barrier(candidate.email, candidate.role)
            if against:
                barred.setdefault(candidate.email, against)
            elif candidate.email not in busy:
                contenders.append(bench.contender(candidate.email, candidate.role, leave_counts=leave_counts))
        pools.append(Pool(tuple(contenders), {}, rule.count, rule.pick, rule.familiar, rule.claim))
    shares = staff(_with_records(book, stage, round_number, wanted, pools), needed, book.head, busy)
    return _as_found(bench, wanted, shares, barred)


def _bench(book: Book, stage: StageDef, people: Collection[str]) -> Bench:
    framework, proposal = book.framework, book.proposal
    on = local_date(framework, stage, book.step.at)
    facts = facts_of(book.connection, people, on, framework=framework.id, stage=stage.id, unit=proposal.unit)
    # Whoever is only informed decides nothing, whatever else they do.
    two_hats = framework.two_hats or stage.kind is StageKind.INFORMATION
    held = () if two_hats else book.hats()
    return Bench(Matter.of(book.proposer, proposal), held, two_hats, facts)


def _with_records(
    book: Book, stage: StageDef, round_number: int, wanted: Sequence[_Wanted], pools: Sequence[Pool]
) -> list[Pool]:
    """Looks up what a choice depends on, where there is one: two queries at most, however many people there are."""
    choices = [(rule, pool) for rule, pool in zip(wanted, pools, strict=True) if _chooses(pool)]
    people = {person for _, pool in choices for c in pool.contenders for person in (c.email, c.principal) if person}
    if not people:
        return list(pools)
    # Steps that are written together do not see each other's tasks in the database yet.
    waiting = [task for task in book.rows.awaiting(TaskRow) if task["assignee"] in people]
    load = _load(book, people, waiting) if any(pool.pick is Pick.LEAST_LOADED for _, pool in choices) else Counter()
    known = _reviewed_before(book, stage, round_number) if any(pool.familiar for pool in pools) else set()
    turns_by_rule = [_turns(book, rule, pool, people, waiting) for rule, pool in zip(wanted, pools, strict=True)]
    recorded = []
    for pool, asked in zip(pools, turns_by_rule, strict=True):
        records = {}
        for email in people:
            last_asked, times = asked.get(email, (None, 0))
            records[email] = Record(load[email], last_asked, times, email in known)
        recorded.append(replace(pool, records=records))
    return recorded


def _load(book: Book, people: Collection[str], waiting: Iterable[dict[str, Any]]) -> Counter[str]:
    load = Counter(open_task_counts(book.connection, sorted(people)))
    load.update(task["assignee"] for task in waiting if task["status"] == TaskStatus.OPEN)
    return load


def _turns(
    book: Book, rule: _Wanted, pool: Pool, people: Collection[str], waiting: Iterable[dict[str, Any]]
) -> dict[str, tuple[dt.datetime, int]]:
    if pool.pick is not Pick.ROUND_ROBIN or not _chooses(pool):
        return {}
    found = turns(book.connection, people, rule.role)
    for task in waiting:
        if task["role"] == rule.role:
            at, times = found.get(task["assignee"], (task["opened_at"], 0))
            found[task["assignee"]] = (max(at, task["opened_at"]), times + 1)
    return found


def _chooses(pool: Pool) -> bool:
    return pool.count is not None and not pool.claim and len(pool.contenders) > pool.count


def _reviewed_before(book: Book, stage: StageDef, round_number: int) -> set[str]:
    """Who decided this stage in the last round that it had; whoever stood aside did not."""
    earlier = [t for t in book.tasks().values() if t["stage"] == stage.id and t["round"] < round_number]
    last = max((task["round"] for task in earlier), default=0)
    return {
        task["assignee"]
        for task in earlier
        if task["round"] == last and task["status"] == TaskStatus.DECIDED and task["verdict"] != Verdict.RECUSE
    }


def _as_found(bench: Bench, wanted: Sequence[_Wanted], shares: Sequence[Share], barred: dict[str, str]) -> Found:
    candidates: list[Candidate] = []
    away: dict[str, str] = {}
    for rule, share in zip(wanted, shares, strict=True):
        by_email = {candidate.email: candidate for candidate in reversed(rule.candidates)}
        offer = Offer(rule=rule.rule, seats=share.seats) if rule.claim else None
        for contender in share.chosen:
            candidate = _standing_in(bench, by_email, contender)
            candidates.append(replace(candidate, offer=offer, on_offer=rule.claim))
            away |= {contender.email: contender.away} if contender.away else {}
        barred |= {contender.email: contender.away for contender in share.left}
    chosen = {candidate.email for candidate in candidates}
    return Found(
        tuple(candidates),
        sum(share.seats for share in shares),
        {person: why for person, why in barred.items() if person not in chosen},
        away,
        tuple(draw for share in shares for draw in share.draws),
    )


def _standing_in(bench: Bench, by_email: dict[str, Candidate], contender: Contender) -> Candidate:
    if contender.principal is None:
        return by_email[contender.email]
    deputies = bench.facts.deputies[contender.principal]
    name = next(deputy.name for deputy in deputies if deputy.email == contender.email)
    return replace(by_email[contender.principal], email=contender.email, name=name, on_behalf_of=contender.principal)
