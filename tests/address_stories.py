"""A proposer whose address changes while the case runs, played on the running engine; for tests.

The story has a proposer of its own: nobody else's cases follow.
"""

from imprimatur.following import Following
from imprimatur.store.people import take_people
from models.events import ProposerReaddressed
from models.vocabulary import CaseStatus, EventType, Verdict
from tests.engine import Engine
from tests.facts import example
from tests.governed_stories import PUBLISHED, Story, data_of
from tests.people_stories import refused
from tests.stories import WHY, approved_by_all, people

FORMER, NEWER = "pia.former@example.edu", "pia.newer@example.edu"


async def proposer_readdressed(engine: Engine) -> str:
    """Changes are asked of her old address, and answered from the new one."""
    people(engine, f"{FORMER},Pia,proposer,yes")
    case_id, proposal = engine.case_id("proposer_readdressed"), example("non-credit")
    await engine.gateway.submit(proposal, proposer=FORMER, case_id=case_id)
    await engine.decide(case_id, "proposal", Verdict.REQUEST_CHANGES, WHY)
    assert engine.show(case_id).status is CaseStatus.REVISING
    forged = ProposerReaddressed(actor=NEWER, to=NEWER)
    assert await refused(engine.gateway.act(case_id, forged)) == "not_the_office"
    take_people(engine.database, f"email,name,formerly\n{NEWER},Pia,{FORMER}\n")
    await Following(engine.gateway, engine.database).follow()
    assert data_of(engine, case_id, EventType.PROPOSER_READDRESSED) == [{"from": FORMER, "to": NEWER, "by": "system"}]
    again = proposal.model_copy(update={"summary": "Told once more, and better."})
    assert await refused(engine.gateway.revise(case_id, again, actor=FORMER)) == "not_the_proposer"
    await engine.gateway.revise(case_id, again, actor=NEWER)
    await approved_by_all(engine, case_id)
    assert engine.show(case_id).status is PUBLISHED
    told = [to for kind, to in engine.mail(case_id) if kind == "outcome"]
    assert told == [NEWER]
    engine.assert_whole(case_id)
    return case_id


ADDRESSES: dict[str, Story] = {told.__name__: told for told in (proposer_readdressed,)}
