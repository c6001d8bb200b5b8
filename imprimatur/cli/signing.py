"""What a command needs to sign: the database, the secrets, the address that identifiers begin with."""

from collections.abc import Iterator
from contextlib import contextmanager

from imprimatur.cli.context import Environment, open_database
from imprimatur.errors import InputError
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault


@contextmanager
def opened_keyring() -> Iterator[Keyring]:
    """Raises InputError ``base_url_missing`` or ``secret_keys_missing``."""
    environment = Environment.current()
    with open_database(environment) as database:
        if environment.base_url is None:
            raise InputError(
                "base_url_missing", "IMPRIMATUR_BASE_URL is not set.", "Set it to the pages' public address."
            )
        yield Keyring(database, Vault(environment.secret_keys()), environment.base_url)
