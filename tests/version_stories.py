"""Cases that move to another version of their framework, each played once on the running engine; for tests."""

import datetime as dt

from imprimatur.bulk import Bulk, BulkReport
from imprimatur.migrating import Move, migration
from imprimatur.store.frameworks import framework
from models.vocabulary import Boundary, BulkResult, EventType
from tests.engine import Engine
from tests.facts import OFFICE
from tests.governed import review
from tests.governed_stories import PUBLISHED, Story, answers_in, begin, data_of, office
from tests.versions import version_of

PROPOSAL, QUALITY, GATE = review("proposal"), review("quality", "proposal"), review("quality", "proposal")
GATE["quality_gate"] = True
ETHICS = review("ethics", "quality")
MONTH = dt.timedelta(days=30)


async def moved(
    engine: Engine, framework_id: str, to: str, at: Boundary = Boundary.NOW, *cases: str, preview: bool = False
) -> BulkReport:
    move = Move(framework_id, to, at=at, case_ids=cases)
    act = migration(office(engine), engine.database, move, actor=OFFICE, reason="The senate decided so.")
    acting = Bulk(engine.gateway, engine.database)
    return await (acting.preview(act) if preview else acting.run(act))


async def moved_to_another_version(engine: Engine) -> str:
    """Between two stages, then at once; so long a case that its history is cut, with a change that waits."""
    name = "moved_to_another_version"
    case_id = await begin(engine, name, PROPOSAL, QUALITY)
    policy = framework(engine.database, name.replace("_", "-"))
    version_of(engine.database, policy.id, PROPOSAL, QUALITY, ETHICS)
    version_of(engine.database, policy.id, PROPOSAL, GATE, ETHICS, version="3")
    report = await moved(engine, policy.id, "2", Boundary.NEXT_STAGE)
    assert [result.result for result in report.results] == [BulkResult.DONE]
    await answers_in(engine, case_id, "proposal", "approve", 2)
    assert engine.show(case_id).framework == f"{policy.id}@2"
    await answers_in(engine, case_id, "quality", "approve", 2)
    await moved(engine, policy.id, "3", Boundary.NEXT_ROUND)
    for _ in range(3):
        await office(engine).send_back(case_id, "ethics", actor=OFFICE, reason="The wrong file was judged.")
    await office(engine).nudge(case_id, None, actor=OFFICE)
    await moved(engine, policy.id, "3")
    assert [data["repeated"] for data in data_of(engine, case_id, EventType.FRAMEWORK_CHANGED)] == [[], ["quality"]]
    for stage in ("quality", "ethics"):
        await answers_in(engine, case_id, stage, "approve", 2)
    assert engine.show(case_id).status is PUBLISHED
    return case_id


VERSION_CHANGES: dict[str, Story] = {told.__name__: told for told in (moved_to_another_version,)}
