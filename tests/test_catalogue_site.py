"""The exported site: everything is there and leads on, it changes whole or not at all, and names nobody."""

import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from imprimatur.errors import ImprimaturError
from imprimatur.publication.catalogue import feeds
from imprimatur.publication.catalogue.choice import Choice
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.publication.records import FORMATS
from imprimatur.publication.signing import read_token
from imprimatur.store.engine import Database
from imprimatur.web.site import folder as folders
from imprimatur.web.site.addresses import address_of, file_of, relative_from
from imprimatur.web.site.export import export
from models.tables import PublicationRow
from tests.catalogues import fill
from tests.command import Command
from tests.facts import BASE_URL, Play, example
from tests.sites import stocked
from tests.web import Site

PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
NUMBER = 45
Stock = tuple[Database, Path]


@pytest.fixture(scope="module")
def stock(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """The database, and the site that was exported from it."""
    folder = tmp_path_factory.mktemp("stock")
    (folder / "x.db").write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{folder / 'x.db'}")
    stocked(database, folder / "published", NUMBER)
    Play(database, folder, case_id="mc-unpublished").submit(
        example("industry-credit").model_copy(update={"title": "Not yet for anybody"})
    )
    export(database, BASE_URL, folder / "site")
    yield database, folder / "site"
    database.close()


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Leads(HTMLParser):
    """Whatever a page refers to as a file of its own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action", "data-home") and value]


def test_every_page_leads_to_files_that_are_there(stock: Stock) -> None:
    _, site = stock
    pages = [*site.rglob("*.html")]
    assert len(pages) > NUMBER + 30
    reached = set()
    for page in pages:
        for lead in Leads(page.read_text(encoding="utf-8")).found:
            if not (urlsplit(lead).scheme or lead.startswith("#")):
                place = (page.parent / unquote(lead.partition("#")[0])).resolve()
                assert not lead.startswith("/") and place.is_file(), f"{page} leads to {lead}"
                reached.add(place)
    # And none is there that nothing leads to.
    assert {page.resolve() for page in pages} - reached == {(site / "index.html").resolve()}


async def test_what_is_served_and_what_is_exported_are_the_same_documents(stock: Stock) -> None:
    database, site = stock
    served = Site(Play(database, site.parent / "other"))
    slugs = [entry.slug for entry in Shelf(database).collection().entries]
    names = [f"{name}.json" for name in FORMATS] + ["badge.png", "badge.svg"]
    paths = [f"catalogue/{slug}/{name}" for slug in slugs[-3:] for name in names]
    paths += ["robots.txt", *(f"catalogue/catalogue.{kind}" for kind in ("json", "jsonl")), "catalogue/sitemap.xml"]
    paths += [path.relative_to(site).as_posix() for path in (*site.glob("keys/*"), *site.glob("catalogue/*/status/*"))]
    paths += [
        ".well-known/jwks.json",
        *(p.relative_to(site).as_posix() for p in site.glob("catalogue/*/endorsement/*")),
    ]
    assert sum("/status/" in path for path in paths) == 1 and sum("/endorsement/" in path for path in paths) > 5
    async with served.visitor() as visitor:
        for path in paths:
            answer = await visitor.get(f"/{path}")
            assert answer.content.rstrip() == (site / path).read_bytes().rstrip(), path


def test_the_news_and_the_sitemap_are_sound_and_lead_to_pages(stock: Stock) -> None:
    _, site = stock
    feed = ElementTree.fromstring((site / "catalogue/feed.atom").read_bytes())
    assert len(feed.findall(f"{{{feeds.ATOM}}}entry")) == NUMBER + 1
    urlset = ElementTree.fromstring((site / "catalogue/sitemap.xml").read_bytes())
    for url in urlset:
        address = url.findtext(f"{{{feeds.SITEMAP}}}loc") or ""
        assert (site / file_of(address.removeprefix(BASE_URL))).is_file(), address


def test_the_pages_of_a_long_feed_are_files(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "FEED_LENGTH", 2)
    monkeypatch.setattr(feeds, "LARGEST_SITEMAP", 3)
    stocked(sqlite_database, tmp_path / "published", 4)
    export(sqlite_database, BASE_URL, tmp_path / "site")
    address, titles = "/catalogue/feed.atom", 0
    while address:
        feed = ElementTree.fromstring((tmp_path / "site" / address[1:]).read_bytes())
        titles += len(feed.findall(f"{{{feeds.ATOM}}}entry"))
        leads = {link.attrib["rel"]: link.attrib["href"] for link in feed.findall(f"{{{feeds.ATOM}}}link")}
        address = leads.get("next", "").removeprefix(BASE_URL)
    assert titles == 5
    index = ElementTree.fromstring((tmp_path / "site/catalogue/sitemap.xml").read_bytes())
    parts = [part.findtext(f"{{{feeds.SITEMAP}}}loc") or "" for part in index]
    assert [Path(part).name for part in parts] == ["sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml"]
    assert all((tmp_path / "site" / part.removeprefix(f"{BASE_URL}/")).is_file() for part in parts)


def test_the_site_tells_what_is_in_it(stock: Stock) -> None:
    _, site = stock
    told = json.loads((site / folders.MANIFEST).read_text(encoding="utf-8"))
    assert told["files"] == {path: digest for path, digest in content(site).items() if path != folders.MANIFEST}


TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]{20,}\.[\w-]{20,}")


def test_nothing_unpublished_and_nobody_is_in_it(stock: Stock) -> None:
    _, site = stock
    for path in site.rglob("*"):
        if not path.is_file() or path.suffix == ".png":
            continue
        text = path.read_text(encoding="utf-8")
        # Of a signed token what it says: its letters spell any short name by chance.
        text = TOKEN.sub(lambda token: json.dumps(read_token(token[0]).payload), text)
        assert not re.findall(r"[\w.+-]+@[\w-]+\.\w+", text), path
        for name in ("Secret", "Zoe", "Ana Learner", "Quinn", "Rosa", "Not yet for anybody", "mc-unpublished"):
            assert name not in text, (path, name)


def test_again_nothing_is_touched(stock: Stock) -> None:
    database, site = stock
    before = {path: path.stat() for path in site.rglob("*")}
    found = export(database, BASE_URL, site)
    assert (found.changed, found.credentials, found.files) == (False, NUMBER + 1, len(content(site)))
    after = {path: path.stat() for path in site.rglob("*")}
    assert {path: (s.st_ino, s.st_mtime_ns) for path, s in before.items()} == {
        path: (s.st_ino, s.st_mtime_ns) for path, s in after.items()
    }
    assert [path.name for path in site.parent.glob(".site*")] == []


def test_elsewhere_it_is_the_same_to_the_byte(stock: Stock, tmp_path: Path) -> None:
    database, site = stock
    export(database, BASE_URL, tmp_path / "another" / "folder")
    assert content(tmp_path / "another" / "folder") == content(site)


def test_what_was_damaged_or_added_is_put_right(stock: Stock, tmp_path: Path) -> None:
    database, site = stock
    target = tmp_path / "site"
    export(database, BASE_URL, target)
    (target / "catalogue/index.html").write_text("Gone.", encoding="utf-8")
    (target / "more.html").write_text("More.", encoding="utf-8")
    assert export(database, BASE_URL, target).changed
    assert content(target) == content(site)


def test_what_is_gone_disappears_and_what_is_new_appears(sqlite_database: Database, tmp_path: Path) -> None:
    stocked(sqlite_database, tmp_path / "published", 3)
    site = tmp_path / "site"
    export(sqlite_database, BASE_URL, site)
    gone = Shelf(sqlite_database).collection().entries[0].slug
    with sqlite_database.write() as connection:
        connection.execute(PUBLICATION.delete().where(PUBLICATION.c.slug == gone))
    fill(sqlite_database, range(3, 5))
    assert export(sqlite_database, BASE_URL, site).changed
    assert not (site / "catalogue" / gone).exists()
    texts = "".join(
        p.read_text(encoding="utf-8") for p in site.rglob("*") if p.suffix in (".html", ".js", ".jsonl", ".atom")
    )
    assert gone not in texts
    assert len([*(site / "catalogue").glob("*/openbadges.json")]) == 5


@pytest.mark.parametrize("exchanging", [True, False], ids=["exchanged", "renamed"])
def test_a_site_takes_the_place_of_the_one_before(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanging: bool
) -> None:
    stocked(sqlite_database, tmp_path / "published", 1)
    site = tmp_path / "site"
    export(sqlite_database, BASE_URL, site)
    fill(sqlite_database, range(1, 2))
    if not exchanging:
        monkeypatch.setattr(folders, "_exchanged", lambda folder, target: False)
    assert export(sqlite_database, BASE_URL, site).changed
    assert len([*(site / "catalogue").glob("*/openbadges.json")]) == 3
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".site")] == []


def test_killed_in_the_middle_the_site_before_stands(sqlite_database: Database, tmp_path: Path) -> None:
    stocked(sqlite_database, tmp_path / "published", 2)
    site = tmp_path / "site"
    export(sqlite_database, BASE_URL, site)
    before = content(site)
    fill(sqlite_database, range(2, 6))
    command = [sys.executable, "-m", "tests.half_export", sqlite_database.url, BASE_URL, str(site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as exporting:
        assert exporting.stdout is not None and exporting.stdout.readline() == "half\n"
        [growing] = tmp_path.glob(".site.next-*")
        # Another one beside it does not take away what still grows.
        with folders.growing(site):
            assert growing.is_dir()
        exporting.kill()
    assert content(site) == before and growing.is_dir()
    assert export(sqlite_database, BASE_URL, site).credentials == 7
    assert content(site) != before and not growing.exists()


def test_what_changes_meanwhile_is_in_it_as_well(sqlite_database: Database, tmp_path: Path) -> None:
    stocked(sqlite_database, tmp_path / "published", 2)
    once = threading.Event()

    def publish(done: int, of: int) -> None:
        if not once.is_set():
            once.set()
            fill(sqlite_database, range(2, 3))

    assert export(sqlite_database, BASE_URL, tmp_path / "site", publish).credentials == 4


def test_a_catalogue_that_never_rests_is_told_and_the_site_stays(sqlite_database: Database, tmp_path: Path) -> None:
    stocked(sqlite_database, tmp_path / "published", 1)
    numbers = iter(range(1, 99))

    def publish(done: int, of: int) -> None:
        fill(sqlite_database, [next(numbers)])

    with pytest.raises(ImprimaturError) as refused:
        export(sqlite_database, BASE_URL, tmp_path / "site", publish)
    assert refused.value.code == "catalogue_changing"
    assert not (tmp_path / "site").exists() and [*tmp_path.glob(".site*")] == []


def test_a_folder_that_holds_something_else_is_left_alone(
    sqlite_database: Database, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, file = tmp_path / "mine", tmp_path / "file"
    mine.mkdir()
    (mine / "letter.txt").write_text("Dear all", encoding="utf-8")
    file.write_text("", encoding="utf-8")
    for target, code in ((mine, "folder_not_a_site"), (file, "folder_unusable")):
        with pytest.raises(ImprimaturError) as refused:
            export(sqlite_database, BASE_URL, target)
        assert refused.value.code == code
    assert [path.name for path in mine.iterdir()] == ["letter.txt"]
    assert export(sqlite_database, BASE_URL, tmp_path / "empty").credentials == 0


def test_the_command_exports_and_tells(
    sqlite_database: Database, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(sqlite_database, tmp_path / "published", 1)
    monkeypatch.setenv("DATABASE_URL", sqlite_database.url)
    assert command("catalogue", "export", "site").code == "base_url_missing"
    monkeypatch.setenv("IMPRIMATUR_BASE_URL", BASE_URL)
    found = command.json("catalogue", "export", "site")
    assert (found["credentials"], found["changed"]) == (2, True)
    assert "Nothing has changed." in command("catalogue", "export", "site").out
    assert (Path(found["folder"]) / "catalogue/index.html").is_file()


def test_addresses_become_files() -> None:
    assert file_of("/") == "index.html" and file_of("/catalogue") == "catalogue/index.html"
    assert file_of("/catalogue/a/ctdl.json") == "catalogue/a/ctdl.json"
    assert relative_from("catalogue/a/index.html")("/catalogue/研究") == "../../catalogue/%E7%A0%94%E7%A9%B6/index.html"
    assert relative_from("index.html")("/pathways/x#top") == "pathways/x/index.html#top"
    assert address_of(Choice(query="x")) == "" == address_of(Choice(chosen={"mode": "a", "level": "b"}))
    assert address_of(Choice(chosen={"mode": "a"}, page=2)) == "/catalogue/by/mode/a/page-2.html"
