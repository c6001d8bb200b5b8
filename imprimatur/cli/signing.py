"""What a command needs to sign: the database, the secrets, the address that identifiers begin with."""

from collections.abc import Iterator
from contextlib import contextmanager

from imprimatur.cli.context import Environment, open_database
from imprimatur.embedded.home import Home
from imprimatur.errors import InputError
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault


def vault_of(environment: Environment) -> Vault:
    """From the setting, else the key that the embedded stack made for itself. Raises ``secret_keys_missing``."""
    settings = environment.settings
    kept = Home(settings.home).secret_file
    if settings.secret_keys is None and kept.exists():
        return Vault.from_text(kept.read_text(encoding="utf-8"))
    return Vault.from_text(settings.secret_keys.get_secret_value() if settings.secret_keys else "")


@contextmanager
def opened_keyring() -> Iterator[Keyring]:
    """Raises InputError ``base_url_missing`` as well."""
    environment = Environment.current()
    with open_database(environment) as database:
        if environment.base_url is None:
            raise InputError(
                "base_url_missing", "IMPRIMATUR_BASE_URL is not set.", "Set it to the pages' public address."
            )
        yield Keyring(database, vault_of(environment), environment.base_url)
