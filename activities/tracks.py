"""What tracks write, and whether a stage that depends on the scores of others applies: judged when it would open."""

from collections import defaultdict
from typing import Any

from sqlalchemy import select

from activities.book import SYSTEM, Book
from imprimatur.frameworks.expressions import Judgement, asks_for_scores, judge
from imprimatur.frameworks.situation import Scores, Situation, known_scores, spelled_in_expressions
from models import effects as c
from models.framework import StageDef
from models.tables import DecisionRow, StageRow
from models.vocabulary import EventType, StageOutcome, StageStatus

_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]


def select_track(book: Book, effect: c.SelectTrack) -> None:
    chosen = effect.selection
    book.changes["track"] = chosen.track
    book.event(
        EventType.TRACK_SELECTED,
        SYSTEM,
        track=chosen.track,
        why=chosen.why,
        rules=[rule.model_dump(mode="json") for rule in chosen.rules],
        skipped=chosen.skipped,
    )


def skip_stage(book: Book, effect: c.SkipStage) -> None:
    write_skipped(book, effect.stage, effect.round, effect.reason)


def write_skipped(book: Book, stage_id: str, round_number: int, reason: str, **evidence: Any) -> None:
    stage = book.stage_def(stage_id)
    skipped = {"outcome": str(StageOutcome.SKIPPED), "reason": reason, "closed_at": book.step.at}
    book.put_stage(stage, round_number, StageStatus.CLOSED, **skipped)
    book.event(EventType.STAGE_SKIPPED, SYSTEM, stage=stage.id, reason=reason, **evidence)


def unmet(book: Book, stage: StageDef) -> Judgement | None:
    """How the condition of a stage about others' scores was judged, when it does not hold; None: the stage applies."""
    if stage.when is None or not asks_for_scores(stage.when):
        return None
    before = book.framework.before(stage.id)
    judged = judge(stage.when, Situation(book.proposal, _scores(book, before)), known_scores(before))
    return judged if judged.holds is False else None


def _scores(book: Book, stages: tuple[StageDef, ...]) -> Scores:
    """By stage and criterion: the scores of the round whose result stands, this very step's decision among them."""
    rounds = _standing_rounds(book)
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for stage_id, round_number, scores in _answers(book):
        if rounds.get(stage_id) == round_number:
            for criterion, score in scores.items():
                found[spelled_in_expressions(stage_id)][spelled_in_expressions(criterion)].append(score)
    wanted = {spelled_in_expressions(stage.id) for stage in stages}
    return {stage: given for stage, given in found.items() if stage in wanted}


def _standing_rounds(book: Book) -> dict[str, int]:
    query = select(_STAGE.c.stage, _STAGE.c.round, _STAGE.c.outcome).where(_STAGE.c.case_id == book.step.case_id)
    rows = book.connection.execute(query.order_by(_STAGE.c.round)).all()
    rounds = {stage: number for stage, number, outcome in rows if outcome and StageOutcome(outcome).lets_pass}
    closed = (effect for effect in book.step.effects if isinstance(effect, c.CloseStage))
    return rounds | {effect.stage: effect.round for effect in closed if effect.outcome.lets_pass}


def _answers(book: Book) -> list[tuple[str, int, dict[str, int]]]:
    query = select(_DECISION.c.stage, _DECISION.c.round, _DECISION.c.scores).where(
        _DECISION.c.case_id == book.step.case_id, _DECISION.c.annulled_at.is_(None)
    )
    written = [
        (row.stage, row.round, row.scores) for row in book.connection.execute(query.order_by(_DECISION.c.position))
    ]
    recorded = [effect for effect in book.step.effects if isinstance(effect, c.RecordDecision)]
    return written + [(effect.stage, effect.round, effect.decision.scores) for effect in recorded]
