"""Stands in for the gateway behind the pages: plays what they send by the real rules and the real commit."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from imprimatur.rules.answers import check_answer
from imprimatur.store.decisions import task_place
from models.conditions import Condition
from models.messages import DecisionReceipt
from models.tables import DecisionRow
from models.vocabulary import Channel
from tests.facts import Play

_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]


class PlayingDecider:
    """Records what the page sends, by the rules that the gateway applies."""

    def __init__(self, play: Play) -> None:
        self._play = play

    async def decide(
        self,
        *,
        task_id: str,
        verdict: str,
        actor: str,
        comment: str = "",
        scores: Mapping[str, int] | None = None,
        conditions: Sequence[Condition] = (),
        channel: Channel = Channel.LINK,
    ) -> DecisionReceipt:
        place = task_place(self._play.database, task_id)
        given: dict[str, Any] = dict(scores or {})
        checked = check_answer(place.stage_def, verdict, comment, given, place.reason, conditions)
        assert self._play.state.open_tasks(place.stage_def.id)[0].id == task_id
        self._play.decide(place.stage_def.id, checked, comment, conditions, **given)
        with self._play.database.read() as connection:
            query = select(_DECISION.c.decision_id).where(_DECISION.c.task_id == task_id)
            decision_id = connection.execute(query).scalar_one()
        return DecisionReceipt(
            decision_id=decision_id,
            task_id=task_id,
            stage=place.stage_def.id,
            verdict=checked,
            case_status=self._play.state.status,
            position=1,
            digest="0" * 64,
        )
