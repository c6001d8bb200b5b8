"""Noise and hostile messages: nothing is raised, nothing is decided, memory stays within bounds."""

import base64
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.mail.replies.cutting import own_words
from imprimatur.mail.replies.grammar import WORDS, Answer, Unclear, meaning, parse
from imprimatur.mail.replies.letter import LONGEST_HEADERS_BYTES, Letter, take_apart
from imprimatur.mail.replies.markup import text_of_html
from models.vocabulary import InboundKind, Verdict
from tests.corpus import samples, understood
from tests.fuzz import make, problem, run, written

MEBIBYTE = 1024 * 1024
HEAD = b"From: q@example.edu\r\nMessage-ID: <x@example.edu>\r\n"
WORD_LIST = [word for words in WORDS.values() for word in words]


def test_mutations_of_the_corpus_decide_nothing_that_nobody_wrote() -> None:
    assert list(run(range(2_500))) == []


def test_the_same_number_makes_the_same_input_and_numbers_make_different_ones() -> None:
    assert make(17) == make(17)
    assert len({make(number).raw for number in range(200)}) > 190


def test_a_verdict_out_of_nothing_would_be_noticed() -> None:
    sample = next(sample for sample in samples() if sample.name == "command-line-mail")
    assert written(sample) == {Verdict.APPROVE}
    made = make(17)
    forged = type(made)(sample.raw, frozenset({Verdict.REJECT}))
    assert problem(forged) == "approve was decided, which nobody wrote"


@given(st.binary(max_size=3_000))
def test_noise_decides_nothing(raw: bytes) -> None:
    letter, said = understood(raw)
    assert not isinstance(said, Answer), letter


@given(st.text(max_size=500))
def test_a_verdict_needs_its_word_alone_on_the_first_line_that_is_written(text: str) -> None:
    said = parse(own_words(text))
    if isinstance(said, Answer):
        first = next(line for line in own_words(text).split("\n") if line.strip())
        assert meaning(first) is said.verdict


@given(st.sampled_from(WORD_LIST), st.text(min_size=1, max_size=30).filter(lambda text: any(map(str.isalnum, text))))
def test_a_word_with_anything_beside_it_is_no_verdict(word: str, beside: str) -> None:
    for line in (f"{word} {beside}", f"{beside} {word}"):
        found = meaning(line)
        assert found is None or " ".join(line.casefold().split()) in WORD_LIST


@given(st.text(max_size=2_000))
def test_any_markup_becomes_text(html: str) -> None:
    assert isinstance(text_of_html(html), str)


def flood(part: bytes, times: int) -> bytes:
    return HEAD + b'Content-Type: multipart/mixed; boundary="f"\r\n\r\n' + part * times + b"--f--\r\n"


def nested(levels: int) -> bytes:
    raw = b"Content-Type: text/plain\r\n\r\napprove\r\n"
    for level in range(levels):
        raw = b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n%b\r\n--%d--\r\n' % (
            level,
            level,
            raw,
            level,
        )
    return HEAD + raw


HOSTILE = {
    "a header without an end": HEAD + b"X-Filler: " + b"a" * (3 * MEBIBYTE),
    "headers without number": HEAD + b"X-Filler: a\r\n" * 300_000 + b"\r\napprove\r\n",
    "a flood of parts": flood(b"--f\r\n\r\n\r\n", 500_000),
    "a flood of forwarded messages": flood(b"--f\r\nContent-Type: message/rfc822\r\n\r\n", 100_000),
    "a thousand levels": nested(1_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_built_to_harm_is_not_taken_apart(name: str) -> None:
    raw = HOSTILE[name]
    letter, peak = peak_of(raw)
    assert letter.kind is InboundKind.UNREADABLE
    assert peak < 8 * MEBIBYTE


LARGE = {
    "a large attachment": b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(bytes(3 * MEBIBYTE)),
    "one endless line": b"Content-Type: text/plain\r\n\r\n" + b"approve " * 400_000,
    "endless markup": b"Content-Type: text/html\r\n\r\n" + b"<div><a href='" * 200_000,
    "endless quoting": b"Content-Type: text/plain\r\n\r\n" + b">" * 2_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_is_only_large_costs_a_few_times_its_size(name: str) -> None:
    raw = HEAD + LARGE[name]
    letter, peak = peak_of(raw)
    assert letter.kind is InboundKind.REPLY
    assert peak < 12 * len(raw)


def peak_of(raw: bytes) -> tuple[Letter, int]:
    tracemalloc.start()
    try:
        letter, said = understood(raw)
        assert not isinstance(said, Answer)
        return letter, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_longest_headers_still_count() -> None:
    filler = b"X-Filler: " + b"a" * (LONGEST_HEADERS_BYTES - len(HEAD) - 100) + b"\r\n"
    assert understood(HEAD + filler + b"\r\napprove\r\n")[1] == Answer(Verdict.APPROVE)


def test_of_a_strangers_mail_only_the_head_is_read() -> None:
    letter = take_apart(samples()[0].raw, with_content=False)
    assert letter.texts == () and letter.attachments == () and letter.message_id is not None


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_can_be_answered_in_five_languages(verdict: Verdict) -> None:
    assert len(WORDS[verdict]) >= 5
    assert all(meaning(word) is verdict for word in WORDS[verdict])
    assert len(WORD_LIST) == len(set(WORD_LIST))


def test_a_link_of_ones_own_never_becomes_part_of_a_comment() -> None:
    link = "https://credentials.example.edu/t/dC1ndWVkYWVlcHFpdnVtZGRsIHF1aW5u.aaaaaa.bbbb"
    for text in (link, f"see {link}", "review+t-abc.SECRET@reply.example.edu"):
        assert isinstance(parse(f"approve\n\n{text}"), Unclear)
