"""The web process: pages on uvicorn. A composition root."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from sqlalchemy import text
from temporalio.service import RPCError

from imprimatur.attaching import UploadRules
from imprimatur.cli.context import Environment, open_database, open_gateway
from imprimatur.cli.doctor import worker_count
from imprimatur.cli.machinery import machinery_of
from imprimatur.embedded.sink import StoredMail, find_mails, read_mail
from imprimatur.embedded.supervisor import ROOT
from imprimatur.errors import ImprimaturError, InputError, Refused
from imprimatur.gateway import Gateway
from imprimatur.imports import ImportRunner
from imprimatur.logs import configure_logs
from imprimatur.mail.links import Links
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.settings import Settings
from imprimatur.store.engine import Database
from imprimatur.web.api.app import create_api
from imprimatur.web.api.limits import Rates
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from imprimatur.web.oidc import Provider
from imprimatur.web.uploads import USUAL_TYPES

INBOX_LENGTH = 500
log = structlog.get_logger()
EXAMPLES = ROOT / "examples" / "people.csv"


@dataclass(frozen=True)
class SinkMailbox:
    """The sink's folder as the inbox pages see it."""

    folder: Path

    def newest(self, to: str) -> list[StoredMail]:
        return find_mails(self.folder, to=to)[:INBOX_LENGTH]

    def one(self, name: str) -> StoredMail | None:
        return read_mail(self.folder, name)


def _examples() -> str | None:
    """They lie beside the program, not in it."""
    try:
        return EXAMPLES.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def serve(environment: Environment, host: str, port: int, inbox: bool) -> int:
    """Serves until stopped; answers the exit status."""
    configure_logs()
    if environment.base_url is None:
        raise InputError("base_url_missing", "IMPRIMATUR_BASE_URL is not set.", "Set it to the pages' public address.")
    links = Links.from_settings(environment.settings, environment.base_url)
    provider = Provider.from_settings(environment.settings, environment.base_url)
    return asyncio.run(_serve(environment, links, provider, host, port, inbox))


async def _serve(
    environment: Environment, links: Links, provider: Provider | None, host: str, port: int, inbox: bool
) -> int:
    with open_database(environment) as database:
        async with open_gateway(environment, database, when_asked=True) as gateway:
            runner = ImportRunner(gateway, database)
            keyring = Keyring(database, Vault(environment.secret_keys()), links.base_url)
            house = House(
                database,
                links,
                gateway,
                machinery=machinery_of(environment, gateway),
                uploads=upload_rules(environment.settings),
                wake_imports=runner.wake.set,
            )
            app = create_app(
                house,
                ready=lambda: problems(database, gateway),
                mailbox=SinkMailbox(environment.settings.home / "mail") if inbox else None,
                examples=_examples() if inbox else None,
                provider=provider,
                api=create_api(house, keyring, _rates(environment)),
            )
            config = uvicorn.Config(app, host, port, log_level="warning", access_log=False, server_header=False)
            beside = [asyncio.create_task(runner.run_forever()), asyncio.create_task(_tell(database, gateway))]
            try:
                await uvicorn.Server(config).serve()
            except SystemExit as error:
                # Uvicorn's way to say that it cannot listen.
                raise Refused(
                    "port_in_use", f"Port {port} of {host} cannot be listened on.", "Name another with --port."
                ) from error
            finally:
                for task in beside:
                    task.cancel()
    return 0


def upload_rules(settings: Settings) -> UploadRules:
    named = settings.attachment_types
    types = frozenset(named.split()) if named else frozenset(USUAL_TYPES)
    return UploadRules(int(settings.attachment_mebibytes) * 1024 * 1024, types)


def _rates(environment: Environment) -> Rates:
    settings = environment.settings
    return Rates(int(settings.api_requests_per_minute), int(settings.api_failures_per_minute))


async def _tell(database: Database, gateway: Gateway) -> None:
    """What the log says of a start without all parts; the pages are served meanwhile, and acts are refused."""
    if found := await problems(database, gateway):
        log.warning("served_without_all_parts", **found)


async def problems(database: Database, gateway: Gateway) -> dict[str, str]:
    """What keeps this process from serving, by part; empty when nothing does."""
    found: dict[str, str] = {}
    try:
        await asyncio.to_thread(_ask_database, database)
    except ImprimaturError as error:
        found["database"] = error.message
    try:
        if await worker_count(gateway.client) == 0:
            found["worker"] = "no worker is polling"
    except RPCError as error:
        found["temporal"] = error.message
    return found


def _ask_database(database: Database) -> None:
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
