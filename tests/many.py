"""Thousands of whole cases whose ledgers verify: a few are played by the real rules, the others are their likenesses.

A likeness has other names, title and unit, and lies whole weeks and some hours earlier; its chain is linked anew.
"""

import datetime as dt
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import Date, Table, select
from sqlmodel import SQLModel

from imprimatur.history.chain import digest_of
from imprimatur.rules.ledger import GENESIS, instant_text
from imprimatur.store.bounced import open_bounce, undelivered
from imprimatur.store.engine import Database
from imprimatur.store.improvement import scheduled
from models.events import Held
from models.framework import Framework
from models.tables import OutboxRow
from models.tables.columns import UtcDateTime
from models.vocabulary import EventType, Verdict
from tests.facts import Play, example, furnish, whole_story

TITLE, UNIT = "Title-of-the-case", "Unit-of-the-case"
UNITS = ("Arts", "Business School", "Education", "Engineering", "Health Sciences", "Law", "Medicine", "Music",
         "Nursing", "Science", "Social Work", "Veterinary Science")  # fmt: skip
SUBJECTS = ("Data", "Care", "Energy", "Design", "Policy", "Robotics", "Writing", "Water", "Finance", "Ethics")
AIMS = ("Foundations", "in Practice", "for Leaders", "Analysis", "Methods", "and Society")
PEOPLE_OF_A_ROLE, CASES_AT_ONCE, WEEKS = 40, 250, 100
LIKENED = ("proposer", "reviewer", "director")
# What belongs to the engine and no page shows.
LEFT_OUT = {"step", "mail_event", "refusal", "webhook_delivery"}
TOKEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(?:[+-]\d\d:\d\d|Z)|[\w.@-]{10,}")
Rows = list[tuple[str, list[Any]]]


@dataclass(frozen=True)
class Original:
    """All rows of one played case as text: its documents, its ledger, and the others; ``live`` while it is open.

    Of what is published the ledger tells the digests, so it is here by itself as well.
    """

    documents: dict[str, str]
    ledger: str
    others: str
    publications: str
    published: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    policy: Framework
    live: bool


def _story(play: Play) -> None:
    example_name = play.framework.id
    proposal = example(example_name).model_copy(update={"title": TITLE, "unit": UNIT})
    play.submit(proposal)


def _approved(play: Play, *stages: str) -> None:
    while play.state.open_tasks() and (not stages or any(map(play.state.open_tasks, stages))):
        stage = next(stage for stage in stages or [play.state.open_tasks()[0].stage] if play.state.open_tasks(stage))
        play.decide(stage, comment="Well done.", outcomes=4, assessment=4, need=4, standalone=4)


def _in_review(play: Play) -> None:
    _story(play)
    _approved(play, "proposal")


def _straight(play: Play) -> None:
    _story(play)
    _approved(play)


def _late(play: Play) -> None:
    _in_review(play)
    play.pass_time(dt.timedelta(days=40))


def _revising(play: Play) -> None:
    _in_review(play)
    while play.state.open_tasks("quality"):
        play.decide("quality", Verdict.REQUEST_CHANGES, "Say how it is assessed.", outcomes=2, assessment=2)


def _incomplete(play: Play) -> None:
    play.submit(example(play.framework.id).model_copy(update={"title": TITLE, "unit": UNIT, "summary": None}))


def _held(play: Play) -> None:
    _in_review(play)
    play.office(Held)


def _withdrawn(play: Play) -> None:
    _in_review(play)
    play.withdraw("We thought again.")


def _bounced(play: Play) -> None:
    _in_review(play)
    mails = OutboxRow.__table__  # type: ignore[attr-defined]
    with play.database.write() as connection:
        query = select(mails).where(mails.c.case_id == play.case_id, mails.c.kind == "task").order_by(mails.c.mail_id)
        open_bounce(connection, undelivered(dict(connection.execute(query).mappings().all()[-1])), "550", play.now)


# What is played under which framework, and how many of a hundred are like it.
STORIES: list[tuple[Callable[[Play], None] | None, str, int]] = [
    (None, "industry-credit", 38), (_straight, "non-credit", 20), (_straight, "coursework-credit", 10),
    (_in_review, "industry-credit", 11), (_late, "industry-credit", 7), (_revising, "industry-credit", 4),
    (_incomplete, "non-credit", 3), (_held, "coursework-credit", 2), (_withdrawn, "non-credit", 3),
    (_bounced, "industry-credit", 2),
]  # fmt: skip


def originals(database: Database, folder: Path, now: dt.datetime) -> list[Original]:
    """One of each story, played in an empty database."""
    furnish(database)
    found = []
    for number, (story, framework, _) in enumerate(STORIES):
        case_id = f"mc-original{number:04d}"
        play = Play(database, folder, framework, case_id, now - dt.timedelta(days=100 if story is None else 41))
        if story is None:
            whole_story(database, folder, case_id, at=play.now, title=TITLE, unit=UNIT)
        else:
            story(play)
        found.append(
            _read(database, play.framework, case_id, live=not play.state.status.is_final and story is not None)
        )
    return found


def _read(database: Database, policy: Framework, case_id: str, live: bool) -> Original:
    rows: Rows = []
    names: set[str] = set()
    documents = {}
    with database.read() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if "case_id" not in table.c or table.name in LEFT_OUT:
                continue
            for row in connection.execute(table.select().where(table.c.case_id == case_id)):
                rows.append((table.name, [_plain(value) for value in row]))
                names |= {row._mapping[key.name] for key in table.primary_key if key.name.endswith(("_id", "slug"))}
        for row in connection.execute(SQLModel.metadata.tables["document"].select()):
            if TITLE in row.body and any(row.digest in json.dumps(values) for _, values in rows):
                documents[row.digest] = row.body
    ledger = json.dumps([row for row in rows if row[0] == "ledger"])
    others = json.dumps([row for row in rows if row[0] != "ledger"])
    columns = [column.name for column in SQLModel.metadata.tables["publication"].columns]
    pages = [dict(zip(columns, values, strict=True)) for name, values in rows if name == "publication"]
    published = [(page["achievement"], page["page"]) for page in pages]
    return Original(
        documents, ledger, others, json.dumps(published), tuple(map(_digests, published)), tuple(names), policy, live
    )


def _digests(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(_digest, values))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else value


def _earlier(instant: str, span: dt.timedelta) -> str:
    found = dt.datetime.fromisoformat(instant) - span
    return instant_text(found) if instant.endswith("Z") else found.isoformat()


def _name(name: str, number: int) -> str:
    """Of the same form, and of one likeness alone."""
    if name.startswith("mc-"):
        return f"mc-{number:012d}".translate(str.maketrans("0189", "wxyz"))
    return f"{name}{number:x}"


def likeness(original: Original, number: int) -> Rows:
    """Rows of another case, by table."""
    dice = random.Random(number)
    span = dt.timedelta(weeks=dice.randrange(2 if original.live else WEEKS), seconds=dice.randrange(8 * 3600))
    person = number % PEOPLE_OF_A_ROLE
    told = {name: _name(name, number) for name in original.names}
    told[TITLE] = f"{dice.choice(SUBJECTS)} {dice.choice(AIMS)} {number}"
    told[UNIT] = dice.choice(UNITS)

    def other(match: re.Match[str]) -> str:
        token = match[0]
        if token in told:
            return told[token]
        if token[4:5] == "-" and token[10:11] == "T":
            return _earlier(token, span)
        if person and token.endswith("@example.edu") and token[:-12].endswith(LIKENED):
            return f"{person}.{token}"
        return token

    documents: Rows = []
    for digest, body in original.documents.items():
        text = TOKEN.sub(other, body)
        told[digest] = hashlib.sha256(text.encode()).hexdigest()
        documents.append(("document", [told[digest], text]))

    def published() -> None:
        values = json.loads(TOKEN.sub(other, original.publications))
        for digests, pages in zip(original.published, values, strict=True):
            told.update(zip(digests, _digests(pages), strict=True))

    ledger = _linked(original.policy, json.loads(TOKEN.sub(other, original.ledger)), told, published)
    others = json.loads(TOKEN.sub(other, original.others))
    for values in (values for name, values in others if name == "improvement"):
        _scheduled_anew(original.policy, values)
    return [*documents, *ledger, *others]


def _scheduled_anew(policy: Framework, values: list[Any]) -> None:
    """Months are counted by the calendar: what is whole weeks earlier is not due whole weeks earlier."""
    columns = [column.name for column in SQLModel.metadata.tables["improvement"].columns]
    row = dict(zip(columns, values, strict=True))
    due = scheduled(policy, dt.datetime.fromisoformat(row["since_at"]))
    values[:] = (row | {name: _plain(value) for name, value in due.items()}).values()


def _digest(value: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def _linked(policy: Framework, ledger: Rows, told: dict[str, str], published: Callable[[], None]) -> Rows:
    columns = [column.name for column in SQLModel.metadata.tables["ledger"].columns]
    previous = GENESIS
    for _, values in ledger:
        row = dict(zip(columns, values, strict=True))
        if row["type"] == EventType.CREDENTIAL_PUBLISHED:
            # What is published names the events before.
            published()
        # An event can name the digest of an earlier one.
        row["data"] = json.loads(TOKEN.sub(lambda match: told.get(match[0], match[0]), json.dumps(row["data"])))
        row["at"], row["previous"] = dt.datetime.fromisoformat(row["at"]), previous
        if row["type"] == EventType.REVIEW_SCHEDULED:
            row["data"]["due_at"] = instant_text(scheduled(policy, row["at"])["next_at"])
        before, previous = row["digest"], str(digest_of(row["case_id"], row))
        told[before], row["digest"] = previous, previous
        values[:] = row.values()
    return ledger


def fill(databases: Sequence[Database], known: Sequence[Original], number: int, first: int = 0) -> int:
    """Likenesses into every database, and whoever acts in them; answers how many events the ledgers got."""
    shares = [index for index, (_, _, share) in enumerate(STORIES) for _ in range(share)]
    random.Random(0).shuffle(shares)
    events = 0
    for begin in range(first, first + number, CASES_AT_ONCE):
        part = range(begin, min(begin + CASES_AT_ONCE, first + number))
        rows: dict[str, list[list[Any]]] = {}
        for case in part:
            for name, values in likeness(known[shares[case % len(shares)]], case):
                rows.setdefault(name, []).append(values)
        events += len(rows["ledger"])
        for database in databases:
            _insert(database, rows)
    return events


def _insert(database: Database, rows: dict[str, list[list[Any]]]) -> None:
    with database.write() as connection:
        for name, values in rows.items():
            table = SQLModel.metadata.tables[name]
            connection.execute(table.insert(), list(_typed(table, values)))


def _typed(table: Table, rows: list[list[Any]]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    kinds: dict[str, type[dt.date]] = {}
    for column in table.columns:
        if isinstance(column.type, UtcDateTime | Date):
            kinds[column.name] = dt.date if isinstance(column.type, Date) else dt.datetime
    for values in rows:
        row = dict(zip(names, values, strict=True))
        for name, kind in kinds.items():
            if isinstance(row[name], str):
                row[name] = kind.fromisoformat(row[name])
        yield row
