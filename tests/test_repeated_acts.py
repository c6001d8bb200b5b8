"""Acts of proposer and office that are sent again, or at the same instant: each counts once, and is answered alike."""

import asyncio
import gc

import pytest

from imprimatur.errors import Gone, ProposalIncomplete, Refused
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, example
from tests.stories import REASON, WHY


def version(words: str) -> Proposal:
    return example("non-credit").model_copy(update={"summary": words})


async def sent_back(engine: Engine, case_id: str) -> None:
    await engine.decide(case_id, "proposal", "request_changes", WHY)


async def revise(engine: Engine, case_id: str, words: str) -> CaseAnswer:
    answer, _ = await engine.gateway.revise(case_id, version(words), actor=PROPOSER)
    return answer


async def cut(engine: Engine, case_id: str) -> None:
    """Lets the case continue as new; leaves it in review."""
    run = (await engine.handle(case_id).describe()).run_id
    number = 0
    while (await engine.handle(case_id).describe()).run_id == run:
        await sent_back(engine, case_id)
        await revise(engine, case_id, f"Cut {number}.")
        number += 1
        assert number < 10, "the case does not continue as new"


async def test_a_revision_sent_again_is_one_version(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    await sent_back(live, case_id)
    first = await revise(live, case_id, "Better.")
    assert await revise(live, case_id, "Better.") == first
    assert (await asyncio.gather(*(revise(live, case_id, "Better.") for _ in range(5)))) == [first] * 5
    assert live.types(case_id).count(EventType.PROPOSAL_VERSION_ADDED) == 2
    assert live.refusals() == []
    live.assert_whole(case_id)


async def test_a_revision_sent_five_times_at_once_is_one_version(live: Engine) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    await live.decide(case_id, "proposal")
    await live.decide(case_id, "industry")
    for _ in range(2):
        await live.decide(case_id, "quality", "request_changes", WHY)
    revised = example("industry-credit.revised")
    acts = (live.gateway.revise(case_id, revised, actor=PROPOSER) for _ in range(5))
    answers = [answer for answer, _ in await asyncio.gather(*acts)]
    assert len(set(map(repr, answers))) == 1
    assert (answers[0].kept, answers[0].lapsed) == (("proposal",), ("industry",))
    assert live.types(case_id).count(EventType.PROPOSAL_VERSION_ADDED) == 2
    live.assert_whole(case_id)


async def test_words_may_come_again_after_others(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    for number, words in enumerate(("Better.", "Best.", "Better."), 2):
        await sent_back(live, case_id)
        answer = await revise(live, case_id, words)
        assert (answer.version, answer.status) == (number, CaseStatus.IN_REVIEW)
    assert live.show(case_id).version == 4
    live.assert_whole(case_id)


async def test_words_that_were_sent_back_are_no_revision(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    await sent_back(live, case_id)
    await revise(live, case_id, "Better.")
    await sent_back(live, case_id)
    with pytest.raises(Refused) as refused:
        await revise(live, case_id, "Better.")
    assert refused.value.code == "proposal_unchanged"
    assert live.show(case_id).status is CaseStatus.REVISING


async def test_of_two_revisions_at_the_same_instant_one_counts_and_the_other_may_come_later(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    await sent_back(live, case_id)
    words = ("This way.", "That way.")
    found = await asyncio.gather(*(revise(live, case_id, text) for text in words), return_exceptions=True)
    [refused] = [answer for answer in found if isinstance(answer, Refused)]
    assert refused.code == "revision_not_requested"
    await sent_back(live, case_id)
    answer = await revise(live, case_id, words[found.index(refused)])
    assert (answer.version, answer.status) == (3, CaseStatus.IN_REVIEW)
    live.assert_whole(case_id)


async def test_an_incomplete_revision_sent_again_is_returned_again(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    await sent_back(live, case_id)
    told = []
    for _ in range(2):
        with pytest.raises(ProposalIncomplete) as returned:
            await live.gateway.revise(case_id, example("non-credit").model_copy(update={"mode": None}), actor=PROPOSER)
        told.append(returned.value.as_dict())
    assert told[0] == told[1]
    assert (live.show(case_id).version, live.refusals()) == (2, [])


async def test_answers_to_acts_outlive_a_history_that_was_cut(live: Engine) -> None:
    submitted = await live.submit("non-credit", case_id=live.case_id("cut"))
    case_id = submitted.case_id
    await cut(live, case_id)
    again = await live.submit("non-credit", case_id=case_id)
    assert (again.position, again.digest) == (submitted.position, submitted.digest)
    await sent_back(live, case_id)
    revised = await revise(live, case_id, "Better.")
    await live.decide(case_id, "proposal")
    assert await revise(live, case_id, "Better.") == revised
    first = await live.gateway.withdraw(case_id, actor=OFFICE, reason=REASON)
    assert (await revise(live, case_id, "Better.")).position == revised.position
    assert (await live.gateway.withdraw(case_id, actor=OFFICE, reason=REASON)).status is first.status
    assert live.refusals() == []
    live.assert_whole(case_id)


async def test_a_withdrawal_sent_again_is_answered_alike(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    acts = (live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON) for _ in range(5))
    answers = await asyncio.gather(*acts)
    answers.append(await live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON))
    assert len(set(map(repr, answers))) == 1
    assert live.types(case_id).count(EventType.CASE_CLOSED) == 1
    with pytest.raises(Gone) as refused:
        await live.gateway.withdraw(case_id, actor=OFFICE, reason=REASON)
    assert refused.value.code == "case_closed"


async def test_a_submission_sent_again_is_one_case(live: Engine) -> None:
    case_id = live.case_id("submitted")
    acts = (live.submit("coursework-credit", case_id=case_id) for _ in range(5))
    answers = await asyncio.gather(*acts)
    assert len(set(map(repr, answers))) == 1
    assert live.types(case_id).count(EventType.CASE_SUBMITTED) == 1
    await live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON)
    assert (await live.submit("coursework-credit", case_id=case_id)).position == 1


@pytest.mark.parametrize("continued", [False, True])
@pytest.mark.parametrize("closed", [False, True])
async def test_a_case_cannot_become_another(live: Engine, continued: bool, closed: bool) -> None:
    case_id = (await live.submit("non-credit", case_id=live.case_id("another"))).case_id
    if continued:
        await cut(live, case_id)
    if closed:
        await live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    with pytest.raises(Refused) as refused:
        await live.gateway.submit(version("Another."), proposer=PROPOSER, case_id=case_id)
    assert refused.value.code == ("case_closed" if closed else "already_submitted")
    assert live.refusals(case_id) == [refused.value.code]
    live.assert_whole(case_id)
    del refused
    gc.collect()
    assert complaints == [], "nobody is left with an error that was told already"
