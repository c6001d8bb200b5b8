"""Personal links: only ours are read, whole, for half a year, whichever key signed them."""

import datetime as dt
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner
from itsdangerous.encoding import base64_encode

from imprimatur.errors import Gone, ImprimaturError, InputError, NotFound
from imprimatur.mail.links import LINK_DAYS, LINK_SALT, REPLY_SALT, Links
from imprimatur.settings import Settings

OLD, NEW, OTHER = ("o" * 32, "n" * 32, "x" * 40)
BASE = "https://credentials.example.edu"
TASK, PERSON = "t-guedaeepqivumddl", "jörg.o'neill+review@example.edu"
LINKS = Links([NEW], BASE)
TOKEN = LINKS.token(TASK, PERSON)
DAY = dt.timedelta(days=1)
URL_SAFE = set(string.ascii_letters + string.digits + "-_.")


class Signer(TimestampSigner):
    """Signs as if at another time."""

    def __init__(self, salt: bytes, key: str, later: dt.timedelta) -> None:
        super().__init__(key, salt=salt, sep=".")
        self._later = later

    def get_timestamp(self) -> int:
        return super().get_timestamp() + int(self._later.total_seconds())


def signed(
    later: dt.timedelta = DAY * 0, key: str = NEW, salt: bytes = LINK_SALT, text: str = f"{TASK} {PERSON}"
) -> str:
    return Signer(salt, key, later).sign(base64_encode(text)).decode()


def refused(links: Links, token: str) -> ImprimaturError:
    with pytest.raises(ImprimaturError) as caught:
        links.read(token)
    return caught.value


def test_a_link_names_its_task_and_its_person() -> None:
    claim = LINKS.read(TOKEN)
    assert (claim.task_id, claim.person) == (TASK, PERSON)
    assert abs(claim.signed_at - dt.datetime.now(dt.UTC)) < DAY
    assert LINKS.task_url(TASK, PERSON).startswith(f"{BASE}/t/")
    assert set(TOKEN) <= URL_SAFE, "nothing in it needs to be quoted in an address"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters=" "), min_size=1), st.text(min_size=1))
def test_any_task_and_person_come_back(task_id: str, person: str) -> None:
    claim = LINKS.read(LINKS.token(task_id, person))
    assert (claim.task_id, claim.person) == (task_id, person)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from([*sorted(URL_SAFE), "%", "é", " "]))
def test_a_link_with_any_other_sign_is_refused(index: int, sign: str) -> None:
    forged = TOKEN[:index] + sign + TOKEN[index + 1 :]
    try:
        claim = LINKS.read(forged)
    except (NotFound, Gone):
        return
    # Spare bits at the end of base64 spell the same bytes in several ways.
    assert forged[:-1] == TOKEN[:-1] and (claim.task_id, claim.person) == (TASK, PERSON)


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_link_that_was_cut_is_refused(length: int) -> None:
    error = refused(LINKS, TOKEN[:length])
    assert isinstance(error, NotFound) and error.code == "link_invalid"


@given(st.text())
def test_what_was_never_a_link_is_refused(token: str) -> None:
    assert refused(LINKS, token).code == "link_invalid"


def test_a_link_signed_for_another_purpose_or_by_another_key_is_refused() -> None:
    for token in (signed(salt=REPLY_SALT), signed(salt=b"imprimatur"), signed(key=OTHER), signed(key="")):
        assert refused(LINKS, token).code == "link_invalid"


def test_a_link_lives_for_half_a_year() -> None:
    assert LINKS.read(signed(-LINK_DAYS * DAY + DAY)).task_id == TASK
    error = refused(LINKS, signed(-LINK_DAYS * DAY - DAY))
    assert isinstance(error, Gone) and error.code == "link_expired"
    assert str(LINK_DAYS) in error.message


def test_a_clock_that_is_ahead_elsewhere_makes_no_link_old() -> None:
    assert LINKS.read(signed(DAY / 24)).task_id == TASK


def test_keys_can_be_rotated() -> None:
    before, during, after = Links([OLD], BASE), Links([NEW, OLD], BASE), Links([NEW], BASE)
    assert during.read(before.token(TASK, PERSON)).task_id == TASK, "links in old mails keep working"
    assert after.read(during.token(TASK, PERSON)).task_id == TASK, "the first key signs"
    assert refused(after, before.token(TASK, PERSON)).code == "link_invalid"


def test_a_reply_secret_can_stand_in_a_mail_address() -> None:
    secret = LINKS.reply_secret(TASK, PERSON)
    assert re.fullmatch(re.escape(TASK) + r"\.[A-Za-z0-9_-]{22}", secret)
    # RFC 5321, 4.5.3.1.1: a local part has at most 64 octets.
    assert len(f"review+{secret}") <= 64
    assert secret == LINKS.reply_secret(TASK, PERSON), "the same in every mail about the task"


def test_a_reply_secret_is_bound_to_its_task_and_person() -> None:
    others = [
        LINKS.reply_secret(TASK, "rosa@example.edu"),
        LINKS.reply_secret("t-other", PERSON),
        Links([OTHER], BASE).reply_secret(TASK, PERSON),
    ]
    secrets = {secret.rpartition(".")[2] for secret in [LINKS.reply_secret(TASK, PERSON), *others]}
    assert len(secrets) == 4
    assert TOKEN.rpartition(".")[2][:22] not in secrets, "a reply address is no link"


def _settings(keys: str | None) -> Settings:
    """As the environment would give them; a setting goes by its public name only."""
    return Settings.model_validate({"IMPRIMATUR_SECRET_KEYS": keys} if keys is not None else {})


@pytest.mark.parametrize("keys", [None, "", " , ", "short", f"{NEW},short"])
def test_missing_or_weak_keys_are_refused(keys: str | None) -> None:
    settings = _settings(keys)
    with pytest.raises(InputError) as caught:
        Links.from_settings(settings, BASE)
    assert caught.value.code == "secret_keys_missing" and "token_urlsafe" in caught.value.hint


def test_keys_come_from_the_settings_first_one_signing() -> None:
    links = Links.from_settings(_settings(f" {NEW} , {OLD}"), BASE)
    assert len(links.keys) == 2
    assert Links([NEW], BASE).read(links.token(TASK, PERSON)).person == PERSON
