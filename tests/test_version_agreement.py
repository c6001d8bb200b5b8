"""Random sequences with changes of the framework among them end alike in the rules and on the running engine."""

import asyncio
import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

from imprimatur.rules.migration import altered_stages
from imprimatur.rules.plan import plan_of
from imprimatur.store.frameworks import add_framework
from models.events import ChangeScheduled, FrameworkChanged
from models.framework import Framework, StageDef
from models.vocabulary import Boundary, EventType
from tests.engine import Engine
from tests.simulator import OFFICE
from tests.test_model_agreement import Act, Author, Player, ending, modelled, policy

__all__ = ["modelled"]
CASES = 16


def versions() -> list[Framework]:
    """The model's policy; with a stricter quality review; with an ethics review in the place of the partners."""
    first = policy()
    quality = first.stage("quality")
    assert quality.voting is not None
    stricter = quality.model_copy(update={"voting": quality.voting.model_copy(update={"quorum": 2, "threshold": 2})})
    looser = quality.model_copy(update={"voting": quality.voting.model_copy(update={"quorum": 1, "threshold": 1})})
    other = stricter if stricter != quality else looser
    ethics = quality.model_copy(update={"id": "ethics", "name": "Ethics review", "material": None})
    return [first, _version(first, "2", other), _version(first, "3", ethics, without="industry")]


def _version(policy: Framework, version: str, changed: StageDef, without: str = "") -> Framework:
    """With one stage changed or added, and perhaps without another; the publication needs all the others."""
    stages = {stage.id: stage for stage in policy.stages} | {changed.id: changed}
    stages.pop(without, None)
    publication = next(stage for stage in stages.values() if stage.kind == "publication")
    del stages[publication.id]
    known = set(stages)
    kept = [
        stage.model_copy(update={"needs": tuple(n for n in stage.needs if n in known)}) for stage in stages.values()
    ]
    kept.append(publication.model_copy(update={"needs": tuple(stage.id for stage in kept)}))
    return policy.model_copy(update={"version": version, "stages": tuple(kept)})


VERSIONS = versions()
BY_DIGEST = {version.digest: version for version in VERSIONS}


@dataclass(frozen=True)
class Move(Act):
    event: ChangeScheduled | FrameworkChanged | None = None


class MovingAuthor(Author):
    """Now and then the case is to go by another version, at once or at a boundary."""

    def __init__(self, seed: int) -> None:
        self.moves = random.Random(-seed)
        super().__init__(seed)

    def _next(self) -> Act:
        if self.moves.random() < 0.8:
            return super()._next()
        self.case.desk.reviewers.setdefault("ethics", self.case.desk.reviewers["quality"])
        base, new, at = BY_DIGEST[self.case.plan.digest], self.moves.choice(VERSIONS), self.moves.choice(list(Boundary))
        facts: dict[str, Any] = {"actor": OFFICE, "reason": "it has to be", "by_office": True, "at": at}
        facts |= {"plan": plan_of(new), "base": base.digest, "altered": altered_stages(base, new)}
        event = FrameworkChanged(**facts) if at is Boundary.NOW else ChangeScheduled(**facts)
        refused = self.case.play(event)
        return Move("move", refused.code if refused else None, event=event)


class MovingPlayer(Player):
    framework_id = f"model@{VERSIONS[0].version}"

    async def _act(self, act: Act) -> str | None:
        if isinstance(act, Move) and act.event is not None:
            return await self._code_of(self.live.gateway.act(self.case_id, act.event))
        return await super()._act(act)


async def test_random_sequences_with_changes_end_as_the_rules_say(modelled: Engine) -> None:
    for version in VERSIONS:
        add_framework(modelled.database, version, dt.datetime.now(dt.UTC))
    authors = [MovingAuthor(seed) for seed in range(CASES)]
    players = [MovingPlayer(modelled, author, number) for number, author in enumerate(authors)]
    told = await asyncio.gather(*(player.play() for player in players))
    for author, player, codes in zip(authors, players, told, strict=True):
        assert codes == [act.refused for act in author.acts], author.acts
        state = await modelled.assert_agrees(player.case_id)
        assert ending(state) == ending(author.case.state), author.acts
        assert modelled.show(player.case_id).framework_digest == author.case.plan.digest
        changes = [effect for effect in author.case.effects if effect.kind == "change_framework"]
        assert modelled.types(player.case_id).count(EventType.FRAMEWORK_CHANGED) == len(changes)


def test_the_changes_are_no_trivial_ones() -> None:
    authors = [MovingAuthor(seed) for seed in range(CASES)]
    changes = [effect for author in authors for effect in author.case.effects if effect.kind == "change_framework"]
    told = [name for name in ("kept", "goes_on", "repeated", "added", "removed") for e in changes if getattr(e, name)]
    assert {*told} == {"kept", "goes_on", "repeated", "added", "removed"}
    assert {effect.at for effect in changes} == set(Boundary)
