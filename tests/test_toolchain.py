"""What a fresh clone is set up from: locks that are whole, carry no host name, and hold what is asked for."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.order import LONGEST

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-runtime.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _lock(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0].lower().replace("_", "-")


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=\S)", _lock(name).strip())
    assert len(entries) > 20
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_host_or_a_path(name: str) -> None:
    assert [line for line in _lock(name).splitlines() if "://" in line or "/" in line or "--index" in line] == []


def test_locks_hold_what_the_project_asks_for(project: dict[str, Any]) -> None:
    runtime = {_name(requirement) for requirement in project["project"]["dependencies"]}
    development = {_name(requirement) for requirement in project["dependency-groups"]["dev"]}
    assert runtime <= {pin[0] for pin in PIN.findall(_lock("requirements-runtime.lock"))}
    assert runtime | development <= {pin[0] for pin in PIN.findall(_lock("requirements.lock"))}


def test_the_image_runs_the_versions_that_were_tested() -> None:
    tested, shipped = set(PIN.findall(_lock("requirements.lock"))), set(PIN.findall(_lock("requirements-runtime.lock")))
    assert shipped - tested == set()


@pytest.mark.parametrize(("age_seconds", "installs"), [(-3600, False), (10**9, True)])
def test_setting_up_is_done_once(tmp_path: Path, age_seconds: int, installs: bool) -> None:
    stamp = tmp_path / "ready"
    stamp.touch()
    newest = max((ROOT / name).stat().st_mtime for name in ("requirements.lock", "pyproject.toml"))
    os.utime(stamp, (newest - age_seconds, newest - age_seconds))
    planned = _make("--dry-run", "setup", f"READY={stamp}")
    assert ("pip install" in planned.stdout) is installs


def test_an_old_python_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    old = tmp_path / "python"
    pretence = "import sys; sys.version_info = (3, 10, 14); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{pretence}' \"$2\"\n", encoding="utf-8")
    old.chmod(0o755)
    refused = _make("setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert refused.returncode != 0
    assert "Python 3.11 or newer is needed" in refused.stderr
    assert not (tmp_path / "venv").exists()


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Flags of a `make test` around this one are not meant for it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_what_must_pass_is_a_program() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("name", LONGEST)
def test_what_is_run_first_is_there(name: str) -> None:
    assert (ROOT / "tests" / name).is_file()
