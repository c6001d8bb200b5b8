"""The ledger of a case as a timeline: what happened, how much business time lay between, and who held the case."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from imprimatur.errors import InputError, NotFound
from imprimatur.history.chain import digest_of
from imprimatur.history.export import LedgerEvent, history
from imprimatur.history.figures.measuring import FrameworkCalendars
from imprimatur.history.sentences import sentence
from imprimatur.rules.ledger import GENESIS
from imprimatur.rules.measures import held_spans
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.people import people_by_email
from models.tables import CaseRow
from models.vocabulary import CaseStatus, EventType, Party

_CASE = CaseRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Chosen:
    """Which events are shown; what is empty chooses nothing."""

    kind: str = ""
    actor: str = ""
    stage: str = ""

    def check(self) -> None:
        """Raises InputError ``event_type_unknown``."""
        if self.kind and self.kind not in list(EventType):
            raise InputError(
                "event_type_unknown",
                f"There is no kind {self.kind!r} of events.",
                "See docs/terminology.md for those there are.",
            )

    def holds(self, event: LedgerEvent) -> bool:
        return self.kind in ("", event.type) and self.actor in ("", event.actor) and self.stage in ("", stage_of(event))


@dataclass(frozen=True)
class Moment:
    """One event; ``seconds`` of business time since the event shown before it, while ``parties`` held the case."""

    event: LedgerEvent
    told: str
    seconds: int
    parties: tuple[Party, ...]


@dataclass(frozen=True)
class Timeline:
    """``kinds``, ``actors`` and ``stages`` are those that the whole ledger has; ``names`` are people's, by address.

    ``since`` tells the time since the last event of a case in motion, and who has held it.
    """

    title: str
    status: CaseStatus
    time_zone: str
    events: int
    moments: Sequence[Moment]
    since: tuple[int, tuple[Party, ...]]
    kinds: Sequence[str]
    actors: Sequence[str]
    stages: Sequence[str]
    names: dict[str, str]


def stage_of(event: LedgerEvent) -> str:
    stage = event.data.get("stage")
    return stage if isinstance(stage, str) else ""


def timeline(database: Database, case_id: str, chosen: Chosen, now: dt.datetime) -> Timeline:
    """Raises InputError ``event_type_unknown``, and what ``history`` raises."""
    chosen.check()
    events = history(database, case_id)
    with database.read() as connection:
        case = connection.execute(select(_CASE).where(_CASE.c.case_id == case_id)).mappings().one()
        status = CaseStatus(case["status"])
        # A case whose clock was moved may be ahead of real time.
        until = None if status.is_final else max([now, *(event.at for event in events[-1:])])
        spans = list(held_spans((event.model_dump() for event in events), FrameworkCalendars(connection), until))
        zone = framework_by_digest(connection, case["framework_digest"]).calendar_of(None).time_zone
        names = _names(connection, {event.actor for event in events})
    return Timeline(
        title=case["title"],
        status=status,
        time_zone=zone,
        events=len(events),
        moments=_moments(events, spans, chosen),
        since=spans[len(events)] if len(spans) > len(events) else (0, ()),
        kinds=sorted({str(event.type) for event in events}),
        actors=sorted({event.actor for event in events}, key=lambda actor: (names.get(actor, actor), actor)),
        stages=list(dict.fromkeys(stage for event in events if (stage := stage_of(event)))),
        names=names,
    )


def _moments(
    events: Sequence[LedgerEvent], spans: Sequence[tuple[int, tuple[Party, ...]]], chosen: Chosen
) -> list[Moment]:
    """What lies between two events that are shown is the sum of what lies between all events there."""
    found: list[Moment] = []
    seconds, parties = 0, set[Party]()
    for event, (passed, holders) in zip(events, spans, strict=False):
        seconds += passed
        parties |= set(holders) if passed else set()
        if chosen.holds(event):
            held = tuple(party for party in Party if party in parties)
            found.append(Moment(event, sentence(event), seconds if found else 0, held if found else ()))
            seconds, parties = 0, set()
    return found


def _names(connection: Connection, emails: set[str]) -> dict[str, str]:
    return {person.email: person.name for person in people_by_email(connection, sorted(emails))}


@dataclass(frozen=True)
class Link:
    """One event in its chain. ``fits``: its digest is that of its content; ``follows``: it names the event before."""

    event: LedgerEvent
    told: str
    actor_name: str
    fits: bool
    follows: bool
    last: int

    @property
    def is_whole(self) -> bool:
        return self.fits and self.follows


def link_at(database: Database, case_id: str, position: int) -> Link:
    """Raises NotFound ``event_unknown``, and what ``history`` raises."""
    events = history(database, case_id)
    found = next((event for event in events if event.position == position), None)
    if found is None:
        raise NotFound("event_unknown", f"{case_id} has no event {position}.", f"It has events 1 to {len(events)}.")
    before = next((event.digest for event in events if event.position == position - 1), None)
    with database.read() as connection:
        names = _names(connection, {found.actor})
    return Link(
        event=found,
        told=sentence(found),
        actor_name=names.get(found.actor, ""),
        fits=digest_of(case_id, found.model_dump()) == found.digest,
        follows=found.previous == (GENESIS if position == 1 else before),
        last=len(events),
    )
