"""Pictures of the pages for the README: `python -m tests.screenshots DIR`. Run by hand; needs Chromium and Pillow."""

import argparse
import datetime as dt
import io
import random
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from imprimatur.cli.service import prepare_database
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from models.vocabulary import Verdict
from tests.chromium import ARGUMENTS
from tests.facts import EXAMPLES, OFFICE, PROPOSER, Play, add_people, example
from tests.test_pages_browser import serving
from tests.web import KEY, Site

COLOURS, MOST_BYTES = 128, 150_000
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2,
}  # fmt: skip
HIRA, NOAH, INES = "hira.wallace@example.edu", "noah.lindgren@example.edu", "ines.ferreira@example.edu"
PEOPLE = [f"{HIRA},Hira Wallace,proposer,yes", f"{NOAH},Noah Lindgren,proposer,yes",
          f"{INES},Inês Ferreira,proposer,yes"]  # fmt: skip
ENGINEERING, HEALTH, BUSINESS = "School of Engineering", "School of Health", "School of Business"
# Title, framework, unit, proposer, how many days ago, and which stages have passed since; none: it is incomplete.
CASES: list[tuple[str, str, str, str, float, tuple[str, ...] | None]] = [
    ("Museum Learning Design", "non-credit", BUSINESS, HIRA, 4, None),
    ("Rehabilitation Technology Assistant", "industry-credit", HEALTH, INES, 24, ("proposal",)),
    ("Energy Auditing for Small Firms", "industry-credit", ENGINEERING, NOAH, 19, ("proposal", "industry")),
    ("Data Stewardship in Clinical Trials", "coursework-credit", HEALTH, INES, 16, ("proposal",)),
    ("Circular Procurement Practice", "coursework-credit", BUSINESS, HIRA, 11.4, ("proposal",)),
    ("Wind Turbine Blade Inspection", "industry-credit", ENGINEERING, NOAH, 13.2, ("proposal",)),
    ("Inclusive Facilitation", "non-credit", BUSINESS, HIRA, 6.3, ("proposal",)),
    ("Robotics Cell Safety", "industry-credit", ENGINEERING, NOAH, 2.2, ()),
    ("Palliative Care Conversations", "non-credit", HEALTH, INES, 3, ("proposal",)),
    ("Carbon Accounting Essentials", "coursework-credit", BUSINESS, HIRA, 2, ("proposal",)),
    ("Additive Manufacturing Materials", "industry-credit", ENGINEERING, NOAH, 40, ("proposal", "quality", "industry")),
    ("Peer Wellbeing Supporter", "non-credit", HEALTH, INES, 35, ("proposal", "quality", "industry")),
]
SHOWN = "mc-k7wq2xv4ndra"


def letters(number: int) -> str:
    return "".join(random.Random(number).choices("abcdefghijklmnopqrstuvwxyz234567", k=12))


def played(database: Database, folder: Path, now: dt.datetime) -> Play:
    """An office in the middle of its work; answers the case that is shown from inside."""
    prepare_database(database.url)
    import_people(database, EXAMPLES / "people.csv")
    add_people(database, folder, *PEOPLE)
    for number, (title, framework, unit, proposer, days, passed) in enumerate(CASES, 1):
        play = Play(database, folder, framework, f"mc-{letters(number)}", now - dt.timedelta(days=days))
        said = {"title": title, "unit": unit} | ({"summary": None} if passed is None else {})
        play.submit(example(framework).model_copy(update=said), by=proposer)
        for stage in passed or ():
            play.pass_time(dt.timedelta(hours=7))
            approved(play, stage)
        if not play.state.status.is_final:
            play.pass_time(now - play.now)
    return in_its_second_round(database, folder, now)


def approved(play: Play, stage: str) -> None:
    while play.state.open_tasks(stage):
        scores: dict[str, Any] = {item.id: 4 for item in play.framework.stage(stage).criteria if item.required}
        play.decide(stage, comment="Sound and well described.", **scores)


def in_its_second_round(database: Database, folder: Path, now: dt.datetime) -> Play:
    play = Play(database, folder, case_id=SHOWN, at=now - dt.timedelta(days=18))
    play.submit(example("industry-credit"), by=PROPOSER)
    play.pass_time(dt.timedelta(hours=5))
    play.decide("proposal", comment="Fits what we offer, and repeats nothing.", fit=4, no_duplication=4)
    play.pass_time(dt.timedelta(days=3))
    for comment in (
        "Outcome 3 cannot be assessed as it is worded.",
        "Say how the assessment shows each outcome; the prototype alone does not.",
    ):
        play.decide("quality", Verdict.REQUEST_CHANGES, comment, outcomes=3, assessment=2)
    play.pass_time(dt.timedelta(days=4))
    play.revise(example("industry-credit.revised"))
    play.pass_time(dt.timedelta(days=2))
    play.decide("industry", comment="Our teams hire for exactly these skills.", need=4, value=4)
    play.decide("quality", comment="Each outcome is shown now.", outcomes=4, assessment=4)
    play.pass_time(now - play.now)
    return play


@contextmanager
def stack() -> Iterator[tuple[Site, str]]:
    """The pages on a port of this machine, over cases of the last weeks."""
    folder = Path(tempfile.mkdtemp(prefix="imprimatur-pictures-"))
    database = Database(f"sqlite:///{folder / 'pictures.db'}")
    try:
        play = played(database, folder, dt.datetime.now(dt.UTC))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            site = Site(play, embedded=False, links=Links([KEY], base_url))
            with serving(site, listener):
                yield site, base_url
    finally:
        database.close()
        shutil.rmtree(folder)


def small(picture: bytes) -> bytes:
    """The same in few colours: pages have few."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


def main(folder: Path) -> None:
    with stack() as (site, base_url), sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        pictures = [
            ("desk", "/", OFFICE, DESKTOP), ("case", f"/cases/{SHOWN}", OFFICE, DESKTOP),
            ("task", site.link("quality"), None, PHONE),
        ]  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        for name, address, who, device in pictures:
            context = browser.new_context(**device)
            if who is not None:
                context.add_cookies(
                    [{"name": key, "value": value, "url": base_url} for key, value in site.session(who).items()]
                )
            page = context.new_page()
            page.goto(base_url + address)
            picture = small(page.screenshot())
            if len(picture) > MOST_BYTES:
                raise SystemExit(f"{name}.png has {len(picture):,} bytes; at most {MOST_BYTES:,} are wanted.")
            (folder / f"{name}.png").write_bytes(picture)
            sys.stdout.write(f"{folder / name}.png: {len(picture):,} bytes\n")
            context.close()
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path)
    main(parser.parse_args().folder)
