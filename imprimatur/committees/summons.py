"""The agenda of a sitting for those who decide on it, sent when it is fixed, and again when it has changed."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.committees.agenda import Agenda, AgendaItem, agenda
from imprimatur.committees.bodies import Committee, all_committees
from imprimatur.rules.sittings import Sitting, sittings
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.people import PersonEntry, holders, people_by_email
from imprimatur.store.regular import mail_row, put_mails
from models.tables import CaseRow, OutboxRow
from models.vocabulary import MailKind

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
# Where nothing says until when a sitting takes items, its agenda is sent so long before.
AHEAD = dt.timedelta(days=1)
# No sitting takes items for longer than this before it begins.
REMEMBERED = dt.timedelta(days=60)
Editions = dict[str, dict[str, Any]]


def put_agendas(database: Database, now: dt.datetime) -> int:
    """Puts the agendas that are due into the outbox; answers how many.

    An agenda is fixed at the cut-off of its sitting. Who has had it gets it again only when other items are on it.
    """
    found = 0
    for body in all_committees(database).values():
        for sitting in _fixed(body, now):
            fixed = agenda(database, body.id, sitting.on)
            if fixed.undecided:
                found += put_mails(database, _editions(database, body, fixed, now))
    return found


def _fixed(body: Committee, now: dt.datetime) -> Iterator[Sitting]:
    coming = sittings(body.definition, body.calendar, body.calendar.date(now))
    for sitting in takewhile(lambda found: _sent_at(body, found) <= now, coming):
        if sitting.at > now:
            yield sitting


def _sent_at(body: Committee, sitting: Sitting) -> dt.datetime:
    return sitting.cut_off if body.definition.cut_off is not None else sitting.at - AHEAD


def _editions(database: Database, body: Committee, fixed: Agenda, now: dt.datetime) -> list[dict[str, Any]]:
    """One mail for each member whose last edition, if any, said something else."""
    items = [_told(item) for item in fixed.undecided]
    facts = {
        "committee": fixed.committee,
        "committee_name": fixed.name,
        "on": fixed.on.isoformat(),
        "sits_at": fixed.at.astimezone(dt.UTC).isoformat(),
        "time_zone": fixed.time_zone,
        "items": items,
    }
    with database.read() as connection:
        last = _last_editions(connection, facts, now)
        members = _members(connection, body, fixed.undecided)
    rows = []
    for person in members:
        before = last.get(person.email)
        if before is None or before["items"] != items:
            edition = before["edition"] + 1 if before else 1
            mail_id = ids.agenda_id(fixed.committee, fixed.on.isoformat(), person.email, edition)
            data = facts | {"edition": edition}
            rows.append(mail_row(mail_id, MailKind.AGENDA, person.email, person.name, data, now))
    return rows


def _told(item: AgendaItem) -> dict[str, Any]:
    names = ("case_id", "title", "unit", "stage", "stage_name", "round", "consent", "late")
    return {name: getattr(item, name) for name in names}


def _last_editions(connection: Connection, facts: Mapping[str, Any], now: dt.datetime) -> Editions:
    query = select(_OUTBOX.c.recipient, _OUTBOX.c.data).where(
        _OUTBOX.c.case_id == "", _OUTBOX.c.kind == str(MailKind.AGENDA), _OUTBOX.c.created_at > now - REMEMBERED
    )
    found: Editions = {}
    for row in connection.execute(query):
        same = (row.data["committee"], row.data["on"]) == (facts["committee"], facts["on"])
        if same and row.data["edition"] > found.get(row.recipient, {"edition": 0})["edition"]:
            found[row.recipient] = row.data
    return found


def _members(connection: Connection, body: Committee, items: Iterable[AgendaItem]) -> list[PersonEntry]:
    """Whoever has a task in one of the items, and whoever holds a role that decides in this committee's stages."""
    items = list(items)
    asked = {holder.person for item in items for holder in item.holders}
    query = select(_CASE.c.framework_digest).where(_CASE.c.case_id.in_({item.case_id for item in items})).distinct()
    policies = [framework_by_digest(connection, digest) for digest in connection.execute(query).scalars()]
    roles = {
        rule.role
        for policy in policies
        for stage in policy.stages
        if stage.committee == body.id
        for rule in stage.reviewers
        if rule.role is not None
    }
    found = {person.email: person for role in sorted(roles) for person in holders(connection, role)}
    found |= {person.email: person for person in people_by_email(connection, asked) if person.active}
    return [found[email] for email in sorted(found)]
