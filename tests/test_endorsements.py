"""Industry's sign-off as signed credentials: issued in a partner's name with its consent, or signed by the partner."""

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from structlog.testing import capture_logs

from activities.commit import Committer
from imprimatur.errors import ImprimaturError
from imprimatur.publication.endorsements import endorsement
from imprimatur.publication.endorsing import Endorser, seal, seal_all, upload
from imprimatur.publication.keys import Keyring, all_keys, jwk_of, jwks, owner_of, served_key
from imprimatur.publication.reading import published_record, served_record
from imprimatur.publication.signing import Signer, new_private_key, public_part, read_token
from imprimatur.publication.vault import Vault
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus
from tests.facts import BASE_URL, Play
from tests.test_sign_off import JONAS, LOGO, MERE, begun, sign, signed_by
from tests.web import Site

SECRET = "a-secret-of-more-than-thirty-two-characters"
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def endorser_of(database: Database, secret: str = SECRET) -> Endorser:
    return Endorser(Keyring(database, Vault([secret]), BASE_URL))


def published(database: Database, folder: Path, **public: Any) -> Play:
    """Harbour Software says something in public and shows its logo; Fieldnote Analytics approves in silence."""
    rule = {"quorum": 2, "threshold": 2}
    play = begun(database, folder, signed_by(statement="optional", voting=rule, valid_for={"months": 12}))
    sign(play, MERE, **(public or {"statement": "We hire for it.", "logo": True}))
    sign(play, JONAS)
    assert play.state.status is CaseStatus.PUBLISHED
    return play


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(ImprimaturError) as error:
        act()
    return error.value.code


def test_what_a_partner_said_is_signed_in_its_name(database: Database, tmp_path: Path) -> None:
    play, endorser = published(database, tmp_path), endorser_of(database)
    endorser.keyring.generate("RS256")
    assert (endorser.issue(play.case_id), endorser.issue(play.case_id)) == (1, 0)
    record = published_record(database, play.case_id)
    [kept] = endorsements_of(database, record.slug)
    assert (kept.organisation, kept.by_partner, kept.number) == ("Harbour Software", False, 1)
    partner = next(key for key in all_keys(database) if key.owner == owner_of("Harbour Software"))
    token = JWS()
    token.deserialize(kept.token, JWK(**jwk_of(partner, BASE_URL)))
    said = json.loads(token.payload)
    assert (said["issuer"]["name"], said["issuer"]["image"]["id"]) == ("Harbour Software", LOGO)
    assert said["credentialSubject"]["endorsementComment"] == "We hire for it."
    assert said["credentialSubject"]["id"] == said["sub"] == record.address
    assert record.ledger_digest in json.dumps(said["evidence"]) or not record.quality_approvals
    assert said["validUntil"].startswith("2027-") and partner.alg == "RS256"
    assert served_record(database, play.case_id, "openbadges")["endorsementJwt"] == [kept.token]


def test_who_said_nothing_in_public_endorses_nothing(database: Database, tmp_path: Path) -> None:
    play, endorser = published(database, tmp_path, statement=""), endorser_of(database)
    endorser.keyring.generate()
    assert endorser.issue(play.case_id) == 0
    assert "endorsementJwt" not in served_record(database, play.case_id, "openbadges")
    assert [key.owner for key in all_keys(database)] == ["issuer"]


def test_without_a_key_a_publication_waits_for_its_signatures(database: Database, tmp_path: Path) -> None:
    play, endorser = published(database, tmp_path), endorser_of(database)
    with capture_logs() as logs:
        assert seal_all(endorser) == 0
    assert logs == [], "an installation may do without"
    assert refused(lambda: endorser.issue(play.case_id)) == "key_missing"
    endorser.keyring.generate()
    assert (seal_all(endorser), seal_all(endorser)) == (1, 0)


def test_a_key_that_cannot_be_opened_hinders_no_publication(database: Database, tmp_path: Path) -> None:
    play = published(database, tmp_path)
    endorser_of(database).keyring.generate()
    with capture_logs() as logs:
        assert seal(endorser_of(database, SECRET[::-1]), play.case_id) == 0
    assert [(log["event"], log["code"]) for log in logs] == [("endorsement_not_issued", "signing_key_unreadable")]


def test_a_publication_is_endorsed_as_soon_as_it_is_committed(sqlite_database: Database, tmp_path: Path) -> None:
    endorser = endorser_of(sqlite_database)
    endorser.keyring.generate()
    play = begun(sqlite_database, tmp_path, signed_by(statement="optional"))
    play.committer = Committer(
        sqlite_database,
        base_url=BASE_URL,
        published_dir=tmp_path,
        after_mail=lambda: None,
        after_endorsed=lambda slug: seal(endorser, slug),
    )
    sign(play, MERE, statement="We hire for it.")
    slug = published_record(sqlite_database, play.case_id).slug
    assert [kept.organisation for kept in endorsements_of(sqlite_database, slug)] == ["Harbour Software"]
    # A commit that is repeated after a crash files and endorses again, to no effect.
    [answer] = play.committer.write_steps([play.steps[-1]])
    assert not isinstance(answer, Exception)
    assert len(endorsements_of(sqlite_database, slug)) == 1


# --- signed by the partner --------------------------------------------------------------------------------------------


def their_token(database: Database, case_id: str, private: dict[str, Any], /, **change: Any) -> str:
    record = published_record(database, case_id)
    content = endorsement(record, record.sign_offs[0]) | {"id": "https://fieldnote.example/endorsement"}
    content["issuer"] = {"id": "https://fieldnote.example", "type": ["Profile"], "name": "fieldnote analytics"}
    return Signer(private, "https://fieldnote.example/key").sign(content | change)


def test_a_partner_may_sign_with_its_own_key(database: Database, tmp_path: Path) -> None:
    play, private = published(database, tmp_path), new_private_key("RS256")
    token = their_token(database, play.case_id, private)
    found = upload(database, play.case_id, f"\n{token[:40]}\n{token[40:]}\n", public_part(private), NOW)
    assert (found.organisation, found.number, found.by_partner) == ("Fieldnote Analytics", 2, True)
    assert upload(database, play.case_id, token, public_part(private), NOW) == found
    [key] = all_keys(database)
    assert (key.owner, key.sealed, key.signs) == (owner_of("Fieldnote Analytics"), None, False)
    assert jwks(database, BASE_URL) == {"keys": []}, "under our address it would speak for us"
    assert refused(lambda: served_key(database, key.kid, BASE_URL)) == "key_unknown"


def test_a_partner_s_own_signature_takes_the_place_of_ours(database: Database, tmp_path: Path) -> None:
    play, endorser, private = published(database, tmp_path), endorser_of(database), new_private_key("EdDSA")
    endorser.keyring.generate()
    endorser.issue(play.case_id)
    theirs = {"id": "https://harbour.example", "type": ["Profile"], "name": "Harbour Software", "url": "x"}
    token = their_token(database, play.case_id, private, issuer=theirs)
    found = upload(database, play.case_id, token, private, NOW)
    assert found.number == 1
    assert [kept.token for kept in endorsements_of(database, found.slug)] == [token]
    assert endorser.issue(play.case_id) == 0


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        ({"issuer": {"id": "https://x.example", "type": [], "name": "Somebody"}}, "endorsement_unfit", "no partner"),
        ({"credentialSubject": {"id": "https://x.example", "type": ["x"]}}, "endorsement_unfit", "something else"),
        ({"validFrom": "2027-01-01T00:00:00Z"}, "endorsement_unfit", "not valid yet"),
        ({"validUntil": "2026-05-01T00:00:00Z"}, "endorsement_unfit", "not valid any more"),
        ({"type": ["VerifiableCredential"]}, "endorsement_invalid", "no EndorsementCredential"),
        ({"name": " "}, "endorsement_invalid", "no EndorsementCredential"),
        ({"validFrom": "2026-01-01T00:00:00"}, "endorsement_invalid", "no EndorsementCredential"),
    ],
)  # fmt: skip
def test_an_endorsement_must_fit(
    sqlite_database: Database, tmp_path: Path, change: dict[str, Any], code: str, told: str
) -> None:
    play, private = published(sqlite_database, tmp_path), new_private_key("EdDSA")
    token = their_token(sqlite_database, play.case_id, private, **change)
    with pytest.raises(ImprimaturError) as error:
        upload(sqlite_database, play.case_id, token, private, NOW)
    assert error.value.code == code and told in error.value.message
    assert all_keys(sqlite_database) == []


def test_a_forged_endorsement_is_not_taken(sqlite_database: Database, tmp_path: Path) -> None:
    play, private, other = published(sqlite_database, tmp_path), new_private_key("EdDSA"), new_private_key("EdDSA")
    token = their_token(sqlite_database, play.case_id, private)
    for text, jwk, code in (
        (token, other, "endorsement_forged"),
        (token[:-4] + "AAAA", private, "endorsement_forged"),
        ("x.y", private, "token_unreadable"),
        (token, {"kty": "oct", "k": "AAAA"}, "jwk_unusable"),
    ):
        assert refused(partial(upload, sqlite_database, play.case_id, text, jwk, NOW)) == code
    assert refused(lambda: upload(sqlite_database, "mc-nobody", token, private, NOW)) == "publication_unknown"


# --- served -----------------------------------------------------------------------------------------------------------


async def test_every_record_has_its_address_and_tag(sqlite_database: Database, tmp_path: Path) -> None:
    play, endorser = published(sqlite_database, tmp_path), endorser_of(sqlite_database)
    endorser.keyring.generate()
    endorser.issue(play.case_id)
    record = published_record(sqlite_database, play.case_id)
    base = f"/catalogue/{record.slug}"
    async with Site(play).visitor() as visitor:
        for name in ("openbadges", "ctdl", "elm", "schema-org", "issuer"):
            found = await visitor.get(f"{base}/{name}.json")
            assert found.headers["content-type"].startswith("application/ld+json")
            assert found.json() == served_record(sqlite_database, record.slug, name)
            assert (await visitor.get(base, params={"format": name})).json() == found.json()
            again = await visitor.get(f"{base}/{name}.json", headers={"If-None-Match": f"W/{found.headers['etag']}"})
            assert (again.status_code, again.content) == (304, b"")
        token = await visitor.get(f"{base}/endorsement/1.jwt")
        first = await visitor.get(base, headers={"Accept": "application/jwt"})
        missing = [await visitor.get(f"{base}/{rest}") for rest in ("marc.json", "endorsement/9.jwt", "x.json")]
        wrong = await visitor.get(base, params={"format": "marc"})
        page = await visitor.get(base)
    assert (token.headers["content-type"], token.text) == ("application/jwt", first.text)
    assert read_token(token.text).payload["issuer"]["name"] == "Harbour Software"
    assert ([answer.status_code for answer in missing], wrong.status_code) == ([404] * 3, 422)
    assert f'href="{base}/endorsement/1.jwt"' in page.text


@pytest.mark.parametrize(
    ("profile", "key"),
    [
        ("https://purl.org/ctdl/terms/", "ceterms:ctid"),
        ("https://credreg.net/ctdl/schema", "ceterms:ctid"),
        ("https://schema.org", "@graph"),
        ("http://data.europa.eu/snb/model/elm/", "@graph"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/", "achievementType"),
        ("https://somewhere.example/", "achievementType"),
    ],
)
async def test_a_standard_can_be_asked_for_by_its_profile(
    sqlite_database: Database, tmp_path: Path, profile: str, key: str
) -> None:
    play = published(sqlite_database, tmp_path)
    slug = published_record(sqlite_database, play.case_id).slug
    async with Site(play).visitor() as visitor:
        accept = {"Accept": f'application/ld+json;profile="{profile}"'}
        assert key in (await visitor.get(f"/catalogue/{slug}", headers=accept)).json()


async def test_the_page_tells_search_engines_what_it_tells_people(sqlite_database: Database, tmp_path: Path) -> None:
    play = published(sqlite_database, tmp_path)
    record = published_record(sqlite_database, play.case_id)
    async with Site(play).visitor() as visitor:
        page = (await visitor.get(f"/catalogue/{record.slug}")).text
    embedded = page.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    assert json.loads(embedded) == served_record(sqlite_database, record.slug, "schema-org")
