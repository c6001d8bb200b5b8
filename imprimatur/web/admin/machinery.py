"""What the pages of administration have besides the database: the running cases, and what the process was set to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from imprimatur import ids
from imprimatur.errors import Unavailable
from imprimatur.gateway import Gateway
from imprimatur.in_force import SettingInForce
from imprimatur.queues import TaskQueueState
from models.targets import TargetDef


class Found(Protocol):
    """What a check of ``doctor`` found."""

    @property
    def name(self) -> str: ...

    @property
    def ok(self) -> bool: ...

    @property
    def detail(self) -> str: ...


@dataclass(frozen=True)
class Machinery:
    """``checks`` are those of ``doctor``, by name, each in its own time; ``queues`` asks the workflow service.

    ``temporal_ui`` is the address of the workflow service's own pages; empty where it has none, or none is set.
    """

    running: Gateway | None = None
    checks: Mapping[str, Callable[[], Found]] = field(default_factory=dict)
    queues: Callable[[], Sequence[TaskQueueState]] | None = None
    settings: Callable[[], Sequence[SettingInForce]] = tuple
    targets: Callable[[], Sequence[TargetDef]] = tuple
    temporal_ui: str = ""
    namespace: str = "default"

    @property
    def gateway(self) -> Gateway:
        """Raises Unavailable ``temporal_unavailable`` where these pages are served without running cases."""
        if self.running is None:
            raise Unavailable(
                "temporal_unavailable",
                "The workflow service is not connected, so nothing was done.",
                "See `starter.py doctor`.",
            )
        return self.running

    def workflow_page(self, case_id: str) -> str:
        """The case in the workflow service's own pages; empty where these are not known."""
        if not self.temporal_ui:
            return ""
        workflow = quote(ids.workflow_id(case_id), safe="")
        return f"{self.temporal_ui}/namespaces/{quote(self.namespace, safe='')}/workflows/{workflow}"
