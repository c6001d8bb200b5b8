"""Keys, and mail that is signed with them as a domain's relay signs it; for tests."""

import base64
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imprimatur.errors import Unavailable

SELECTOR = "sel"


@dataclass(frozen=True)
class Key:
    """``private`` as the signer takes it, ``record`` as the DNS publishes the other half."""

    private: bytes
    record: bytes
    algorithm: bytes = b"rsa-sha256"


@cache
def key(bits: int = 2048) -> Key:
    made = rsa.generate_private_key(65537, bits) if bits >= 1024 else _short_key(bits)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public))


@cache
def edwards_key(owner: str = "sender") -> Key:
    """Of each ``owner`` another one."""
    made = Ed25519PrivateKey.generate()
    raw, public = made.private_bytes_raw(), made.public_key().public_bytes_raw()
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)
    return Key(base64.b64encode(raw), record, b"ed25519-sha256")


def _short_key(bits: int) -> rsa.RSAPrivateKey:
    """Libraries refuse to make one."""
    p, q = _prime(bits // 2), _prime(bits // 2 - 1)
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(bits: int) -> int:
    numbers = random.Random(bits)
    while True:
        found = numbers.getrandbits(bits) | 1 | (3 << (bits - 2))
        if (found - 1) % 65537 and all(pow(base, found - 1, found) == 1 for base in (2, 3, 5, 7, 11)):
            return found


def signed(
    message: bytes,
    domain: str = "example.edu",
    *,
    by: Key | None = None,
    headers: Sequence[str] = ("from", "to", "subject", "date", "message-id"),
    body_length: bool = False,
    tags: str = "",
) -> bytes:
    """``tags`` are put into the signature before it is made, such as ``x=1;``."""
    signing = by or key()
    signer = dkim.DKIM(message, signature_algorithm=signing.algorithm)
    names = [name.encode() for name in headers]
    if tags:
        signer.gen_header = _with_tags(signer.gen_header, tags.encode())
    header = signer.sign(
        SELECTOR.encode(),
        domain.encode(),
        signing.private,
        include_headers=names,
        canonicalize=(b"relaxed", b"relaxed"),
        length=body_length,
    )
    return bytes(header) + message


def _with_tags(make: Callable[..., bytes], tags: bytes) -> Callable[..., bytes]:
    def made(fields: list[tuple[bytes, bytes]], *rest: object) -> bytes:
        parts = (tag.strip().partition(b"=") for tag in tags.strip(b"; ").split(b";"))
        fields[1:1] = [(name, value) for name, _, value in parts]
        return make(fields, *rest)

    return made


@dataclass
class Names:
    """A hand-written resolver: what it holds, what it was asked, and whether it is out of order."""

    records: dict[str, bytes] = field(default_factory=lambda: {f"{SELECTOR}._domainkey.example.edu": key().record})
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> bytes | None:
        self.asked.append(name)
        if self.silent:
            raise Unavailable("sender_key_unavailable", "The name servers do not answer.")
        return self.records.get(name)
