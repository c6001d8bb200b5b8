"""Whether a reviewer's answer has the form that its stage asks for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.errors import DocumentInvalid, ImprimaturError, InputError
from imprimatur.rules.answers import COMMENT_LIMIT, NEEDS_COMMENT, check_answer
from models.framework import StageDef
from models.vocabulary import Verdict
from tests.policies import stage

STAGE = StageDef.model_validate(
    stage(
        "quality",
        criteria=[
            {"id": "clear", "question": "Is it clear?", "required": True},
            {"id": "whole", "question": "Is it whole?", "scale": {"minimum": -1, "maximum": 1}},
        ],
    )
)
PLAIN = StageDef.model_validate(stage("quality", criteria=[], verdicts=["approve", "recuse"]))
CLEAR = {"clear": 3}


@pytest.mark.parametrize(
    ("policy", "verdict", "comment", "scores"),
    [
        (STAGE, "approve", "", CLEAR),
        (STAGE, "approve", "x" * COMMENT_LIMIT, {"clear": 0, "whole": -1}),
        (STAGE, "reject", "Too vague.", {"clear": 4, "whole": 1}),
        (STAGE, "request_changes", "Say more.", CLEAR),
        # Who does not judge need not score.
        (STAGE, "abstain", "", {}),
        (PLAIN, "approve", "", {}),
        (PLAIN, "recuse", "", {}),
    ],
)
def test_a_well_formed_answer_is_its_verdict(
    policy: StageDef, verdict: str, comment: str, scores: dict[str, int]
) -> None:
    assert check_answer(policy, verdict, comment, scores) is Verdict(verdict)


@pytest.mark.parametrize(
    ("verdict", "comment", "scores", "code", "where", "said"),
    [
        ("reject", "", CLEAR, "comment_required", "comment", "say why, the proposer needs it"),
        ("request_changes", " \n\t", CLEAR, "comment_required", "comment", "say why, the proposer needs it"),
        ("approve", "x" * (COMMENT_LIMIT + 1), CLEAR, "comment_too_long", "comment", "has 20001 characters"),
        ("approve", "so\x00so", CLEAR, "comment_not_printable", "comment", "cannot be part of a comment"),
        ("approve", "", {}, "score_required", "score.clear", "clear must be scored"),
        ("reject", "No.", {}, "score_required", "score.clear", "clear must be scored"),
        ("approve", "", {"clear": 5}, "score_out_of_range", "score.clear", "scored from 0 to 4, not 5"),
        ("approve", "", {"clear": -1}, "score_out_of_range", "score.clear", "scored from 0 to 4, not -1"),
        ("approve", "", CLEAR | {"whole": 2}, "score_out_of_range", "score.whole", "scored from -1 to 1, not 2"),
        ("abstain", "", {"clear": 9}, "score_out_of_range", "score.clear", "scored from 0 to 4, not 9"),
        ("approve", "", CLEAR | {"clera": 1}, "criterion_unknown", "score.clera", "no criterion 'clera'"),
    ],
)
def test_each_way_to_answer_wrongly(
    verdict: str, comment: str, scores: dict[str, int], code: str, where: str, said: str
) -> None:
    with pytest.raises(DocumentInvalid, match=said) as caught:
        check_answer(STAGE, verdict, comment, scores)
    assert caught.value.code == code
    [problem] = caught.value.problems
    assert (problem.code, problem.where) == (code, where)
    assert problem.expected
    assert caught.value.hint.startswith("Nothing was recorded")


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        check_answer(STAGE, "reject", "", {"whole": 7, "other": 1})
    told = [(problem.code, problem.where) for problem in caught.value.problems]
    assert told == [
        ("comment_required", "comment"),
        ("score_out_of_range", "score.whole"),
        ("criterion_unknown", "score.other"),
        ("score_required", "score.clear"),
    ]
    assert caught.value.code == "comment_required"
    assert caught.value.message.count(";") == 3


@pytest.mark.parametrize("verdict", ["reject", "endorse", "APPROVE", ""])
def test_a_verdict_that_is_not_offered_is_refused_before_all_else(verdict: str) -> None:
    with pytest.raises(InputError, match="does not offer the verdict") as caught:
        check_answer(PLAIN, verdict, "x" * (COMMENT_LIMIT + 1), {"other": 1})
    assert (caught.value.code, caught.value.hint) == ("verdict_not_offered", "Choose one of: approve, recuse.")


@given(
    st.sampled_from([*Verdict, "endorse"]),
    st.sampled_from(["", " ", "Because.", "x" * (COMMENT_LIMIT + 1)]),
    st.dictionaries(st.sampled_from(["clear", "whole", "other"]), st.integers(-2, 6)),
)
def test_an_answer_passes_exactly_when_nothing_is_wrong_with_it(
    verdict: str, comment: str, scores: dict[str, int]
) -> None:
    ranges: dict[str, Any] = {"clear": range(5), "whole": range(-1, 2)}
    fine = (
        verdict in {str(offered) for offered in STAGE.verdicts}
        and (verdict not in NEEDS_COMMENT or comment.strip() != "")
        and len(comment) <= COMMENT_LIMIT
        and all(score in ranges.get(name, ()) for name, score in scores.items())
        and (verdict == "abstain" or "clear" in scores)
    )
    try:
        check_answer(STAGE, verdict, comment, scores)
    except ImprimaturError as error:
        assert error.exit_status == 2
        assert not fine
    else:
        assert fine
