"""The mailbox that is polled: its address, its settings, and the activity that reads it."""

import socket
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.poller import Poller
from imprimatur.cli.mailboxes import identity_at
from imprimatur.embedded.home import LOOPBACK
from imprimatur.errors import InputError, Unavailable
from imprimatur.inbound.receiving import Identity
from imprimatur.mail.mailbox import Folder, MailboxAddress, parse_imap_url
from imprimatur.settings import Settings


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("imaps://u:p@mail.example.edu", ("imaps", "mail.example.edu", 993, "INBOX", "u", "p")),
        ("imaps://u%40x.edu:p%40ss@h/Re%20plies/2026", ("imaps", "h", 993, "Re plies/2026", "u@x.edu", "p@ss")),
        ("imap+starttls://u:p@mail.example.edu:1143/", ("imap+starttls", "mail.example.edu", 1143, "INBOX", "u", "p")),
        ("imap://u@127.0.0.1:143/A", ("imap", "127.0.0.1", 143, "A", "u", None)),
        ("imap://u:p@[::1]", ("imap", "::1", 143, "INBOX", "u", "p")),
    ],
)  # fmt: skip
def test_an_address_of_a_mailbox_is_read(url: str, expected: tuple[Any, ...]) -> None:
    found = parse_imap_url(url)
    assert (found.scheme, found.host, found.port, found.folder, found.username, found.password) == expected


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.edu", "imaps://mail.example.edu", "imaps://u:secret@", "imap://u:secret@mail.example.edu",
     "imap://u:secret@10.0.0.1", "pop://u:secret@h", "imaps://u:secret@h:port"],
)  # fmt: skip
def test_what_is_no_address_of_a_mailbox_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_imap_url(url)
    assert refused.value.code == "imap_url_invalid" and "secret" not in str(refused.value.as_dict())


def test_settings_that_lead_to_no_mailbox_are_told(tmp_path: Path) -> None:
    for given, code in (
        ({}, "imap_url_missing"),
        ({"IMAP_URL": "imaps://u@h"}, "imap_url_invalid"),
        ({"IMAP_URL": "imaps://u@h", "MAIL_OAUTH_TOKEN_URL": "https://h/t"}, "mail_oauth_incomplete"),
        ({"IMAP_URL": "imaps://u:p@h", "MAIL_CA_FILE": str(tmp_path / "none.pem")}, "mail_ca_file_unusable"),
    ):
        with pytest.raises(InputError) as refused:
            MailboxAddress.from_settings(Settings.model_validate(given))
        assert refused.value.code == code


def _refusing(server: socket.socket) -> None:
    """Offers encryption, refuses it when asked, and stays until the other side hangs up."""
    connection, _ = server.accept()
    with connection, connection.makefile("rwb") as lines:
        lines.write(b"* OK ready\r\n")
        lines.flush()
        for line in lines:
            tag, verb = line.split()[:2]
            offers = b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" if verb == b"CAPABILITY" else b""
            lines.write(offers + tag + (b" OK done" if offers else b" NO not now") + b"\r\n")
            lines.flush()


def test_a_server_that_does_not_encrypt_is_hung_up_on() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        serving = Thread(target=_refusing, args=(server,), daemon=True)
        serving.start()
        # What is caught here holds every frame: nothing is closed for want of anybody who knows it.
        with pytest.raises(Unavailable) as refused:
            Folder(parse_imap_url(f"imap+starttls://u:p@{LOOPBACK}:{server.getsockname()[1]}/"))
        serving.join(30)
        assert not serving.is_alive()
    assert refused.value.code == "mailbox_unreachable"


def test_nobody_is_taken_at_their_word_in_a_mailbox_elsewhere() -> None:
    waived = Identity("reply.example.edu", "mx.example.edu", attestation_waived=True)
    assert identity_at(parse_imap_url("imap://u:p@localhost"), waived) == waived
    elsewhere = identity_at(parse_imap_url("imaps://u:p@mail.example.edu"), waived)
    assert elsewhere == replace(waived, attestation_waived=False)


def test_no_secret_stands_in_what_an_address_says_of_itself() -> None:
    assert "hidden" not in repr(parse_imap_url("imaps://u:hidden@h"))


# --- the activity -----------------------------------------------------------------------------------------------------


async def test_the_activity_says_how_many_replies_there_were() -> None:
    async def poll() -> int:
        return 3

    assert await ActivityEnvironment().run(Poller(poll).poll_mailbox) == 3
    assert await ActivityEnvironment().run(Poller(None).poll_mailbox) == 0, "no mailbox is set any more"


async def test_a_mailbox_that_cannot_be_read_is_told_by_its_code() -> None:
    async def poll() -> int:
        raise Unavailable("mailbox_login_refused", "It does not let us in.")

    with capture_logs() as logs, pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(Poller(poll).poll_mailbox)
    assert (failed.value.type, failed.value.message) == ("mailbox_login_refused", "It does not let us in.")
    assert [(log["event"], log["code"]) for log in logs] == [("mailbox_waits", "mailbox_login_refused")]
