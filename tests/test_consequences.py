"""What a preview says of a transition: every effect in a few words, in order, the same words once."""

from imprimatur.rules.consequences import consequences
from models.effects import ChangeFramework, CloseStage, CloseTask, HoldCase, OpenStage, PauseStage
from models.vocabulary import Boundary, StageOutcome, TaskClosure


def test_the_same_words_are_told_once_with_their_number() -> None:
    closed = [CloseTask(task=f"t-{n}", closure=TaskClosure.SENT_BACK, closed_by="o@example.org") for n in range(3)]
    held = HoldCase(actor="o@example.org", reason="so")
    told = consequences([held, *closed, OpenStage(stage="quality", round=2), PauseStage(stage="last", round=1)])
    assert told == ["hold case", "close task: sent back (3 times)", "open stage quality", "pause stage last"]


def test_an_outcome_is_told_with_its_stage() -> None:
    effect = CloseStage(stage="quality", round=1, outcome=StageOutcome.CANCELLED, reason="it was sent back")
    assert consequences([effect]) == ["close stage quality as cancelled"]


def test_a_change_of_the_framework_is_told_in_two_words() -> None:
    effect = ChangeFramework(actor="o@example.org", reason="so", at=Boundary.NOW, kept=("quality",))
    assert consequences([effect]) == ["change framework"]


def test_nothing_is_told_of_nothing() -> None:
    assert consequences([]) == []
