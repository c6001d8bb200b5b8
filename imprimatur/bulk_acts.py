"""The acts of the office that can be done to many cases at once, and what each must be told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imprimatur import ids
from imprimatur.bulk import BulkAct, Selection
from imprimatur.errors import InputError
from imprimatur.gateway import Gateway
from imprimatur.office import Office
from imprimatur.store import bulk_subjects
from imprimatur.store.bulks import Item, Operation
from imprimatur.store.engine import Database
from imprimatur.store.people import active_person
from models.calendars import BusinessDuration
from models.events import (
    Act,
    ActConfirmed,
    ActProposed,
    Annulled,
    Extended,
    Held,
    Nudged,
    PassedOn,
    Resumed,
    SentBack,
    Withdrawn,
)
from models.vocabulary import OfficeAct, StageOutcome


@dataclass(frozen=True)
class Words:
    """What was said beside the choice of cases; ``stage`` narrows the choice, and is what some acts are about."""

    reason: str = ""
    stage: str | None = None
    by: str | None = None
    span: BusinessDuration | None = None
    outcome: str | None = None
    to: str | None = None
    person: str | None = None

    @property
    def said(self) -> dict[str, Any]:
        told = {"by": self.by, "outcome": self.outcome, "to": self.to, "from": self.person, "stage": self.stage}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True)
class One:
    """One item of the operation that is to be acted on. ``round`` is that of the stage named, where it is asked for."""

    item: Item
    actor: str
    bulk: str
    words: Words
    round: int = 0

    @property
    def by_whom(self) -> dict[str, Any]:
        # What a preview asks after belongs to no bulk.
        return {"actor": self.actor, "by_office": True} | ({"bulk": self.bulk} if self.bulk else {})

    @property
    def why(self) -> dict[str, Any]:
        return self.by_whom | {"reason": self.words.reason}


@dataclass(frozen=True)
class Kind:
    """``needs`` and ``takes`` are the words that an act must and may have; ``subjects``: what it is about in a case."""

    event: Callable[[One], Act]
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    subjects: str = "case"
    of_office: bool = True
    needs_round: bool = False


def _proposed(one: One, act: OfficeAct, outcome: StageOutcome) -> ActProposed:
    stage = one.words.stage or ""
    said = f"{outcome} {one.words.reason}"
    act_id = ids.act_id(one.item.case_id, act, stage, one.round, one.actor, said)
    return ActProposed(act_id=act_id, act=act, stage=stage, outcome=outcome, **one.why)


def _overridden(one: One) -> ActProposed:
    return _proposed(one, OfficeAct.OVERRIDE, StageOutcome(one.words.outcome or ""))


def _extended(one: One) -> Extended:
    assert one.words.span is not None, "a span is needed"
    return Extended(stage=one.words.stage or "", by=one.words.span, **one.why)


def _nudged(one: One) -> Nudged:
    return Nudged(**one.by_whom | ({"stage": one.words.stage} if one.words.stage else {}))


def _delegated(one: One) -> PassedOn:
    facts = one.why | {"by_office": False}
    return PassedOn(task_id=one.item.subject, to=one.words.to or "", **facts)


REASON, STAGE = frozenset({"reason"}), frozenset({"stage"})
KINDS: dict[str, Kind] = {
    "hold": Kind(lambda one: Held(**one.why), REASON),
    "resume": Kind(lambda one: Resumed(**one.why), REASON),
    "withdraw": Kind(lambda one: Withdrawn(**one.why), REASON),
    "extend": Kind(_extended, REASON | {"stage", "by"}),
    "override": Kind(_overridden, REASON | {"stage", "outcome"}, needs_round=True),
    "skip": Kind(
        lambda one: _proposed(one, OfficeAct.SKIP, StageOutcome.SKIPPED), REASON | {"stage"}, needs_round=True
    ),
    "confirm": Kind(lambda one: ActConfirmed(act_id=one.item.subject, **one.by_whom), subjects="acts"),
    "send-back": Kind(lambda one: SentBack(stage=one.words.to or "", **one.why), REASON | {"to"}),
    "reassign": Kind(
        lambda one: PassedOn(task_id=one.item.subject, to=one.words.to or "", **one.why),
        REASON | {"from", "to"},
        STAGE,
        subjects="open tasks",
    ),
    "delegate": Kind(_delegated, frozenset({"to"}), REASON | STAGE, subjects="open tasks", of_office=False),
    "annul": Kind(
        lambda one: Annulled(task_id=one.item.subject, **one.why), REASON | {"from"}, STAGE, subjects="decided tasks"
    ),
    "nudge": Kind(
        lambda one: Nudged(**one.by_whom | ({"stage": one.words.stage} if one.words.stage else {})), takes=STAGE
    ),
}


def bulk_act(
    gateway: Gateway, database: Database, name: str, selection: Selection, words: Words, actor: str
) -> BulkAct:
    """An act that is ready to be previewed or run.

    Raises InputError ``bulk_act_unknown``, ``bulk_options``, ``bulk_choice`` or ``outcome_unknown``, NotAllowed
    ``not_the_office``, and what is raised of people who are not known or no longer active.
    """
    kind = _kind(name)
    _check_words(name, kind, words)
    selection.check()
    if selection.case_ids and words.stage and "stage" not in kind.needs | kind.takes:
        hint = "Leave --stage out, or choose the cases by it."
        raise InputError("bulk_choice", f"{name} is about no stage, and the cases are named.", hint)
    email, words = _people(Office(gateway, database), database, kind, words, actor)

    async def event(item: Item, bulk_id: str) -> Act:
        number = 0
        if kind.needs_round and words.stage is not None:
            stage = (await gateway.state(item.case_id)).stages.get(words.stage)
            number = stage.round if stage is not None else 0
        return kind.event(One(item, email, bulk_id, words, number))

    operation = Operation(name, email, words.reason, selection.said | words.said)
    return BulkAct(operation, lambda: _items(database, kind, selection.chosen(database), words, email), event)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise InputError("bulk_act_unknown", f"There is no act {name!r} on many cases.", f"Acts: {', '.join(KINDS)}.")
    return KINDS[name]


def _check_words(name: str, kind: Kind, words: Words) -> None:
    given = {*words.said, *({"reason"} if words.reason.strip() else ())}
    if lacking := sorted(kind.needs - given):
        raise InputError("bulk_options", f"{name} needs --{lacking[0]}.", "See docs/office-acts.md.")
    # Any choice may be narrowed to cases in which a stage is open.
    if beyond := sorted(given - kind.needs - kind.takes - STAGE):
        raise InputError("bulk_options", f"{name} takes no --{beyond[0]}.", "See docs/office-acts.md.")
    if words.outcome is not None and words.outcome not in list(StageOutcome):
        hint = "Choose approved or rejected."
        raise InputError("outcome_unknown", f"There is no outcome {words.outcome!r}.", hint)


def _people(office: Office, database: Database, kind: Kind, words: Words, actor: str) -> tuple[str, Words]:
    """Who acts, by the directory, and the words with addresses as they stand there."""
    email = office.standing_in_office(actor) if kind.of_office else None
    changed: dict[str, Any] = {}
    with database.read() as connection:
        email = email or active_person(connection, actor).email
        if words.person is not None:
            changed["person"] = words.person.strip().lower()
        if words.to is not None and kind.subjects == "open tasks":
            changed["to"] = active_person(connection, words.to).email
    return email, replace(words, **changed)


def _items(database: Database, kind: Kind, cases: Sequence[str], words: Words, actor: str) -> list[Item]:
    match kind.subjects:
        case "open tasks":
            return bulk_subjects.open_tasks_of(database, cases, words.person or actor, words.stage)
        case "decided tasks":
            return bulk_subjects.decided_tasks_of(database, cases, words.person or actor, words.stage)
        case "acts":
            return bulk_subjects.waiting_acts(database, cases)
    return bulk_subjects.whole_cases(cases)
