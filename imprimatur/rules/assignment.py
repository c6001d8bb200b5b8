"""Who is chosen out of those who could review. Pure: the same people and the same seed give the same choice."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from models.vocabulary import Pick

LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Contender:
    """Someone who could be asked: for themselves, or in the place of ``principal``.

    ``away`` says why they are asked only if nobody else can do it.
    """

    email: str
    principal: str | None = None
    away: str = ""


@dataclass(frozen=True)
class Record:
    """What a choice looks at: open tasks, when last and how often asked under this role, whether they know the case."""

    load: int = 0
    last_asked: dt.datetime | None = None
    times_asked: int = 0
    familiar: bool = False


@dataclass(frozen=True)
class Pool:
    """Those whom one reviewer rule names, with their records; ``count`` of them are wanted (None: all).

    ``claim`` offers the task to all of them, and ``count`` may take it.
    """

    contenders: tuple[Contender, ...]
    records: Mapping[str, Record] = field(default_factory=dict)
    count: int | None = None
    pick: Pick = Pick.LEAST_LOADED
    familiar: bool = False
    claim: bool = False

    def record(self, email: str) -> Record:
        return self.records.get(email, Record())


@dataclass(frozen=True)
class Draw:
    """A lottery; anyone can repeat it with :func:`draw`."""

    seed: str
    pool: tuple[str, ...]
    drawn: tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """What was chosen from one pool; ``left`` are those who are away and were not needed.

    ``seats`` of the chosen will review: all of them, unless the task is offered to them.
    """

    chosen: tuple[Contender, ...]
    left: tuple[Contender, ...] = ()
    seats: int = 0
    draws: tuple[Draw, ...] = ()


def draw(seed: str, pool: Iterable[str], number: int) -> tuple[str, ...]:
    """The first ``number`` by the SHA-256 of seed, a space and address: a place depends on nobody else's address."""
    tickets = {email: hashlib.sha256(f"{seed} {email}".encode()).hexdigest() for email in pool}
    return tuple(sorted(tickets, key=lambda email: (tickets[email], email))[:number])


def staff(pools: Sequence[Pool], needed: int, seed: str, taken: Iterable[str] = ()) -> tuple[Share, ...]:
    """Chooses from each pool in turn; nobody is chosen twice, and nobody of ``taken``.

    Those who are away are chosen where a pool has nobody else, and as far as ``needed`` people are not together.
    """
    busy, shares = set(taken), []
    for pool in pools:
        able, away = _sorted_out(pool.contenders, busy)
        share = _chosen(pool, able or away, () if not able else away, seed)
        busy |= {contender.email for contender in share.chosen}
        shares.append(share)
    for number, pool in enumerate(pools):
        missing = max(0, needed - sum(share.seats for share in shares))
        shares[number] = _with_those_away(pool, shares[number], missing, busy, seed)
        busy |= {contender.email for contender in shares[number].chosen}
    return tuple(shares)


def _sorted_out(contenders: Iterable[Contender], busy: Iterable[str]) -> tuple[list[Contender], list[Contender]]:
    """Who can be asked, each person once, and who only if nobody else can; in the order in which they were named."""
    taken = set(busy)
    able: dict[str, Contender] = {}
    away: dict[str, Contender] = {}
    contenders = list(contenders)
    for contender in sorted(contenders, key=lambda c: (c.principal or "", c.email)):
        email, principal = contender.email, contender.principal
        if contender.away:
            away.setdefault(email, contender)
        elif email not in taken and email not in able:
            able[email] = contender
        elif principal is not None:
            away.setdefault(principal, Contender(principal, away=f"is represented by {email}, who is asked already"))
    places = reversed(list(enumerate(contenders)))
    by_name = {contender.principal or contender.email: place for place, contender in places}

    def named(contender: Contender) -> int:
        return by_name[contender.principal or contender.email]

    left = [contender for email, contender in away.items() if email not in taken and email not in able]
    return sorted(able.values(), key=named), sorted(left, key=named)


def _chosen(pool: Pool, candidates: Sequence[Contender], left: Sequence[Contender], seed: str) -> Share:
    wanted = len(candidates) if pool.claim or pool.count is None else pool.count
    chosen, draws = _pick(pool, candidates, wanted, seed)
    rest = [contender for contender in candidates if contender.away and contender not in chosen]
    return Share(chosen, (*left, *rest), _seats(pool, len(chosen)), draws)


def _with_those_away(pool: Pool, share: Share, missing: int, busy: set[str], seed: str) -> Share:
    free = [contender for contender in share.left if contender.email not in busy]
    room = len(free) if pool.count is None else pool.count - share.seats
    added, draws = _pick(pool, free, min(missing, room), seed)
    if not added:
        return share
    chosen = (*share.chosen, *added)
    left = tuple(contender for contender in share.left if contender not in added)
    return Share(chosen, left, _seats(pool, len(chosen)), (*share.draws, *draws))


def _seats(pool: Pool, chosen: int) -> int:
    return min(chosen, pool.count) if pool.claim and pool.count is not None else chosen


def _pick(
    pool: Pool, candidates: Sequence[Contender], number: int, seed: str
) -> tuple[tuple[Contender, ...], tuple[Draw, ...]]:
    """The first ``number`` in the pool's order; a draw is recorded where it made a difference."""
    if number >= len(candidates):
        return tuple(candidates), ()
    known = [contender for contender in candidates if pool.familiar and pool.record(contender.email).familiar]
    others = [contender for contender in candidates if contender not in known]
    first = _in_order(pool, known, seed)[:number]
    rest, draws = _in_order(pool, others, seed)[: number - len(first)], []
    for drawn_from, drawn in ((known, first), (others, rest)):
        if pool.pick is Pick.LOTTERY and 0 < len(drawn) < len(drawn_from):
            draws.append(Draw(seed, tuple(sorted(c.email for c in drawn_from)), tuple(c.email for c in drawn)))
    return (*first, *rest), tuple(draws)


def _in_order(pool: Pool, candidates: Sequence[Contender], seed: str) -> list[Contender]:
    if pool.pick is Pick.LOTTERY:
        by_email = {contender.email: contender for contender in candidates}
        return [by_email[email] for email in draw(seed, by_email, len(by_email))]

    def turn(contender: Contender) -> tuple[dt.datetime, int, str]:
        # Of those who were last asked together, whoever was asked less often comes first: it was the others' turn then.
        record = pool.record(contender.email)
        return record.last_asked or LONG_AGO, record.times_asked, contender.email

    if pool.pick is Pick.ROUND_ROBIN:
        return sorted(candidates, key=turn)
    return sorted(candidates, key=lambda contender: (pool.record(contender.email).load, contender.email))
