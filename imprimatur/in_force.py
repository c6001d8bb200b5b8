"""Settings as they are in force: each by its name, with its value and where that came from. Secrets are never told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from imprimatur.settings import Settings

# A password inside an address: what stands between the user and the host.
_PASSWORD = re.compile(r"(?<=://)([^/@\s]*?):[^/@\s]*@|(?<=://)([^/@\s:]+)@(?=\S)")
_SECRET_PARAMETER = re.compile(r"([?&](?:password|passwd|token|secret|key)=)[^&\s]*", re.IGNORECASE)


@dataclass(frozen=True)
class SettingInForce:
    """``value`` is empty for one that is unset or secret; ``source`` is environment, file, stack or default."""

    name: str
    value: str
    is_set: bool
    secret: bool
    source: str


def in_force(settings: Settings, environment: Mapping[str, str], stack: Mapping[str, str]) -> list[SettingInForce]:
    """``stack`` are values that the embedded stack gives to its parts, by the names of settings."""
    return [
        _one(str(info.alias), getattr(settings, name), name in settings.model_fields_set, environment, stack)
        for name, info in type(settings).model_fields.items()
    ]


def _one(
    name: str, value: Any, given: bool, environment: Mapping[str, str], stack: Mapping[str, str]
) -> SettingInForce:
    secret = isinstance(value, SecretStr) or _is_secret(name)
    of_stack = stack.get(name)
    if given:
        in_environment = bool(environment.get(name, "").strip())
        from_stack = in_environment and environment.get(name) == of_stack
        source = "stack" if from_stack else "environment" if in_environment else "file"
    else:
        source = "default" if value is not None or of_stack is None else "stack"
        value = of_stack if value is None else value
    shown = "" if secret or value is None else without_secrets(str(value))
    return SettingInForce(name, shown, value is not None, secret, source)


def _is_secret(name: str) -> bool:
    """By its name, where none is set: a secret that is unset is told to be one."""
    annotation = next(info.annotation for info in Settings.model_fields.values() if info.alias == name)
    return "SecretStr" in str(annotation)


def without_secrets(value: str) -> str:
    """An address without the password in it."""
    kept = _PASSWORD.sub(lambda found: f"{found[1] or found[2]}@", value)
    return _SECRET_PARAMETER.sub(r"\1***", kept)
