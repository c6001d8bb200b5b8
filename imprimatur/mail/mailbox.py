"""A mailbox that is polled: its address, and an open folder of it (IMAP, RFC 3501)."""

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import MailboxFolderSelectError, MailboxLoginError

from imprimatur.errors import InputError, Unavailable
from imprimatur.mail.encryption import trusting, without
from imprimatur.mail.oauth import Tokens
from imprimatur.mail.transport import tokens_from
from imprimatur.settings import Settings, is_loopback

TIMEOUT_SECONDS = 30
DEFAULT_PORTS = {"imap": 143, "imap+starttls": 143, "imaps": 993}
HEAD_BYTES = 256 * 1024
FORM = "Use imaps://USER:PASSWORD@HOST/FOLDER or imap+starttls://USER:PASSWORD@HOST/FOLDER."


@dataclass(frozen=True)
class MailboxAddress:
    """``imap`` is plain and for this machine only; the others check certificates.

    A user without a password logs in with an access token.
    """

    scheme: Literal["imap", "imap+starttls", "imaps"]
    host: str
    port: int
    folder: str
    username: str
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    tokens: Tokens | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_settings(cls, settings: Settings, tokens: Tokens | None = None) -> "MailboxAddress":
        """``tokens`` are those that others use already.

        Raises InputError ``imap_url_missing``, ``imap_url_invalid``, ``mail_ca_file_unusable`` or
        ``mail_oauth_incomplete``.
        """
        if settings.imap_url is None:
            raise InputError("imap_url_missing", "IMAP_URL is not set.", FORM)
        trusting(settings.mail_ca_file)
        tokens = tokens or tokens_from(settings)
        found = parse_imap_url(settings.imap_url.get_secret_value())
        if found.password is None and tokens is None:
            raise InputError("imap_url_invalid", "IMAP_URL has no password, and MAIL_OAUTH_TOKEN_URL is not set.", FORM)
        return cls(**(vars(found) | {"ca_file": settings.mail_ca_file, "tokens": tokens}))

    @property
    def name(self) -> str:
        """Without the password: by it the database knows how far the mailbox has been read."""
        return f"{self.username}@{self.host}:{self.port}/{self.folder}"

    async def token(self) -> str | None:
        """The access token to log in with, where there is no password. Raises Unavailable."""
        return await self.tokens.token() if self.tokens is not None and self.password is None else None


def parse_imap_url(url: str) -> MailboxAddress:
    """Raises InputError ``imap_url_invalid``; the message never repeats a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not parts.username:
        raise InputError("imap_url_invalid", "IMAP_URL is not an address of a mailbox.", FORM)
    if parts.scheme == "imap" and not is_loopback(parts.hostname):
        raise InputError("imap_url_invalid", "IMAP_URL would show its password to the network.", FORM)
    return MailboxAddress(
        parts.scheme,  # type: ignore[arg-type]
        parts.hostname,
        port or DEFAULT_PORTS[parts.scheme],
        unquote(parts.path.strip("/")) or "INBOX",
        unquote(parts.username),
        unquote(parts.password) if parts.password else None,
    )


@dataclass(frozen=True)
class Head:
    """The headers of a message, at most 256 KiB of them, and the size of the whole in bytes."""

    content: bytes
    size: int


class LoginRefused(Unavailable):
    """Told apart, for a token may have ended before its time."""


class _StartTls(MailBoxStartTls):
    """The library leaves the connection open where the server does not want to encrypt it."""

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4(self._host, self._port, timeout=self._timeout)
        try:
            client.starttls(self._ssl_context)
        except BaseException:
            # Where it failed half-way through encrypting there is nothing left to close.
            with suppress(OSError):
                client.shutdown()
            raise
        return client


class Folder:
    """An open folder; every method blocks, and raises Unavailable when the server does not do as it should."""

    def __init__(self, address: MailboxAddress, token: str | None = None) -> None:
        self._address = address
        self._token = token
        with self._answering():
            self._box = self._connected()
        try:
            with self._answering():
                self._log_in()
            self.uid_validity = self._opened()
        except BaseException:
            self.close()
            raise

    def newer(self, uid: int) -> list[int]:
        """Numbers of messages that came after one, in order. A server always names the last message as well."""
        with self._answering():
            found = (int(number) for number in self._box.uids(f"UID {uid + 1}:*", charset=None))
            return sorted(number for number in found if number > uid)

    def head(self, uid: int) -> Head | None:
        """None when the message has gone."""
        told, content = self._fetch(uid, f"(RFC822.SIZE BODY.PEEK[HEADER]<0.{HEAD_BYTES}>)")
        size = re.search(rb"RFC822\.SIZE (\d+)", told)
        return Head(content, int(size[1])) if size else None

    def content(self, uid: int) -> bytes | None:
        """The whole message; None when it has gone."""
        return self._fetch(uid, "(BODY.PEEK[])")[1] or None

    def put_away(self, uid: int, folder: str | None) -> None:
        """Flags a message as seen, and moves it if a folder is named."""
        with self._answering():
            self._box.client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")
            if folder is not None:
                self._box.move(str(uid), folder)

    def has_folder(self, name: str) -> bool:
        with self._answering():
            return bool(self._box.folder.exists(name))

    def close(self) -> None:
        # A reader that is told to stop leaves a thread behind that still reads, and the library is not made for two.
        with suppress(Exception):
            self._box.logout()
        # The library hangs up only after the server's farewell.
        with suppress(OSError):
            self._box.client.shutdown()

    def _connected(self) -> BaseMailBox:
        here, context = self._address, trusting(self._address.ca_file)
        if here.scheme == "imaps":
            return MailBox(here.host, here.port, timeout=TIMEOUT_SECONDS, ssl_context=context)
        if here.scheme == "imap+starttls":
            return _StartTls(here.host, here.port, timeout=TIMEOUT_SECONDS, ssl_context=context)
        return MailBoxUnencrypted(here.host, here.port, timeout=TIMEOUT_SECONDS)

    def _log_in(self) -> None:
        here = self._address
        try:
            if self._token is not None:
                self._box.client.authenticate("XOAUTH2", self._by_token())  # type: ignore[arg-type]
            elif "AUTH=PLAIN" in self._box.client.capabilities:
                self._box.login_utf8(here.username, here.password or "", initial_folder=None)
            else:
                self._box.login(here.username, here.password or "", initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, MailboxLoginError) as error:
            raise LoginRefused(
                "mailbox_login_refused",
                f"The mailbox {here.name} does not let us in: {self._said(error)}.",
                "Check the user and password of IMAP_URL, or the MAIL_OAUTH settings.",
            ) from None

    def _by_token(self) -> Any:
        """The first answer is the token; what is asked after it is a reason for refusing, to be left unanswered."""
        answers = iter([f"user={self._address.username}\1auth=Bearer {self._token}\1\1".encode()])
        return lambda challenge: next(answers, b"")

    def _opened(self) -> int:
        try:
            with self._answering():
                self._box.folder.set(self._address.folder)
            [value] = self._box.client.response("UIDVALIDITY")[1]
            return int(value)
        except (MailboxFolderSelectError, TypeError, ValueError) as error:
            raise Unavailable(
                "mailbox_folder_unusable",
                f"The folder of the mailbox {self._address.name} cannot be opened.",
                "Check the folder in IMAP_URL; it is INBOX unless named.",
            ) from error

    def _fetch(self, uid: int, parts: str) -> tuple[bytes, bytes]:
        """What was told beside the content, and the content; the server may tell of other messages in between."""
        with self._answering():
            status, answer = self._box.client.uid("FETCH", str(uid), parts)
        if status != "OK":
            raise self._unreachable("it does not show a message")
        for item in answer:
            if isinstance(item, tuple) and b"BODY[" in item[0]:
                index = answer.index(item)
                after = answer[index + 1] if index + 1 < len(answer) else b""
                return item[0] + b" " + (after if isinstance(after, bytes) else b""), item[1]
        return b"", b""

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except MailboxFolderSelectError:
            raise
        except (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError) as error:
            raise self._unreachable(self._said(error)) from None

    def _unreachable(self, why: str) -> Unavailable:
        told = f"The mailbox {self._address.name} does not answer: {why}."
        return Unavailable("mailbox_unreachable", told, "Check IMAP_URL, and MAIL_CA_FILE for its certificate.")

    def _said(self, error: Exception) -> str:
        said, here = str(error).strip().rstrip(".") or type(error).__name__, self._address
        return " ".join(without(said, here.username, here.password, self._token).split())[:300]
