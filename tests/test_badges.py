"""Badges of learners: valid credentials, one for each learner, in pictures, revoked in public, verified by anybody."""

import base64
import datetime as dt
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import JWS
from PIL import Image

from imprimatur.errors import ImprimaturError, InputError
from imprimatur.publication.awarding import Award, Awarder, revoke_badge
from imprimatur.publication.badges import Learner, hashed
from imprimatur.publication.baking import KEYWORD, PNG, bake_png, bake_svg, unbaked
from imprimatur.publication.drawing import badge_png, badge_svg
from imprimatur.publication.endorsements import endorsement
from imprimatur.publication.endorsing import upload
from imprimatur.publication.keys import Keyring, jwks
from imprimatur.publication.reading import published_record
from imprimatur.publication.signing import Signer, new_private_key, read_token
from imprimatur.publication.status_lists import SIZE, encoded, is_set, place_of
from imprimatur.publication.vault import Vault
from imprimatur.publication.verifying import verify, verify_id
from imprimatur.store.badges import badge, status_list
from imprimatur.store.engine import Database
from models.tables import PublicationRow
from models.vocabulary import BadgeStatus, RecordStatus
from tests.credentials import SAID, record_of
from tests.facts import BASE_URL, example, furnish, whole_story

SECRET, NEWER = "a-secret-of-more-than-thirty-two-characters", "a-newer-secret-of-more-than-32-characters"
NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
ANA = Learner("Ana.Learner@example.org", "Ana Learner", NOW + YEAR)
BO = Learner("bo@example.org")
SCHEMA = "standards/openbadges3/ob_v3p0_achievementcredential_schema.json"
S = BadgeStatus


def keyring_of(database: Database, *secrets: str) -> Keyring:
    return Keyring(database, Vault(secrets or [SECRET]), BASE_URL)


def published(database: Database, folder: Path, alg: str = "EdDSA") -> Awarder:
    """A published micro-credential and the issuer's key."""
    furnish(database)
    play = whole_story(database, folder)
    keyring = keyring_of(database)
    keyring.generate(alg)
    return Awarder(keyring, play.case_id)


@pytest.fixture
def awarder(sqlite_database: Database, tmp_path: Path) -> Awarder:
    return published(sqlite_database, tmp_path)


@pytest.fixture(scope="session")
def official(shared_dir: Path) -> Callable[[dict[str, Any]], list[str]]:
    validator = Draft201909Validator(json.loads((shared_dir / SCHEMA).read_text(encoding="utf-8")))
    return lambda found: [f"{error.json_path}: {error.message}" for error in validator.iter_errors(found)]


def token_of(database: Database, award: Award) -> str:
    return badge(database, award.badge_id).token


def results(awards: list[Award]) -> list[str]:
    return [award.result for award in awards]


# --- whether it may be awarded ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RecordStatus.PENDING, "publication_unknown"),
        (RecordStatus.SCHEDULED, "publication_unknown"),
        (RecordStatus.RETRACTED, "record_retracted"),
        *((status, None) for status in (RecordStatus.OFFERED, RecordStatus.PAUSED, RecordStatus.TEACHING_OUT)),
        *((status, None) for status in (RecordStatus.RETIRED, RecordStatus.REPLACED)),
    ],
)
def test_only_what_is_public_and_stands_is_awarded(
    sqlite_database: Database, awarder: Awarder, status: RecordStatus, code: str | None
) -> None:
    [before] = awarder.award([ANA], NOW)
    with sqlite_database.write() as connection:
        connection.execute(PublicationRow.__table__.update().values(status=str(status)))  # type: ignore[attr-defined]
    later = Awarder(keyring_of(sqlite_database), awarder.record.slug)
    if code is None:
        assert results(later.award([BO], NOW)) == ["awarded"]
    else:
        with pytest.raises(ImprimaturError) as refused:
            later.award([BO], NOW)
        assert refused.value.code == code
    later.revoke(before.badge_id, "A wrong learner.", NOW)


# --- the credential ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["EdDSA", "RS256"])
def test_a_badge_is_valid_and_another_library_verifies_it(
    official: Callable[[dict[str, Any]], list[str]], sqlite_database: Database, tmp_path: Path, alg: str
) -> None:
    awarder = published(sqlite_database, tmp_path, alg)
    for award in awarder.award([ANA, BO], NOW):
        token = JWS()
        keys = JWKSet.from_json(json.dumps(jwks(sqlite_database, BASE_URL)))
        token.deserialize(token_of(sqlite_database, award))
        header = json.loads(token.objects["protected"])
        token.verify(keys.get_key(header["kid"]))
        found = json.loads(token.payload)
        assert official(found) == []
        assert found["id"] == found["jti"] == award.url == f"{BASE_URL}/badges/{award.badge_id}"
        assert found["iss"] == found["issuer"]["id"]
        achievement = found["credentialSubject"]["achievement"]
        assert (achievement["achievementType"], achievement["id"]) == ("MicroCredential", awarder.record.address)
        assert awarder.record.ledger_digest in found["evidence"][0]["narrative"]


def test_of_a_learner_nothing_is_kept_but_what_is_in_the_badge(awarder: Awarder, sqlite_database: Database) -> None:
    first, second = awarder.award([ANA, BO], NOW)
    identities = [
        read_token(token_of(sqlite_database, award)).payload["credentialSubject"]["identifier"]
        for award in (first, second)
    ]
    [address, name] = identities[0]
    assert address["identityHash"] == hashed("ana.learner@EXAMPLE.org ", address["salt"])
    assert (name["identityType"], name["identityHash"]) == ("name", "Ana Learner")
    assert len(identities[1]) == 1 and identities[1][0]["salt"] != address["salt"]
    with sqlite_database.read() as connection:
        for row in connection.exec_driver_sql("SELECT * FROM badge"):
            text = str(row).lower()
            assert "example.org" not in text and hashed("bo@example.org", "").lower() not in text


def test_whom_a_badge_belongs_to_can_be_asked(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    token = token_of(sqlite_database, award).encode()
    assert verify(sqlite_database, token, NOW, "ANA.learner@example.org").of_address is True
    assert verify(sqlite_database, token, NOW, "bo@example.org").of_address is False
    assert verify(sqlite_database, token, NOW).of_address is None


# --- awarding ---------------------------------------------------------------------------------------------------------


def test_a_learner_has_one_badge_however_often_it_is_awarded(database: Database, tmp_path: Path) -> None:
    awarder = published(database, tmp_path)
    first = awarder.award([ANA, BO, Learner(" BO@example.org")], NOW)
    assert results(first) == ["awarded", "awarded", "present"]
    assert first[1].badge_id == first[2].badge_id
    again = awarder.award([BO, ANA], NOW + YEAR)
    assert results(again) == ["present"] * 2
    assert {award.badge_id for award in again} == {award.badge_id for award in first}
    # A newer secret is put before the one that marked them.
    other = Awarder(keyring_of(database, NEWER, SECRET), awarder.record.slug)
    assert results(other.award([ANA], NOW)) == ["present"]


def test_two_who_award_at_once_award_once(database: Database, tmp_path: Path) -> None:
    awarder = published(database, tmp_path)
    learners = [Learner(f"learner-{number}@example.org") for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        answers = [answer for some in pool.map(lambda _: awarder.award(learners, NOW), range(4)) for answer in some]
    assert results(answers).count("awarded") == 12
    assert len({answer.badge_id for answer in answers}) == 12
    with database.read() as connection:
        positions = connection.exec_driver_sql("SELECT position FROM badge ORDER BY position").scalars()
        assert list(positions) == list(range(12))


def test_what_was_revoked_is_awarded_anew_only_when_that_is_meant(database: Database, tmp_path: Path) -> None:
    awarder = published(database, tmp_path)
    [first] = awarder.award([ANA], NOW)
    awarder.revoke(first.badge_id, "The name was wrong.", NOW)
    assert results(awarder.award([ANA], NOW)) == ["revoked"]
    [second] = awarder.award([ANA], NOW, again=True)
    assert second.result == "awarded" and second.badge_id != first.badge_id
    assert results(awarder.award([ANA], NOW, again=True)) == ["present"]
    statuses = [verify_id(database, award.badge_id, NOW).status for award in (first, second)]
    assert statuses == [S.REVOKED, S.VALID]


# --- revoking ---------------------------------------------------------------------------------------------------------


def test_revoking_is_public_at_once_and_done_once(database: Database, tmp_path: Path) -> None:
    awarder = published(database, tmp_path)
    kept, lost = awarder.award([ANA, BO], NOW)
    for reason, code in (("  ", "reason_required"),):
        with pytest.raises(ImprimaturError) as refused:
            awarder.revoke(lost.badge_id, reason, NOW)
        assert refused.value.code == code
    first = revoke_badge(keyring_of(database), lost.badge_id, "Copied work.", NOW)
    assert revoke_badge(keyring_of(database), lost.badge_id, "Another reason.", NOW + YEAR) == first
    token = JWS()
    token.deserialize(status_list(database, awarder.record.slug, 1))
    token.verify(JWK(**jwks(database, BASE_URL)["keys"][0]))
    content = json.loads(token.payload)
    assert content["type"][1] == "BitstringStatusListCredential" and content["iss"] == content["issuer"]
    for award, revoked in ((kept, False), (lost, True)):
        entry = read_token(token_of(database, award)).payload["credentialStatus"]
        assert entry["statusListCredential"] == content["id"]
        assert is_set(content["credentialSubject"]["encodedList"], int(entry["statusListIndex"])) is revoked
    assert verify_id(database, lost.badge_id, NOW).status is S.REVOKED


def test_every_badge_has_a_bit_of_its_own() -> None:
    places = {place_of(position) for position in range(SIZE + 100)}
    assert len(places) == SIZE + 100
    assert {number for number, _ in places} == {1, 2}
    assert abs(place_of(1)[1] - place_of(0)[1]) > 1000


@given(st.sets(st.integers(0, SIZE - 1), max_size=20), st.integers(0, SIZE - 1))
def test_a_list_tells_exactly_what_was_written(indexes: set[int], other: int) -> None:
    written = encoded(indexes)
    assert all(is_set(written, index) for index in indexes)
    assert is_set(written, other) is (other in indexes)
    assert written.startswith("u") and len(written) < 20_000


# --- verifying --------------------------------------------------------------------------------------------------------


def test_each_state_is_told(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    token = token_of(sqlite_database, award)
    assert verify(sqlite_database, token.encode(), NOW).status is S.VALID
    assert verify(sqlite_database, token.encode(), NOW + 2 * YEAR).status is S.EXPIRED
    assert verify(sqlite_database, token.encode(), NOW - YEAR).status is S.NOT_YET_VALID
    header, payload, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(payload + "=="))
    content["credentialSubject"]["identifier"][1]["identityHash"] = "Somebody Else"
    forged = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    found = verify(sqlite_database, f"{header}.{forged}.{signature}".encode(), NOW)
    assert (found.status, found.learner) == (S.TAMPERED, "")
    assert verify(sqlite_database, token.encode(), NOW).learner == "Ana Learner"


def test_a_badge_of_somebody_else_is_of_an_unknown_issuer(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    content = read_token(token_of(sqlite_database, award)).payload
    theirs = Signer(new_private_key("EdDSA"), "https://elsewhere.example/key").sign(content)
    assert verify(sqlite_database, theirs.encode(), NOW).status is S.UNKNOWN_ISSUER
    # The address of our key in front of another's signature.
    ours = json.loads(base64.urlsafe_b64decode(token_of(sqlite_database, award).split(".")[0] + "=="))
    borrowed = Signer(new_private_key("EdDSA"), ours["kid"]).sign(content)
    assert verify(sqlite_database, borrowed.encode(), NOW).status is S.TAMPERED


def test_a_key_of_a_partner_awards_no_badges(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    content = read_token(token_of(sqlite_database, award)).payload
    partner = keyring_of(sqlite_database).signer_of_partner("Harbour Software")
    assert verify(sqlite_database, partner.sign(content).encode(), NOW).status is S.UNKNOWN_ISSUER


def test_what_we_signed_and_do_not_keep_is_told(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    content = read_token(token_of(sqlite_database, award)).payload
    for change in ({"name": "Another"}, {"id": f"{BASE_URL}/badges/ob-unknown"}):
        token = keyring_of(sqlite_database).signer().sign(content | change)
        assert verify(sqlite_database, token.encode(), NOW).status is S.UNRECORDED


def test_a_badge_outlives_the_key_that_signed_it(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    keyring_of(sqlite_database).rotate("RS256")
    assert verify_id(sqlite_database, award.url, NOW).status is S.VALID


def test_an_endorsement_can_be_verified_too(awarder: Awarder, sqlite_database: Database) -> None:
    """Also one that a partner signed with a key that its header does not name."""
    record, private = awarder.record, new_private_key("EdDSA")
    sign_off = record_of(example("industry-credit"), endorsements=SAID).sign_offs[0]
    content = endorsement(record, sign_off)
    found = upload(sqlite_database, record.slug, Signer(private, "https://harbour.example").sign(content), private, NOW)
    assert verify(sqlite_database, found.token.encode(), NOW).status is S.VALID
    replaced = Signer(private, "https://harbour.example").sign(content | {"name": "Another"})
    assert verify(sqlite_database, replaced.encode(), NOW).status is S.UNRECORDED


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_a_badge_travels_in_a_picture(awarder: Awarder, sqlite_database: Database) -> None:
    [award] = awarder.award([ANA], NOW)
    token = token_of(sqlite_database, award)
    picture = bake_png(badge_png(awarder.record), token)
    with Image.open(io.BytesIO(picture)) as opened:
        assert (opened.size, opened.format) == ((400, 400), "PNG")
        opened.load()
        assert opened.text[KEYWORD.decode()] == token  # type: ignore[attr-defined]
    drawing = bake_svg(badge_svg(awarder.record), token)
    for baked in (picture, drawing.encode(), token.encode()):
        assert verify(sqlite_database, baked, NOW).status is S.VALID
    assert bake_png(picture, token) == picture, "baked again it holds one badge"
    assert unbaked(bake_png(picture, "a.b.c")) == "a.b.c"


def test_a_picture_says_what_is_certified_and_harms_nobody() -> None:
    hostile = '</text><script>alert(1)</script>" onload="x'
    record = record_of(example("industry-credit").model_copy(update={"title": hostile}))
    drawing = badge_svg(record)
    assert "<script" not in drawing and '" onload' not in drawing
    assert badge_png(record).startswith(PNG)
    assert "Example Institute of Technology" in badge_svg(record_of(example("industry-credit")))


@pytest.mark.parametrize("title", ["x" * 500, "研究倫理" * 50, "a", "Größe & Maß"])
def test_any_title_makes_a_picture(title: str) -> None:
    record = record_of(example("industry-credit").model_copy(update={"title": title}))
    assert badge_svg(record).count("<text") <= 7
    assert badge_png(record).startswith(PNG)


@pytest.mark.parametrize(
    "content",
    [PNG, PNG + b"\xff\xff\xff\xff", PNG + b"\0\0\0\x01IHDRx\0\0\0\0", b"<svg></svg>", b"\xff\xfe\xfd"],
)
def test_a_picture_without_a_badge_is_told(content: bytes) -> None:
    with pytest.raises(InputError) as refused:
        unbaked(content)
    assert refused.value.code == "badge_unreadable"


@given(st.binary(max_size=200))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    for start in (b"", PNG, PNG + b"\0\0\0\x05iTXt", b"<svg "):
        try:
            unbaked(start + content)
        except InputError as error:
            assert error.code == "badge_unreadable"


def test_a_record_names_its_picture(awarder: Awarder, sqlite_database: Database) -> None:
    record = published_record(sqlite_database, awarder.record.slug)
    assert awarder._achievement["image"] == {"id": f"{record.address}/badge.png", "type": "Image"}
