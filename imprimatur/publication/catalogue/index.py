"""What entries are found by. Pure; sets of entries are numbers, one bit an entry."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator

from imprimatur.publication.catalogue.entry import Entry

# Of more changes than that, and of more numbers that nothing has (one in so many), all is laid down anew.
MOST_CHANGES, LEAST_USED = 200, 4
Place = tuple[str, str]


class Index:
    """Entries have numbers, the newer the higher. Whoever has an index never sees it change.

    ``every`` are those that are there; ``holding`` has the weight of each word by the number of the entry; ``marked``
    the entries of each value, by heading and key; ``spelt`` how often a value has which label and rank.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.every = 0
        self.holding: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self.marked: defaultdict[Place, int] = defaultdict(int)
        self.spelt: defaultdict[Place, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._slots: list[Entry | None] = []
        self._numbers: dict[str, int] = {}
        for entry in sorted(entries, key=_newness, reverse=True):
            self._append(entry)
        self.vocabulary = sorted(self.holding)

    def __getitem__(self, number: int) -> Entry:
        entry = self._slots[number]
        if entry is None:
            raise IndexError(number)
        return entry

    @property
    def size(self) -> int:
        """All numbers are smaller."""
        return len(self._slots)

    def newest_first(self) -> Iterator[Entry]:
        return (entry for entry in reversed(self._slots) if entry is not None)

    def with_changes(self, put: Collection[Entry], gone: Collection[str]) -> "Index":
        """Another one: what is put comes for what has its slug, ``gone`` are slugs of what is there no more.

        Where a few change, and what is put is newer than all of these, or as old as what it comes for, this costs far
        less than to lay down all of them.
        """
        changed = {*gone, *(entry.slug for entry in put)}
        old = {slug: self[self._numbers[slug]] for slug in changed if slug in self._numbers}
        same = {entry.slug for entry in put if entry.slug in old and _newness(old[entry.slug]) == _newness(entry)}
        added = sorted((entry for entry in put if entry.slug not in same), key=_newness, reverse=True)
        last = next(self.newest_first(), None)
        follows = last is None or not added or _newness(added[0]) < _newness(last)
        size, used = self.size + len(added), len(self._numbers) - len(old) + len(put)
        if len(changed) > MOST_CHANGES or not follows or (size - used) * LEAST_USED > size:
            return Index([*(entry for entry in self.newest_first() if entry.slug not in changed), *put])
        found = self._copied([*old.values(), *put])
        for entry in old.values():
            found._remove(entry)
        for entry in put:
            if entry.slug in same:
                found._put(self._numbers[entry.slug], entry)
        for entry in added:
            found._append(entry)
        if found.holding.keys() != self.holding.keys():
            found.vocabulary = sorted(found.holding)
        return found

    def _copied(self, touched: Iterable[Entry]) -> "Index":
        """With parts of its own only where these entries are told of."""
        found = Index()
        found.every, found.vocabulary = self.every, self.vocabulary
        found._slots, found._numbers = list(self._slots), dict(self._numbers)
        found.holding.update(self.holding)
        found.marked.update(self.marked)
        found.spelt.update(self.spelt)
        for entry in touched:
            for word in entry.words:
                if word in self.holding and found.holding[word] is self.holding[word]:
                    found.holding[word] = dict(self.holding[word])
            for mark in entry.marks:
                if (place := (mark.facet, mark.key)) in self.spelt:
                    found.spelt[place] = Counter(self.spelt[place])
        return found

    def _append(self, entry: Entry) -> None:
        self._slots.append(None)
        self._put(len(self._slots) - 1, entry)

    def _put(self, number: int, entry: Entry) -> None:
        bit = 1 << number
        self._slots[number], self._numbers[entry.slug] = entry, number
        self.every |= bit
        for word, weight in entry.words.items():
            self.holding[word][number] = weight
        for mark in entry.marks:
            place = (mark.facet, mark.key)
            self.marked[place] |= bit
            self.spelt[place][mark.label, mark.rank] += 1

    def _remove(self, entry: Entry) -> None:
        number = self._numbers.pop(entry.slug)
        bit = 1 << number
        self._slots[number] = None
        self.every &= ~bit
        for word in entry.words:
            del self.holding[word][number]
            if not self.holding[word]:
                del self.holding[word]
        for mark in entry.marks:
            place = (mark.facet, mark.key)
            self.marked[place] &= ~bit
            spelt = self.spelt[place]
            spelt[mark.label, mark.rank] -= 1
            if not spelt[mark.label, mark.rank]:
                del spelt[mark.label, mark.rank]
            if not spelt:
                del self.spelt[place], self.marked[place]


def _newness(entry: Entry) -> tuple[float, str]:
    """The newest first, and of those of one instant by slug."""
    return -entry.published_at.timestamp(), entry.slug
