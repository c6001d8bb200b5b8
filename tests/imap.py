"""A mailbox that speaks just enough IMAP for a login and for reading what it was given; for tests.

What a real server does is tested against a real one.
"""

import base64
import json
import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from imprimatur.embedded.home import LOOPBACK

REFUSAL = base64.b64encode(json.dumps({"status": "401", "schemes": "bearer"}).encode()).decode()


@dataclass
class FakeMailbox:
    """``tokens`` are those that let in; what clients said while they logged in is in ``shown``."""

    tokens: set[str] = field(default_factory=set)
    password: str | None = None
    messages: list[bytes] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    answers_to_refusals: list[str] = field(default_factory=list)
    echoes: bool = False
    port: int = 0

    def url(self, user: str, password: str = "") -> str:
        login = f"{user}:{password}" if password else user
        return f"imap://{login}@{LOOPBACK}:{self.port}/"


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            verb = command.split(" ")[0].upper()
            act = getattr(self, f"_{'uid_' + command.split(' ')[1].lower() if verb == 'UID' else verb.lower()}", None)
            self._say(f"{tag} {act(command) if act else 'OK done'}")
            if verb == "LOGOUT":
                return

    @property
    def _mailbox(self) -> FakeMailbox:
        found: FakeMailbox = self.server.mailbox  # type: ignore[attr-defined]
        return found

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _capability(self, command: str) -> str:
        plain = "" if self._mailbox.password is None else " AUTH=PLAIN"
        self._say(f"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2{plain}")
        return "OK done"

    def _authenticate(self, command: str) -> str:
        self._say("+ ")
        said = base64.b64decode(self.rfile.readline()).decode()
        self._mailbox.shown.append(said)
        if command.upper().endswith("PLAIN"):
            is_right = self._mailbox.password is not None and said.endswith(f"\0{self._mailbox.password}")
        else:
            found = re.search(r"auth=Bearer (.*)\x01\x01", said)
            is_right = found is not None and found[1] in self._mailbox.tokens
            if not is_right:
                self._say(f"+ {REFUSAL}")
                self._mailbox.answers_to_refusals.append(self.rfile.readline().decode().strip())
        if is_right:
            return "OK in"
        return f"NO not with {said!r}" if self._mailbox.echoes else "NO [AUTHENTICATIONFAILED] no"

    def _select(self, command: str) -> str:
        self._say(f"* {len(self._mailbox.messages)} EXISTS")
        self._say("* OK [UIDVALIDITY 7] UIDs valid")
        return "OK [READ-WRITE] selected"

    def _uid_search(self, command: str) -> str:
        self._say("* SEARCH " + " ".join(str(number + 1) for number in range(len(self._mailbox.messages))))
        return "OK done"

    def _uid_fetch(self, command: str) -> str:
        number = int(command.split(" ")[2])
        whole = self._mailbox.messages[number - 1]
        part = whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in command else whole
        name = "BODY[HEADER]<0>" if "HEADER" in command else "BODY[]"
        self._say(f"* {number} FETCH (UID {number} RFC822.SIZE {len(whole)} {name} {{{len(part)}}}")
        self.wfile.write(part)
        self._say(")")
        return "OK done"

    def _logout(self, command: str) -> str:
        self._say("* BYE")
        return "OK bye"


@contextmanager
def fake_mailbox(**given: Any) -> Iterator[FakeMailbox]:
    mailbox = FakeMailbox(**given)
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), _Session) as server:
        server.daemon_threads = True
        server.mailbox = mailbox  # type: ignore[attr-defined]
        mailbox.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()
