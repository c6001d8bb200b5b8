"""Whether a reviewer's answer has the form its stage asks for."""

import datetime as dt
import re
from collections.abc import Sequence

from imprimatur.errors import DocumentInvalid, InputError, Problem
from imprimatur.rules.voting import IN_FAVOUR
from models.conditions import Condition
from models.framework import StageDef
from models.texts import NOT_PRINTABLE
from models.vocabulary import AssignmentReason, Conditions, Statement, Verdict

COMMENT_LIMIT = 20_000
NEEDS_COMMENT = frozenset(
    {
        Verdict.REJECT,
        Verdict.REQUEST_CHANGES,
        Verdict.OBJECT,
        Verdict.REVISE,
        Verdict.PAUSE,
        Verdict.RETIRE,
        Verdict.SEND_BACK,
    }
)


CONDITIONS_LIMIT, CONDITION_LIMIT, STATEMENT_LIMIT = 20, 4000, 1000
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")


def check_answer(
    stage: StageDef,
    verdict: str,
    comment: str,
    scores: dict[str, int],
    reason: str = AssignmentReason.ROLE,
    conditions: Sequence[Condition] = (),
    *,
    statement: str = "",
    teach_out_on: dt.date | None = None,
    stands_aside: bool = False,
) -> Verdict:
    """The verdict, when the answer is well formed; otherwise raises with every problem at once.

    ``stands_aside``: whoever has an interest can recuse themselves, whether or not the stage offers it.
    """
    problems = [
        *_comment_problems(verdict, comment),
        *_score_problems(stage, verdict, scores),
        *_condition_problems(stage, verdict, conditions),
        *_statement_problems(stage, verdict, statement),
        *_teach_out_problems(verdict, teach_out_on),
    ]
    allowed = [str(v) for v in stage.accepted(reason)]
    allowed += [Verdict.RECUSE] if stands_aside and Verdict.RECUSE not in allowed else []
    if verdict not in allowed:
        raise InputError(
            "verdict_not_offered",
            f"This stage does not offer the verdict {verdict!r}.",
            f"Choose one of: {', '.join(allowed)}.",
        )
    if problems:
        raise DocumentInvalid(
            problems[0].code,
            "; ".join(problem.problem for problem in problems) + ".",
            problems,
            "Nothing was recorded; complete the answer and send it again.",
        )
    return Verdict(verdict)


def _comment_problems(verdict: str, comment: str) -> list[Problem]:
    if verdict in NEEDS_COMMENT and not comment.strip():
        return [Problem("comment", "say why, the proposer needs it", "text", code="comment_required")]
    if found := NOT_PRINTABLE.search(comment):
        problem = f"the character U+{ord(found.group()):04X} cannot be part of a comment"
        return [Problem("comment", problem, "text that can be printed", code="comment_not_printable")]
    if len(comment) > COMMENT_LIMIT:
        return [
            Problem(
                "comment",
                f"the comment has {len(comment)} characters, at most {COMMENT_LIMIT} are kept",
                f"at most {COMMENT_LIMIT} characters",
                code="comment_too_long",
            )
        ]
    return []


def _score_problems(stage: StageDef, verdict: str, scores: dict[str, int]) -> list[Problem]:
    problems = []
    for criterion_id, score in scores.items():
        criterion = stage.criterion(criterion_id)
        place = f"score.{criterion_id}"
        if criterion is None:
            known = ", ".join(c.id for c in stage.criteria) or "none"
            problems.append(
                Problem(place, f"this stage has no criterion {criterion_id!r}", known, code="criterion_unknown")
            )
        elif not criterion.scale.minimum <= score <= criterion.scale.maximum:
            scale = f"{criterion.scale.minimum} to {criterion.scale.maximum}"
            problems.append(
                Problem(place, f"{criterion_id} is scored from {scale}, not {score}", scale, code="score_out_of_range")
            )
    if verdict in (Verdict.APPROVE, Verdict.ENDORSE, Verdict.REJECT, Verdict.REQUEST_CHANGES):
        for criterion in stage.criteria:
            if criterion.required and criterion.id not in scores:
                problems.append(
                    Problem(f"score.{criterion.id}", f"{criterion.id} must be scored", "a score", code="score_required")
                )
    return problems


def _condition_problems(stage: StageDef, verdict: str, conditions: Sequence[Condition]) -> list[Problem]:
    if not conditions:
        return []
    if stage.conditions is not Conditions.ALLOWED:
        text = "this stage takes no approval with conditions"
        return [Problem("condition", text, "an approval, or a request for changes", code="conditions_not_offered")]
    if verdict not in IN_FAVOUR:
        text = f"conditions come with an approval, not with {verdict!r}"
        return [Problem("condition", text, "approve, or no conditions", code="condition_without_approval")]
    if len(conditions) > CONDITIONS_LIMIT:
        text = f"there are {len(conditions)} conditions, at most {CONDITIONS_LIMIT} are taken"
        return [Problem("condition", text, f"at most {CONDITIONS_LIMIT}", code="conditions_too_many")]
    return [problem for number, given in enumerate(conditions, 1) for problem in _problems_of_one(number, given)]


def _statement_problems(stage: StageDef, verdict: str, statement: str) -> list[Problem]:
    """Published words come with an approval, where the stage asks for them."""
    if not statement:
        needed = stage.statement is Statement.REQUIRED and verdict in IN_FAVOUR
        text = "say in a sentence or two why you stand up for it; this is published"
        return [Problem("statement", text, "text", code="statement_required")] if needed else []
    if stage.statement is Statement.NONE:
        return [Problem("statement", "this stage takes no statement", "a comment", code="statement_not_offered")]
    if verdict not in IN_FAVOUR:
        text = f"a statement comes with an approval, not with {verdict!r}"
        return [Problem("statement", text, "approve, or a comment", code="statement_without_approval")]
    if found := NOT_PRINTABLE.search(statement):
        text = f"the character U+{ord(found.group()):04X} cannot be part of a statement"
        return [Problem("statement", text, "text that can be printed", code="statement_not_printable")]
    if len(statement) > STATEMENT_LIMIT:
        text = f"the statement has {len(statement)} characters, at most {STATEMENT_LIMIT} are published"
        return [Problem("statement", text, f"at most {STATEMENT_LIMIT} characters", code="statement_too_long")]
    return []


def _teach_out_problems(verdict: str, teach_out_on: dt.date | None) -> list[Problem]:
    if teach_out_on is None or verdict == Verdict.RETIRE:
        return []
    text = f"a day on which teaching ends comes with {Verdict.RETIRE!s}, not with {verdict!r}"
    return [Problem("teach_out_on", text, "retire, or no day", code="teach_out_without_retiring")]


def _problems_of_one(number: int, given: Condition) -> list[Problem]:
    place, problems = f"condition.{number}", []
    if not given.text.strip():
        text = f"condition {number} does not say what is to be done"
        problems.append(Problem(place, text, "text", code="condition_text_required"))
    if len(given.text) > CONDITION_LIMIT:
        text = f"condition {number} has {len(given.text)} characters, at most {CONDITION_LIMIT} are kept"
        problems.append(Problem(place, text, f"at most {CONDITION_LIMIT} characters", code="condition_too_long"))
    if given.owner and not _ADDRESS.fullmatch(given.owner):
        text = f"{given.owner!r} is no mail address"
        problems.append(Problem(f"{place}.owner", text, "name@example.org", code="condition_owner_malformed"))
    return problems
