"""Where records and hand-overs go besides the catalogue: the targets in force, who names them, and what they have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from imprimatur.store.engine import Database
from imprimatur.store.frameworks import newest_frameworks
from imprimatur.store.publishing import held_by_targets
from imprimatur.web.admin.forms import LOOKING, Forms
from imprimatur.web.admin.machine import reads_machine
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.rendering import page
from models.targets import TargetDef
from models.vocabulary import TargetKind, TargetStatus


@dataclass(frozen=True)
class TargetShown:
    """``kind`` is None where a framework or a record names what is not configured; ``where`` is its address or folder.

    ``named_by`` are frameworks' newest versions, ``records`` numbers by what the target has of them.
    """

    name: str
    kind: TargetKind | None
    where: str
    named_by: tuple[str, ...]
    records: Mapping[TargetStatus, int]


def targets_shown(database: Database, configured: Iterable[TargetDef]) -> Sequence[TargetShown]:
    """Those that are configured, in the file's order; then what is named only. Secrets are not among it."""
    found, named = {target.name: target for target in configured}, dict[str, list[str]]()
    for policy in newest_frameworks(database).values():
        for name in policy.targets:
            named.setdefault(name, []).append(f"{policy.name} {policy.version}")
    held = held_by_targets(database)
    return [
        TargetShown(
            name,
            found[name].kind if name in found else None,
            str(found[name].url or found[name].path) if name in found else "",
            tuple(named.get(name, ())),
            held.get(name, {}),
        )
        for name in dict.fromkeys([*found, *sorted({*named, *held})])
    ]


def router(database: Database, forms: Forms, machinery: Machinery) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/admin/targets", methods=LOOKING)
    def targets(request: Request) -> Response:
        """Raises what reading the installation's file raises."""
        forms.viewer(request, reads_machine)
        return page(request, "admin/targets.html", {"targets": targets_shown(database, machinery.targets())})

    return routes
