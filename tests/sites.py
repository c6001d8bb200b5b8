"""A catalogue with everything in it that can be exported: keys, endorsements, badges, a pathway; for tests."""

import datetime as dt
from pathlib import Path

from imprimatur.publication.awarding import Awarder
from imprimatur.publication.badges import Learner
from imprimatur.publication.endorsing import Endorser
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.store.engine import Database
from tests.catalogues import case_id_of, fill
from tests.facts import BASE_URL, START, furnish, whole_story

SECRET = "a-secret-of-more-than-thirty-two-characters"
STORY = "mc-zzzzzzzzzzzz"


def stocked(database: Database, folder: Path, number: int) -> None:
    """``number`` credentials and one more, of which a badge was awarded to a learner."""
    furnish(database)
    whole_story(database, folder, STORY)
    fill(database, range(number))
    keyring = Keyring(database, Vault([SECRET]), BASE_URL)
    keyring.generate()
    Awarder(keyring, STORY).award([Learner("ana@example.org", "Ana Learner")], START + dt.timedelta(days=99))
    endorser = Endorser(keyring)
    for case in range(number):
        endorser.issue(case_id_of(case))
