"""What a visitor has chosen in the catalogue. It stands in the address, whole: it can be kept, sent and taken back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

NEWEST, BEST = "newest", "best"
FACETS = {
    "field": "Field",
    "level": "Level",
    "workload": "Workload",
    "mode": "Mode",
    "price": "Price",
    "stacking": "Stacking",
    "partner": "Partner",
    "language": "Language",
    "provider": "Provider",
    "unit": "Unit",
}
SORTS = {
    BEST: "Best match",
    NEWEST: "Newest first",
    "title": "Title",
    "workload": "Least workload",
    "price": "Lowest price",
}
PAGE_LENGTH = 20
LONGEST_QUERY = 200


@dataclass(frozen=True)
class Choice:
    """``chosen`` has one value for each facet that narrows the list; ``page`` counts from 1."""

    query: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Choice":
        """From the parameters of an address: what cannot be used counts as not said."""
        page, sort = asked.get("page", ""), asked.get("sort", "")
        return cls(
            query=" ".join(asked.get("q", "").split())[:LONGEST_QUERY],
            chosen={name: asked[name] for name in FACETS if asked.get(name)},
            sort=sort if sort in SORTS else "",
            page=int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1,
        )

    @property
    def order(self) -> str:
        """The order in force: nothing can match best where nothing is searched for."""
        usual = BEST if self.query else NEWEST
        return usual if not self.sort or (self.sort == BEST and not self.query) else self.sort

    @property
    def narrows(self) -> bool:
        return bool(self.query or self.chosen)

    def with_value(self, facet: str, key: str) -> "Choice":
        return replace(self, chosen={**self.chosen, facet: key}, page=1)

    def without(self, facet: str) -> "Choice":
        kept = {name: key for name, key in self.chosen.items() if name != facet}
        return replace(self, chosen=kept, page=1)

    def without_query(self) -> "Choice":
        return replace(self, query="", page=1)

    def sorted_by(self, sort: str) -> "Choice":
        return replace(self, sort=sort, page=1)

    def on_page(self, page: int) -> "Choice":
        return replace(self, page=page)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return list(self._parameters())

    def _parameters(self) -> Iterator[tuple[str, str]]:
        if self.query:
            yield "q", self.query
        yield from ((name, self.chosen[name]) for name in FACETS if name in self.chosen)
        if self.sort:
            yield "sort", self.sort
        if self.page > 1:
            yield "page", str(self.page)

    def hidden(self, without: Iterable[str]) -> list[tuple[str, str]]:
        """What a form keeps beside its own fields."""
        left_out = {*without, "page"}
        return [(name, value) for name, value in self.parameters if name not in left_out]

    def address(self, base: str) -> str:
        query = urlencode(self.parameters)
        return f"{base}?{query}" if query else base
