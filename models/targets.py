"""Where publications go besides the catalogue: the installation's file of targets. Secrets are settings."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from models.strict import Identifier, Strict
from models.texts import WebAddress
from models.vocabulary import TargetKind

Ctid = Annotated[str, StringConstraints(pattern=r"^ce-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
NEEDED = {
    TargetKind.FOLDER: ("path",),
    TargetKind.WEBHOOK: ("url",),
    TargetKind.CREDENTIAL_REGISTRY: ("url", "registry", "organisation_ctid"),
}


class TargetDef(Strict):
    """``url`` of a registry is that of its publishing service, ``registry`` that under which it names resources."""

    name: Identifier
    kind: TargetKind
    path: Path | None = None
    url: WebAddress | None = None
    registry: WebAddress | None = None
    organisation_ctid: Ctid | None = None

    @model_validator(mode="after")
    def _what_its_kind_needs(self) -> "TargetDef":
        for name in ("path", "url", "registry", "organisation_ctid"):
            if (getattr(self, name) is not None) != (name in NEEDED[self.kind]):
                verb = "needs" if name in NEEDED[self.kind] else "takes no"
                raise ValueError(f"a {self.kind} {verb} {name}")
        return self


class Targets(Strict):
    targets: tuple[TargetDef, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_once(self) -> "Targets":
        names = [target.name for target in self.targets]
        if len(set(names)) != len(names):
            raise ValueError("two targets have the same name")
        return self
