"""All that is published, ready to be searched and narrowed. Pure."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from imprimatur.publication.catalogue.choice import BEST, FACETS, PAGE_LENGTH, Choice
from imprimatur.publication.catalogue.entry import Entry
from imprimatur.publication.catalogue.index import Index
from imprimatur.publication.catalogue.words import words

# They tell nothing, and hardly anybody types them as they stand in the title.
LITTLE_WORDS = frozenset(["a", "an", "and", "at", "by", "for", "in", "of", "on", "or", "the", "to", "with"])
# From so many letters on one, and two, mistakes are forgiven; a shorter word would be another word.
ONE_MISTAKE, TWO_MISTAKES = 4, 8


@dataclass(frozen=True)
class Value:
    """``count`` is how many are left once it is chosen, in the place of what is chosen under its heading now."""

    key: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    name: str
    title: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Found:
    """``entries`` are those of one page; ``instead`` are words that were taken for ones that nothing has."""

    entries: tuple[Entry, ...]
    total: int
    page: int
    pages: int
    facets: tuple[Facet, ...]
    instead: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _Matches:
    mask: int
    scores: Mapping[int, int] = field(default_factory=dict)
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Collection:
    """``state`` changes with what is published, and with nothing else."""

    def __init__(self, entries: Iterable[Entry] = (), state: str = "") -> None:
        self._take_up(Index(entries), state)

    def _take_up(self, index: Index, state: str) -> None:
        self._index, self.state = index, state
        self.entries = tuple(index.newest_first())
        self._marked: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (facet, key), held in index.marked.items():
            self._marked[facet][key] = held
        # Of several spellings the most frequent names the value.
        named = {
            place: min(found, key=lambda spelling: (-found[spelling], spelling)) for place, found in index.spelt.items()
        }
        self._labels = {place: label for place, (label, _) in named.items()}
        self._ranks = {place: rank for place, (_, rank) in named.items()}
        # Of each order that was asked for, the place of every entry in it.
        self._places: dict[str, list[int]] = {}

    def with_changes(self, put: Sequence[Entry], gone: AbstractSet[str], state: str) -> "Collection":
        """Another one: what is put comes for what has its slug, ``gone`` are slugs of what is there no more."""
        found = Collection.__new__(Collection)
        found._take_up(self._index.with_changes(put, gone), state)
        return found

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, choice: Choice, length: int = PAGE_LENGTH) -> Found:
        """A page beyond the last is the last."""
        matches = self._search(choice.query)
        result = self._narrowed(matches.mask, choice.chosen)
        total = result.bit_count()
        pages = max(1, -(-total // length))
        page = min(max(choice.page, 1), pages)
        ordered = self._ordered(list(_numbers(result)), choice.order, matches.scores)
        chosen = tuple(self._index[number] for number in ordered[(page - 1) * length : page * length])
        facets = tuple(self._facets(matches.mask, choice.chosen, total))
        labels = {facet: self._labels.get((facet, key), key) for facet, key in choice.chosen.items()}
        return Found(chosen, total, page, pages, facets, matches.instead, labels)

    def matching(self, choice: Choice) -> list[Entry]:
        """All of them, in no order but the newest first."""
        mask = self._narrowed(self._search(choice.query).mask, choice.chosen)
        return [self._index[number] for number in _numbers(mask)]

    def values(self) -> Iterator[tuple[str, str]]:
        """Every facet with every value that anything has."""
        return ((facet, key) for facet in FACETS for key in sorted(self._marked.get(facet, ())))

    def labels(self) -> dict[str, dict[str, tuple[str, str]]]:
        """Label and rank of each value, under its heading."""
        found: dict[str, dict[str, tuple[str, str]]] = {}
        for facet, key in self.values():
            found.setdefault(facet, {})[key] = (self._labels[facet, key], self._ranks[facet, key])
        return found

    def _narrowed(self, mask: int, chosen: Mapping[str, str]) -> int:
        for facet, key in chosen.items():
            mask &= self._marked.get(facet, {}).get(key, 0)
        return mask

    def _facets(self, mask: int, chosen: Mapping[str, str], total: int) -> Iterator[Facet]:
        for facet, title in FACETS.items():
            others = self._narrowed(mask, {name: key for name, key in chosen.items() if name != facet})
            found = [
                Value(key, self._labels[facet, key], (held & others).bit_count(), chosen.get(facet) == key)
                for key, held in self._marked.get(facet, {}).items()
            ]
            left = [value for value in found if value.count or value.chosen]
            # What everything has in common narrows nothing.
            if facet in chosen or any(value.count < total for value in left):
                yield Facet(facet, title, tuple(sorted(left, key=partial(self._place, facet))))

    def _place(self, facet: str, value: Value) -> tuple[str, int, str, str]:
        """Bands as they follow on each other, all others by how many there are."""
        rank = self._ranks[facet, value.key]
        return rank, 0 if rank else -value.count, value.label.casefold(), value.key

    def _search(self, query: str) -> _Matches:
        sought = list(dict.fromkeys(words(query)))
        telling = [word for word in sought if word not in LITTLE_WORDS] or sought
        mask, scores = self._index.every, Counter[int]()
        instead: dict[str, tuple[str, ...]] = {}
        for word in telling:
            alike = self._beginning(word)
            if not alike:
                alike = self._mistaken(word)
                instead[word] = tuple(alike)
            best: dict[int, int] = {}
            for known in alike:
                # The whole word tells more than one that only begins with it.
                bonus = 2 if known == word else 1
                for number, weight in self._index.holding[known].items():
                    best[number] = max(best.get(number, 0), weight * bonus)
            scores.update(best)
            mask &= sum(1 << number for number in best)
        return _Matches(mask, scores, {word: known for word, known in instead.items() if known})

    def _beginning(self, word: str) -> list[str]:
        vocabulary = self._index.vocabulary
        first = bisect_left(vocabulary, word)
        found = []
        for known in vocabulary[first:]:
            if not known.startswith(word):
                break
            found.append(known)
        return found if len(word) > 1 else [known for known in found if known == word]

    def _mistaken(self, word: str) -> list[str]:
        """The known words that are nearest, where any is near enough."""
        if len(word) < ONE_MISTAKE:
            return []
        allowed = 2 if len(word) >= TWO_MISTAKES else 1
        near = process.extract(word, self._index.vocabulary, scorer=OSA.distance, score_cutoff=allowed, limit=8)
        least = min((distance for _, distance, _ in near), default=0)
        return sorted(known for known, distance, _ in near if distance == least)

    def _ordered(self, numbers: list[int], order: str, scores: Mapping[int, int]) -> Sequence[int]:
        """Equals stand in the order of all: the newest first. What is not said comes last."""
        if order == BEST:
            numbers.sort(key=lambda number: -scores.get(number, 0))
        elif order in _ORDERS:
            numbers.sort(key=self._placed(order).__getitem__)
        return numbers

    def _placed(self, order: str) -> list[int]:
        if order not in self._places:
            key = _ORDERS[order]
            places = [0] * self._index.size
            every = sorted(_numbers(self._index.every), key=lambda number: key(self._index[number]))
            for place, number in enumerate(every):
                places[number] = place
            self._places[order] = places
        return self._places[order]


def _price(entry: Entry) -> tuple[bool, bool, str, Decimal]:
    """Currencies cannot be compared: what is free comes first, then one currency after the other."""
    if entry.price is None:
        return True, True, "", Decimal(0)
    return False, bool(entry.price), entry.currency if entry.price else "", entry.price


# By what each order goes that is the same for everybody; the newest first is the order they are kept in.
_ORDERS: Mapping[str, Callable[[Entry], Any]] = {
    "title": lambda entry: entry.title.casefold(),
    "workload": lambda entry: (entry.hours is None, entry.hours or 0),
    "price": _price,
}


def _numbers(mask: int) -> Iterator[int]:
    """The highest first: the newest."""
    text = bin(mask)[2:]
    place = text.find("1")
    while place >= 0:
        yield len(text) - 1 - place
        place = text.find("1", place + 1)
