"""The catalogue as a site of files alone: pages, records, pictures, keys, lists of revoked badges, news and data."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imprimatur.errors import NotFound, Unavailable
from imprimatur.publication.catalogue import feeds
from imprimatur.publication.catalogue.choice import Choice
from imprimatur.publication.catalogue.collection import Collection, Facet
from imprimatur.publication.catalogue.dump import dcat, json_document, json_lines
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.publication.drawing import badge_png, badge_svg
from imprimatur.publication.keys import jwks
from imprimatur.publication.pathways import chain, pathway_record
from imprimatur.publication.reading import record_of, served_record
from imprimatur.publication.records import FORMATS
from imprimatur.store import pathways as stacking
from imprimatur.store.badges import status_lists
from imprimatur.store.catalogue import retracted_slugs
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.published import neighbours, sources
from imprimatur.store.task_page import publication, publication_slugs
from imprimatur.web.catalogue_feeds import sitemap_parts
from imprimatur.web.catalogue_view import ListView, facet_links, list_view
from imprimatur.web.credential_view import credential_values
from imprimatur.web.pathways import drawing
from imprimatur.web.rendering import STATIC, rendered
from imprimatur.web.site.addresses import address_of, file_of, relative_from
from imprimatur.web.site.folder import Growing, growing, put_in_place
from imprimatur.web.site.index import search_index

ATTEMPTS = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """``changed`` is false where exactly this site was there already."""

    folder: str
    credentials: int
    files: int
    size_bytes: int
    changed: bool


def export(database: Database, base_url: str, folder: Path, progress: Progress = lambda done, of: None) -> Exported:
    """Puts the site into ``folder``, in the place of the one before: whole or not at all.

    ``base_url`` begins the addresses that have to be whole ones. Raises Refused ``folder_not_a_site``, InputError
    ``folder_unusable``, Unavailable ``catalogue_changing``.
    """
    target, shelf = folder.resolve(), Shelf(database)
    with growing(target) as grown:
        for _ in range(ATTEMPTS):
            collection = shelf.collection()
            try:
                _Site(database, base_url.rstrip("/"), grown, collection, shelf).write(progress)
            except NotFound:
                # What was published when we began may be gone by now.
                if shelf.collection().state == collection.state:
                    raise
            if shelf.collection().state == collection.state:
                break
            grown.restart()
        else:
            raise Unavailable(
                "catalogue_changing",
                "The catalogue changed again and again while it was exported.",
                "The site is as it was. Export it again when less is being published.",
            )
        changed = put_in_place(grown, target)
        return Exported(str(target), len(collection), len(grown.files), grown.size_bytes, changed)


class _Site:
    def __init__(self, database: Database, base_url: str, grown: Growing, collection: Collection, shelf: Shelf) -> None:
        self._database, self._base_url = database, base_url
        self._grown, self._collection, self._shelf = grown, collection, shelf

    def write(self, progress: Progress) -> None:
        self._lists()
        self._keys()
        self._feeds()
        self._pathways()
        # What is no longer listed keeps its page, which says what has become of it.
        slugs = publication_slugs(self._database)
        for number, slug in enumerate(slugs):
            progress(number, len(slugs))
            self._credential(slug)
        for slug in retracted_slugs(self._database):
            self._retracted(slug)
        for name in ("style.css", "catalogue.js"):
            self._grown.write(f"static/{name}", (STATIC / name).read_bytes())
        # Without it one host hides whatever begins with a dot.
        self._grown.write(".nojekyll", "")

    def _page(self, address: str, template: str, values: dict[str, Any]) -> None:
        file = file_of(address)
        frame = {"layout": "site.html", "exported": True, "link": relative_from(file), "path": address}
        self._grown.write(file, rendered(template, {**frame, **values}))

    def _json(self, path: str, content: dict[str, Any]) -> None:
        self._grown.write(path, json.dumps(content, ensure_ascii=False) + "\n")

    # --- lists --------------------------------------------------------------------------------------------------------

    def _lists(self) -> None:
        self._page("/", "site_index.html", {})
        with self._grown.open("catalogue/index.js") as file:
            for piece in search_index(self._collection):
                file.write(piece.encode())
        self._list(Choice())
        for facet, key in self._collection.values():
            self._list(Choice(chosen={facet: key}))

    def _list(self, choice: Choice) -> None:
        page = 1
        while True:
            found = self._collection.find(choice.on_page(page))
            address = address_of(choice.on_page(page))
            link = relative_from(file_of(address))
            view = list_view(choice.on_page(page), found, lambda other: link(address_of(other)))  # noqa: B023
            view = self._with_whole_facets(view, choice, link)
            values = {"view": view, "canonical": f"{self._base_url}{address}"}
            self._page(address, "catalogue.html", values)
            if page == found.pages:
                return
            page += 1

    def _with_whole_facets(self, view: ListView, choice: Choice, link: Callable[[str], str]) -> ListView:
        """Two choices together have no file: each leads to all that it leaves by itself, and counts them."""
        facets = []
        for facet in self._collection.find(Choice()).facets:
            values = tuple(replace(value, chosen=choice.chosen.get(facet.name) == value.key) for value in facet.values)
            facets.append(
                facet_links(Facet(facet.name, facet.title, values), Choice(), lambda other: link(address_of(other)))
            )
        return replace(view, facets=tuple(facets), sorts=())

    # --- one credential -----------------------------------------------------------------------------------------------

    def _credential(self, slug: str) -> None:
        found, signed = sources(self._database, slug), endorsements_of(self._database, slug)
        values = credential_values(found, signed, neighbours(self._database, found), self._base_url)
        folder, record = f"catalogue/{slug}", record_of(found)
        self._page(f"/{folder}", "credential.html", values)
        for name in FORMATS:
            self._json(f"{folder}/{name}.json", served_record(self._database, slug, name))
        for item in signed:
            self._grown.write(f"{folder}/endorsement/{item.number}.jwt", item.token)
        for number, token in status_lists(self._database, slug):
            self._grown.write(f"{folder}/status/{number}", token)
        self._grown.write(f"{folder}/badge.svg", badge_svg(record))
        self._grown.write(f"{folder}/badge.png", badge_png(record))

    def _retracted(self, slug: str) -> None:
        folder = f"catalogue/{slug}"
        self._page(f"/{folder}", "retracted.html", {"publication": publication(self._database, slug)})
        for name in FORMATS:
            self._json(f"{folder}/{name}.json", served_record(self._database, slug, name))
        for number, token in status_lists(self._database, slug):
            self._grown.write(f"{folder}/status/{number}", token)

    # --- beside them --------------------------------------------------------------------------------------------------

    def _keys(self) -> None:
        found = jwks(self._database, self._base_url)
        self._json(".well-known/jwks.json", found)
        for key in found["keys"]:
            self._json(f"keys/{key['kid'].rsplit('/', 1)[-1]}", key)

    def _feeds(self) -> None:
        database, base_url, grown = self._database, self._base_url, self._grown
        pages = feeds.feed_pages(len(self._collection))
        addresses = ["/catalogue/feed.atom", *(f"/catalogue/feed-{page}.atom" for page in range(2, pages + 1))]
        for page, address in enumerate(addresses, 1):
            grown.write(address[1:], feeds.atom(self._collection.entries, page, base_url, addresses))
        for name, pieces in (("jsonl", json_lines), ("json", json_document)):
            with grown.open(f"catalogue/catalogue.{name}") as file:
                for piece in pieces(database, base_url):
                    file.write(piece.encode())
        self._json("catalogue/dcat.jsonld", dcat(base_url, len(self._collection)))
        grown.write("robots.txt", feeds.robots(base_url))
        parts = sitemap_parts(database, self._shelf, base_url)
        names = [f"catalogue/sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
        if len(parts) == 1:
            names = ["catalogue/sitemap.xml"]
        else:
            grown.write("catalogue/sitemap.xml", feeds.sitemap_index(f"{base_url}/{name}" for name in names))
        for name, part in zip(names, parts, strict=True):
            grown.write(name, part)

    def _pathways(self) -> None:
        known = {found.id: found for found in stacking.pathways(self._database)}
        self._page("/pathways", "pathways.html", {"pathways": list(known.values())})
        for found in known.values():
            members = stacking.members(self._database, found.id)
            climb = chain(found, known)
            values = {"pathway": found, "members": members, "larger": climb[1:], "drawing": drawing(members, climb)}
            self._page(f"/pathways/{found.id}", "pathway.html", values)
            told = [(member.slug, member.title, member.credits) for member in members]
            self._json(f"pathways/{found.id}/ctdl.json", pathway_record(found, told, base_url=self._base_url))
