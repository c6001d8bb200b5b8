"""The home folder of the embedded stack: everything it keeps is in here."""

import fcntl
import json
import os
import random
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from imprimatur.errors import InputError, Refused

LOOPBACK = "127.0.0.1"
PORTS_FILE = "ports.json"
BELOW_EPHEMERAL = range(20_000, 32_768)


@dataclass(frozen=True)
class StackInfo:
    """Written when the stack starts; other commands find it by this. ``pids`` maps a part to (pid, start time)."""

    base_url: str
    temporal_address: str
    smtp_port: int
    database_url: str
    time_skipping: bool
    pids: dict[str, tuple[int, str]] = field(default_factory=dict)
    temporal_ui: str | None = None

    @property
    def smtp_url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.smtp_port}"


class Home:
    """Paths below one folder. Nothing outside it is written."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.mail = self.root / "mail"
        self.published = self.root / "published"
        self.logs = self.root / "logs"
        self.temporal_database = self.root / "temporal.db"
        self.database_url = f"sqlite:///{self.root / 'imprimatur.db'}"

    def prepare(self) -> None:
        """Raises InputError ``home_unusable``."""
        try:
            for folder in (self.root, self.mail, self.published, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "home_unusable", f"{self.root} cannot be used as home: {error.strerror}.", "Name another with --home."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One stack per home; the lock goes with the process, however it ends. Raises Refused ``home_in_use``."""
        with (self.root / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Refused(
                    "home_in_use",
                    f"A stack is running in {self.root} already.",
                    "Use it, stop it first, or name another folder with --home.",
                ) from error
            yield

    @property
    def secret_file(self) -> Path:
        return self.root / "secret.key"

    def secret(self) -> str:
        """The random key that signs links, made once and readable by its owner only."""
        if not self.secret_file.exists():
            write_whole(self.secret_file, secrets.token_urlsafe(48), 0o600)
        return self.secret_file.read_text(encoding="utf-8").strip()

    def write_stack(self, info: StackInfo) -> None:
        write_whole(self.root / "stack.json", json.dumps(asdict(info), indent=2), 0o600)

    def forget_stack(self) -> None:
        (self.root / "stack.json").unlink(missing_ok=True)

    def port(self, name: str, wanted: int | None = None) -> int:
        """The wanted port; else the one used last time, so that links in old mails keep working; else a free one.

        Raises Refused ``port_in_use`` when the wanted one is taken.
        """
        remembered = self._ports()
        if wanted is not None:
            if not is_free(wanted):
                raise Refused("port_in_use", f"Port {wanted} is in use.", "Name another with --port, or none.")
            chosen = wanted
        else:
            before = remembered.get(name)
            chosen = before if before is not None and is_free(before) else free_port()
        write_whole(self.root / PORTS_FILE, json.dumps(remembered | {name: chosen}), 0o644)
        return chosen

    def _ports(self) -> dict[str, int]:
        """What can be read of them: a port forgotten costs old links, a refusal to start would cost everything."""
        try:
            found = json.loads((self.root / PORTS_FILE).read_text(encoding="utf-8"))
            return {str(name): int(port) for name, port in found.items() if 0 < int(port) < 65536}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}


def write_whole(path: Path, text: str, mode: int) -> None:
    """The old content or the new, never half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(mode)
    Path(name).replace(path)


def read_stack(root: Path) -> StackInfo | None:
    """The stack that runs, or last ran without being stopped, in a home; None when there is none."""
    path = Home(root).root / "stack.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return StackInfo(**(data | {"pids": {name: tuple(value) for name, value in data["pids"].items()}}))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            "home_damaged", f"{path} cannot be read.", "Start the stack again: it writes the file anew."
        ) from error


def last_stack(root: Path) -> StackInfo | None:
    """As read_stack, but a damaged file is no stack: it is about to be written anew."""
    try:
        return read_stack(root)
    except InputError:
        return None


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection is given before it is listened on.

    The system lends the ports of its ephemeral range (32768 up on Linux, 49152 up by RFC 6335) to outgoing
    connections, so that one of those could be gone by the time the server for which it was chosen has started. Two
    processes never choose alike, whatever the state of their generators.
    """
    chosen = random.SystemRandom().sample(BELOW_EPHEMERAL, len(BELOW_EPHEMERAL))
    return next(port for port in chosen if is_free(port))
