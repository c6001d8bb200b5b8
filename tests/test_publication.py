"""What becomes public: a valid Open Badges record, a catalogue page without anyone's address, files that come back."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from structlog.testing import capture_logs

from activities.commit import Committer
from imprimatur.embedded.home import LOOPBACK
from imprimatur.errors import DocumentInvalid
from imprimatur.frameworks.loader import shipped
from imprimatur.publication.files import write_lost_records, write_record
from imprimatur.publication.openbadges import build_achievement, slug
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.people import list_people
from imprimatur.store.task_page import publication, publications
from models.proposal import Assessment, Level, Partner, Price, Proposal, Workload
from models.vocabulary import CaseStatus
from tests.credentials import page_of, record_of
from tests.engine import temporal_server
from tests.facts import BASE_URL, EXAMPLES, everything, example, furnish, ledger_rows, whole_story
from tests.relay import PATIENCE_SECONDS
from tests.test_endorsements import SECRET, endorser_of
from tests.test_endorsements import published as signed_off
from tests.test_sign_off import MERE, begun, sign

ROOT = EXAMPLES.parent
SCHEMA = "standards/openbadges3/ob_v3p0_achievementcredential_schema.json"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
LINE = st.text(max_size=40).map(lambda text: " ".join(text.split())).filter(str.isprintable)
TITLE = LINE.filter(bool)
PROSE = st.text(max_size=80).filter(lambda text: all(sign.isprintable() or sign in "\n\t" for sign in text))
PROPOSALS = st.builds(
    Proposal,
    title=st.none() | LINE,
    summary=st.none() | PROSE,
    provider=st.none() | LINE,
    unit=st.none() | LINE,
    field_of_study=st.none() | LINE,
    learning_outcomes=st.lists(PROSE, max_size=3).map(tuple),
    workload=st.none()
    | st.builds(Workload, hours=st.none() | st.floats(0.01, 1e5), credits=st.none() | st.floats(0.01, 1000)),
    level=st.none() | st.builds(Level, framework=st.sampled_from(["EQF", "eqf", "NZQCF"]) | TITLE, value=TITLE),
    assessment=st.none() | st.builds(Assessment, description=st.none() | PROSE),
    language=st.none() | st.sampled_from(["en", "mi", "de-AT", "zh-Hant-TW", "sr-Latn", "en-x1", "es-419", "ast"]),
    partners=st.lists(
        st.builds(
            Partner,
            organisation=TITLE,
            contact_name=st.just("Secret Person"),
            contact_email=st.just("secret.person@partner.example"),
        ),
        max_size=2,
    ).map(tuple),
    price=st.none() | st.builds(Price, amount=st.decimals(0, 9999, places=2), currency=st.just("NZD")),
)


@pytest.fixture(scope="session")
def official(shared_dir: Path) -> Callable[[dict[str, Any]], list[str]]:
    """What the official schema says against an achievement, in a credential made of little else."""
    validator = Draft201909Validator(json.loads((shared_dir / SCHEMA).read_text(encoding="utf-8")))

    def problems(achievement: dict[str, Any]) -> list[str]:
        credential = {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": "urn:uuid:0a0e2a3c-0000-4000-8000-000000000000",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": BASE_URL, "type": ["Profile"]},
            "validFrom": "2026-03-02T09:00:00Z",
            "credentialSubject": {"type": ["AchievementSubject"], "achievement": achievement},
        }
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(credential)]

    return problems


def achievement_of(proposal: Proposal, framework: str = "industry-credit", base_url: str = BASE_URL) -> dict[str, Any]:
    return build_achievement(record_of(proposal, framework, base_url))


def test_the_schema_would_find_a_mistake(official: Callable[[dict[str, Any]], list[str]]) -> None:
    good = achievement_of(example("industry-credit"))
    assert official(good) == []
    assert official(good | {"achievementType": "Diploma of everything"})
    assert official({name: value for name, value in good.items() if name != "criteria"})
    assert official(good | {"creator": {"id": 7}})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("framework", sorted(shipped()))
def test_every_example_makes_a_valid_record(
    official: Callable[[dict[str, Any]], list[str]], name: str, framework: str
) -> None:
    assert official(achievement_of(example(name), framework)) == []


@given(PROPOSALS)
@settings(deadline=None)
def test_any_proposal_makes_a_valid_record(official: Callable[[dict[str, Any]], list[str]], proposal: Proposal) -> None:
    assert official(achievement_of(proposal)) == []


@given(PROPOSALS)
def test_a_record_says_something_everywhere_and_no_address(proposal: Proposal) -> None:
    achievement = achievement_of(proposal)
    for name in ("id", "name", "description", "humanCode", "version"):
        assert achievement[name].strip(), name
    assert achievement["criteria"]["narrative"].strip()
    for public in (achievement, page_of(proposal)):
        assert "secret" not in json.dumps(public).lower()


def test_a_record_says_what_the_proposal_says() -> None:
    achievement = achievement_of(example("industry-credit.revised"), base_url=f"{BASE_URL}/")
    assert achievement["id"] == f"{BASE_URL}/catalogue/product-discovery-and-prototyping-with-ai-abcdefghijkl"
    assert achievement["creator"]["name"] == "Example Institute of Technology"
    assert (achievement["creditsAvailable"], achievement["inLanguage"]) == (15.0, "en")
    assert [a["targetUrl"] for a in achievement["alignment"]] == ["http://data.europa.eu/snb/eqf/6"]
    narrative = achievement["criteria"]["narrative"]
    assert all(f"* {outcome}" in narrative for outcome in example("industry-credit.revised").learning_outcomes)
    assert "Assessment: A portfolio of one discovery cycle" in narrative and "Workload: 390 hours." in narrative


@pytest.mark.parametrize(("language", "told"), [("en", True), ("de-AT", True), ("zh-Hant-TW", True), ("en-x1", False)])
def test_a_language_is_told_where_the_standard_can_say_it(language: str, told: bool) -> None:
    proposal = example("industry-credit").model_copy(update={"language": language})
    assert achievement_of(proposal).get("inLanguage") == (language if told else None)
    assert page_of(proposal)["language"] == language


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Product Discovery and Prototyping with AI", "product-discovery-and-prototyping-with-ai-abcdefghijkl"),
        ("Größe, Maß & Straße", "grosse-mass-strasse-abcdefghijkl"),
        ("Ægir’s ØRE — “Łódź”", "aegirs-ore-lodz-abcdefghijkl"),
        ("研究倫理 🎓", "abcdefghijkl"),
        ("研究倫理 2026", "2026-abcdefghijkl"),
        ("one two three four five six seven eight nine ten eleven", "one-two-three-four-five-six-seven-eight-nine-ten-"
         "abcdefghijkl"),
        ("a" * 500, "a" * 80 + "-abcdefghijkl"),
    ],
)  # fmt: skip
def test_an_address_is_readable_and_never_changes(title: str, expected: str) -> None:
    assert slug(title, "mc-abcdefghijkl") == expected


@given(st.text(), st.text())
def test_an_address_is_plain_and_a_cases_own(one: str, other: str) -> None:
    found = slug(one, "mc-abcdefghijkl")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found) and len(found) <= 100
    assert found == slug(one, "mc-abcdefghijkl") != slug(other, "mc-mnopqrstuvwx")


def test_a_page_names_the_offer_and_who_assured_it_by_role(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path)
    [found] = publications(database)
    page = found.page
    assert (page["title"], page["hours"], page["level"], page["price"]) == (
        "Product Discovery and Prototyping with AI", 390.0, "EQF 6", "1450.00 NZD",
    )  # fmt: skip
    assert page["partners"] == ["Harbour Software", "Fieldnote Analytics"]
    assert page["framework"] == "Industry-developed, credit-bearing, version 1.1"
    assert [(a["stage"], a["by"], a["approvals"]) for a in page["assurances"]] == [
        ("Proposal check", ["governance_office"], 1),
        ("Quality review", ["quality_reviewer"], 2),
        ("Industry sign-off", ["industry_partner"], 1),
    ]
    rows = ledger_rows(database, "mc-abcdefghijkl")
    published = next(row for row in rows if row["type"] == "credential_published")
    assert page["ledger_digest"] == published["previous"], "the page is bound to all that led to it"


def test_what_is_public_holds_no_contact_data_of_anyone(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path)
    [found] = publications(database)
    public = json.dumps([found.page, found.achievement], ensure_ascii=False)
    assert "@" not in public
    contacts = [partner.contact_name for partner in example("industry-credit").partners]
    for name in [person.name for person in list_people(database)] + [str(contact) for contact in contacts]:
        assert name not in public
    assert "Well done." not in public, "comments are not public"


def test_a_published_record_is_a_file_too(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path / "published")
    [found] = publications(database)
    file = tmp_path / "published" / found.slug / "achievement.json"
    assert json.loads(file.read_text(encoding="utf-8")) == found.achievement
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in file.parent.iterdir()] == ["achievement.json"], "nothing half-written is left"


def test_a_record_is_written_again_without_harm(tmp_path: Path) -> None:
    first, second = {"name": "研究"}, {"name": "x" * 100_000}
    file = write_record(tmp_path, "a-slug", first)
    before = file.read_bytes()
    assert write_record(tmp_path, "a-slug", first).read_bytes() == before
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write_record(tmp_path, "a-slug", [first, second][number % 2]), range(40)))
    assert json.loads(file.read_text(encoding="utf-8")) in (first, second)
    assert [path.name for path in file.parent.iterdir()] == ["achievement.json"]


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = write_record(tmp_path, "a-slug", {"name": "old"})
    with pytest.raises(TypeError):
        write_record(tmp_path, "a-slug", {"name": object()})
    assert json.loads(file.read_text(encoding="utf-8")) == {"name": "old"}
    assert [path.name for path in file.parent.iterdir()] == ["achievement.json"]


def test_a_disk_that_takes_no_files_stops_no_publication(database: Database, tmp_path: Path) -> None:
    furnish(database)
    (tmp_path / "published").write_text("no folder")
    with capture_logs() as logs:
        play = whole_story(database, tmp_path / "published")
    assert play.state.status is CaseStatus.PUBLISHED and play.woken > 0
    assert [(log["event"], log["slug"]) for log in logs] == [("record_not_written", publications(database)[0].slug)]
    (tmp_path / "published").unlink()
    assert write_lost_records(database, tmp_path / "published") == 1
    assert (tmp_path / "published" / publications(database)[0].slug / "achievement.json").is_file()


def test_a_record_that_would_not_be_valid_stops_the_whole_publication(database: Database, tmp_path: Path) -> None:
    """Not by any proposal, but by an address of the installation that is none."""
    play = begun(database, tmp_path)
    nowhere = Committer(database, base_url="nowhere", published_dir=tmp_path, after_mail=lambda: None)
    sound, play.committer = play.committer, nowhere
    before, state = everything(database), play.state
    with pytest.raises(DocumentInvalid) as refused:
        sign(play, MERE)
    assert refused.value.code == "record_invalid" and refused.value.problems
    assert everything(database) == before and play.state == state
    play.committer = sound
    sign(play, MERE)
    assert play.state.status is CaseStatus.PUBLISHED


def test_only_lost_records_are_written_anew(database: Database, tmp_path: Path) -> None:
    furnish(database)
    for case_id in ("mc-one", "mc-two"):
        whole_story(database, tmp_path, case_id=case_id)
    kept, lost = (tmp_path / found.slug / "achievement.json" for found in publications(database))
    written_at = kept.stat().st_mtime_ns
    lost.unlink()
    assert write_lost_records(database, tmp_path) == 1
    assert json.loads(lost.read_text()) == publication(database, lost.parent.name).achievement
    assert kept.stat().st_mtime_ns == written_at
    assert write_lost_records(database, tmp_path) == 0


def test_a_worker_that_starts_makes_good_what_a_publication_lacks(sqlite_database: Database, tmp_path: Path) -> None:
    """Its files, and the signatures of its endorsements: as after a crash right behind the commit."""
    (tmp_path / "elsewhere").mkdir()
    signed_off(sqlite_database, tmp_path / "elsewhere")
    endorser_of(sqlite_database).keyring.generate()
    file = tmp_path / "home" / "published" / publications(sqlite_database)[0].slug / "achievement.json"
    with temporal_server(tmp_path) as address:
        environment = os.environ | {
            "IMPRIMATUR_HOME": str(tmp_path / "home"),
            "IMPRIMATUR_BASE_URL": BASE_URL,
            "IMPRIMATUR_SECRET_KEYS": SECRET,
            "DATABASE_URL": sqlite_database.url,
            "TEMPORAL_ADDRESS": address,
            "SMTP_URL": f"smtp://{LOOPBACK}:1",
        }
        command = [sys.executable, str(ROOT / "worker.py")]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            wait_for(file.is_file, process)
            wait_for(lambda: bool(endorsements_of(sqlite_database, file.parent.name)), process)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
    assert json.loads(file.read_text(encoding="utf-8")) == publications(sqlite_database)[0].achievement


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def test_an_untitled_proposal_is_published_under_its_case_alone() -> None:
    bare = Proposal(price=Price(amount=Decimal("0.00"), currency="EUR"))
    assert achievement_of(bare)["name"] == "Untitled proposal"
    assert page_of(bare)["price"] == "0.00 EUR"
