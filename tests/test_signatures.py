"""Signatures of senders' domains, verified here: what counts, what is refused, and what has to wait."""

import re

import pytest

from imprimatur.errors import Unavailable
from imprimatur.inbound.receiving import Identity
from imprimatur.mail.replies.signature import MOST_SIGNATURES, is_signed_by_sender
from models.tables import DecisionRow
from tests.engine import Engine
from tests.replying import DOMAIN, RELAY, Post, address_of, message
from tests.signing import SELECTOR, Names, edwards_key, key, signed

SENDER = "quinn@example.edu"
DATE = "Date: Mon, 02 Mar 2026 10:00:00 +0000"
ANSWER = "approve\nfit: 4\nno_duplication: 3"


def letter(sender: str = SENDER, *headers: str, text: str = "approve") -> bytes:
    return message(sender, text, to="review+x@reply.example.edu", headers=[DATE, *headers])


def holds(raw: bytes, sender: str = SENDER, names: Names | None = None) -> bool:
    return is_signed_by_sender(raw, sender, names or Names())


def test_a_signature_of_the_senders_domain_holds() -> None:
    names = Names()
    assert holds(signed(letter()), names=names)
    assert names.asked == [f"{SELECTOR}._domainkey.example.edu"]


def test_a_signature_holds_when_lines_end_as_a_pipe_gives_them() -> None:
    assert holds(signed(letter()).replace(b"\r\n", b"\n"))


def test_a_signature_holds_below_what_the_last_station_writes() -> None:
    assert holds(b"Return-Path: <quinn@example.edu>\r\nReceived: from a by b\r\n" + signed(letter()))


def test_mail_without_a_signature_asks_nobody() -> None:
    names = Names()
    assert not holds(letter(), names=names)
    assert names.asked == []


TAMPERED: dict[str, tuple[bytes, bytes]] = {
    "body": (b"approve", b"reject!"),
    "body made longer": (b"approve", b"approve\r\nfit: 4"),
    "sender": (b"quinn@", b"rosa.@"),
    "name of the sender": (b"From: Somebody", b"From: Somebody else"),
    "subject": (b"Re: Your review", b"Re: Another one"),
    "date": (b"10:00:00", b"11:00:00"),
    "recipient": (b"review+x", b"review+y"),
    "selector": (b"s=sel", b"s=les"),
    "domain": (b"d=example.edu", b"d=example.org"),
    "list of what is signed": (b"h=from :", b"h="),
}


@pytest.mark.parametrize("part", TAMPERED)
def test_nothing_that_is_signed_can_be_changed(part: str) -> None:
    before, after = TAMPERED[part]
    whole = signed(letter())
    assert before in whole
    assert not holds(whole.replace(before, after, 1))


TWICE = [
    "From: Mallory <m@evil.example>",
    "Subject: Re: another",
    "Date: x",
    "Content-Type: text/html",
    "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: base64",
    "MIME-Version: 1.0\r\nMIME-Version: 1.0",
]


@pytest.mark.parametrize("name", TWICE)
def test_nothing_that_a_reader_goes_by_may_be_put_in_twice(name: str) -> None:
    whole = signed(letter())
    assert not holds(name.encode() + b"\r\n" + whole)
    assert not holds(whole.replace(b"\r\nTo:", b"\r\n" + name.encode() + b"\r\nTo:", 1))


@pytest.mark.parametrize("odd", [b"X-Odd: a\rSubject: b\r\n", b"X-Odd: a\r\rapprove\r\n", b"X-Odd: a\x00\r\n"])
def test_headers_that_two_readers_would_part_differently_are_not_trusted(odd: bytes) -> None:
    whole = signed(letter())
    assert not holds(odd + whole)
    assert not holds(whole.replace(b"To:", odd + b"To:", 1))


def test_a_line_like_the_first_of_a_mailbox_ends_no_headers() -> None:
    assert not holds(signed(letter()).replace(b"\r\n\r\n", b"\r\nFrom reject\r\n\r\n", 1))


@pytest.mark.parametrize("missing", ["subject", "date"])
def test_what_must_be_signed(missing: str) -> None:
    names = Names()
    others = [name for name in ("from", "to", "subject", "date") if name != missing]
    assert not holds(signed(letter(), headers=others), names=names)
    assert names.asked == []


def test_a_signature_over_the_beginning_of_a_body_is_none() -> None:
    whole = signed(letter(), body_length=True)
    assert b"l=" in whole
    assert not holds(whole)
    assert not holds(whole + b"and more\r\n")


def test_a_signature_that_has_expired_is_none() -> None:
    assert holds(signed(letter(), tags="x=4102444800;"))
    assert not holds(signed(letter(), tags="x=1767225600;"))
    assert not holds(signed(letter(), tags="x=soon;"))


@pytest.mark.parametrize(("bits", "holding"), [(768, False), (1016, False), (1024, True)])
def test_short_keys_sign_nothing(bits: int, holding: bool) -> None:
    names = Names({f"{SELECTOR}._domainkey.example.edu": key(bits).record})
    assert holds(signed(letter(), by=key(bits)), names=names) is holding


def test_a_signature_by_ed25519_holds_as_far_as_its_key_goes() -> None:
    whole, place = signed(letter(), by=edwards_key()), f"{SELECTOR}._domainkey.example.edu"
    assert holds(whole, names=Names({place: edwards_key().record}))
    assert not holds(whole.replace(b"approve", b"reject!", 1), names=Names({place: edwards_key().record}))
    assert not holds(whole, names=Names({place: key().record})), "a key of another kind"
    assert not holds(signed(letter()), names=Names({place: edwards_key().record}))
    assert not holds(whole, names=Names({place: edwards_key("somebody else").record}))
    short = edwards_key().record.partition(b"p=")[0] + b"p=AAAA"
    assert not holds(whole, names=Names({place: short}))


def test_two_signatures_of_a_message_need_not_both_be_known() -> None:
    """As RFC 8463 has it: who signs by Ed25519 signs by RSA as well, for those who do not know it yet."""
    both = signed(signed(letter()), by=edwards_key())
    assert holds(both)


def test_an_older_hash_signs_nothing() -> None:
    assert not holds(signed(letter()).replace(b"a=rsa-sha256", b"a=rsa-sha1"))


def test_a_key_of_somebody_else_does_not_fit() -> None:
    assert not holds(signed(letter(), by=key(1024)))


DOMAINS = [
    ("example.edu", "quinn@example.edu", True),
    ("example.edu", "quinn@staff.example.edu", True),
    ("EXAMPLE.edu", "quinn@example.edu", True),
    ("staff.example.edu", "quinn@example.edu", False),
    ("example.edu", "quinn@notexample.edu", False),
    ("edu", "quinn@example.edu", False),
    ("evil.example", "quinn@example.edu", False),
]


@pytest.mark.parametrize(("domain", "sender", "holding"), DOMAINS)
def test_only_the_senders_own_domain_signs_for_it(domain: str, sender: str, holding: bool) -> None:
    names = Names({f"{SELECTOR}._domainkey.{domain}": key().record})
    assert holds(signed(letter(sender), domain), sender, names) is holding
    assert bool(names.asked) is holding


RECORDS = [
    None,
    b"",
    b"v=DKIM1; k=rsa; p=",
    b"v=DKIM2; k=rsa; p=AAAA",
    b"v=DKIM1; k=rsa; p=not base64!",
    b"no record at all",
    b"v=DKIM1; k=ed25519; p=AAAA",
    key().record.replace(b"k=rsa;", b"k=rsa; t=y;"),
    key().record.replace(b"k=rsa;", b"k=rsa; t=s:y;"),
]


@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_a_record_without_a_good_key_verifies_nothing(record: bytes | None) -> None:
    names = Names({f"{SELECTOR}._domainkey.example.edu": record} if record is not None else {})
    assert not holds(signed(letter()), names=names)


BROKEN = [
    b"DKIM-Signature: \r\n",
    b"DKIM-Signature: v=1\r\n",
    b"DKIM-Signature: v=1; v=1\r\n",
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.edu; s=\xff; h=from:subject:date; bh=AA==; b=AA==\r\n",
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.edu; s=sel; h=from:subject:date; bh=!; b=!\r\n",
    b"DKIM-Signature: v=1; a=rsa-sha256; c=odd/odd; d=example.edu; s=sel; h=from:subject:date; bh=AA==; b=AAAA\r\n",
]


@pytest.mark.parametrize("header", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_signature_neither_holds_nor_keeps_another_from_holding(header: bytes) -> None:
    assert not holds(header + letter())
    assert holds(header + signed(letter()))


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b" odd\r\n\r\n", b"no header at all", b"From quinn\r\n\r\nx", b":\r\n\r\n"]
)
def test_what_is_no_message_is_not_signed(raw: bytes) -> None:
    assert not holds(raw)


def test_nobody_keeps_the_verification_busy_with_signatures() -> None:
    names = Names({})
    fake = re.sub(rb"b=[A-Za-z0-9+/=\s]+?\r\n(?=From|Date)", b"b=AAAA\r\n", signed(letter()).split(b"Date:")[0])
    assert not holds(fake * (MOST_SIGNATURES + 3) + letter(), names=names)
    assert len(names.asked) <= MOST_SIGNATURES


def test_silent_name_servers_make_nobody_a_liar() -> None:
    with pytest.raises(Unavailable, match="do not answer"):
        holds(signed(letter()), names=Names(silent=True))


# --- on the way in --------------------------------------------------------------------------------------------------


async def reply(live: Engine, names: Names, *headers: str, forged: bool = False) -> tuple[Post, str, str]:
    """The holder's signed reply; the case, and what became of the reply."""
    case_id = (await live.submit("industry-credit", case_id=live.case_id("signed"))).case_id
    task = live.tasks(case_id)[0]
    post = Post(live, Identity(DOMAIN, RELAY, lookup=names))
    to = address_of(task.task_id, task.assignee)
    raw = signed(message(task.assignee, ANSWER, to=to, headers=[DATE]))
    raw = raw.replace(b"fit: 4", b"fit: 3") if forged else raw
    outcome = await post.receiver.receive("".join(f"{header}\r\n" for header in headers).encode() + raw, to)
    return post, case_id, outcome.result


async def test_a_signed_reply_is_recorded_and_told_so(live: Engine) -> None:
    post, case_id, result = await reply(live, Names())
    assert result == "recorded"
    [decision] = post.decisions(case_id)
    assert decision["data"]["strength"] == "mail_dkim"
    assert [row["strength"] for row in post.rows(DecisionRow)] == ["mail_dkim"]
    assert [row["attested_by"] for row in post.came_in()] == ["verified_dkim"]
    live.assert_whole(case_id)


async def test_a_forged_reply_is_refused(live: Engine) -> None:
    post, case_id, result = await reply(live, Names(), forged=True)
    assert result == "sender_not_attested"
    assert post.decisions(case_id) == []
    assert [code for code, _, _ in post.traces()] == ["sender_not_attested"]


async def test_what_the_relay_attests_needs_no_key(live: Engine) -> None:
    names = Names()
    post, case_id, result = await reply(live, names, f"Authentication-Results: {RELAY}; dkim=pass header.d=example.edu")
    assert (result, names.asked) == ("recorded", [])
    assert post.decisions(case_id)[0]["data"]["strength"] == "mail_attested"


async def test_a_relay_that_found_a_forgery_outweighs_a_signature(live: Engine) -> None:
    names = Names()
    _, _, result = await reply(live, names, f"Authentication-Results: {RELAY}; dmarc=fail header.from=example.edu")
    assert (result, names.asked) == ("sender_not_attested", [])


async def test_mail_waits_while_the_name_servers_are_silent(live: Engine) -> None:
    names = Names(silent=True)
    case_id = (await live.submit("industry-credit", case_id=live.case_id("waits"))).case_id
    task = live.tasks(case_id)[0]
    post = Post(live, Identity(DOMAIN, lookup=names))
    to = address_of(task.task_id, task.assignee)
    raw = signed(message(task.assignee, ANSWER, to=to, headers=[DATE]))
    with pytest.raises(Unavailable):
        await post.receiver.receive(raw, to)
    assert post.came_in() == [] and post.traces() == []
    names.silent = False
    assert (await post.receiver.receive(raw, to)).result == "recorded"
