"""Keys that sign records: sealed at rest, rotated without loss, served for good; signatures that others can verify."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS, InvalidJWSSignature

from imprimatur.cli.context import Environment
from imprimatur.embedded.home import Home, StackInfo
from imprimatur.errors import ImprimaturError, InputError, NotFound, Refused, Unavailable
from imprimatur.publication.keys import ISSUER, Keyring, all_keys, jwks, known_key, owner_of
from imprimatur.publication.signing import is_signed_by, public_part, read_token
from imprimatur.publication.vault import Vault
from imprimatur.store.engine import Database, migrate
from imprimatur.store.signing_keys import key
from tests.command import Command
from tests.facts import BASE_URL, Play
from tests.web import Site

OLD, NEW = "an-old-secret-of-more-than-32-characters", "a-new-secret-of-more-than-32-characters"
CREDENTIAL: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "https://credentials.example.edu/badges/ob-1",
    "type": ["VerifiableCredential"],
    "issuer": {"id": "https://example.edu", "type": ["Profile"]},
    "validFrom": "2026-03-02T09:00:00Z",
    "validUntil": "2028-03-02T09:00:00+13:00",
    "credentialSubject": {"id": "urn:uuid:1", "type": ["AchievementSubject"], "name": "研究 <b>"},
}
ALGORITHMS = pytest.mark.parametrize("alg", ["EdDSA", "RS256"])


def ring(database: Database, *secrets: str) -> Keyring:
    return Keyring(database, Vault(secrets or (OLD,)), f"{BASE_URL}/")


def code_of(error: pytest.ExceptionInfo[ImprimaturError]) -> str:
    return error.value.code


@ALGORITHMS
def test_another_library_verifies_what_is_signed(sqlite_database: Database, alg: str) -> None:
    keyring = ring(sqlite_database)
    made = keyring.generate(alg)
    token = keyring.signer().sign(CREDENTIAL)
    [served] = jwks(sqlite_database, BASE_URL)["keys"]
    independent = JWS()
    independent.deserialize(token, JWK(**served))
    header, payload = json.loads(independent.objects["protected"]), json.loads(independent.payload)
    assert header["kid"] == served["kid"] == f"{BASE_URL}/keys/{made.kid}"
    assert (header["alg"], header["typ"]) == (alg, "JWT")
    assert JWK(**header["jwk"]).thumbprint() == made.kid
    claims = {name: payload.pop(name) for name in ("iss", "jti", "sub", "nbf", "exp")}
    assert payload == CREDENTIAL
    assert claims == {
        "iss": "https://example.edu", "jti": CREDENTIAL["id"], "sub": "urn:uuid:1",
        "nbf": 1772442000, "exp": 1835553600,
    }  # fmt: skip


@ALGORITHMS
def test_a_changed_token_is_no_longer_signed(sqlite_database: Database, alg: str) -> None:
    keyring = ring(sqlite_database)
    made = keyring.generate(alg)
    header, payload, signature = keyring.signer().sign(CREDENTIAL).split(".")
    assert is_signed_by(read_token(f"{header}.{payload}.{signature}"), made.public)
    changed = json.loads(base64.urlsafe_b64decode(payload + "==")) | {"id": "https://other.example"}
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    no_algorithm = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for text in (f"{header}.{forged}.{signature}", f"{no_algorithm}.{payload}.", f"{header}.{payload}.AAAA"):
        assert not is_signed_by(read_token(text), made.public)
    with pytest.raises(InvalidJWSSignature):
        JWS().deserialize(f"{header}.{forged}.{signature}", JWK(**made.public))


def test_a_key_of_another_kind_does_not_verify(sqlite_database: Database) -> None:
    keyring = ring(sqlite_database)
    keyring.generate("EdDSA")
    other = keyring.rotate("RS256")[0]
    with_the_old_algorithm = ring(sqlite_database).signer().sign(CREDENTIAL)
    edwards = next(found for found in all_keys(sqlite_database) if found.alg == "EdDSA")
    assert is_signed_by(read_token(with_the_old_algorithm), other.public)
    assert not is_signed_by(read_token(with_the_old_algorithm), edwards.public)


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c", "....", "e30.e30", "e30.W10.x", "é.e30.e30", "e30.e30.e30.e30", "x" * 2_000_000]
)
def test_what_is_no_token_is_told(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_token(text)
    assert code_of(refused) == "token_unreadable"


def test_private_keys_are_not_readable_in_the_database(database: Database) -> None:
    made = ring(database).generate()
    kept = key(database, made.kid)
    assert kept.sealed is not None
    private = Vault([OLD]).open(made.kid, kept.sealed)
    assert private["d"] not in kept.model_dump_json()
    assert set(kept.public) == {"kty", "crv", "x"}
    for vault, kid in ((Vault([NEW]), made.kid), (Vault([OLD]), "another")):
        with pytest.raises(Unavailable) as refused:
            vault.open(kid, kept.sealed)
        assert code_of(refused) == "signing_key_unreadable"


def test_there_is_one_key_that_signs_for_an_owner(database: Database) -> None:
    keyring = ring(database)
    with pytest.raises(Refused) as refused:
        keyring.signer()
    assert code_of(refused) == "key_missing"
    keyring.generate()
    with pytest.raises(Refused) as refused:
        keyring.generate("RS256")
    assert code_of(refused) == "key_exists"
    assert keyring.signer_of_partner("Harbour") is keyring.signer(owner_of("Harbour"))
    assert sorted(found.owner for found in all_keys(database)) == [ISSUER, "partner:Harbour"]


def test_a_rotated_key_verifies_for_good_and_signs_no_more(database: Database) -> None:
    keyring = ring(database)
    before = keyring.generate()
    token = read_token(keyring.signer().sign(CREDENTIAL))
    made, retired = keyring.rotate()
    assert retired == [before.kid] and made.alg == before.alg
    found = known_key(database, token.key_names)
    assert found is not None and (found.kid, found.sealed, found.signs) == (before.kid, None, False)
    assert is_signed_by(token, found.public)
    assert read_token(keyring.signer().sign(CREDENTIAL)).key_names == (made.kid, made.kid)
    assert {served["kid"].rpartition("/")[2] for served in jwks(database, BASE_URL)["keys"]} == {before.kid, made.kid}


def test_rotating_seals_every_key_with_the_newest_secret(database: Database) -> None:
    first = ring(database, OLD)
    first.generate()
    first.signer_of_partner("Harbour")
    ring(database, NEW, OLD).rotate()
    only_new = ring(database, NEW)
    assert only_new.signer().sign(CREDENTIAL) and only_new.signer(owner_of("Harbour")).sign(CREDENTIAL)


def test_a_key_whose_secret_is_lost_can_be_replaced(database: Database) -> None:
    lost = ring(database, OLD)
    lost.generate()
    lost.signer_of_partner("Harbour")
    keyring = ring(database, NEW)
    with pytest.raises(Unavailable):
        keyring.signer()
    keyring.rotate()
    assert keyring.signer().sign(CREDENTIAL)


def test_a_retired_key_is_retired_once(database: Database) -> None:
    keyring = ring(database)
    made = keyring.generate()
    first = keyring.retire(made.kid)
    assert keyring.retire(made.kid).retired_at == first.retired_at
    with pytest.raises(NotFound) as refused:
        keyring.retire("nobody")
    assert code_of(refused) == "key_unknown"
    with pytest.raises(Refused):
        keyring.rotate()
    assert keyring.generate().kid != made.kid


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "n", "e", "d"]),
        st.sampled_from(["OKP", "RSA", "Ed25519", "AQAB", ""]) | st.text(max_size=50) | st.integers() | st.none(),
    ),
    st.none() | st.integers() | st.text(max_size=20),
)
def test_no_header_breaks_the_reader(jwk: dict[str, object], kid: object) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "jwk": jwk, "kid": kid}).encode()).decode()
    assert len(read_token(f"{header.rstrip('=')}.e30.AAAA").key_names) <= 2


@pytest.mark.parametrize(
    "jwk", [{}, {"kty": "oct", "k": "AAAA"}, {"kty": "OKP", "crv": "X25519", "x": "AAAA"}, {"kty": "RSA", "n": "x"}]
)
def test_other_kinds_of_keys_are_not_taken(jwk: dict[str, str]) -> None:
    with pytest.raises(InputError) as refused:
        public_part(jwk)
    assert code_of(refused) == "jwk_unusable"


async def test_public_keys_are_served_and_nothing_private(sqlite_database: Database, tmp_path: Path) -> None:
    made = ring(sqlite_database).generate()
    async with Site(Play(sqlite_database, tmp_path)).visitor() as visitor:
        found = await visitor.get("/.well-known/jwks.json")
        one = await visitor.get(f"/keys/{made.kid}")
        again = await visitor.get("/.well-known/jwks.json", headers={"If-None-Match": found.headers["etag"]})
        unknown = await visitor.get("/keys/nobody", headers={"Accept": "application/json"})
        head = await visitor.head("/.well-known/jwks.json")
        posted = await visitor.post("/.well-known/jwks.json")
    assert found.json() == {"keys": [one.json()]}
    assert set(one.json()) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert (again.status_code, again.content, head.content) == (304, b"", b"")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "key_unknown")
    assert posted.status_code == 405


def test_the_office_keeps_keys_by_commands(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    migrate(home.database_url)
    monkeypatch.setenv("DATABASE_URL", home.database_url)
    assert command("keys", "generate", "--json").code == "base_url_missing"
    monkeypatch.setenv("IMPRIMATUR_BASE_URL", BASE_URL)
    assert command("keys", "generate", "--json").code == "secret_keys_missing"
    # What the embedded stack made for itself serves its own commands.
    home.secret()
    assert command("keys", "generate", "--alg", "HS256", "--json").code == "algorithm_unknown"
    made = command.json("keys", "generate")
    assert (made["alg"], made["owner"], made["use"]) == ("EdDSA", ISSUER, "signs")
    rotated = command.json("keys", "rotate", "--alg", "RS256")
    assert rotated["retired"] == [made["kid"]]
    assert command("keys", "rotate", "--of", "Harbour", "--json").code == "key_missing"
    for kid in ("-XvAMbRnKKYLydLMmy43zpzKrrlu5Iq-YlWSsYbVWJ4", "--json-YLydLMmy43zpzKrrlu5Iq-YlWSsYbVWJ4", "-h"):
        assert command("keys", "retire", kid, "--json").code == "key_unknown"
    command.json("keys", "retire", rotated["kid"])
    listed = command.json("keys", "list")["keys"]
    assert {entry["kid"]: entry["use"] for entry in listed} == dict.fromkeys([made["kid"], rotated["kid"]], "verifies")
    assert made["kid"] in command("keys", "list").out


def test_doctor_tells_whether_every_key_can_be_opened(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'imprimatur.db'}"
    migrate(url)
    for name, value in (("DATABASE_URL", url), ("IMPRIMATUR_BASE_URL", BASE_URL), ("IMPRIMATUR_SECRET_KEYS", OLD)):
        monkeypatch.setenv(name, value)

    def signing() -> tuple[bool, str]:
        [found] = [check for check in command("doctor", "--json").document["checks"] if check["name"] == "signing"]
        return found["ok"], found["detail"]

    assert signing() == (True, "no key of the issuer: nothing is signed until `starter.py keys generate`")
    command.json("keys", "generate")
    command.json("keys", "rotate")
    assert signing() == (True, "1 keys sign, 1 only verify")
    monkeypatch.setenv("IMPRIMATUR_SECRET_KEYS", NEW)
    ok, detail = signing()
    assert not ok and "is not set any more" in detail


def test_no_secret_is_made_up_beside_a_stack_that_was_given_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    home.write_stack(StackInfo(BASE_URL, "127.0.0.1:7233", 2525, home.database_url, time_skipping=False))
    monkeypatch.setenv("IMPRIMATUR_HOME", str(home.root))
    with pytest.raises(InputError, match="no key") as caught:
        Environment.current().secret_keys()
    assert (caught.value.code, home.secret_file.exists()) == ("secret_keys_missing", False)
    monkeypatch.setenv("IMPRIMATUR_SECRET_KEYS", "s" * 48)
    assert Environment.current().secret_keys() == ["s" * 48]
