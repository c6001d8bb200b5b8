"""The targets of this installation, by name: from its file and its settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from imprimatur.errors import DocumentInvalid, InputError
from imprimatur.frameworks.documents import parse, read_text
from imprimatur.frameworks.loader import validate
from imprimatur.publication.targets.folder import FolderTarget
from imprimatur.publication.targets.registry import RegistryTarget
from imprimatur.publication.targets.target import Target
from imprimatur.publication.targets.webhook import WebhookTarget
from imprimatur.settings import Settings
from models.targets import TargetDef, Targets
from models.vocabulary import TargetKind


def read_targets(path: Path | None) -> dict[str, TargetDef]:
    """By name, in the file's order; none where there is no file.

    Raises DocumentInvalid ``targets_invalid`` with every problem, InputError ``targets_unreadable``.
    """
    if path is None:
        return {}
    try:
        text = read_text(path)
    except OSError as error:
        raise InputError(
            "targets_unreadable", f"{path} cannot be read: {error.strerror}.", "Correct PUBLICATION_TARGETS."
        ) from error
    found, problems = validate(parse(text, path), Targets, path.name)
    if found is None:
        raise DocumentInvalid(
            "targets_invalid",
            f"{path.name} is no usable list of targets.",
            problems,
            "Correct every problem listed; docs/publication.md explains each key.",
        )
    return {target.name: target for target in found.targets}


def configured_targets(settings: Settings, secret_keys: Sequence[str]) -> Mapping[str, Target]:
    """Raises what :func:`read_targets` raises, and InputError ``registry_key_missing``."""
    key = settings.credential_registry_api_key
    token = key.get_secret_value() if key else ""
    return {
        name: _target(target, secret_keys, token) for name, target in read_targets(settings.publication_targets).items()
    }


def _target(target: TargetDef, secret_keys: Sequence[str], registry_key: str) -> Target:
    match target.kind:
        case TargetKind.FOLDER:
            assert target.path is not None
            return FolderTarget(target.path)
        case TargetKind.WEBHOOK:
            assert target.url is not None
            return WebhookTarget(target.name, target.url, secret_keys)
        case TargetKind.CREDENTIAL_REGISTRY:
            assert target.url is not None and target.registry is not None and target.organisation_ctid is not None
            if not registry_key:
                raise InputError(
                    "registry_key_missing",
                    f"The target {target.name} needs the key of the registry's publishing service.",
                    "Set CREDENTIAL_REGISTRY_API_KEY.",
                )
            return RegistryTarget(target.url, target.registry, target.organisation_ctid, registry_key)
