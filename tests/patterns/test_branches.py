"""Control flow: stages one after the other, side by side, and together again."""

from models.vocabulary import CaseStatus
from tests.patterns.cases import Cases, PatternCase, sized
from tests.patterns.catalogue import control


@control(
    1,
    "Sequence",
    "A stage that `needs` another opens when that one has passed.",
    """
    stages:
      - id: quality
      - {id: industry, needs: [quality]}
    """,
)
def test_a_stage_opens_after_the_one_that_it_needs(case: PatternCase) -> None:
    assert (case.opened, case.tasks("industry")) == ({"quality"}, [])
    case.approve("quality")
    assert (case.opened, case.outcomes) == ({"industry"}, {"quality": "approved"})
    case.approve("industry")
    assert case.state.status is CaseStatus.PUBLISHED


@control(
    2,
    "Parallel Split",
    "Stages that need the same open in the same step and run side by side.",
    """
    stages:
      - id: check
      - {id: quality, needs: [check]}
      - {id: ethics, needs: [check]}
    """,
)
def test_stages_that_need_the_same_open_together(case: PatternCase) -> None:
    case.approve("check")
    assert case.opened == {"quality", "ethics"}
    both = [effect.stage for effect in case.steps[-1].effects if effect.kind == "open_stage"]
    assert both == ["quality", "ethics"]
    case.approve("ethics")
    assert case.opened == {"quality"}, "the other branch goes on by itself"


@control(
    3,
    "Synchronization",
    "A stage that `needs` several opens once, when the last of them has passed.",
    """
    stages:
      - id: quality
      - id: ethics
      - {id: board, needs: [quality, ethics]}
    """,
)
def test_a_stage_waits_for_all_that_it_needs(cases: Cases) -> None:
    for first, last in (("quality", "ethics"), ("ethics", "quality")):
        case = cases.begin()
        case.approve(first)
        assert (case.opened, case.openings("board")) == ({last}, 0)
        case.approve(last)
        assert (case.opened, case.openings("board")) == ({"board"}, 1)


ONE_WAY_OR_THE_OTHER = """
tracks:
  - {id: small, when: proposal.workload.credits <= 5, why: Peers are enough., without: [panel]}
  - {id: large, why: Large ones need the panel., without: [peers]}
stages:
  - id: check
  - {id: peers, needs: [check]}
  - {id: panel, needs: [check]}
"""


@control(
    4,
    "Exclusive Choice",
    """Tracks are a decision table: the first whose `when` holds is taken, and the stages of the others are skipped
    with the reason.""",
    ONE_WAY_OR_THE_OTHER,
)
def test_exactly_one_branch_is_taken(cases: Cases) -> None:
    for points, taken, left_out in ((5, "peers", "panel"), (6, "panel", "peers")):
        case = cases.begin(sized(points))
        case.approve("check")
        assert case.opened == {taken}
        assert (case.outcomes[left_out], case.tasks(left_out)) == ("skipped", [])


@control(
    5,
    "Simple Merge",
    """A stage that `needs` the alternatives opens as soon as the one that was chosen has passed, for the other counts
    as passed when it is skipped.""",
    f"{ONE_WAY_OR_THE_OTHER.rstrip()}\n  - {{id: board, needs: [peers, panel]}}\n",
)
def test_alternatives_come_together_without_waiting_for_each_other(cases: Cases) -> None:
    for points, taken in ((5, "peers"), (6, "panel")):
        case = cases.begin(sized(points))
        case.approve("check")
        assert case.openings("board") == 0
        case.approve(taken)
        assert (case.opened, case.openings("board")) == ({"board"}, 1)


ANY_OF_THEM = """
stages:
  - id: check
  - {id: ethics, needs: [check], when: proposal.mode != "onsite"}
  - {id: finance, needs: [check], when: proposal.workload.credits > 10}
"""
MIXTURES = [
    ("onsite", 5, set()),
    ("onsite", 15, {"finance"}),
    ("online", 5, {"ethics"}),
    ("online", 15, {"ethics", "finance"}),
]


@control(
    6,
    "Multi-Choice",
    "Each stage has a condition of its own, so that none, some or all of them open.",
    ANY_OF_THEM,
)
def test_every_combination_of_branches_can_be_taken(cases: Cases) -> None:
    for mode, points, taken in MIXTURES:
        case = cases.begin(sized(points, mode=mode))
        case.approve("check")
        assert case.opened == taken
        skipped = {stage for stage, outcome in case.outcomes.items() if outcome == "skipped"}
        assert skipped == {"ethics", "finance"} - taken


@control(
    7,
    "Structured Synchronizing Merge",
    "A stage that `needs` stages with conditions waits for those that were chosen, and for no others.",
    f"{ANY_OF_THEM.rstrip()}\n  - {{id: board, needs: [check, ethics, finance]}}\n",
)
def test_a_merge_waits_for_exactly_what_was_chosen(cases: Cases) -> None:
    for mode, points, taken in MIXTURES:
        case = cases.begin(sized(points, mode=mode))
        case.approve("check")
        for stage in sorted(taken):
            assert case.openings("board") == 0, f"{stage} is still open"
            case.approve(stage)
        assert (case.opened, case.openings("board")) == ({"board"}, 1)
