"""Frozen histories: what Temporal keeps of each story, and the steps that its case commits when it is replayed.

A rule that changes a case's course changes its steps, even where Temporal itself would not notice.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from imprimatur.payloads import data_converter
from models.commit import Step
from workflows.case import CaseWorkflow

# What caused it, what it writes, and a digest of all that is in it.
StepTaken = dict[str, Any]
FOLDER = Path(__file__).parent / "histories"


@dataclass(frozen=True)
class Frozen:
    """One run of a story's case, and the steps that it commits; a long case goes on in another run."""

    history: WorkflowHistory
    steps: list[StepTaken]


def read_frozen(name: str) -> list[Frozen]:
    """The runs of a story's case, the first one first."""
    runs = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [Frozen(WorkflowHistory.from_json(run["workflow_id"], run["history"]), run["steps"]) for run in runs]


def write_frozen(name: str, runs: Sequence[Frozen]) -> Path:
    kept = [
        {
            "workflow_id": run.history.workflow_id,
            "steps": run.steps,
            "history": without_traces(run.history.to_json_dict()),
        }
        for run in runs
    ]
    file = FOLDER / f"{name}.json"
    file.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return file


def frozen_names() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.json"))


# Not needed for a replay, and different in each recording.
_TRACES = ("taskId", "requestId", "binaryChecksum", "workerVersion", "meteringMetadata", "eventGroupMarkers")


def without_traces(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: without_traces(value) for name, value in found.items() if name not in _TRACES}
    return [without_traces(value) for value in found] if isinstance(found, list) else found


@dataclass
class StepsTaken(Interceptor):
    """Notes the steps that cases want to commit."""

    taken: list[Step] = field(default_factory=list)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002  (the SDK's own name)
    ) -> type[WorkflowInboundInterceptor]:
        taken = self.taken

        class Outbound(WorkflowOutboundInterceptor):
            def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:  # noqa: A002
                taken.extend(argument for argument in input.args if isinstance(argument, Step))
                return super().start_local_activity(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound


async def replay(history: WorkflowHistory) -> list[StepTaken]:
    """The steps that the case commits today; raises what Temporal would when they do not fit the history."""
    noted = StepsTaken()
    replayer = Replayer(workflows=[CaseWorkflow], data_converter=data_converter(None), interceptors=[noted])
    await replayer.replay_workflow(history)
    return [_taken(step) for step in noted.taken]


def _taken(step: Step) -> StepTaken:
    return {
        "event": step.event.kind,
        "effects": [effect.kind for effect in step.effects],
        "digest": hashlib.sha256(step.model_dump_json(exclude_unset=True).encode()).hexdigest()[:32],
    }
