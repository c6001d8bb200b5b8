"""Frozen histories of workflows that run once: one file each, made where there is none yet."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from imprimatur.cli.output import leave
from tests.engine import temporal_server
from tests.frozen import without_traces

# Records one story, by its name, on a server at an address, with a folder of its own.
Recording = Callable[[str, str, Path], Awaitable[WorkflowHistory]]


def read_run(folder: Path, name: str) -> WorkflowHistory:
    kept = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return WorkflowHistory.from_json(kept["workflow_id"], kept["history"])


def record_missing(folder: Path, names: Iterable[str], recording: Recording) -> None:
    """Ends the process."""
    folder.mkdir(exist_ok=True)
    asyncio.run(_record_missing(folder, names, recording))
    sys.stdout.flush()
    leave(0)


async def _record_missing(folder: Path, names: Iterable[str], recording: Recording) -> None:
    with tempfile.TemporaryDirectory() as place, temporal_server(Path(place)) as address:
        for name in names:
            file = folder / f"{name}.json"
            if not file.exists():
                own = Path(place) / name
                own.mkdir()
                _write_run(file, await recording(name, address, own))


def _write_run(file: Path, history: WorkflowHistory) -> None:
    told = without_traces(_without_places(history.to_json_dict()))
    kept = {"workflow_id": history.workflow_id, "history": told}
    file.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def _without_places(found: Any) -> Any:
    """Where in which file something was raised is of the machine that recorded it."""
    if isinstance(found, dict):
        return {name: _without_places(value) for name, value in found.items() if name != "stackTrace"}
    return [_without_places(value) for value in found] if isinstance(found, list) else found
