"""How much a proposal resembles others: so that a credential that exists is not made again unawares. Pure.

Titles are compared by their words whatever their order (the token set ratio of ``rapidfuzz``), learning outcomes by the
words that they share, each weighing the more the fewer proposals use it (cosine of TF-IDF vectors; Salton and Buckley,
1988). Both lie between 0 and 1. Neither knows what words mean: they point a reviewer to what is worth reading.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process, utils

from models.proposal import Proposal

# Below these two proposals have no more in common than any two of one field.
TITLES_ALIKE, OUTCOMES_ALIKE = 0.85, 0.5
MOST_TOLD = 10
# All titles of one field may be nearly the same: so many of them are looked at.
CANDIDATES = 50
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class Overlap:
    """Of another case; both likenesses lie between 0 and 1."""

    case_id: str
    title: str
    titles: float
    outcomes: float

    @property
    def likeness(self) -> float:
        return max(self.titles, self.outcomes)


def words_of(proposal: Proposal) -> Counter[str]:
    """The words of the learning outcomes, or of the summary where there are none; short ones tell nothing."""
    text = " ".join(proposal.learning_outcomes) or proposal.summary or ""
    return Counter(_WORD.findall(text.casefold()))


class Corpus:
    """What is compared with: titles and words of many cases, kept so that one look-up touches few of them."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self._words: dict[str, Counter[str]] = {}
        self._holding: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._titles)

    def put(self, case_id: str, proposal: Proposal) -> None:
        """Adds a case, or what has become of it."""
        self.remove(case_id)
        words = words_of(proposal)
        self._titles[case_id] = proposal.display_title
        self._plain[case_id] = utils.default_process(proposal.display_title)
        self._words[case_id] = words
        for word in words:
            self._holding[word].add(case_id)

    def remove(self, case_id: str) -> None:
        for word in self._words.pop(case_id, ()):
            self._holding[word].discard(case_id)
        self._titles.pop(case_id, None)
        self._plain.pop(case_id, None)

    def overlaps(self, proposal: Proposal, *, besides: Iterable[str] = ()) -> list[Overlap]:
        """The most alike first, at most ten; ``besides`` are cases that do not count, such as its own."""
        left_out = set(besides)
        titles = self._alike_by_title(proposal)
        outcomes = self._alike_by_words(words_of(proposal))
        found = [
            Overlap(case, self._titles[case], titles.get(case, 0.0), outcomes.get(case, 0.0))
            for case in titles.keys() | outcomes.keys()
            if case not in left_out
        ]
        found.sort(key=lambda overlap: (-overlap.likeness, overlap.case_id))
        return found[:MOST_TOLD]

    def _alike_by_title(self, proposal: Proposal) -> dict[str, float]:
        sought = utils.default_process(proposal.display_title)
        if proposal.title is None or not sought:
            return {}
        near = process.extract(
            sought, self._plain, scorer=fuzz.token_set_ratio, limit=CANDIDATES, score_cutoff=100 * TITLES_ALIKE
        )
        return {case: round(score / 100, 3) for _, score, case in near}

    def _alike_by_words(self, words: Counter[str]) -> dict[str, float]:
        weights = {word: self._weight(word) for word in words}
        own = _length(words, weights)
        if own == 0:
            return {}
        products: defaultdict[str, float] = defaultdict(float)
        for word, count in words.items():
            for case in self._holding.get(word, ()):
                products[case] += count * self._words[case][word] * weights[word] ** 2
        found = {}
        for case, product in products.items():
            others = self._words[case]
            length = _length(others, {word: self._weight(word) for word in others})
            likeness = product / (own * length) if length else 0.0
            if likeness >= OUTCOMES_ALIKE:
                found[case] = round(min(likeness, 1.0), 3)
        return found

    def _weight(self, word: str) -> float:
        return math.log((1 + len(self._words)) / (1 + len(self._holding.get(word, ())))) + 1


def _length(words: Mapping[str, int], weights: Mapping[str, float]) -> float:
    return math.sqrt(sum((count * weights[word]) ** 2 for word, count in words.items()))
