"""The catalogue for machines: news, sitemap, data, conditional and compressed answers; nothing of anybody in them."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest
from sqlalchemy import event, insert

from imprimatur.publication.catalogue import feeds
from imprimatur.publication.catalogue.dump import SAME
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.publication.records import FORMATS
from imprimatur.store.engine import Database
from imprimatur.web import catalogue_feeds
from imprimatur.web.site.export import export
from models.tables import PublicationRow, StackingRow
from models.vocabulary import RecordStatus
from tests.catalogues import DEGREE, fill, proposal
from tests.facts import BASE_URL, Play, example, furnish, whole_story
from tests.markdown import DOCS, code_spans, section
from tests.web import Site

PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
ATOM, MAP = f"{{{feeds.ATOM}}}", f"{{{feeds.SITEMAP}}}"
ALL = ("feed.atom", "sitemap.xml", "catalogue.json", "catalogue.jsonl", "dcat.jsonld", "opensearch.xml")
COUNT = 120
MANY = range(COUNT)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


@pytest.fixture(scope="module")
def site(migrated_file: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("catalogue")
    (folder / "x.db").write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{folder / 'x.db'}")
    furnish(database)
    fill(database, MANY)
    unpublished = Play(database, folder, case_id="mc-unpublished")
    unpublished.submit(example("industry-credit").model_copy(update={"title": "Not yet for anybody"}))
    yield Site(unpublished)
    database.close()


async def fetched(site: Site, path: str, **headers: str) -> Any:
    async with site.visitor() as visitor:
        return await visitor.get(path, headers=headers)


async def tree(site: Site, path: str) -> ElementTree.Element:
    answer = await fetched(site, path)
    assert answer.status_code == 200, answer.text
    return ElementTree.fromstring(answer.content)


def links(feed: ElementTree.Element) -> dict[str, str]:
    return {link.attrib["rel"]: link.attrib["href"] for link in feed.findall(f"{ATOM}link")}


async def test_the_news_are_a_sound_feed(site: Site) -> None:
    """RFC 4287: what a feed and an entry must have, once, and what may not be empty or relative."""
    feed = await tree(site, "/catalogue/feed.atom")
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            [found] = element.findall(f"{ATOM}{name}")
            assert (found.text or "").strip()
        assert urlsplit(element.findtext(f"{ATOM}id") or "").scheme in ("https", "urn")
        instant = element.findtext(f"{ATOM}updated") or ""
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", instant) and datetime.fromisoformat(instant)
        told = [(link.attrib["rel"], link.attrib["type"]) for link in element.findall(f"{ATOM}link")]
        assert len(told) == len(set(told)) and all(
            urlsplit(link.attrib["href"]).scheme == "https" for link in element.findall(f"{ATOM}link")
        )
    for entry in entries:
        assert entry.findtext(f"{ATOM}author/{ATOM}name") and entry.findtext(f"{ATOM}summary")
    assert len(entries) == feeds.FEED_LENGTH
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    moments = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    assert moments == sorted(moments, reverse=True) and feed.findtext(f"{ATOM}updated") == moments[0]


async def test_the_pages_of_the_news_hold_everything_once(site: Site) -> None:
    """RFC 5005, section 3: from the first page by ``next`` to the last, and back."""
    address, found, before = "/catalogue/feed.atom", [], ""
    while address:
        feed = await tree(site, address)
        own = links(feed)
        assert own["self"] == BASE_URL + address and own.get("previous", "") == before
        found += [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
        before, address = own["self"], own.get("next", "").removeprefix(BASE_URL)
    assert own["last"] == before
    assert found == [proposal(number).title for number in reversed(MANY)]


async def test_an_entry_keeps_its_id_wherever_the_catalogue_moves(site: Site) -> None:
    entries = Shelf(site.play.database).collection().entries
    fed = [ElementTree.fromstring(feeds.atom(entries, 1, base, ["/f"])) for base in (BASE_URL, "https://moved.example")]
    before, after = ([entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")] for feed in fed)
    assert before == after and all(str(name).startswith("urn:uuid:") for name in before)


@pytest.mark.parametrize("page", ["0", "4", "x", "-1", "", "9" * 30, "²"])
async def test_a_page_that_the_news_do_not_have_is_told(site: Site, page: str) -> None:
    answer = await fetched(site, f"/catalogue/feed.atom?page={quote(page)}", Accept="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "page_unknown")


async def test_the_sitemap_names_every_public_page_and_each_is_there(site: Site) -> None:
    urlset = await tree(site, "/catalogue/sitemap.xml")
    assert urlset.tag == f"{MAP}urlset"
    for url in urlset:
        assert [child.tag for child in url] in ([f"{MAP}loc"], [f"{MAP}loc", f"{MAP}lastmod"])
    found = [url.findtext(f"{MAP}loc") or "" for url in urlset]
    assert len(found) == len(set(found)) == COUNT + 2
    assert {f"{BASE_URL}/catalogue", f"{BASE_URL}/pathways/{DEGREE.id}"} <= set(found)
    for address in found[:3] + found[-3:]:
        page = await fetched(site, address.removeprefix(BASE_URL))
        assert page.status_code == 200
        assert f'rel="canonical" href="{address}"' in page.text or "/pathways/" in address
    robots = await fetched(site, "/robots.txt")
    assert f"Sitemap: {BASE_URL}/catalogue/sitemap.xml" in robots.text.splitlines()
    assert robots.headers["content-type"].startswith("text/plain")


async def test_a_sitemap_that_is_too_long_is_parted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LARGEST_SITEMAP", 50)
    index = await tree(site, "/catalogue/sitemap.xml")
    parts = [part.findtext(f"{MAP}loc") or "" for part in index]
    assert index.tag == f"{MAP}sitemapindex" and len(parts) == 3
    sizes = [len(await tree(site, part.removeprefix(BASE_URL))) for part in parts]
    assert sizes == [50, 50, 22]
    assert (await fetched(site, "/catalogue/sitemap.xml?part=4")).status_code == 404


async def test_the_dump_holds_everything_in_fields_that_are_documented(site: Site) -> None:
    lines = [json.loads(line) for line in (await fetched(site, "/catalogue/catalogue.jsonl")).text.splitlines()]
    whole = (await fetched(site, "/catalogue/catalogue.json")).json()
    assert whole == {"catalogue": f"{BASE_URL}/catalogue", "credentials": lines}
    assert sorted(line["title"] for line in lines) == sorted(str(proposal(number).title) for number in MANY)
    rows = section(DOCS / "publication.md", "The whole as data").rows
    told = {field for row in rows for field in code_spans(row["field"])}
    assert {name for line in lines for name in line} | {*SAME} == told
    for name in FORMATS:
        record = await fetched(site, lines[0]["records"][name].removeprefix(BASE_URL))
        assert record.status_code == 200


async def test_the_empty_catalogue_is_sound_as_well(sqlite_database: Database, tmp_path: Any) -> None:
    site = Site(Play(sqlite_database, tmp_path))
    assert len((await tree(site, "/catalogue/feed.atom")).findall(f"{ATOM}entry")) == 0
    assert len(await tree(site, "/catalogue/sitemap.xml")) == 1
    assert (await fetched(site, "/catalogue/catalogue.json")).json()["credentials"] == []
    assert (await fetched(site, "/catalogue/catalogue.jsonl")).text == ""


async def test_the_catalogue_describes_itself(site: Site) -> None:
    described = (await fetched(site, "/catalogue/dcat.jsonld")).json()
    for form in described["dcat:dataset"]["dcat:distribution"]:
        assert (await fetched(site, form["dcat:downloadURL"]["@id"].removeprefix(BASE_URL))).status_code == 200
    search = await tree(site, "/catalogue/opensearch.xml")
    template = next(child for child in search if child.tag.endswith("Url")).attrib["template"]
    page = await fetched(site, template.removeprefix(BASE_URL).replace("{searchTerms}", "water"))
    assert "Water Quality" in page.text


@pytest.mark.parametrize("path", ["/catalogue", "/catalogue?q=water", *(f"/catalogue/{name}" for name in ALL)])
async def test_nobody_is_sent_again_what_they_have(site: Site, path: str) -> None:
    for coding in ("gzip", "identity"):
        first = await fetched(site, path, **{"Accept-Encoding": coding})
        assert first.headers.get("content-encoding", "identity") == (
            coding if len(first.content) > 1024 else "identity"
        )
        assert "Accept-Encoding" in first.headers["vary"]
        again = await fetched(site, path, **{"Accept-Encoding": coding, "If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    other = await fetched(site, path, **{"If-None-Match": '"another"'})
    assert other.status_code == 200


async def test_compressed_and_plain_say_the_same_under_names_of_their_own(site: Site) -> None:
    plain = await fetched(site, "/catalogue/feed.atom", **{"Accept-Encoding": "gzip;q=0, identity"})
    async with (
        site.visitor() as visitor,
        visitor.stream("GET", "/catalogue/feed.atom", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert gzip.decompress(raw) == plain.content and len(raw) < len(plain.content) / 4
    assert answer.headers["etag"] != plain.headers["etag"]


async def test_whoever_is_signed_in_gets_a_page_that_is_neither_kept_nor_compressed(site: Site) -> None:
    async with site.signed_in("omar.office@example.edu") as visitor:
        answer = await visitor.get("/catalogue", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["cache-control"] == "no-store" and "content-encoding" not in answer.headers
    assert "Cookie" in answer.headers["vary"]


async def test_a_change_is_seen_at_once(sqlite_database: Database, tmp_path: Any) -> None:
    furnish(sqlite_database)
    fill(sqlite_database, range(3))
    site = Site(Play(sqlite_database, tmp_path))
    before = {name: (await fetched(site, f"/catalogue/{name}")).headers["etag"] for name in ALL}
    whole_story(sqlite_database, tmp_path, "mc-zzzzzzzzzzzz")
    after = {name: (await fetched(site, f"/catalogue/{name}")).headers["etag"] for name in ALL}
    assert {name for name in ALL if before[name] == after[name]} == {"opensearch.xml"}


@pytest.mark.parametrize("path", ["/catalogue?page=2", "/catalogue?q=care", *(f"/catalogue/{name}" for name in ALL)])
async def test_nothing_unpublished_and_nobody_is_named(site: Site, path: str) -> None:
    text = (await fetched(site, path)).text
    assert not ADDRESS.findall(text)
    for name in ("Secret", "Zoe", "Not yet for anybody", "mc-unpublished"):
        assert name not in text


async def test_a_page_asks_the_same_number_of_questions_however_much_there_is(
    database: Database, tmp_path: Any
) -> None:
    furnish(database)
    site, numbers = Site(Play(database, tmp_path)), []
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for many in (range(2), range(2, 40)):
        fill(database, many)
        await fetched(site, "/catalogue")
        slug = (await fetched(site, "/catalogue/catalogue.jsonl")).text.split('"')[3]
        for path in ("/catalogue", "/catalogue?q=water&mode=online", "/catalogue/feed.atom", f"/catalogue/{slug}"):
            asked.clear()
            await fetched(site, path)
            numbers.append((path.split("?")[0].count("/"), len([one for one in asked if "BEGIN" not in one])))
    half = len(numbers) // 2
    assert numbers[:half] == numbers[half:]


async def test_choices_in_the_address_narrow_the_list_and_can_be_taken_back(site: Site) -> None:
    page = (await fetched(site, "/catalogue?q=water&mode=online&sort=title")).text
    count = int(re.findall(r'id="count"[^>]*>(\d+)', page)[0])
    assert 0 < count < COUNT
    chips = re.findall(r'<li><a href="([^"]+)"><span class="hidden">Remove', page)
    assert sorted(chips) == ["/catalogue?mode=online&amp;sort=title", "/catalogue?q=water&amp;sort=title"]
    for field, value in (("mode", "online"),):
        assert f'<input type="hidden" name="{field}" value="{value}">' in page
    empty = (await fetched(site, "/catalogue?mode=nowhere")).text
    assert "Nothing fits all of that." in empty and 'href="/catalogue"' in empty


async def test_a_credential_s_page_tells_machines_what_it_is(site: Site) -> None:
    line = json.loads((await fetched(site, "/catalogue/catalogue.jsonl")).text.splitlines()[0])
    page = (await fetched(site, f"/catalogue/{line['slug']}")).text
    meta = dict(re.findall(r'<meta property="(og:[a-z:_]+)" content="([^"]*)">', page))
    assert meta["og:title"] == line["title"] and meta["og:url"] == line["address"]
    assert meta["og:image"] == line["picture"]
    assert (await fetched(site, line["picture"].removeprefix(BASE_URL))).headers["content-type"] == "image/png"
    for name in FORMATS:
        assert f'href="/catalogue/{line["slug"]}/{name}.json"' in page
    graph = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)[0])
    assert graph["@graph"][0]["name"] == line["title"]
    assert "twitter" not in page


def test_machines_may_keep_an_answer_for_a_minute_at_most() -> None:
    assert catalogue_feeds.KEPT == "public, max-age=60"


async def test_what_is_paused_says_so_and_what_is_over_is_not_listed(sqlite_database: Database, tmp_path: Any) -> None:
    furnish(sqlite_database)
    fill(sqlite_database, range(len(RecordStatus)))
    site, shelf = Site(Play(sqlite_database, tmp_path)), Shelf(sqlite_database)
    slugs = dict(zip(RecordStatus, (entry.slug for entry in shelf.collection().entries), strict=True))
    with sqlite_database.write() as connection:
        for status, slug in slugs.items():
            values = {"status": status, "status_reason": "A reason."}
            connection.execute(PUBLICATION.update().where(PUBLICATION.c.slug == slug).values(values))
    lines = (await fetched(site, "/catalogue/catalogue.jsonl")).text.splitlines()
    assert {line["slug"]: line["status"] for line in map(json.loads, lines)} == {
        slug: status for status, slug in slugs.items() if status.is_listed
    }
    listed = (await fetched(site, "/catalogue")).text
    assert listed.count("Intake paused") == listed.count("No new intake") == 1
    export(sqlite_database, BASE_URL, tmp_path / "site")
    for status, slug in slugs.items():
        assert (slug in listed) == status.is_listed
        page = await fetched(site, f"/catalogue/{slug}")
        expected = 404 if not status.is_public else 410 if status is RecordStatus.RETRACTED else 200
        assert page.status_code == expected, status
        exported = tmp_path / "site/catalogue" / slug / "index.html"
        assert exported.is_file() == status.is_public
        assert (exported.with_name("badge.png")).is_file() == (expected == 200)


async def test_nobody_is_told_of_what_builds_on_it_and_is_not_public_yet(
    sqlite_database: Database, tmp_path: Any
) -> None:
    furnish(sqlite_database)
    fill(sqlite_database, range(2))
    later, first = Shelf(sqlite_database).collection().entries
    claim = {"case_id": later.case_id, "version": 1, "kind": "case", "target": first.case_id}
    site = Site(Play(sqlite_database, tmp_path))
    with sqlite_database.write() as connection:
        connection.execute(insert(StackingRow), [claim])
    assert later.slug in (await fetched(site, f"/catalogue/{first.slug}")).text
    with sqlite_database.write() as connection:
        hidden = PUBLICATION.c.slug == later.slug
        connection.execute(PUBLICATION.update().where(hidden).values(status=RecordStatus.PENDING))
    assert later.slug not in (await fetched(site, f"/catalogue/{first.slug}")).text
