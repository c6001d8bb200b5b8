"""What records and badges cost: a catalogue told in every standard, a large cohort awarded, its badges verified."""

import datetime as dt
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imprimatur.publication.awarding import Awarder
from imprimatur.publication.badges import Learner
from imprimatur.publication.baking import bake_png
from imprimatur.publication.drawing import badge_png
from imprimatur.publication.keys import Keyring
from imprimatur.publication.records import check_records
from imprimatur.publication.vault import Vault
from imprimatur.publication.verifying import verify
from imprimatur.store.badges import badge
from imprimatur.store.engine import Database, migrate
from tests.credentials import SAID, record_of
from tests.facts import BASE_URL, example, furnish, whole_story

CREDENTIALS, BADGES, TOGETHER, CHECKED = 1_000, 10_000, 200, 1_000
SECRET = "a-secret-of-more-than-thirty-two-characters"


@dataclass
class Run:
    """``rate`` is a second's; ``grown_mib`` is how far the process's greatest memory rose meanwhile."""

    rate: float = 0.0
    grown_mib: float = 0.0


@contextmanager
def measured(number: int) -> Iterator[Run]:
    run, before, started = Run(), _memory(), time.perf_counter()
    yield run
    run.rate = number / (time.perf_counter() - started)
    run.grown_mib = _memory() - before


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def batched(learners: Sequence[Learner]) -> Iterator[Sequence[Learner]]:
    return (learners[first : first + TOGETHER] for first in range(0, len(learners), TOGETHER))


def catalogue() -> Run:
    """Six records of each: five formats, and the endorsements of its partners."""
    proposal = example("industry-credit.revised")
    with measured(CREDENTIALS) as run:
        for number in range(CREDENTIALS):
            titled = proposal.model_copy(update={"title": f"Micro-credential {number}"})
            check_records(record_of(titled, endorsements=SAID))
    return run


def cohort(folder: Path) -> tuple[Run, Run, Run]:
    """Awarded in transactions of 200; awarded again, which finds them; verified and baked."""
    url = f"sqlite:///{folder / 'records.db'}"
    migrate(url)
    database = Database(url)
    furnish(database)
    case_id = whole_story(database, folder).case_id
    keyring = Keyring(database, Vault([SECRET]), BASE_URL)
    keyring.generate()
    awarder, now = Awarder(keyring, case_id), dt.datetime.now(dt.UTC)
    learners = [Learner(f"learner-{number}@example.org", f"Learner {number}") for number in range(BADGES)]
    with measured(BADGES) as issued:
        awards = [award for some in batched(learners) for award in awarder.award(some, now)]
    with measured(BADGES) as again:
        assert [award.result for some in batched(learners) for award in awarder.award(some, now)] == [
            "present"
        ] * BADGES
    picture = badge_png(awarder.record)
    with measured(CHECKED) as checked:
        for award in awards[:CHECKED]:
            token = badge(database, award.badge_id).token
            assert verify(database, bake_png(picture, token), now + dt.timedelta(minutes=1)).status == "valid"
    database.close()
    return issued, again, checked
