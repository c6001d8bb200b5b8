"""The parts of a bench run as processes: Temporal, mail sink, workers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imprimatur.cli.service import prepare_database
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.embedded.probes import answers_smtp, answers_tcp
from imprimatur.embedded.supervisor import ROOT, temporal_binary, temporal_command


class BenchStack:
    """Addresses of what runs; ``environment`` is what a worker needs."""

    def __init__(self, home: Path, database_url: str | None = None) -> None:
        self.home = home
        self.temporal = f"{LOOPBACK}:{free_port()}"
        self.smtp_port = free_port()
        self.database_url = database_url or f"sqlite:///{home / 'bench.db'}"
        self.environment = os.environ | {
            "IMPRIMATUR_HOME": str(home),
            "IMPRIMATUR_BASE_URL": "http://127.0.0.1:9",
            "IMPRIMATUR_SECRET_KEYS": "bench-key-bench-key-bench-key-bench-key",
            "DATABASE_URL": self.database_url,
            "TEMPORAL_ADDRESS": self.temporal,
            "SMTP_URL": f"smtp://{LOOPBACK}:{self.smtp_port}",
        }

    @contextmanager
    def running(self) -> Iterator["BenchStack"]:
        port = int(self.temporal.rsplit(":", 1)[1])
        command = temporal_command(temporal_binary(), port, free_port(), self.home / "temporal.db", False)
        prepare_database(self.database_url)
        with self.process("temporal", command, lambda: answers_tcp(LOOPBACK, port)):
            yield self

    @contextmanager
    def process(self, name: str, command: list[str], healthy: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, cwd=ROOT)
        try:
            deadline = time.monotonic() + 60
            while not healthy():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not start: {(self.home / f'{name}.log').read_text()[-2000:]}")
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            process.wait(30)

    @contextmanager
    def floor_worker(self) -> Iterator[None]:
        log = self.home / "floor.log"
        log.write_text("")
        command = [sys.executable, "-m", "tests.bench.floor"]
        with self.process("floor", command, lambda: "ready" in log.read_text()):
            yield

    @contextmanager
    def engine(self) -> Iterator[subprocess.Popen[bytes]]:
        """The mail sink and the worker process as they run in production."""
        sink = ["-m", "imprimatur.embedded.sink", "--port", str(self.smtp_port), "--dir", str(self.home / "mail")]
        log = self.home / "worker.log"
        log.write_text("")
        with (
            self.process("sink", [sys.executable, *sink], lambda: answers_smtp(LOOPBACK, self.smtp_port)),
            self.process("worker", [sys.executable, "worker.py"], lambda: "worker_ready" in log.read_text()) as worker,
        ):
            yield worker
