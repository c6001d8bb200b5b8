"""Whether a reviewer's answer has the form its stage asks for."""

from imprimatur.errors import DocumentInvalid, InputError, Problem
from models.framework import StageDef
from models.texts import NOT_PRINTABLE
from models.vocabulary import Verdict

COMMENT_LIMIT = 20_000
NEEDS_COMMENT = frozenset({Verdict.REJECT, Verdict.REQUEST_CHANGES})


def check_answer(stage: StageDef, verdict: str, comment: str, scores: dict[str, int]) -> Verdict:
    """The verdict, when the answer is well formed; otherwise raises with every problem at once."""
    problems = [*_comment_problems(verdict, comment), *_score_problems(stage, verdict, scores)]
    allowed = [str(v) for v in stage.verdicts]
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
    if verdict in (Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES):
        for criterion in stage.criteria:
            if criterion.required and criterion.id not in scores:
                problems.append(
                    Problem(f"score.{criterion.id}", f"{criterion.id} must be scored", "a score", code="score_required")
                )
    return problems
