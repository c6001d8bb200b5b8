"""Starts the embedded stack, keeps it running, and stops it: Temporal, mail sink, web, worker, listener."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from imprimatur.embedded.home import LOOPBACK, Home, StackInfo, last_stack
from imprimatur.embedded.probes import answers_smtp, answers_tcp
from imprimatur.errors import InputError, Unavailable
from imprimatur.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HEALTHY_WITHIN_SECONDS = 90.0
STOP_WITHIN_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
# A part that has run this long is considered sound, and a later death starts at the shortest pause again.
SOUND_AFTER_SECONDS = 30.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Part:
    """One process of the stack; ``healthy`` says whether it does its work."""

    name: str
    command: Sequence[str]
    healthy: Callable[[], bool]


@dataclass
class Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    again_at: float | None = None


@dataclass
class Stop:
    """Set by the first SIGINT, SIGTERM or SIGHUP."""

    asked: bool = False

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: object) -> None:
        self.asked = True


@dataclass
class Supervisor:
    """Starts parts wave by wave, the parts of a wave side by side; restarts what dies; stops in reverse order."""

    waves: Sequence[Sequence[Part]]
    logs: Path
    environment: Mapping[str, str]
    stop: Stop
    changed: Callable[[dict[str, tuple[int, str]]], None] = lambda pids: None
    running: dict[str, Running] = field(default_factory=dict)

    def start(self) -> None:
        """Raises Unavailable ``stack_failed`` naming the part and the end of its log."""
        for wave in self.waves:
            if self.stop.asked:
                return
            for part in wave:
                self._spawn(part)
            for part in wave:
                self._await(part)

    def watch(self) -> None:
        """Returns when asked to stop."""
        while not self.stop.asked:
            for state in list(self.running.values()):
                self._revive(state)
            time.sleep(LOOK_EVERY_SECONDS)

    def shut_down(self) -> None:
        for state in reversed(list(self.running.values())):
            _end(state.process)

    def _spawn(self, part: Part, deaths: int = 0) -> None:
        with (self.logs / f"{part.name}.log").open("ab") as log:
            process = subprocess.Popen(
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=ROOT,
                # Ctrl-C in the terminal reaches the supervisor alone, which stops the parts in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.running[part.name] = Running(part, process, time.monotonic(), deaths)
        self.changed({name: (state.process.pid, start_time(state.process.pid)) for name, state in self.running.items()})

    def _await(self, part: Part) -> None:
        deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while not self.stop.asked:
            if part.healthy():
                return
            state = self.running[part.name]
            if state.process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(
                    "stack_failed",
                    f"The part {part.name} of the stack did not start.",
                    f"Its log ends: {self._tail(part.name)}",
                )
            time.sleep(0.05)

    def _tail(self, name: str) -> str:
        lines = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(lines[-5:]) or "nothing was written"

    def _revive(self, state: Running) -> None:
        now = time.monotonic()
        if state.again_at is None:
            if state.process.poll() is None:
                return
            deaths = 0 if now - state.started > SOUND_AFTER_SECONDS else state.deaths
            pause = min(0.1 * 2**deaths, LONGEST_BACKOFF_SECONDS)
            state.deaths, state.again_at = deaths + 1, now + pause
            sys.stderr.write(f"{state.part.name} ended ({state.process.returncode}), starts again\n")
        elif now >= state.again_at:
            self._spawn(state.part, state.deaths)


def _die_with_parent() -> None:
    """On Linux the kernel ends a part when its supervisor is gone, even by kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start_time(pid: int) -> str:
    """Tells a process from a later one with the same number; empty where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def end_leftovers(info: StackInfo | None) -> None:
    """Ends parts of a stack whose supervisor was killed, where the kernel did not; waits until their ports are free."""
    left = [(pid, started) for pid, started in (info.pids if info else {}).values() if started]
    for pid, started in left:
        if start_time(pid) == started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    while any(start_time(pid) == started for pid, started in left) and time.monotonic() < deadline:
        time.sleep(0.02)


def temporal_binary() -> str:
    """Raises InputError ``temporal_missing``."""
    path = Path(sys.executable).with_name("temporal")
    if not path.exists():
        raise InputError(
            "temporal_missing", "The Temporal server is not installed beside this Python.", "Run `make setup`."
        )
    return str(path)


def temporal_command(binary: str, port: int, ui_port: int, database: Path, time_skipping: bool) -> list[str]:
    command = [
        binary, "server", "start-dev", "--ip", LOOPBACK, "--port", str(port), "--ui-port", str(ui_port),
        "--db-filename", str(database), "--log-level", "warn",
        "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full",
    ]  # fmt: skip
    if time_skipping:
        command += ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
        command += ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="50ms"']
    return command


def run_stack(
    settings: Settings,
    root: Path,
    port: int | None,
    time_skipping: bool,
    prepare: Callable[[str], None],
    announce: Callable[[dict[str, str]], None],
) -> int:
    """Runs until stopped; answers the exit status.

    ``prepare`` brings the database of a URL up to date; ``announce`` is called once, with the addresses by name.

    The database is the one of DATABASE_URL, else a file in the home folder. Everything else is started here.
    """
    home = Home(root)
    home.prepare()
    stop = Stop()
    stop.install()
    with home.locked():
        end_leftovers(last_stack(root))
        database_url = settings.database_url or home.database_url
        prepare(database_url)
        web, smtp = home.port("web", port), home.port("smtp")
        temporal, ui = home.port("temporal"), home.port("temporal_ui")
        info = StackInfo(
            f"http://{LOOPBACK}:{web}",
            f"{LOOPBACK}:{temporal}",
            smtp,
            database_url,
            time_skipping,
            temporal_ui=f"http://{LOOPBACK}:{ui}",
        )
        supervisor = Supervisor(
            _waves(home, info, ui, settings),
            home.logs,
            _environment(settings, home, info),
            stop,
            lambda pids: home.write_stack(replace(info, pids=pids)),
        )
        try:
            supervisor.start()
            if not stop.asked:
                announce(addresses(info, ui, home))
                supervisor.watch()
        finally:
            supervisor.shut_down()
            home.forget_stack()
    return 0


def _waves(home: Home, info: StackInfo, ui_port: int, settings: Settings) -> list[list[Part]]:
    host, _, port = info.temporal_address.partition(":")
    web_port = info.base_url.rsplit(":", 1)[1]
    python, starter, worker = sys.executable, str(ROOT / "starter.py"), str(ROOT / "worker.py")
    temporal = temporal_command(temporal_binary(), int(port), ui_port, home.temporal_database, info.time_skipping)
    temporal += ["--namespace", settings.temporal_namespace]
    sink = [python, "-m", "imprimatur.embedded.sink", "--port", str(info.smtp_port), "--dir", str(home.mail)]
    replies = home.port("replies")
    sink += ["--replies-port", str(replies), "--reply-domain", settings.mail_reply_domain]
    listener = [python, starter, "mail", "listen", "--port", str(replies)]
    web = [python, starter, "web", "--port", web_port, "--inbox"]
    return [
        [
            Part("temporal", temporal, lambda: answers_tcp(host, int(port))),
            Part("sink", sink, lambda: answers_smtp(LOOPBACK, info.smtp_port)),
        ],
        [
            Part("web", web, lambda: _answers(f"{info.base_url}/healthz")),
            Part("worker", [python, worker], lambda: _answers(f"{info.base_url}/readyz")),
            Part("replies", listener, lambda: answers_smtp(LOOPBACK, replies)),
        ],
    ]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _environment(settings: Settings, home: Home, info: StackInfo) -> dict[str, str]:
    """Settings of the folder that `up` was called in hold for every part, although parts run in a folder of their own.

    The stack's own addresses come last: nothing in a setting sends its mail or its cases elsewhere.
    """
    keys = settings.secret_keys.get_secret_value() if settings.secret_keys else home.secret()
    return (
        dict(os.environ)
        | settings.given()
        | {
            "IMPRIMATUR_HOME": str(home.root),
            "IMPRIMATUR_BASE_URL": info.base_url,
            "IMPRIMATUR_SECRET_KEYS": keys,
            "DATABASE_URL": info.database_url,
            "TEMPORAL_ADDRESS": info.temporal_address,
            "TEMPORAL_UI_URL": info.temporal_ui or "",
            "SMTP_URL": info.smtp_url,
            # Nobody but this machine reaches the sink, and no relay is there to vouch for anybody.
            "MAIL_ATTESTATION": "waived",
            "PYTHONUNBUFFERED": "1",
        }
    )


def addresses(info: StackInfo, ui_port: int, home: Home) -> dict[str, str]:
    return {
        "ready": info.base_url,
        "sign-in": f"{info.base_url}/sign-in",
        "inbox": f"{info.base_url}/inbox",
        "smtp": info.smtp_url,
        "temporal": info.temporal_address,
        "temporal-pages": f"http://{LOOPBACK}:{ui_port}",
        "home": str(home.root),
    }
