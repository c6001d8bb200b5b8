"""Hand-overs on a real Temporal server: people asked, systems told by a signed message, whatever happens meanwhile."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from standardwebhooks import Webhook

from imprimatur import ids
from imprimatur.errors import Refused
from imprimatur.frameworks.loader import handovers, shipped
from imprimatur.handover import Handovers, HandoverStarter
from imprimatur.lost import Lost
from imprimatur.publication.targets.folder import FolderTarget
from imprimatur.publication.targets.target import Target
from imprimatur.publication.targets.webhook import WebhookTarget, target_secret
from imprimatur.store import handovers as store
from imprimatur.store.frameworks import add_framework
from imprimatur.store.handovers_reading import handovers_of_case, package_of_handover
from imprimatur.store.incidents import list_incidents
from models.framework import Framework
from models.vocabulary import EventType, IncidentKind, RunStatus
from tests.engine import Engine
from tests.facts import OFFICE, START
from tests.handover import hander_worker, handing_over
from tests.handover_stories import HANDOVERS, published_and_due
from tests.hooks import KEYS, Receiver, receiving
from tests.mortal_hander import PLACES

LMS = "lms"


@pytest.fixture
def lms() -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        yield found


async def carried_out(live: Engine, lms: Receiver, **more: Target) -> list[str]:
    targets: dict[str, Target] = {LMS: WebhookTarget(LMS, lms.url, KEYS), **more}
    async with handing_over(live.client, live.database, targets, live.gateway) as desk:
        return await desk.run()


@pytest.mark.parametrize("name", HANDOVERS)
async def test_a_hand_over_comes_to_its_end(live: Engine, name: str) -> None:
    handover = await HANDOVERS[name](live)
    await live.assert_agrees(handover)
    assert await live.handle(handover).result() == live.show(handover).status


async def test_the_package_reaches_a_system_by_a_signed_message_and_people_are_asked(
    live: Engine, lms: Receiver
) -> None:
    credential = await published_and_due(live, "signed", LMS)
    handover = ids.handover_case_id(credential, 1)
    assert await carried_out(live, lms) == [ids.handover_workflow_id(handover, 1)]
    assert await carried_out(live, lms) == []
    [message] = lms.received
    Webhook(target_secret(KEYS[0], LMS)).verify(message.body, message.headers)
    assert message.message["type"] == "handover.called"
    assert message.message["data"] == package_of_handover(live.database, handover)
    [view] = handovers_of_case(live.database, credential)
    assert (view.status, [item.target for item in view.sent], view.sent[0].detail) == (RunStatus.DONE, [LMS], "204")
    assert len(live.tasks(handover)) == 2
    assert live.types(credential)[-1] is EventType.HANDOVER_SENT
    live.assert_whole(credential, handover)


async def test_a_target_that_takes_nothing_over_holds_up_nobody_else(live: Engine, lms: Receiver) -> None:
    credential = await published_and_due(live, "refusing", "website", LMS)
    await carried_out(live, lms, website=FolderTarget(live.folder / "website"))
    [view] = handovers_of_case(live.database, credential)
    assert (view.status, [item.target for item in view.sent]) == (RunStatus.FAILED, [LMS])
    assert "only targets of the kind webhook take it" in view.detail
    assert live.tasks(view.handover_case), "people were asked all the same"
    [incident] = list_incidents(live.database, case_id=credential)
    assert incident.kind is IncidentKind.HANDOVER_FAILED
    Handovers(live.database).retry(credential, actor=OFFICE)
    again = await carried_out(live, lms, website=WebhookTarget("website", lms.url, KEYS))
    assert again == [ids.handover_workflow_id(view.handover_case, 2)]
    assert handovers_of_case(live.database, credential)[0].status is RunStatus.DONE
    assert list_incidents(live.database, case_id=credential) == []
    assert len(lms.received) == 2, "what a target has is not sent to it once more"
    live.assert_whole(credential)


async def test_people_who_cannot_be_asked_are_an_incident_and_are_asked_later(live: Engine, lms: Receiver) -> None:
    credential = await published_and_due(live, "unasked")
    [view] = handovers_of_case(live.database, credential)
    add_framework(live.database, Framework.model_validate(_of_another_kind()), START)
    await carried_out(live, lms)
    [incident] = list_incidents(live.database, case_id=credential)
    assert (incident.kind, "and so for no hand-overs" in incident.detail) == (IncidentKind.HANDOVER_FAILED, True)
    right = handovers()["delivery-handover"].model_dump(mode="json") | {"version": "10"}
    add_framework(live.database, Framework.model_validate(right), START)
    Handovers(live.database).retry(credential, actor=OFFICE)
    await carried_out(live, lms)
    assert len(live.tasks(view.handover_case)) == 2
    assert list_incidents(live.database, case_id=credential) == []


def _of_another_kind() -> dict[str, object]:
    """A later version of the framework of hand-overs that is none any more."""
    return shipped()["non-credit"].model_dump(mode="json") | {"id": "delivery-handover", "version": "9"}


async def test_nothing_is_proposed_under_a_framework_of_hand_overs(live: Engine) -> None:
    with pytest.raises(Refused) as refused:
        await live.submit("non-credit", framework="delivery-handover")
    assert refused.value.code == "framework_for_handovers"


async def test_a_killed_worker_leaves_a_hand_over_to_the_next_one(
    live: Engine, lms: Receiver, temporal_address: str
) -> None:
    """It dies between any two steps, of one hand-over each; in the end each was done once."""
    credentials = [await published_and_due(live, f"killed_{number}", LMS) for number, _ in enumerate(PLACES)]
    handovers = [ids.handover_case_id(credential, 1) for credential in credentials]
    queues = dict(zip(handovers, (f"{live.queue}-{place}" for place in PLACES), strict=True))
    for handing in await asyncio.to_thread(store.due, live.database):
        await HandoverStarter(live.client, live.database, queues[handing.handover_case]).start(handing)
    deaths = [
        _die(temporal_address, live.database.url, live.queue, queue, lms.url, place)
        for queue, place in zip(queues.values(), PLACES, strict=True)
    ]
    assert await asyncio.gather(*deaths) == [137] * len(PLACES)
    targets = {LMS: WebhookTarget(LMS, lms.url, KEYS)}
    async with AsyncExitStack() as stack:
        for queue in queues.values():
            again = hander_worker(live.client, live.database, targets, live.gateway, queue)
            await stack.enter_async_context(again)
        for handover in handovers:
            await live.client.get_workflow_handle(ids.handover_workflow_id(handover, 1)).result()
    for credential, handover in zip(credentials, handovers, strict=True):
        types = live.types(credential)
        assert [types.count(kind) for kind in (EventType.HANDOVER_CALLED, EventType.HANDOVER_SENT)] == [1, 1]
        assert live.types(handover).count(EventType.HANDOVER_BEGUN) == 1
        assert len(live.tasks(handover)) == 2
        live.assert_whole(credential, handover)
    told = {item.headers["webhook-id"] for item in lms.received}
    assert told == {f"{handover}:{LMS}" for handover in handovers}


async def _die(*words: str) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.mortal_hander", *words)
    return await process.wait()


async def test_a_hand_over_whose_workflow_was_terminated_is_the_offices_to_go_on_with(
    live: Engine, lms: Receiver
) -> None:
    credential = await published_and_due(live, "terminated", LMS)
    [handing] = await asyncio.to_thread(store.due, live.database)
    await HandoverStarter(live.client, live.database, f"{live.queue}-idle").start(handing)
    name = ids.handover_workflow_id(handing.handover_case, 1)
    lost = Lost(live.client, live.database)
    assert await lost.mend() == 0
    await live.client.get_workflow_handle(name).terminate()
    assert (await lost.mend(), await lost.mend()) == (1, 0)
    [incident] = list_incidents(live.database, case_id=credential)
    assert incident.detail == f"its workflow {name} was terminated before its end"
    Handovers(live.database).retry(credential, actor=OFFICE)
    await carried_out(live, lms)
    assert handovers_of_case(live.database, credential)[0].status is RunStatus.DONE
    live.assert_whole(credential)
