"""The list of the catalogue as its page shows it: cards, headings to narrow by, what is chosen and how to take it back.

``href`` tells the address of a choice; the app and the exported site have different ones, and both show one page.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imprimatur.publication.catalogue.choice import BEST, FACETS, SORTS, Choice
from imprimatur.publication.catalogue.collection import Facet, Found, Value
from imprimatur.publication.catalogue.entry import Entry

Href = Callable[[Choice], str]
# So many values of a heading are seen at once; the others are a click away.
SEEN = 6


@dataclass(frozen=True)
class Link:
    text: str
    href: str
    count: int | None = None
    current: bool = False
    told: str = ""


@dataclass(frozen=True)
class FacetLinks:
    name: str
    title: str
    seen: tuple[Link, ...]
    more: tuple[Link, ...]


@dataclass(frozen=True)
class ListView:
    choice: Choice
    entries: tuple[Entry, ...]
    total: int
    page: int
    pages: int
    facets: tuple[FacetLinks, ...]
    chips: tuple[Link, ...]
    sorts: tuple[Link, ...]
    instead: tuple[tuple[str, str], ...]
    previous: str
    next: str
    all: str


def list_view(choice: Choice, found: Found, href: Href) -> ListView:
    return ListView(
        choice=choice,
        entries=found.entries,
        total=found.total,
        page=found.page,
        pages=found.pages,
        facets=tuple(facet_links(facet, choice, href) for facet in found.facets),
        chips=tuple(_chips(choice, found, href)),
        sorts=tuple(_sorts(choice, href)),
        instead=tuple((word, ", ".join(known)) for word, known in found.instead.items()),
        previous=href(choice.on_page(found.page - 1)) if found.page > 1 else "",
        next=href(choice.on_page(found.page + 1)) if found.page < found.pages else "",
        all=href(Choice(sort=choice.sort)),
    )


def facet_links(facet: Facet, choice: Choice, href: Href) -> FacetLinks:
    links = [_value(facet, value, choice, href) for value in facet.values]
    # One more is no reason to hide it.
    seen = len(links) if len(links) <= SEEN + 1 else SEEN
    first = sorted(links[:seen] + [link for link in links[seen:] if link.current], key=links.index)
    return FacetLinks(facet.name, facet.title, tuple(first), tuple(link for link in links if link not in first))


def _value(facet: Facet, value: Value, choice: Choice, href: Href) -> Link:
    to = choice.without(facet.name) if value.chosen else choice.with_value(facet.name, value.key)
    return Link(value.label, href(to), value.count, value.chosen)


def _chips(choice: Choice, found: Found, href: Href) -> Iterator[Link]:
    if choice.query:
        yield Link(f"“{choice.query}”", href(choice.without_query()), told="the search")
    for facet, label in found.labels.items():
        yield Link(f"{FACETS[facet]}: {label}", href(choice.without(facet)))


def _sorts(choice: Choice, href: Href) -> Iterator[Link]:
    for sort, text in SORTS.items():
        if sort != BEST or choice.query:
            yield Link(text, href(choice.sorted_by(sort)), current=choice.order == sort)
