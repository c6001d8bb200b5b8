"""Runs commands in this process as `starter.py` runs them, and reads what they said; for tests."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imprimatur.cli.main import run
from imprimatur.settings import Settings


@dataclass(frozen=True)
class Answer:
    """Exit status, standard output and standard error of one command."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` printed: one document, nothing before or after it, and nothing on standard error."""
        assert self.err == "", self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def code(self) -> str:
        """The error's code, from either way of speaking."""
        if self.out.startswith("{"):
            return str(self.document["error"]["code"])
        return self.err.partition("[")[2].partition("]")[0]


class Command:
    """`command("show", case_id)` as a person types it; `command.json(...)` as a script does, which must succeed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Answer:
        self._capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        return Answer(status, said.out, said.err)

    def json(self, *arguments: object) -> dict[str, Any]:
        answer = self(*arguments, "--json")
        assert answer.status == 0, answer
        return answer.document


def without_settings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As on a fresh machine: no setting in the environment, no `.env` in the folder, nothing in the home."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("IMPRIMATUR_HOME", str(folder / "home"))
