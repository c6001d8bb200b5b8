"""The worked examples of docs/framework-reference.md: each vote counted as the page says."""

import re

import pytest
import yaml

from imprimatur.rules.plan import plan_of
from imprimatur.rules.voting import evaluate
from models.framework import Framework, VotingRule
from models.vocabulary import Verdict
from tests.ballots import Ballot, Vote, tasks_of
from tests.markdown import DOCS, Row, section
from tests.policies import changed, policy

FRAMEWORK = DOCS / "framework-reference.md"
ANSWERS = {"A": "approve", "R": "reject", "C": "request_changes", "N": "abstain", "X": "recuse", "`.`": None}
EXAMPLES = [row for row in section(FRAMEWORK, "How votes are counted").rows if "answers" in row]


def ballot(answers: str) -> Ballot:
    """``A (the chair) R X, deputy A``: in the order of the words."""
    votes: list[Vote] = []
    for word, chair, deputy in re.findall(r"([ARCNX]|`\.`)( \(the chair\))?(?:, deputy ([ARCNX]))?", answers):
        stands_in = Vote(_verdict(deputy), "vice_chair") if deputy else None
        votes.append(Vote(_verdict(word), "chair" if chair else None, deputy=stands_in))
    return tuple(votes)


def _verdict(letter: str) -> Verdict | None:
    value = ANSWERS[letter]
    return None if value is None else Verdict(value)


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: f"{row['rule']} {row['answers']}")
def test_a_worked_example_comes_out_as_the_page_says(row: Row) -> None:
    rule = yaml.safe_load(row["rule"].strip("`"))
    assert VotingRule.model_validate(rule)
    plan = plan_of(Framework.model_validate(changed(policy(), "stages[1].voting", rule))).stage("quality")
    result = evaluate(plan, tasks_of(ballot(row["answers"])))
    found = "deadlock" if result.deadlocked else str(result.outcome or "open").replace("_", " ")
    assert found == row["outcome"]


def test_the_examples_show_every_method_and_what_else_can_be_said() -> None:
    rules = [yaml.safe_load(row["rule"].strip("`")) for row in EXAMPLES]
    shown = {key for rule in rules for key in rule}
    assert shown >= set(VotingRule.model_fields) - {"quorum_percent", "veto"}
    assert {rule.get("method", "count") for rule in rules} == {"count", "percentage", "majority", "unanimity"}
    assert len(EXAMPLES) > 12
