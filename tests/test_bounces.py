"""What relays say of mail that they could not deliver is read as they mean it; noise says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.mail.bounces import NOTHING, Bounce, read_bounce
from models.vocabulary import ReportAction
from tests.corpus import Sample, samples

REPORTS = [sample for sample in samples() if "report" in sample.says]
READER = "quinn.reviewer@example.net"


@pytest.mark.parametrize("sample", REPORTS, ids=lambda sample: sample.name)
def test_a_report_says_what_its_relay_meant(sample: Sample) -> None:
    bounce, meant = read_bounce(sample.raw), sample.says["report"]
    told = bounce.of(READER)
    if meant is None:
        assert told is None
        return
    assert told is not None
    assert (told.action, told.status, told.recipient) == (meant["action"], meant["status"], meant["recipient"])
    assert "diagnostic" not in meant or told.diagnostic == meant["diagnostic"]
    assert meant["mail"] in bounce.returned or meant["mail"] is None


@pytest.mark.parametrize("sample", [s for s in samples() if s.says["kind"] != "bounce"], ids=lambda s: s.name)
def test_what_people_write_is_read_without_trouble(sample: Sample) -> None:
    assert isinstance(read_bounce(sample.raw), Bounce)


def report(*blocks: str) -> bytes:
    status = "\n\n".join(["Reporting-MTA: dns; mx.example.net", *blocks])
    head = 'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n'
    return f"{head}--x\nContent-Type: message/delivery-status\n\n{status}\n\n--x--\n".encode()


ACTIONS = [
    ("Action: failed\nStatus: 5.1.1", ReportAction.FAILED, "5.1.1"),
    ("Action: FAILED\nStatus: 5.1.1 (bad mailbox)", ReportAction.FAILED, "5.1.1"),
    ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.2.1 off", ReportAction.FAILED, "5.2.1"),
    ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 450 4.2.1 off", ReportAction.FAILED, "5.0.0"),
    ("Action: failed\nDiagnostic-Code: smtp; 552 too large", ReportAction.FAILED, "5.0.0"),
    ("Action: failed\nDiagnostic-Code: X-Unix; 67", ReportAction.FAILED, None),
    ("Action: delayed\nStatus: 4.4.7", ReportAction.DELAYED, "4.4.7"),
    ("Action: perhaps\nStatus: 4.4.7", ReportAction.DELAYED, "4.4.7"),
    ("Action: perhaps\nStatus: 2.0.0", ReportAction.DELIVERED, "2.0.0"),
]


@pytest.mark.parametrize(("fields", "action", "status"), ACTIONS)
def test_action_and_status_are_taken_from_where_they_are_surest(
    fields: str, action: ReportAction, status: str | None
) -> None:
    told = read_bounce(report(f"Final-Recipient: rfc822; {READER}\n{fields}")).of(READER)
    assert told is not None and (told.action, told.status) == (action, status)


def test_of_several_recipients_the_reader_counts_first() -> None:
    bounce = read_bounce(
        report(
            "Final-Recipient: rfc822; other@example.net\nAction: failed\nStatus: 5.1.1",
            f"Final-Recipient: rfc822; {READER}\nAction: delayed\nStatus: 4.4.1",
        )
    )
    [of_reader, of_anybody] = [bounce.of(READER), bounce.of("third@example.net")]
    assert of_reader is not None and of_reader.action is ReportAction.DELAYED
    assert of_anybody is not None and of_anybody.action is ReportAction.FAILED


def test_an_address_in_numbers_is_no_status() -> None:
    head = b"From: MAILER-DAEMON@mx.example.net\n\n"
    assert read_bounce(head + b"192.5.1.1 and 5.1.1.9 do not like you").told == ()


def test_what_is_built_to_harm_says_nothing() -> None:
    assert read_bounce(b"Content-Type: multipart/report\n" * 100_000) == NOTHING
    assert read_bounce(b"X: " + b"y" * 300_000) == NOTHING


LINES = st.sampled_from(
    [
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x", "Content-Type: message/rfc822",
        "Content-Type: message/delivery-status", "Content-Type: message/global-delivery-status", "--x", "--x--", "",
        "Content-Transfer-Encoding: base64", "Action: failed", "Status: 5.1.1", "Final-Recipient: rfc822;", "Status:",
        "Diagnostic-Code: smtp; 550", "Message-ID: <m-x@y>", "\x00", "=?utf-8?q?=ff?=",
        "Content-Type: text/plain; charset=x",
    ]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=30), max_size=40))
def test_noise_in_the_form_of_a_report_is_read_without_trouble(lines: list[str]) -> None:
    assert isinstance(read_bounce("\n".join(lines).encode("utf-8", "replace")), Bounce)


@given(st.binary(max_size=500))
def test_any_bytes_are_read_without_trouble(raw: bytes) -> None:
    assert isinstance(read_bounce(raw), Bounce)
