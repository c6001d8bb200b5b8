"""Relays that write what they found without their name: it counts only where nobody else can have put it."""

import pytest

from imprimatur.inbound.receiving import Identity
from imprimatur.mail.replies.letter import take_apart
from imprimatur.mail.replies.sender import attested_by, parse_unnamed
from tests.engine import Engine
from tests.replying import DOMAIN, RELAY, Post, message, passed

SENDER = "quinn@example.edu"
ANSWER = "approve\nfit: 4\nno_duplication: 3"
# As a large provider of mailboxes writes it.
FOUND = (
    "spf=pass (sender IP is 192.0.2.7)\r\n smtp.mailfrom=example.edu; dkim=pass (signature was verified)\r\n"
    " header.d=example.edu;dmarc=pass action=none\r\n header.from=example.edu;compauth=pass reason=100"
)
RESULTS = f"Authentication-Results: {FOUND}"
FAILED = "Authentication-Results: dmarc=fail action=none header.from=example.edu"
INNER = "Received: from a.relay.example by b.relay.example; Mon, 02 Mar 2026 10:00:01 +0000"
BORDER = "Received: from mail.example.edu by a.relay.example; Mon, 02 Mar 2026 10:00:00 +0000"

UNNAMED = [
    (FOUND, "dmarc"),
    ("spf=pass smtp.mailfrom=quinn@example.edu", "spf"),
    ("dkim=pass header.d=example.edu; dmarc=none header.from=example.edu", "dkim"),
    ("dmarc=fail header.from=example.edu; spf=pass smtp.mailfrom=example.edu", None),
    ("mx.evil.example; dmarc=pass header.from=example.edu", None),
    ("none; dmarc=pass header.from=example.edu", None),
    ("(spf=pass) x; dmarc=pass header.from=example.edu", None),
    ("", None),
    ("dmarc=pass header.from=example.edu " + "x" * 10_001, None),
]


@pytest.mark.parametrize(("value", "expected"), UNNAMED)
def test_results_without_a_name_begin_with_a_result(value: str, expected: str | None) -> None:
    assert attested_by([value], "", SENDER, value) == expected
    assert attested_by([value], "", SENDER) is None, "without the setting it is nobody's"


def test_results_with_a_name_are_never_unnamed() -> None:
    assert list(parse_unnamed(f"{RELAY}; dmarc=pass header.from=example.edu")) == []


@pytest.mark.parametrize(
    ("headers", "hops"),
    [
        ([RESULTS, BORDER], 0),
        ([INNER, RESULTS, BORDER], 1),
        ([INNER, INNER, BORDER, RESULTS], 3),
        ([INNER, RESULTS, BORDER, RESULTS], 1),
        ([INNER, BORDER], 2),
        ([], 0),
    ],
)
def test_what_stands_above_the_first_results_is_counted(headers: list[str], hops: int) -> None:
    assert take_apart(message(SENDER, "approve", headers=headers)).hops == hops


def _letters() -> dict[str, tuple[list[str], str]]:
    other = passed(SENDER, relay="mx.evil.example")
    return {
        "as the relay writes it": ([INNER, RESULTS, BORDER], "recorded"),
        "over a shorter way": ([RESULTS, BORDER], "recorded"),
        "above what the sender put in": ([INNER, RESULTS, BORDER, FAILED], "recorded"),
        "put in by the sender": ([INNER, BORDER, RESULTS], "sender_not_attested"),
        "put in by the sender with a way of its own": ([INNER, BORDER, INNER, RESULTS, BORDER], "sender_not_attested"),
        "put in by the sender below what the relay found": ([INNER, FAILED, BORDER, RESULTS], "sender_not_attested"),
        "put in by the sender below what another found": ([INNER, other, BORDER, RESULTS], "sender_not_attested"),
        "not there": ([INNER, BORDER], "sender_not_attested"),
    }


LETTERS = list(_letters())


@pytest.mark.parametrize("name", LETTERS)
async def test_only_the_first_results_above_the_border_count(live: Engine, name: str) -> None:
    headers, expected = _letters()[name]
    case_id = (await live.submit("industry-credit", case_id=live.case_id("unnamed"))).case_id
    task = live.tasks(case_id)[0]
    post = Post(live, Identity(DOMAIN, unnamed_hops=1))
    assert (await post.reply(task, ANSWER, headers=headers)).result == expected
    decided = expected == "recorded"
    assert len(post.decisions(case_id)) == decided
    assert [code for code, _, _ in post.traces()] == ([] if decided else [expected])


async def test_without_the_setting_results_without_a_name_count_for_nothing(live: Engine) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("named"))).case_id
    task = live.tasks(case_id)[0]
    post = Post(live)
    assert (await post.reply(task, ANSWER, headers=[RESULTS, BORDER])).result == "sender_not_attested"
    assert post.decisions(case_id) == []
