"""docs/office-acts.md against the code: its verbs, its events and its refusals are those there are."""

import ast
import inspect
from types import FunctionType, ModuleType

from imprimatur.cli.main import VERBS
from imprimatur.rules import office_admission
from models.vocabulary import EventType
from tests.markdown import DOCS, code_spans, section

ACTS = DOCS / "office-acts.md"
GLANCE = section(ACTS, "At a glance").rows
REFUSALS = section(ACTS, "Refusals").rows
# Of withdrawing, and of reviewers' answers to a case on hold.
TOLD_BESIDES = {"not_the_proposer"}


def codes_of(part: ModuleType | FunctionType) -> set[str]:
    """Codes that a part of the rules gives to refusals, itself or by the rules that it calls."""
    known = vars(part) if isinstance(part, ModuleType) else part.__globals__
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(part))) if isinstance(node, ast.Call)]
    refusals = [call.args[1] for call in calls if ast.unparse(call.func) == "Refusal"]
    called = {known.get(ast.unparse(call.func)) for call in calls}
    helpers = [found for found in called if isinstance(found, FunctionType)]
    return {ast.literal_eval(code) for code in refusals}.union(*map(codes_of, helpers))


def test_every_refusal_of_an_act_is_told_and_none_that_is_gone() -> None:
    told = {code_spans(row["code"])[0] for row in REFUSALS}
    assert told - TOLD_BESIDES == codes_of(office_admission)


def test_every_act_is_told_with_what_it_leaves() -> None:
    verbs = [code_spans(row["verb"])[0] for row in GLANCE]
    assert set(verbs) == {verb for verb, act in VERBS.items() if act.__module__.endswith("office")} | {"withdraw"}
    for row in GLANCE:
        assert set(code_spans(row["ledger events"])) <= set(EventType)
    named = {verb for row in REFUSALS for verb in code_spans(row["acts"])}
    assert named <= set(verbs)
