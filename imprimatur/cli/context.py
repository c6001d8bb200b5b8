"""What a command works with: settings, completed by the running embedded stack of the home folder."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr, ValidationError

from imprimatur.embedded.home import Home, read_stack
from imprimatur.errors import InputError, Unavailable
from imprimatur.mail.links import secret_keys
from imprimatur.settings import Settings
from imprimatur.store.engine import SCHEMA_VERSION, Database, schema_version

# A command that only reads the database does not wait for the Temporal client to load.
if TYPE_CHECKING:
    from temporalio.client import Client

    from imprimatur.gateway import Gateway

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Environment:
    """Addresses in force: from the environment, else from the embedded stack that runs in the home folder."""

    settings: Settings
    database_url: str | None
    temporal_address: str | None
    base_url: str | None
    smtp_url: str | None
    time_skipping: bool
    temporal_ui: str | None = None

    @classmethod
    def current(cls) -> "Environment":
        settings = load_settings()
        stack = read_stack(settings.home)
        return cls(
            settings,
            settings.database_url or (stack.database_url if stack else None),
            settings.temporal_address or (stack.temporal_address if stack else None),
            settings.base_url or (stack.base_url if stack else None),
            _secret(settings.smtp_url) or (stack.smtp_url if stack else None),
            stack.time_skipping if stack else False,
            settings.temporal_ui_url or (stack.temporal_ui if stack else None),
        )

    def secret_keys(self) -> list[str]:
        """Of the setting, else the one that the embedded stack made. Raises InputError ``secret_keys_missing``."""
        home = Home(self.settings.home)
        if self.settings.secret_keys is None and home.secret_file.exists():
            return [home.secret()]
        return secret_keys(self.settings)

    def not_running(self) -> Unavailable:
        return Unavailable(
            "stack_not_running",
            f"No running stack was found in {self.settings.home}.",
            "Start one with `python starter.py up`, or set DATABASE_URL and TEMPORAL_ADDRESS.",
        )


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def load_settings() -> Settings:
    """Raises InputError ``settings_invalid`` naming each setting that cannot be used."""
    try:
        return Settings()
    except UnicodeDecodeError as error:
        raise InputError("settings_invalid", "The file .env is not UTF-8 text.", "Save it again as UTF-8.") from error
    except ValidationError as error:
        # The reason is told, the value never: it may be a secret.
        reasons = {str(item["loc"][0]): item["msg"].removeprefix("Value error, ") for item in error.errors()}
        told = "; ".join(f"{name} ({reason})" for name, reason in reasons.items())
        raise InputError(
            "settings_invalid", f"These settings cannot be used: {told}.", "See docs/operations.md."
        ) from error


@contextmanager
def open_database(environment: Environment) -> Iterator[Database]:
    if environment.database_url is None:
        raise environment.not_running()
    database = Database(environment.database_url)
    try:
        found = schema_version(database)
        if found != SCHEMA_VERSION:
            raise Unavailable(
                "schema_outdated",
                f"The database holds schema {found or 'none'}, this version needs {SCHEMA_VERSION}.",
                "Run `python starter.py migrate`.",
            )
        yield database
    finally:
        database.close()


async def connect_temporal(
    address: str, namespace: str, payload_keys: str | None, *, when_asked: bool = False
) -> "Client":
    """Raises Unavailable ``temporal_unavailable``; connected only ``when_asked``, it is every act that says so instead.

    Such a client tries anew with each act until it is connected.
    """
    from temporalio.client import Client
    from temporalio.service import ConnectConfig, RPCError, ServiceClient

    from imprimatur.connecting import LateService
    from imprimatur.payloads import data_converter

    # It stands in a case's history many times: a long name would cost more than what is done.
    config = ConnectConfig(address, identity=f"{os.getpid()}@{socket.gethostname()[:8]}")
    try:
        service = LateService(config) if when_asked else await ServiceClient.connect(config)
        return Client(service, namespace=namespace, data_converter=data_converter(payload_keys))
    except (RPCError, RuntimeError) as error:
        raise Unavailable(
            "temporal_unavailable",
            f"The workflow service at {address} does not answer.",
            "Is the stack running? See `python starter.py doctor`.",
        ) from error


@asynccontextmanager
async def open_gateway(
    environment: Environment, database: Database, *, when_asked: bool = False
) -> AsyncIterator["Gateway"]:
    """``when_asked``: also while the workflow service is silent, see :func:`connect_temporal`."""
    from imprimatur.gateway import Gateway

    if environment.temporal_address is None:
        raise environment.not_running()
    keys = environment.settings.payload_keys
    client = await connect_temporal(
        environment.temporal_address,
        environment.settings.temporal_namespace,
        keys.get_secret_value() if keys else None,
        when_asked=when_asked,
    )
    yield Gateway(client, database)


def with_gateway(act: Callable[["Gateway", Database], Awaitable[Answer]]) -> Answer:
    """Runs one act against the running stack."""

    async def run() -> Answer:
        environment = Environment.current()
        with open_database(environment) as database:
            async with open_gateway(environment, database) as gateway:
                return await act(gateway, database)

    return asyncio.run(run())


def with_database(read: Callable[[Database], Answer]) -> Answer:
    with open_database(Environment.current()) as database:
        return read(database)
