"""What the form of an act says."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """``typed`` by the field's name; a field that is not there is empty."""

    case_id: str
    actor: str
    typed: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.typed.get(name, "").strip()

    @property
    def why(self) -> dict[str, str]:
        return {"actor": self.actor, "reason": self["reason"]}
