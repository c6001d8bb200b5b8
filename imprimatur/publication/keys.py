"""The keys of the issuer, and those kept for partners: made, rotated, retired; public parts are kept for good."""

import contextlib
import datetime as dt
from typing import Any

from imprimatur.errors import NotFound, Refused, Unavailable
from imprimatur.publication.signing import Signer, algorithm_of, new_private_key, public_part, thumbprint
from imprimatur.publication.vault import Vault
from imprimatur.store import signing_keys
from imprimatur.store.engine import Database
from imprimatur.store.signing_keys import KeptKey

ISSUER = "issuer"
USUAL = "EdDSA"
KEYS_PATH = "/keys/"


class Keyring:
    """Opens private keys with ``vault``; ``base_url`` begins the addresses of public ones."""

    def __init__(self, database: Database, vault: Vault, base_url: str) -> None:
        self.database = database
        self.vault = vault
        self.base_url = base_url.rstrip("/")
        self._signers: dict[str, Signer] = {}

    def generate(self, alg: str = USUAL, owner: str = ISSUER) -> KeptKey:
        """Raises InputError ``algorithm_unknown``, Refused ``key_exists`` while another of the owner signs."""
        made = self._made(alg, owner)
        with self.database.write() as connection:
            signing_keys.take_turns(connection)
            if any(key.signs for key in signing_keys.keys(connection, owner)):
                raise Refused(
                    "key_exists", f"There is a key already that signs for {owner}.", "Replace it with `keys rotate`."
                )
            signing_keys.put_key(connection, made)
        return made

    def rotate(self, alg: str | None = None, owner: str = ISSUER) -> tuple[KeptKey, list[str]]:
        """A new key in place of the one that signs; answers the kids that were retired.

        The owner's new key, and all others that sign, are sealed with the first secret afterwards.
        Raises Refused ``key_missing`` when there is none to replace.
        """
        with self.database.read() as connection:
            before = [key for key in signing_keys.keys(connection, owner) if key.signs]
        if not before:
            raise no_key(owner)
        made = self._made(alg or before[0].alg, owner)
        now = dt.datetime.now(dt.UTC)
        with self.database.write() as connection:
            signing_keys.take_turns(connection)
            for key in signing_keys.keys(connection):
                if key.signs and key.owner == owner:
                    signing_keys.change_key(connection, key.kid, retired_at=now, sealed=None)
                elif key.signs and key.sealed is not None:
                    # One that cannot be opened stays as it is: its secret may come back.
                    with contextlib.suppress(Unavailable):
                        sealed = self.vault.seal(key.kid, self.vault.open(key.kid, key.sealed))
                        signing_keys.change_key(connection, key.kid, sealed=sealed)
            signing_keys.put_key(connection, made)
        return made, [key.kid for key in before]

    def retire(self, kid: str) -> KeptKey:
        """Its private part is destroyed; its public part stays, so that what it signed can be verified.

        Raises NotFound ``key_unknown``; again it changes nothing.
        """
        found = signing_keys.key(self.database, kid)
        if found.retired_at is not None:
            return found
        now = dt.datetime.now(dt.UTC)
        with self.database.write() as connection:
            signing_keys.change_key(connection, kid, retired_at=now, sealed=None)
        self._signers.pop(kid, None)
        return found.model_copy(update={"retired_at": now, "sealed": None})

    def signer(self, owner: str = ISSUER) -> Signer:
        """Raises Refused ``key_missing``, Unavailable ``signing_key_unreadable``."""
        with self.database.read() as connection:
            found = next((key for key in signing_keys.keys(connection, owner) if key.signs), None)
        if found is None or found.sealed is None:
            raise no_key(owner)
        if found.kid not in self._signers:
            private = self.vault.open(found.kid, found.sealed)
            self._signers[found.kid] = Signer(private, f"{self.base_url}{KEYS_PATH}{found.kid}")
        return self._signers[found.kid]

    def signer_of_partner(self, organisation: str) -> Signer:
        """The key kept for a partner; made when it is first needed, with the algorithm of the issuer's."""
        owner = owner_of(organisation)
        try:
            return self.signer(owner)
        except Refused:
            pass
        with self.database.read() as connection:
            alg = next((key.alg for key in signing_keys.keys(connection, ISSUER) if key.signs), USUAL)
        # Another process may be faster.
        with contextlib.suppress(Refused):
            self.generate(alg, owner)
        return self.signer(owner)

    def _made(self, alg: str, owner: str) -> KeptKey:
        private = new_private_key(alg)
        kid = thumbprint(private)
        return KeptKey(
            kid=kid,
            owner=owner,
            alg=alg,
            public=public_part(private),
            sealed=self.vault.seal(kid, private),
            held=True,
            created_at=dt.datetime.now(dt.UTC),
            retired_at=None,
        )


def no_key(owner: str) -> Refused:
    message = f"There is no key that signs for {owner}."
    return Refused("key_missing", message, "Make one with `starter.py keys generate`.")


def owner_of(organisation: str) -> str:
    return f"partner:{organisation}"


def all_keys(database: Database) -> list[KeptKey]:
    with database.read() as connection:
        return signing_keys.keys(connection)


def known_key(database: Database, names: tuple[str, ...]) -> KeptKey | None:
    """The first of the thumbprints that is known."""
    for name in names:
        try:
            return signing_keys.key(database, name)
        except NotFound:
            continue
    return None


def jwk_of(key: KeptKey, base_url: str) -> dict[str, Any]:
    """As it is served: its ``kid`` is its own address, as in the headers of what it signed."""
    address = f"{base_url.rstrip('/')}{KEYS_PATH}{key.kid}"
    return {**key.public, "kid": address, "alg": algorithm_of(key.public), "use": "sig"}


def jwks(database: Database, base_url: str) -> dict[str, Any]:
    """All public keys that were ever held here, retired ones too.

    Under an address of ours a key speaks for us: one that a partner holds could sign badges in our name.
    """
    return {"keys": [jwk_of(key, base_url) for key in all_keys(database) if key.held]}


def served_key(database: Database, kid: str, base_url: str) -> dict[str, Any]:
    """Raises NotFound ``key_unknown``, also for a key that is not held here."""
    found = signing_keys.key(database, kid)
    if not found.held:
        raise NotFound("key_unknown", f"There is no key {kid[:64]} of ours.", "Ask the partner who signs with it.")
    return jwk_of(found, base_url)
