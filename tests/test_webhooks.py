"""Every ledger event that a webhook wants reaches it, signed, in order, and however often it has to be tried."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from imprimatur.errors import ImprimaturError
from imprimatur.store import webhooks as store
from imprimatur.store.engine import Database
from imprimatur.store.webhooks import PAUSES, RETRIES
from imprimatur.webhooks.signing import Message, headers, secret, secrets_of
from models.vocabulary import DeliveryStatus, EventType
from tests.facts import START, Play, event_types, example, furnish, ledger_rows, whole_story
from tests.hooks import KEYS, Bell, Receiver, receiving

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    return Play(database, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        yield found


def added(database: Database, receiver: Receiver, *events: str, units: tuple[str, ...] = ()) -> store.WebhookEntry:
    return store.add_webhook(database, receiver.url, events, units, START)


async def test_every_event_of_a_case_arrives_in_order_and_signed(
    database: Database, receiver: Receiver, tmp_path: Path
) -> None:
    furnish(database)
    webhook = added(database, receiver)
    play = whole_story(database, tmp_path)
    bell = Bell(database)
    await bell.ring()
    rows = ledger_rows(database, play.case_id)
    messages = [item.message for item in receiver.received]
    assert [message["type"] for message in messages] == [row["type"] for row in rows]
    assert [message["data"]["digest"] for message in messages] == [row["digest"] for row in rows]
    assert [message["timestamp"] for message in messages] == [row["at"].isoformat() for row in rows]
    assert len({item.headers["webhook-id"] for item in receiver.received}) == len(rows)
    for key in KEYS:
        given = Webhook(secret(key, webhook.webhook_id, 1))
        for item in receiver.received:
            assert given.verify(item.body, item.headers) == item.message
    assert set(bell.statuses()) == {DeliveryStatus.DELIVERED}


async def test_a_webhook_hears_only_what_it_wants(office: Play, receiver: Receiver) -> None:
    with receiving(Receiver()) as other:
        added(office.database, receiver, "stage_opened", "case_closed")
        added(office.database, other, units=("Another unit",))
        office.submit(example("industry-credit"))
        office.withdraw("no longer wanted")
        await Bell(office.database).ring()
    opened = event_types(office.database, office.case_id).count(EventType.STAGE_OPENED)
    assert [item.message["type"] for item in receiver.received] == ["stage_opened"] * opened + ["case_closed"]
    assert other.received == []


def test_without_webhooks_nothing_is_kept(office: Play) -> None:
    office.submit(example("industry-credit"))
    assert store.deliveries(office.database) == []


async def test_a_failure_is_tried_again_later_and_given_up_in_the_end(office: Play, receiver: Receiver) -> None:
    receiver.answers = [500]
    webhook = added(office.database, receiver, "case_submitted")
    office.submit(example("industry-credit"))
    bell = Bell(office.database)
    for number, pause in enumerate([*RETRIES, dt.timedelta(0)]):
        await bell.ring(lambda number=number: len(receiver.received) == number + 1 and bell.waits())  # type: ignore[misc]
        [found] = store.deliveries(office.database)
        assert (found.attempts, found.answer) == (number + 1, "500 Internal Server Error")
        if number < len(RETRIES):
            assert (found.status, found.due_at) == (DeliveryStatus.DEFERRED, bell.now + pause)
        paused = store.webhook(office.database, webhook.webhook_id)
        assert paused.failures == number + 1
        assert paused.paused_until == bell.now + PAUSES[min(number, len(PAUSES) - 1)]
        bell.now += max(pause, PAUSES[-1])
    assert found.status is DeliveryStatus.FAILED
    assert len({item.headers["webhook-id"] for item in receiver.received}) == 1
    assert store.queue_again(office.database, found.delivery_id, bell.now).status is DeliveryStatus.QUEUED
    receiver.answers = [200]
    await bell.ring()
    assert bell.statuses() == [DeliveryStatus.DELIVERED]
    assert store.webhook(office.database, webhook.webhook_id).failures == 0


async def test_a_receiver_that_does_not_answer_holds_up_no_other(office: Play) -> None:
    with ExitStack() as stack:
        slow = stack.enter_context(receiving(Receiver(hold=threading.Event())))
        swift = stack.enter_context(receiving(Receiver()))
        added(office.database, slow, "case_submitted")
        added(office.database, swift)
        office.submit(example("industry-credit"))
        bell = Bell(office.database)
        events = len(event_types(office.database, office.case_id))
        await bell.ring(lambda: len(swift.received) == events and len(slow.received) == 1)
    assert bell.statuses().count(DeliveryStatus.DELIVERED) >= events - 1


@pytest.mark.parametrize("code", [301, 302, 307, 308, 400, 404, 429, 503])
async def test_whatever_is_no_success_is_a_failure(sqlite_database: Database, receiver: Receiver, code: int) -> None:
    receiver.answers = [code]
    webhook = added(sqlite_database, receiver)
    store.queue_trial(sqlite_database, webhook.webhook_id, NOW)
    bell = Bell(sqlite_database)
    await bell.ring()
    [found] = store.deliveries(sqlite_database)
    assert (found.status, found.type) == (DeliveryStatus.DEFERRED, store.TRIAL)
    assert found.answer.startswith(str(code))
    assert len(receiver.received) == 1


async def test_a_receiver_that_is_gone_is_sent_no_more(office: Play, receiver: Receiver) -> None:
    receiver.answers = [410]
    webhook = added(office.database, receiver)
    office.submit(example("industry-credit"))
    await Bell(office.database).ring()
    assert len(receiver.received) == 1
    assert set(Bell(office.database).statuses()) == {DeliveryStatus.FAILED}
    assert store.list_webhooks(office.database) == []
    [ended] = store.list_webhooks(office.database, ended=True)
    assert ended.end_reason == "the receiver answered that it is gone"
    for act in (store.rotate, store.queue_trial, store.remove_webhook):
        with pytest.raises(ImprimaturError) as refused:
            act(office.database, webhook.webhook_id, NOW)
        assert refused.value.code == "webhook_ended"


async def test_an_address_where_nobody_listens_is_told_and_tried_again(sqlite_database: Database) -> None:
    with receiving(Receiver()) as receiver:
        webhook = added(sqlite_database, receiver)
    store.queue_trial(sqlite_database, webhook.webhook_id, NOW)
    await Bell(sqlite_database).ring()
    [found] = store.deliveries(sqlite_database)
    assert found.status is DeliveryStatus.DEFERRED and found.answer.startswith("ConnectError")


async def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_id(
    sqlite_database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = added(sqlite_database, receiver)
    store.queue_trial(sqlite_database, webhook.webhook_id, NOW)
    record, lost = store.record_delivered, [1]

    def once_lost(*args: object) -> None:
        if lost:
            lost.pop()
            raise RuntimeError("the worker dies here")
        record(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "record_delivered", once_lost)
    bell = Bell(sqlite_database)
    await bell.ring(lambda: bell.statuses() == [DeliveryStatus.DELIVERED])
    assert len(receiver.received) == 2
    assert len({item.headers["webhook-id"] for item in receiver.received}) == 1


def test_an_old_secret_is_good_for_a_day(sqlite_database: Database) -> None:
    webhook = store.add_webhook(sqlite_database, "https://lms.example.edu/hook", [], [], NOW)
    rotated = store.rotate(sqlite_database, webhook.webhook_id, NOW)
    old, new = (secret(KEYS[0], webhook.webhook_id, number) for number in (1, 2))
    for hours, good in ((23, [new, old]), (24, [new])):
        at = NOW + dt.timedelta(hours=hours)
        assert secrets_of(KEYS[:1], webhook.webhook_id, rotated.generation, rotated.old_secret_until, at) == good


@given(st.text(max_size=200), st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True), st.integers(1, 9))
def test_a_message_is_verified_with_each_secret_and_with_no_other(text: str, keys: list[str], generation: int) -> None:
    now = dt.datetime.now(dt.UTC)
    message = Message("w-1", "decision_recorded", now, {"comment": text})
    secrets = [secret(key, "wh-1", generation) for key in keys]
    sent = headers(message, secrets, now)
    for good in secrets:
        assert Webhook(good).verify(message.body(), sent) == {
            "type": "decision_recorded",
            "timestamp": now.isoformat(),
            "data": {"comment": text},
        }
    for bad in (secret(KEYS[0], "wh-2", generation), secret(KEYS[0], "wh-1", generation + 1)):
        with pytest.raises(WebhookVerificationError):
            Webhook(bad).verify(message.body(), sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(message.body() + " ", sent)


@pytest.mark.parametrize(
    "url",
    [
        "http://lms.example.edu/hook",
        "ftp://lms.example.edu/",
        "https://",
        "https://user:secret@lms.example.edu/",
        "https://lms.example.edu/#here",
        "https://lms.example.edu/\n",
        "https://lms.example.edu:0/",
        "https://[lms",
        "lms.example.edu",
        "https://lms.example.edu/" + "x" * 1000,
    ],
)
def test_an_address_that_cannot_be_sent_to_safely_is_refused(sqlite_database: Database, url: str) -> None:
    with pytest.raises(ImprimaturError) as refused:
        store.add_webhook(sqlite_database, url, [], [], NOW)
    assert refused.value.code == "webhook_url_invalid"


ACTS: dict[str, Callable[[Database], object]] = {
    "event_type_unknown": lambda database: store.add_webhook(database, "https://a.example/", ["nothing"], [], NOW),
    "webhook_unknown": lambda database: store.webhook(database, "wh-nope"),
    "delivery_unknown": lambda database: store.queue_again(database, "w-nope", NOW),
}


@pytest.mark.parametrize("code", ACTS)
def test_what_does_not_exist_is_told(sqlite_database: Database, code: str) -> None:
    with pytest.raises(ImprimaturError) as refused:
        ACTS[code](sqlite_database)
    assert refused.value.code == code
