"""Credentials as signed tokens: VC-JWT as Open Badges 3.0 has it (its section on the JSON Web Token proof format).

The payload is the credential itself with the claims of a JWT beside it; the header holds the public key, and an address
where it can be had again. Nothing is fetched, neither to sign nor to verify.
"""

import base64
import contextlib
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from imprimatur.errors import InputError

ALGORITHMS = ("EdDSA", "RS256")
RSA_BITS = 2048
PUBLIC_PARTS = {"OKP": ("kty", "crv", "x"), "RSA": ("kty", "n", "e")}
LONGEST_TOKEN = 1024 * 1024


class _Registry(JWSRegistry):
    """A header holds a whole RSA key, a badge perhaps a picture: more than the library allows by itself."""

    max_header_length = 4096
    max_payload_length = LONGEST_TOKEN

    def get_alg(self, name: str) -> Any:
        # Ed25519 by its older name, which is the one that wallets and verifiers of badges know.
        if name not in ALGORITHMS:
            raise InputError("algorithm_unknown", f"{name} is no algorithm that we sign with.", "Use EdDSA or RS256.")
        return self.algorithms[name]


# What a header says besides does not concern us: the key decides.
_REGISTRY = _Registry(strict_check_header=False)


def new_private_key(alg: str) -> dict[str, Any]:
    """A private JWK. Raises InputError ``algorithm_unknown``."""
    _REGISTRY.get_alg(alg)
    made = OKPKey.generate_key("Ed25519") if alg == "EdDSA" else RSAKey.generate_key(RSA_BITS)
    return dict(made.as_dict(private=True))


def public_part(jwk: dict[str, Any]) -> dict[str, Any]:
    """Only what makes up the public key. Raises InputError ``jwk_unusable`` for anything else than Ed25519 or RSA."""
    try:
        found = {name: str(jwk[name]) for name in PUBLIC_PARTS[str(jwk["kty"])]}
        algorithm_of(found)
        _imported(found)
    except (KeyError, ValueError, TypeError, JoseError) as error:
        raise InputError(
            "jwk_unusable", "This is no public key that we can use.", "Give a JWK of Ed25519 or RSA, as JSON."
        ) from error
    return found


def thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638."""
    return str(_imported(jwk).thumbprint())


def algorithm_of(public: dict[str, Any]) -> str:
    if public["kty"] == "OKP" and public["crv"] != "Ed25519":
        raise ValueError("another curve")
    return "EdDSA" if public["kty"] == "OKP" else "RS256"


def _imported(jwk: dict[str, Any]) -> OKPKey | RSAKey:
    return OKPKey.import_key(dict(jwk)) if jwk["kty"] == "OKP" else RSAKey.import_key(dict(jwk))


class Signer:
    """Signs with one private key; ``address`` is where its public part is served."""

    def __init__(self, private: dict[str, Any], address: str) -> None:
        self._key = _imported(private)
        public = public_part(private)
        self._header = {"alg": algorithm_of(public), "typ": "JWT", "kid": address, "jwk": public}

    def sign(self, credential: dict[str, Any]) -> str:
        """A compact JWS. The credential has id, issuer, validFrom, perhaps validUntil, and one subject."""
        claims = {
            "iss": issuer_of(credential),
            "jti": credential["id"],
            "nbf": _seconds(credential["validFrom"]),
        }
        if "validUntil" in credential:
            claims["exp"] = _seconds(credential["validUntil"])
        if subject := credential["credentialSubject"].get("id"):
            claims["sub"] = subject
        payload = json.dumps(credential | claims, ensure_ascii=False, separators=(",", ":"))
        return jws.serialize_compact(dict(self._header), payload.encode(), self._key, registry=_REGISTRY)


def issuer_of(credential: dict[str, Any]) -> str:
    issuer = credential["issuer"]
    return str(issuer["id"] if isinstance(issuer, dict) else issuer)


def _seconds(instant: str) -> int:
    return int(dt.datetime.fromisoformat(instant).timestamp())


@dataclass(frozen=True)
class Token:
    """A token taken apart; nothing of it is to be believed before it is verified."""

    compact: str
    header: dict[str, Any]
    payload: dict[str, Any]

    @property
    def key_names(self) -> tuple[str, ...]:
        """Thumbprints that the header leads to: of the key in it, and of the address of one of ours."""
        found = []
        if isinstance(jwk := self.header.get("jwk"), dict):
            with contextlib.suppress(InputError):
                found.append(thumbprint(public_part(jwk)))
        if isinstance(kid := self.header.get("kid"), str):
            found.append(kid.rpartition("/")[2])
        return tuple(found)


def read_token(text: str) -> Token:
    """Raises InputError ``token_unreadable``."""
    compact = "".join(text.split())
    try:
        if len(compact) > LONGEST_TOKEN or not compact.isascii():
            raise ValueError("no token")
        header, payload = (_decoded(part) for part in compact.split(".")[:2])
        if compact.count(".") != 2:
            raise ValueError("no token")
    except (ValueError, JoseError, RecursionError) as error:
        raise InputError(
            "token_unreadable",
            "This is no signed credential, or it was cut off.",
            "Give the whole token: three parts with dots between them.",
        ) from error
    return Token(compact, header, payload)


def _decoded(part: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def is_signed_by(token: Token, public: dict[str, Any]) -> bool:
    """By this very key, with the algorithm that belongs to it, whatever the token says of either."""
    if token.header.get("alg") != algorithm_of(public):
        return False
    try:
        jws.deserialize_compact(token.compact, _imported(public), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        return False
    return True
