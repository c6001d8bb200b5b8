"""Rows of reviews, figures and incidents against the ledgers that tell of them. Pure."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from imprimatur.history.agreement import compared, differences
from imprimatur.history.chain import LedgerProblem, Row
from imprimatur.history.facts import Facts, plain
from imprimatur.history.improvement_facts import (
    held_facts,
    improvement_facts,
    incident_facts,
    indicator_facts,
    plain_reasons,
    review_facts,
)
from imprimatur.history.records import Records
from imprimatur.store.improvement import scheduled
from models.framework import Framework


def check_improvement(case_id: str, chain: Sequence[Row], records: Records) -> Iterator[LedgerProblem]:
    """Of what is published: how its reviews stand, each of them, and its figures; of a review: what it came to."""
    yield from _check_standing(case_id, chain, records)
    reviews = {
        row["review_case"]: row | {"reasons": plain_reasons(row["reasons"])} for row in _of(records.reviews, case_id)
    }
    yield from compared(reviews, review_facts(chain), case_id, "review")
    indicators = {f"{row['indicator']} {row['period']}": row for row in _of(records.indicators, case_id)}
    yield from compared(indicators, indicator_facts(chain), case_id, "indicator")
    told, held = held_facts(chain), records.held.get(case_id)
    if told and held is not None:
        yield from differences(f"{case_id} review", "it", held, told)
    elif told:
        yield LedgerProblem(where=f"{case_id} review", problem="it is missing")


def _of(rows: dict[str, list[Row]], case_id: str) -> list[Row]:
    return rows.get(case_id, [])


def _check_standing(case_id: str, chain: Sequence[Row], records: Records) -> Iterator[LedgerProblem]:
    where, told = f"{case_id} improvement", improvement_facts(chain)
    rows = _of(records.improvements, case_id)
    if told and not rows:
        yield LedgerProblem(where=where, problem="it is missing")
    for row in rows:
        if not told:
            yield LedgerProblem(where=where, problem="the ledger knows of no reviews")
            continue
        case = records.cases.get(case_id)
        body = records.frameworks.get(case["framework_digest"]) if case else None
        yield from differences(where, "it", row, told | _counted(body, row, told))


def _counted(body: object, row: Row, told: Facts) -> Facts:
    """What follows from the instant from which it is counted, by a framework that can be read."""
    try:
        policy = Framework.model_validate(body)
    except ValidationError:
        return {}
    if policy.review is None or "counted" not in told:
        return {}
    values = scheduled(policy, row["since_at"])
    wrong = {"since_at": "another instant"} if plain(values["next_at"]) != told["counted"] else {}
    return {"latest_on": values["latest_on"]} | wrong


def check_incidents(case_id: str, chain: Sequence[Row], records: Records) -> Iterator[LedgerProblem]:
    """Those that the ledger tells of; one about a mail is opened beside it, and may be closed beside it."""
    rows, told = {row["incident_id"]: row for row in _of(records.incidents, case_id)}, incident_facts(chain)
    yield from compared({key: row for key, row in rows.items() if key in told}, told, case_id, "incident")
