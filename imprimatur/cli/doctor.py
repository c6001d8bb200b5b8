"""Whether everything that Imprimatur needs is there and fit for use."""

import asyncio
import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass

import aiosmtplib
from sqlalchemy import func, select
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from imprimatur.cli.context import Environment, connect_temporal, open_database
from imprimatur.cli.doctor_targets import named_targets
from imprimatur.embedded.home import Home
from imprimatur.errors import ImprimaturError
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import shipped
from imprimatur.gateway import TASK_QUEUE
from imprimatur.mail.checking import examined, house_of
from imprimatur.mail.mailbox import Folder, MailboxAddress
from imprimatur.mail.transport import Relay, parse_smtp_url
from imprimatur.payloads import parse_keys
from imprimatur.publication.keys import ISSUER, all_keys
from imprimatur.publication.vault import Vault
from imprimatur.queues import task_queue
from imprimatur.store.engine import SCHEMA_VERSION
from models.tables import PersonRow

TOLERATED_CLOCK_SKEW = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str


def examine(environment: Environment) -> list[Check]:
    """One check per part; a part that fails does not hide the others."""
    return [look(name, environment) for name in PARTS]


def look(name: str, environment: Environment) -> Check:
    """One of :data:`PARTS`."""
    return _run(name, PARTS[name], environment)


def _run(name: str, part: Callable[[Environment], str], environment: Environment) -> Check:
    try:
        return Check(name, True, part(environment))
    except ImprimaturError as error:
        return Check(name, False, f"{error.message} {error.hint}".strip())
    except RPCError as error:
        return Check(name, False, f"The workflow service refuses: {error.message}")


def _database(environment: Environment) -> str:
    with open_database(environment) as database:
        return f"{database.engine.dialect.name}, schema {SCHEMA_VERSION}"


def _directory(environment: Environment) -> str:
    table = PersonRow.__table__  # type: ignore[attr-defined]
    with open_database(environment) as database, database.read() as connection:
        count = connection.execute(select(func.count()).where(table.c.active)).scalar_one()
    if count == 0:
        raise ImprimaturError("directory_empty", "Nobody is in the directory.", "Run `starter.py people import FILE`.")
    return f"{count} active people"


def _temporal(environment: Environment) -> str:
    return asyncio.run(_ask_temporal(environment))


async def _ask_temporal(environment: Environment) -> str:
    if environment.temporal_address is None:
        raise environment.not_running()
    client = await connect_temporal(environment.temporal_address, environment.settings.temporal_namespace, None)
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    pollers = await worker_count(client)
    if pollers == 0:
        raise ImprimaturError("no_worker", "No worker is polling.", "Start one: `python worker.py`.")
    return f"server {info.server_version}, {pollers} workers polling"


async def worker_count(client: Client) -> int:
    """Workers that have asked for case tasks within the last minutes."""
    return len((await task_queue(client, TASK_QUEUE)).pollers)


def _mail(environment: Environment) -> str:
    if environment.smtp_url is None:
        raise environment.not_running()
    relay = parse_smtp_url(environment.smtp_url).completed(environment.settings)
    try:
        asyncio.run(_greet(relay))
    except (OSError, aiosmtplib.SMTPException) as error:
        told = relay.without_secrets(str(error))
        raise ImprimaturError(
            "smtp_unreachable", f"{relay.host}:{relay.port} does not take mail from us: {told}.", "Check SMTP_URL."
        ) from error
    return f"relay {relay.host}:{relay.port} answers"


async def _greet(relay: Relay) -> None:
    """Encrypts and logs in as the mailer would, and sends nothing."""
    client = await relay.connect()
    try:
        await client.noop()
        await client.quit()
    finally:
        client.close()


def _mailbox(environment: Environment) -> str:
    if environment.settings.imap_url is None:
        return "no mailbox is polled: replies come in by the listener or a pipe"
    address = MailboxAddress.from_settings(environment.settings)
    token = asyncio.run(address.token())
    folder = Folder(address, token)
    try:
        processed = environment.settings.imap_processed_folder
        if processed is not None and not folder.has_folder(processed):
            raise ImprimaturError(
                "processed_folder_missing", f"The mailbox has no folder {processed}.", "Make it, or unset the setting."
            )
    finally:
        folder.close()
    return f"mailbox {address.name} opens"


def _templates(environment: Environment) -> str:
    settings = environment.settings
    house, findings = examined(settings.mail_templates, settings.mail_language)
    if findings:
        raise ImprimaturError(
            "mail_templates_broken", "; ".join(map(str, findings)) + ".", "See `starter.py mail check`."
        )
    house_of(settings.mail_templates, settings.mail_language)
    whose = f"those in {house.folder}" if house.folder else "the shipped ones"
    return f"{whose}, in {', '.join(sorted(house.languages))}; {house.default.tag} unless a person has another"


def _keys(environment: Environment) -> str:
    settings = environment.settings
    encrypted = len(parse_keys(settings.payload_keys.get_secret_value())) if settings.payload_keys else 0
    keys = environment.secret_keys()
    whose = "link keys" if settings.secret_keys else f"link key kept in {Home(settings.home).secret_file}"
    return f"{len(keys)} {whose}, {encrypted or 'no'} payload keys"


def _signing(environment: Environment) -> str:
    """Whether every key that signs can be opened."""
    with open_database(environment) as database:
        found = all_keys(database)
    signing = [key for key in found if key.signs]
    if signing:
        vault = Vault(environment.secret_keys())
        for key in signing:
            vault.open(key.kid, key.sealed or "")
    if not any(key.owner == ISSUER for key in signing):
        return "no key of the issuer: nothing is signed until `starter.py keys generate`"
    return f"{len(signing)} keys sign, {len(found) - len(signing)} only verify"


def _targets(environment: Environment) -> str:
    found = named_targets(environment)
    if found.lacking:
        raise ImprimaturError(
            "targets_missing", f"{'; '.join(found.lacking)}.", "Correct PUBLICATION_TARGETS, or the frameworks."
        )
    told = f"{found.configured} targets, {found.named} of them named by frameworks"
    return f"{told}; nobody names {', '.join(found.unused)}" if found.unused else told


def _calendars(environment: Environment) -> str:
    names = set()
    for policy in shipped().values():
        for name, definition in policy.calendars.items():
            work_calendar(definition, name)
            names.add(f"{name} ({definition.country or 'no holidays'}, {definition.time_zone})")
    return f"{', '.join(sorted(names))}; {len(zoneinfo.available_timezones())} time zones known"


def _clock(environment: Environment) -> str:
    """This machine's clock against Temporal's own."""
    return asyncio.run(_compare_clocks(environment))


async def _compare_clocks(environment: Environment) -> str:
    if environment.temporal_address is None:
        raise environment.not_running()
    client = await connect_temporal(environment.temporal_address, environment.settings.temporal_namespace, None)
    before = dt.datetime.now(dt.UTC)
    description = await client.get_workflow_handle("mailer:default").describe()
    started = description.start_time
    if started - before > TOLERATED_CLOCK_SKEW:
        raise ImprimaturError("clock_skewed", f"Temporal's clock is ahead by {started - before}.", "Set the clocks.")
    return f"{before:%Y-%m-%d %H:%M:%S} UTC"


PARTS: dict[str, Callable[[Environment], str]] = {
    "database": _database,
    "directory": _directory,
    "temporal": _temporal,
    "mail": _mail,
    "templates": _templates,
    "mailbox": _mailbox,
    "keys": _keys,
    "signing": _signing,
    "targets": _targets,
    "calendars": _calendars,
    "clock": _clock,
}
