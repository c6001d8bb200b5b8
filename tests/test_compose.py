"""docker-compose.yml and its Dockerfile against the Compose specification, the settings and the commands we have."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from imprimatur.cli.main import VERBS
from imprimatur.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL_KEYS = {"name", "version", "include", "services", "networks", "volumes", "configs", "secrets", "models"}
# Those of the specification's service element that a file like ours may want; a key misspelt is in no such list.
SERVICE_KEYS = {
    "build", "cap_add", "cap_drop", "command", "configs", "container_name", "depends_on", "deploy", "entrypoint",
    "env_file", "environment", "expose", "extra_hosts", "healthcheck", "hostname", "image", "init", "labels",
    "logging", "networks", "platform", "ports", "profiles", "pull_policy", "read_only", "restart", "secrets",
    "security_opt", "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "ulimits", "user", "volumes",
    "working_dir",
}  # fmt: skip
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")
RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d+)?")
# ${NAME}, ${NAME:-default}, ${NAME:?message}; a doubled dollar is a plain one.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rule>:[-?+])?(?P<text>[^}]*)\}")
# Without these a process of ours refuses to start.
REQUIRED_SETTINGS = {
    "IMPRIMATUR_BASE_URL", "IMPRIMATUR_SECRET_KEYS", "DATABASE_URL", "TEMPORAL_ADDRESS", "SMTP_URL",
}  # fmt: skip
OURS = ("web", "worker", "migrate", "replies")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def test_only_keys_of_the_specification(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    assert {key for key in compose if not key.startswith("x-")} <= TOP_LEVEL_KEYS
    for name, service in services.items():
        assert set(service) <= SERVICE_KEYS, name
        assert service.keys() & {"image", "build"}, name
        assert RESTART.fullmatch(service["restart"]), name


def test_the_services_asked_for_are_there(services: dict[str, dict[str, Any]]) -> None:
    assert {"web", "worker", "migrate", "database", "temporal", "temporal-database", "temporal-ui", "mailpit"} <= set(
        services
    )


def test_dependencies_exist_and_can_be_met(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for needed, rule in service.get("depends_on", {}).items():
            assert rule["condition"] in CONDITIONS, name
            other = services[needed]
            if rule["condition"] == "service_healthy":
                assert "test" in other.get("healthcheck", {}), f"{name} waits for the health of {needed}"
            if rule["condition"] == "service_completed_successfully":
                assert other["restart"].startswith("on-failure"), f"{needed} never completes"


def test_dependencies_form_no_cycle(services: dict[str, dict[str, Any]]) -> None:
    started: set[str] = set()
    while len(started) < len(services):
        ready = {name for name, service in services.items() if set(service.get("depends_on", {})) <= started} - started
        assert ready, f"none of {set(services) - started} can ever start"
        started |= ready


def test_our_processes_wait_for_what_they_need(services: dict[str, dict[str, Any]]) -> None:
    for name in ("web", "worker", "replies"):
        done = {
            needed
            for needed, rule in services[name]["depends_on"].items()
            if rule["condition"] == "service_completed_successfully"
        }
        assert {"migrate", "temporal-namespace"} <= done


def test_health_checks_are_well_formed(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        check = service.get("healthcheck", {})
        assert set(check) <= HEALTHCHECK_KEYS, name
        if "test" in check:
            assert check["test"][0] in ("CMD", "CMD-SHELL"), name
        for key in ("interval", "timeout", "start_period", "start_interval"):
            assert DURATION.fullmatch(check.get(key, "1s")), f"{name}: {key}"


def test_the_pages_are_healthy_when_they_are_ready(services: dict[str, dict[str, Any]]) -> None:
    assert "/readyz" in services["web"]["healthcheck"]["test"][-1]


def test_every_port_is_bound_to_this_machine(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_volumes_and_configs_are_declared(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    volumes = {text.split(":")[0] for service in services.values() for text in service.get("volumes", [])}
    assert volumes == set(compose["volumes"])
    configs = {config["source"] for service in services.values() for config in service.get("configs", [])}
    assert configs == set(compose["configs"])
    for config in compose["configs"].values():
        assert yaml.safe_load(config["content"])


def test_images_are_pinned(services: dict[str, dict[str, Any]], dockerfile: str) -> None:
    for name, service in services.items():
        if "build" not in service:
            assert re.search(r":v?\d", service["image"]), name
    assert all(re.search(r":\d", image) for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))


def test_server_and_schema_tool_are_of_one_version(services: dict[str, dict[str, Any]]) -> None:
    versions = {services[name]["image"].split(":")[1] for name in ("temporal", "temporal-schema", "temporal-namespace")}
    assert len(versions) == 1


@pytest.mark.parametrize("name", OURS)
def test_our_processes_are_not_root(services: dict[str, dict[str, Any]], dockerfile: str, name: str) -> None:
    user = services[name]["user"]
    assert user.split(":")[0] not in ("root", "0")
    assert f"USER {user}" in dockerfile
    assert services[name]["cap_drop"] == ["ALL"]
    assert services[name]["read_only"] is True


@pytest.mark.parametrize("name", OURS)
def test_settings_given_are_settings_read(services: dict[str, dict[str, Any]], name: str) -> None:
    read = {field.alias for field in Settings.model_fields.values()}
    given = set(services[name]["environment"])
    assert given - read == set()
    assert REQUIRED_SETTINGS - given == set()


@pytest.mark.parametrize("name", OURS)
def test_settings_given_can_be_used(services: dict[str, dict[str, Any]], name: str) -> None:
    filled = {key: VARIABLE.sub(_filled, value) for key, value in services[name]["environment"].items()}
    settings = Settings.model_validate(filled)
    assert settings.database_url == "postgresql://imprimatur:x@database:5432/imprimatur"
    assert settings.payload_keys is None


def _filled(variable: re.Match[str]) -> str:
    return variable["text"] if variable["rule"] == ":-" else "x"


def test_addresses_name_services(services: dict[str, dict[str, Any]]) -> None:
    settings = services["worker"]["environment"]
    hosts = {
        settings["TEMPORAL_ADDRESS"].split(":")[0],
        settings["DATABASE_URL"].rsplit("@", 1)[1].split(":")[0],
        VARIABLE.sub(_filled, settings["SMTP_URL"]).split("//")[1].split(":")[0],
    }
    assert hosts <= set(services)


@pytest.mark.parametrize("name", OURS)
def test_our_commands_exist(services: dict[str, dict[str, Any]], name: str) -> None:
    program, script, *arguments = services[name]["command"]
    assert program == "python"
    assert (ROOT / script).is_file()
    assert script == "worker.py" or arguments[0] in {*VERBS, "mail"}


def test_every_variable_is_explained(compose: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    used = {match["name"]: match for text in _strings(compose) for match in VARIABLE.finditer(text)}
    assert set(used) == set(explained)
    for name, match in used.items():
        default = match["text"] if match["rule"] == ":-" else ""
        assert explained[name] == default, f"{name}: .env.example and docker-compose.yml differ"


def test_secrets_have_no_default(compose: dict[str, Any]) -> None:
    for text in _strings(compose):
        for match in VARIABLE.finditer(text):
            if re.search("PASSWORD|SECRET", match["name"]):
                # One that can be done without is empty unless it is given.
                assert match["rule"] == ":?" or (match["rule"], match["text"]) == (":-", ""), match["name"]


def test_the_image_is_built_from_what_is_there(dockerfile: str) -> None:
    sent = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == sent
    assert [name for name in copied if not (ROOT / name).exists()] == []
