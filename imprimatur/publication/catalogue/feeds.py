"""What tells others of the catalogue: news (Atom), addresses (sitemap), how to search it (OpenSearch)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from imprimatur.publication.catalogue.entry import Entry
from imprimatur.publication.ctdl import ctid

ATOM, SITEMAP = "http://www.w3.org/2005/Atom", "http://www.sitemaps.org/schemas/sitemap/0.9"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
FEED_LENGTH = 50
# The protocol's own limit.
LARGEST_SITEMAP = 50_000
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# What robots may leave alone: lists that only arrange what the sitemap names, and pages that are somebody's own.
LEFT_ALONE = ("/catalogue?", "/badges/", "/t/", "/inbox", "/cases", "/tasks", "/sign-in", "/api/")


def feed_pages(number: int) -> int:
    return max(1, -(-number // FEED_LENGTH))


def atom(entries: Sequence[Entry], page: int, base_url: str, addresses: Sequence[str]) -> bytes:
    """One page of the news, newest first (RFC 4287, RFC 5005). ``addresses`` are those of all pages, of this site.

    An entry's id comes from its case alone: it stays the same wherever the catalogue moves to.
    """
    catalogue = f"{base_url}/catalogue"
    feed = ElementTree.Element("feed", {"xmlns": ATOM})
    _add(feed, "id", catalogue)
    _add(feed, "title", "New micro-credentials")
    _add(feed, "updated", _instant(max((entry.published_at for entry in entries), default=NEVER)))
    _add(feed, "generator", "Imprimatur")
    _link(feed, "alternate", catalogue, "text/html")
    _link(feed, "self", f"{base_url}{addresses[page - 1]}")
    _link(feed, "first", f"{base_url}{addresses[0]}")
    _link(feed, "last", f"{base_url}{addresses[-1]}")
    if page > 1:
        _link(feed, "previous", f"{base_url}{addresses[page - 2]}")
    if page < len(addresses):
        _link(feed, "next", f"{base_url}{addresses[page]}")
    for entry in entries[(page - 1) * FEED_LENGTH : page * FEED_LENGTH]:
        _feed_entry(ElementTree.SubElement(feed, "entry"), entry, f"{catalogue}/{entry.slug}")
    return _xml(feed)


def _feed_entry(element: ElementTree.Element, entry: Entry, address: str) -> None:
    _add(element, "id", f"urn:uuid:{ctid(entry.case_id).removeprefix('ce-')}")
    _add(element, "title", entry.title)
    _add(element, "updated", _instant(entry.published_at))
    _add(element, "published", _instant(entry.published_at))
    _add(ElementTree.SubElement(element, "author"), "name", entry.provider)
    _link(element, "alternate", address, "text/html")
    _link(element, "related", f"{address}/openbadges.json", "application/ld+json")
    for mark in entry.marks:
        if mark.facet == "field":
            ElementTree.SubElement(element, "category", {"term": mark.key, "label": mark.label})
    _add(element, "summary", entry.summary or ", ".join(entry.told) or entry.title)


def sitemap(addresses: Iterable[tuple[str, dt.datetime | None]]) -> bytes:
    """Whole addresses, each with when it changed last."""
    urlset = ElementTree.Element("urlset", {"xmlns": SITEMAP})
    for address, changed_at in addresses:
        url = ElementTree.SubElement(urlset, "url")
        _add(url, "loc", address)
        if changed_at is not None:
            _add(url, "lastmod", _instant(changed_at))
    return _xml(urlset)


def sitemap_index(addresses: Iterable[str]) -> bytes:
    index = ElementTree.Element("sitemapindex", {"xmlns": SITEMAP})
    for address in addresses:
        _add(ElementTree.SubElement(index, "sitemap"), "loc", address)
    return _xml(index)


def opensearch(base_url: str) -> bytes:
    described = ElementTree.Element("OpenSearchDescription", {"xmlns": OPENSEARCH})
    _add(described, "ShortName", "Credentials")
    _add(described, "Description", "Search published micro-credentials")
    _add(described, "InputEncoding", "UTF-8")
    template = f"{base_url}/catalogue?q={{searchTerms}}"
    ElementTree.SubElement(described, "Url", {"type": "text/html", "template": template})
    return _xml(described)


def robots(base_url: str) -> str:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in LEFT_ALONE),
        "",
        f"Sitemap: {base_url}/catalogue/sitemap.xml",
    ]
    return "\n".join(lines) + "\n"


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _link(parent: ElementTree.Element, rel: str, href: str, media_type: str = "application/atom+xml") -> None:
    ElementTree.SubElement(parent, "link", {"rel": rel, "type": media_type, "href": href})


def _xml(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root, "")
    found: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return found + b"\n"
