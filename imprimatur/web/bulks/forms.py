"""What the form of an act on many cases asks for, and the act that it makes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from imprimatur.access.acts import CaseAct
from imprimatur.bulk import BulkAct, Selection
from imprimatur.bulk_acts import KINDS, Words, bulk_act
from imprimatur.errors import InputError
from imprimatur.gateway import Gateway
from imprimatur.rules.spans import parse_business_duration
from imprimatur.store.bulk_reading import BulkLine, Chosen
from imprimatur.store.bulks import FORM
from imprimatur.store.engine import Database
from imprimatur.web.acts.forms import REASON, SPAN, Field, Option
from imprimatur.web.acts.words import WORDS, ActWords

# Each is looked at by itself for the preview, while somebody waits; the command line takes as many as there are.
MOST = 500
_OUTCOMES = (Option("approved", "Approved"), Option("rejected", "Rejected", "it may end the cases"))


def words_of(name: str) -> ActWords:
    return WORDS[CaseAct(name.replace("-", "_"))]


def acts() -> list[tuple[str, str]]:
    """Every act on many cases, with what it is called."""
    return [(name, words_of(name).title) for name in KINDS]


def check_act(name: str) -> str:
    """Raises InputError ``bulk_act_unknown``."""
    if name not in KINDS:
        raise InputError("bulk_act_unknown", f"There is no act {name!r} on many cases.", f"Acts: {', '.join(KINDS)}.")
    return name


def fields(name: str, cases: Chosen) -> tuple[Field, ...]:
    """In the order in which they are asked."""
    kind, found = KINDS[name], []
    wanted = kind.needs | kind.takes
    if "stage" in wanted:
        options = tuple(Option(*stage) for stage in cases.open_stages)
        needed = "stage" in kind.needs
        every = () if needed else (Option("", "Every stage"),)
        found.append(Field("stage", "In which stage", "radio", needed, options=(*every, *options)))
    if "outcome" in wanted:
        found.append(Field("outcome", "With which outcome", "radio", options=_OUTCOMES))
    if "by" in wanted:
        found += SPAN
    if "from" in wanted:
        whose = "Whose answers" if kind.subjects == "decided tasks" else "Whose tasks"
        found.append(Field("from", whose, "email", hint="The mail address."))
    if "to" in wanted and kind.subjects == "case":
        options = tuple(Option(*stage) for stage in cases.reached_stages)
        found.append(Field("to", "To which stage", "radio", options=options))
    elif "to" in wanted:
        found.append(Field("to", "To whom", "email", hint="The mail address of somebody in the directory."))
    if "reason" in wanted:
        found.append(REASON if "reason" in kind.needs else Field("reason", "Why", required=False))
    return tuple(found)


def act_said(
    gateway: Gateway, database: Database, name: str, case_ids: Sequence[str], typed: Mapping[str, str], actor: str
) -> BulkAct:
    """Raises what :func:`bulk_act` raises, and InputError ``duration_malformed``."""
    by = f"{typed.get('amount', '')}{typed.get('unit', '')}"
    said: dict[str, Any] = {word: typed.get(word, "").strip() or None for word in ("stage", "outcome", "to")}
    words = Words(
        reason=typed.get("reason", "").strip(),
        by=by or None,
        span=parse_business_duration(by) if by else None,
        person=typed.get("from", "").strip() or None,
        **said,
    )
    selection = Selection(stage=words.stage, case_ids=tuple(case_ids))
    return bulk_act(gateway, database, check_act(name), selection, words, actor)


def of_form(act: BulkAct, form_id: str) -> BulkAct:
    """The same form is the same bulk, however often and to whichever process it is sent."""
    return replace(act, operation=replace(act.operation, options=act.operation.options | {FORM: form_id}))


def act_begun(gateway: Gateway, database: Database, line: BulkLine) -> BulkAct:
    """The act of a bulk that was stopped, in the words in which it was begun, here or on the command line."""
    told = line.options
    by = told.get("by")
    selection = Selection(
        told.get("status"),
        told.get("stage"),
        bool(told.get("overdue")),
        told.get("framework"),
        tuple(told.get("cases", ())),
        bool(told.get("all")),
    )
    words = Words(
        reason=line.reason,
        stage=told.get("stage"),
        by=by,
        span=parse_business_duration(by) if by else None,
        outcome=told.get("outcome"),
        to=told.get("to"),
        person=told.get("from"),
    )
    act = bulk_act(gateway, database, check_act(line.act), selection, words, line.actor)
    return of_form(act, told[FORM]) if FORM in told else act
