"""Nobody answers for somebody else: each attempt decides nothing and leaves a trace."""

import pytest

from imprimatur.inbound.receiving import WARNINGS_A_DAY
from imprimatur.mail.links import Links
from imprimatur.mail.replies.sender import attested_by, sole_sender
from imprimatur.store.reading import TaskView
from models.events import PassedOn
from tests.engine import Engine
from tests.facts import BASE_URL, OFFICE, PROPOSER, SECOND, example
from tests.mails import LINKS
from tests.replying import RELAY, Post, address_of, message, passed

ANSWER = "approve\nfit: 4\nno_duplication: 3"
STRANGER = "mallory@example.edu"
FORWARDED = (
    "approve\nfit: 4\nno_duplication: 3\n\n---------- Forwarded message ---------\nFrom: Office <office@example.edu>\n"
    "Subject: Your review\nTo: the reviewer\n\nYou are asked to review"
)


async def asked(live: Engine) -> tuple[Post, str, TaskView]:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("spoof"))).case_id
    return Post(live), case_id, live.tasks(case_id)[0]


def assert_nothing_decided(post: Post, case_id: str, code: str, actor: str) -> None:
    assert post.decisions(case_id) == []
    assert post.traces() == [(code, actor, "mail")]
    assert [row["result"] for row in post.came_in()] == [code]


def assert_the_holder_is_warned(post: Post, task: TaskView) -> None:
    """With a link of their own, and nothing that the stranger wrote in the subject."""
    [warning] = post.answers()
    assert (warning["kind"], warning["recipient"]) == ("reply_not_recorded", task.assignee)
    assert warning["data"]["known"] is False and "subject" not in warning["data"]


async def test_the_right_secret_from_a_wrong_sender(live: Engine) -> None:
    post, case_id, task = await asked(live)
    outcome = await post.reply(task, ANSWER, sender=STRANGER)
    assert outcome.result == "sender_not_assignee"
    assert_nothing_decided(post, case_id, "sender_not_assignee", STRANGER)
    assert_the_holder_is_warned(post, task)


async def test_the_right_sender_with_a_wrong_secret(live: Engine) -> None:
    post, case_id, task = await asked(live)
    wrong = Links(["x" * 40], BASE_URL).reply_secret(task.task_id, task.assignee)
    outcome = await post.reply(task, ANSWER, to=f"review+{wrong}@reply.example.edu")
    assert outcome.result == "reply_secret_invalid"
    assert_nothing_decided(post, case_id, "reply_secret_invalid", task.assignee)
    assert_the_holder_is_warned(post, task)


async def test_a_secret_of_the_same_task_for_somebody_else(live: Engine) -> None:
    post, case_id, task = await asked(live)
    outcome = await post.reply(task, ANSWER, sender=STRANGER, to=address_of(task.task_id, STRANGER))
    assert outcome.result == "reply_secret_invalid"
    assert_nothing_decided(post, case_id, "reply_secret_invalid", STRANGER)
    assert post.answers() == [], "a stranger without the secret can make us write to nobody"


async def test_a_forwarded_thread_answered_by_another_person(live: Engine) -> None:
    post, case_id, task = await asked(live)
    colleague = next(person for person in (OFFICE, SECOND) if person != task.assignee)
    await post.reply(task, FORWARDED, sender=colleague, subject="Fwd: Your review")
    assert_nothing_decided(post, case_id, "sender_not_assignee", colleague)
    assert_the_holder_is_warned(post, task)


async def test_a_reply_replayed_after_reassignment(live: Engine) -> None:
    post, case_id, task = await asked(live)
    other = next(person for person in (OFFICE, SECOND) if person != task.assignee)
    passed_on = PassedOn(actor=OFFICE, task_id=task.task_id, to=other, reason="away", by_office=True)
    await live.gateway.act(case_id, passed_on)
    assert (await post.reply(task, ANSWER)).result == "task_closed"
    assert_nothing_decided(post, case_id, "task_closed", task.assignee)
    [told] = post.answers()
    assert told["recipient"] == task.assignee and "given to someone else" in told["data"]["message"]
    # Nor does the new holder's address help whoever knows the old secret.
    [taken] = live.tasks(case_id)
    assert (await post.reply(taken, ANSWER, to=address_of(task.task_id, task.assignee))).result == (
        "sender_not_assignee"
    )
    assert post.decisions(case_id) == []


async def test_the_secret_of_an_earlier_round(live: Engine) -> None:
    post, case_id, task = await asked(live)
    await live.decide(case_id, "proposal", "request_changes", "Say more.")
    await live.gateway.revise(case_id, example("industry-credit.revised"), actor=PROPOSER)
    before = len(post.decisions(case_id))
    assert (await post.reply(task, "reject")).result == "already_decided", "whether or not it lacks anything"
    assert (await post.reply(task, ANSWER)).result == "already_decided"
    assert len(post.decisions(case_id)) == before == 1
    assert post.traces() == [("already_decided", task.assignee, "mail")] * 2


async def test_a_recorded_reply_sent_again_by_a_stranger(live: Engine) -> None:
    post, case_id, task = await asked(live)
    to = address_of(task.task_id, task.assignee)
    await post.reply(task, ANSWER, message_id="<known@mail.example.edu>")
    forged = message(
        STRANGER, "reject\n\nNo.", to=to, message_id="<known@mail.example.edu>", headers=[passed(STRANGER)]
    )
    assert (await post.receiver.receive(forged, to)).repeated
    assert [decision["verdict"] for decision in post.decisions(case_id)] == ["approve"]


def _headers(task: TaskView) -> dict[str, list[str]]:
    return {
        "nothing attested": [],
        "attested by another relay": [passed(task.assignee, relay="mx.evil.example")],
        "attested for another domain": [passed(STRANGER.replace("example.edu", "evil.example"))],
        "failed": [f"Authentication-Results: {RELAY}; dmarc=fail header.from=example.edu"],
        "a comment that looks like a pass": [
            f"Authentication-Results: {RELAY}; spf=none (dmarc=pass header.from=example.edu)"
        ],
        "passed and failed": [
            f"Authentication-Results: {RELAY}; dmarc=fail header.from=example.edu",
            passed(task.assignee),
        ],
    }


UNVOUCHED = ["nothing attested", "attested by another relay", "attested for another domain", "failed",
             "a comment that looks like a pass", "passed and failed"]  # fmt: skip


@pytest.mark.parametrize("name", UNVOUCHED)
async def test_a_sender_for_whom_nothing_vouches(live: Engine, name: str) -> None:
    post, case_id, task = await asked(live)
    assert (await post.reply(task, ANSWER, headers=_headers(task)[name])).result == "sender_not_attested"
    assert_nothing_decided(post, case_id, "sender_not_attested", task.assignee)
    assert_the_holder_is_warned(post, task)


async def test_two_senders_are_none(live: Engine) -> None:
    post, case_id, task = await asked(live)
    await post.reply(task, ANSWER, headers=[passed(task.assignee), f"From: {STRANGER}"])
    assert_nothing_decided(post, case_id, "sender_not_assignee", "unknown sender")


async def test_an_address_that_belongs_to_no_task(live: Engine) -> None:
    post, case_id, task = await asked(live)
    for to in (address_of("t-" + "a" * 16, task.assignee), "review+x@reply.example.edu", "office@reply.example.edu"):
        assert (await post.reply(task, ANSWER, to=to)).result == "reply_address_unknown"
    assert post.decisions(case_id) == [] and post.answers() == []
    assert {trace[0] for trace in post.traces()} == {"reply_address_unknown"} and len(post.traces()) == 3


async def test_nobody_fills_a_mailbox_by_trying(live: Engine) -> None:
    post, _, task = await asked(live)
    for _ in range(WARNINGS_A_DAY + 4):
        await post.reply(task, ANSWER, sender=STRANGER)
    assert len(post.answers()) == WARNINGS_A_DAY
    assert len(post.traces()) == WARNINGS_A_DAY + 4


def test_a_secret_is_bound_to_task_and_person_under_every_key() -> None:
    old, new = Links(["o" * 32], BASE_URL), Links(["n" * 32, "o" * 32], BASE_URL)
    task_id, signature = old.reply_secret("t-guedaeepqivumddl", "a@example.edu").split(".", 1)
    assert new.is_reply_secret(task_id, "a@example.edu", signature)
    assert new.is_reply_secret(task_id, "a@example.edu", signature.swapcase())
    for task, person, given in [
        ("t-guedaeepqivumddm", "a@example.edu", signature),
        (task_id, "b@example.edu", signature),
        (task_id, "a@example.edu", signature[:-1]),
        (task_id, "a@example.edu", ""),
    ]:
        assert not new.is_reply_secret(task, person, given)
    assert not LINKS.is_reply_secret(task_id, "a@example.edu", signature)


SENDERS = [
    (["Quinn <q@example.edu>"], "q@example.edu"),
    (["Q@EXAMPLE.edu"], "q@example.edu"),
    (['"Abara, Quinn (QA)" <q@example.edu>'], "q@example.edu"),
    (["'q@example.edu' <q@example.edu>"], "q@example.edu"),
    (["=?utf-8?q?J=C3=B6rg?= <j@b\u00fccher.example>"], "j@xn--bcher-kva.example"),
    (['"q@example.edu" <mallory@evil.example>'], None),
    (["q@example.edu <mallory@evil.example>"], None),
    (["q@example.edu, mallory@evil.example"], None),
    (["q@example.edu", "mallory@evil.example"], None),
    (["<q@example.edu> <mallory@evil.example>"], None),
    (["Quinn <q@example.edu>, Sam <s@example.edu>"], None),
    (["q@example.edu)mallory@evil.example"], None),
    (["undisclosed: q@example.edu;"], None),
    (["Quinn"], None),
    ([], None),
]


@pytest.mark.parametrize(("values", "expected"), SENDERS)
def test_a_sender_is_one_address_or_none(values: list[str], expected: str | None) -> None:
    assert sole_sender(values) == expected


RESULTS = [
    ("mx.example.edu; dmarc=pass header.from=example.edu", "dmarc"),
    ("mx.example.edu 1; dkim=pass header.d=example.edu header.s=sel", "dkim"),
    ("MX.example.edu;\r\n dkim=pass (2048-bit key) header.i=@example.edu", "dkim"),
    ("mx.example.edu; spf=pass smtp.mailfrom=quinn@example.edu", "spf"),
    ("mx.example.edu; spf=fail smtp.mailfrom=example.edu; dkim=pass header.d=example.edu", "dkim"),
    ("mx.example.edu; dkim=pass header.d=mail.example.edu", None),
    ("mx.example.edu; dkim=pass header.d=edu", None),
    ("mx.example.edu; spf=pass smtp.helo=example.edu", None),
    ("mx.example.edu; dkim=neutral header.d=example.edu", None),
    ("mx.example.edu; none", None),
    ('mx.example.edu; dkim=fail reason="; dmarc=pass header.from=example.edu" header.d=example.edu', None),
    ("mx.example.edu.evil.example; dmarc=pass header.from=example.edu", None),
    ("dmarc=pass header.from=example.edu", None),
    ("mx.example.edu; dmarc=fail header.from=example.edu; spf=pass smtp.mailfrom=example.edu", None),
    ("", None),
]


@pytest.mark.parametrize(("value", "expected"), RESULTS)
def test_only_the_own_relay_vouches_and_only_for_the_senders_domain(value: str, expected: str | None) -> None:
    assert attested_by([value], RELAY, "quinn@example.edu") == expected


def test_a_signature_of_the_domain_above_vouches_for_the_one_below() -> None:
    value = f"{RELAY}; dkim=pass header.d=example.edu"
    assert attested_by([value], RELAY, "quinn@staff.example.edu") == "dkim"
    assert attested_by([value], RELAY, "quinn@notexample.edu") is None
