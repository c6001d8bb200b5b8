"""What frameworks and their stages are called, and in which order they are told."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from imprimatur.history.figures.figure import WHOLE_CASE
from imprimatur.store.frameworks import framework_by_digest, version_key
from models.framework import Framework
from models.tables import FrameworkRow

_FRAMEWORK = FrameworkRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Names:
    """The newest version of each framework, by id."""

    policies: dict[str, Framework]

    @classmethod
    def read(cls, connection: Connection) -> "Names":
        newest: dict[str, tuple[tuple[int, int, int], str]] = {}
        for row in connection.execute(select(_FRAMEWORK.c.id, _FRAMEWORK.c.version, _FRAMEWORK.c.digest)):
            newest[row.id] = max(newest.get(row.id, ((0, 0, 0), "")), (version_key(row.version), row.digest))
        return cls({id_: framework_by_digest(connection, digest) for id_, (_, digest) in sorted(newest.items())})

    def framework(self, framework_id: str) -> str:
        known = self.policies.get(framework_id)
        return known.name if known else framework_id

    def stage(self, framework_id: str, stage_id: str) -> str:
        if stage_id == WHOLE_CASE:
            return "Whole case"
        return self._stages(framework_id).get(stage_id) or stage_id.replace("_", " ").capitalize()

    def in_order(self, framework_id: str, stage_ids: Iterable[str]) -> list[str]:
        """As the framework lists its stages; those that it has no longer come last."""
        place = {stage_id: index for index, stage_id in enumerate(self._stages(framework_id))}
        return sorted(stage_ids, key=lambda stage_id: (place.get(stage_id, len(place)), stage_id))

    def _stages(self, framework_id: str) -> dict[str, str]:
        known = self.policies.get(framework_id)
        return {stage.id: stage.name for stage in known.stages} if known else {}
