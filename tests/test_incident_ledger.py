"""What the office does about an incident stands in the ledger of its case, in motion or over; or with the incident."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.errors import Gone
from imprimatur.history.export import history
from imprimatur.history.sentences import sentence
from imprimatur.history.timeline import Chosen, timeline
from imprimatur.history.verify import verify_all, verify_case
from imprimatur.incidents import Incidents
from imprimatur.store.engine import Database
from imprimatur.store.incidents import incident, list_incidents
from imprimatur.store.webhooks import add_webhook
from models.tables import IncidentRow, WebhookDeliveryRow
from models.vocabulary import EventType
from tests.facts import OFFICE, Play, event_types, everything, example, furnish, ledger_rows
from tests.governed import HOURS, review, sla, submitted
from tests.tamperer import Tamperer, another

INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    """A case that nobody could be called into when it was late."""
    found = submitted(database, tmp_path, review(sla=sla(then=[{"after": {HOURS: 4}, "to": "vice_chancellor"}])))
    found.pass_time(dt.timedelta(days=20))
    return found


def resolve(play: Play, reason: str = "A reviewer was found by telephone.") -> Any:
    [found, *_] = list_incidents(play.database, case_id=play.case_id)
    return Incidents(play.database).resolve(found.incident_id, actor=OFFICE, reason=reason)


def test_closing_an_incident_is_an_event_of_its_case(play: Play) -> None:
    closed = resolve(play)
    last = ledger_rows(play.database, play.case_id)[-1]
    assert (last["type"], last["actor"], last["at"]) == (EventType.INCIDENT_RESOLVED, OFFICE, closed.resolved_at)
    told = {name: last["data"][name] for name in ("incident_id", "kind", "stage", "detail", "reason")}
    assert told == {
        "incident_id": closed.incident_id,
        "kind": closed.kind,
        "stage": closed.stage,
        "detail": closed.detail,
        "reason": "A reviewer was found by telephone.",
    }
    [*_, event] = history(play.database, play.case_id)
    words = closed.kind.replace("_", " ")
    assert sentence(event) == f"Closed the incident ({words}) in quality: A reviewer was found by telephone."
    line = timeline(play.database, play.case_id, Chosen(actor=OFFICE), dt.datetime.now(dt.UTC))
    assert EventType.INCIDENT_RESOLVED in [moment.event.type for moment in line.moments]
    assert verify_all(play.database).problems == []


def test_a_case_goes_on_after_an_incident_was_closed_beside_it(play: Play) -> None:
    resolve(play)
    play.withdraw("It is not needed any more.")
    assert event_types(play.database, play.case_id)[-1] is EventType.CASE_CLOSED
    assert verify_all(play.database).problems == []


def test_an_incident_of_a_case_that_is_over_is_closed_in_its_ledger_too(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.withdraw("It is not needed any more.")
    opened(database, play.case_id, play.now)
    closed = resolve(play, "He was told by telephone.")
    last = ledger_rows(database, play.case_id)[-1]
    assert (last["type"], last["data"]["reason"]) == (EventType.INCIDENT_RESOLVED, closed.resolution)
    assert "stage" not in last["data"], "a mail about the whole case is about no stage"
    assert verify_all(database).problems == []


def opened(database: Database, case_id: str, at: dt.datetime) -> None:
    row = {"incident_id": "i-mail", "case_id": case_id, "kind": "mail_bounced", "detail": "gone", "opened_at": at}
    with database.write() as connection:
        connection.execute(INCIDENT.insert().values(**row))


def test_an_incident_of_no_case_keeps_itself_who_closed_it(database: Database) -> None:
    furnish(database)
    opened(database, "", dt.datetime.now(dt.UTC))
    closed = Incidents(database).resolve("i-mail", actor=OFFICE, reason="The address was mended.")
    assert (closed.resolved_by, closed.resolution) == (OFFICE, "The address was mended.")
    assert everything(database)["ledger"] == []
    assert verify_all(database).problems == []


def test_who_closed_it_first_stands_and_a_second_act_leaves_nothing(play: Play) -> None:
    closed, before = resolve(play), len(ledger_rows(play.database, play.case_id))
    with pytest.raises(Gone) as again:
        Incidents(play.database).resolve(closed.incident_id, actor=OFFICE, reason="Another one.")
    assert again.value.message == f"This incident was closed by {OFFICE}: {closed.resolution.rstrip('.')}."
    assert len(ledger_rows(play.database, play.case_id)) == before
    assert incident(play.database, closed.incident_id) == closed


def test_a_webhook_hears_of_it(play: Play) -> None:
    wanted = [EventType.INCIDENT_RESOLVED]
    add_webhook(play.database, "https://lms.example.edu/hook", wanted, [], dt.datetime.now(dt.UTC))
    resolve(play)
    [row] = everything(play.database)[str(WebhookDeliveryRow.__tablename__)]
    assert row["type"] == EventType.INCIDENT_RESOLVED


def test_what_is_altered_in_an_incident_is_found(play: Play) -> None:
    closed = resolve(play)
    tamperer = Tamperer(play.database, play.case_id)
    [row] = tamperer.rows("incident", incident_id=closed.incident_id)
    for column in ("kind", "stage", "detail", "opened_at", "resolved_at", "resolved_by", "resolution"):
        with tamperer.altered("incident", row, **{column: another(row[column])}):
            [(where, problem)] = tamperer.problems()
        assert (where, column in problem) == (f"{play.case_id} incident {closed.incident_id}", True), problem
    with tamperer.altered("incident", row, resolved_at=None, resolved_by=None, resolution=None):
        assert not verify_case(play.database, play.case_id).ok
    with tamperer.without("incident", [row]):
        assert tamperer.problems() == [(f"{play.case_id} incident {closed.incident_id}", "it is missing")]
    tamperer.assert_whole()
