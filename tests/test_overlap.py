"""A proposal that resembles what there is is found, whatever the order of its words."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from imprimatur.rules.overlap import OUTCOMES_ALIKE, Corpus
from imprimatur.store.engine import Database
from imprimatur.store.overlaps import Overlaps
from models.proposal import Proposal
from models.vocabulary import CaseStatus
from tests.facts import Play, example, furnish

TENDERS = Proposal(
    title="Circular Procurement",
    learning_outcomes=("Compare the life-cycle cost of two offers.", "Write award criteria that reward repair."),
)
BREAD = Proposal(title="Sourdough Baking", learning_outcomes=("Keep a starter alive.", "Shape and bake a loaf."))
WORDS = st.lists(
    st.sampled_from(["repair", "award", "loaf", "starter", "offers", "criteria", "cost", "bake"]),
    min_size=1,
    max_size=8,
)


def corpus(**cases: Proposal) -> Corpus:
    found = Corpus()
    for name, proposal in cases.items():
        found.put(name, proposal)
    return found


def test_a_title_in_another_order_is_found() -> None:
    (found,) = corpus(a=TENDERS, b=BREAD).overlaps(Proposal(title="Procurement, circular"))
    assert (found.case_id, found.title, found.titles, found.outcomes) == ("a", "Circular Procurement", 1.0, 0.0)


def test_the_same_outcomes_under_another_title_are_found() -> None:
    (found,) = corpus(a=TENDERS, b=BREAD).overlaps(
        Proposal(title="Buying green", learning_outcomes=TENDERS.learning_outcomes)
    )
    assert (found.case_id, found.outcomes) == ("a", 1.0)


def test_what_has_nothing_in_common_is_not_told() -> None:
    assert corpus(a=TENDERS).overlaps(BREAD) == []
    assert corpus(a=TENDERS).overlaps(Proposal()) == []
    assert corpus().overlaps(TENDERS) == []


def test_its_own_case_is_left_out_and_a_removed_one_forgotten() -> None:
    found = corpus(a=TENDERS, b=TENDERS)
    assert [other.case_id for other in found.overlaps(TENDERS, besides=["a"])] == ["b"]
    found.remove("b")
    found.remove("b")
    assert [other.case_id for other in found.overlaps(TENDERS)] == ["a"]
    assert len(found) == 1


@given(st.lists(WORDS, min_size=1, max_size=30), WORDS)
def test_likeness_is_a_share_and_the_nearest_comes_first(others: list[list[str]], words: list[str]) -> None:
    cases = {f"c{number}": Proposal(learning_outcomes=(" ".join(text),)) for number, text in enumerate(others)}
    found = corpus(**cases).overlaps(Proposal(learning_outcomes=(" ".join(words),)))
    assert all(OUTCOMES_ALIKE <= other.outcomes <= 1 for other in found)
    assert [other.likeness for other in found] == sorted((other.likeness for other in found), reverse=True)
    assert len(found) <= 10
    same = [name for name, text in zip(cases, others, strict=True) if sorted(text) == sorted(words)]
    if same:
        assert found[0].outcomes == 1.0


def test_live_cases_are_compared_as_they_are_now(database: Database, tmp_path: Path) -> None:
    furnish(database)
    overlaps = Overlaps(database)
    proposal = example("industry-credit")
    assert overlaps.of(proposal) == []
    play = Play(database, tmp_path)
    play.submit(proposal)
    (found,) = overlaps.of(proposal)
    assert (found.case_id, found.titles, found.outcomes) == (play.case_id, 1.0, 1.0)
    assert overlaps.of(proposal, besides=[play.case_id]) == []
    play.withdraw("no longer wanted")
    assert play.state.status is CaseStatus.WITHDRAWN
    assert overlaps.of(proposal) == []
