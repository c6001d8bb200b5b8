"""What a program sends again counts once; what it has seen is what it acts on; with a key its streams end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from imprimatur.store.api_keys import make_key, revoke_key
from imprimatur.store.engine import Database
from imprimatur.web.api import cases
from models.tables import ApiAnswerRow, IncidentRow
from models.vocabulary import EventType
from tests.api import Program, code_of, proposal, submitted
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, SECOND, START, Play, event_types, example, furnish

DIRECTOR, QUINN, ROSA = "dora.director@example.edu", "quinn.reviewer@example.edu", "rosa.reviewer@example.edu"
ADMIN = "eva.admin@example.edu"
WHY = {"reason": "The board said so."}


@pytest.fixture
def program(live: Engine) -> Program:
    return Program(live)


def forget_answers(database: Database) -> None:
    with database.write() as connection:
        connection.execute(ApiAnswerRow.__table__.delete())  # type: ignore[attr-defined]


async def test_the_same_request_again_gets_the_first_answer(program: Program) -> None:
    async with program.of(PROPOSER) as client:
        headers = {"Idempotency-Key": "term-2027-1"}
        given = {"proposal": proposal()}
        answers = await asyncio.gather(*(client.post("/cases", json=given, headers=headers) for _ in range(3)))
        later = await client.post("/cases", json=given, headers=headers)
        assert {answer.json()["case_id"] for answer in (*answers, later)} == {later.json()["case_id"]}
        assert (later.status_code, later.headers["idempotency-replayed"]) == (201, "true")
        assert len((await client.get("/cases")).json()["items"]) == 1
        other = await client.post("/cases", json=given | {"framework": "industry-credit"}, headers=headers)
        assert code_of(other) == (422, "idempotency_key_reused")
        wrong = await client.post("/cases", json=given, headers={"Idempotency-Key": "a b"})
        assert code_of(wrong) == (422, "idempotency_key_invalid")
    # Another's key of the same name is another key.
    async with program.of(OFFICE) as client:
        fresh = await client.post("/cases", json=given, headers=headers)
        assert fresh.json()["case_id"] != later.json()["case_id"]


async def test_an_act_under_one_key_is_done_once_by_two_processes_and_after_a_lost_answer(program: Program) -> None:
    case_id = await submitted(program)
    headers = {"Authorization": f"Bearer {program.key(OFFICE)}", "Idempotency-Key": "more-time"}
    longer = WHY | {"stage": "proposal", "by": {"business_days": 2}}
    async with program.anonymous() as one, Program(program.live).anonymous() as other:
        for path, given in {"extend": longer, "nudge": {}}.items():
            named = headers | {"Idempotency-Key": path}
            answers = await asyncio.gather(
                *(client.post(f"/cases/{case_id}/{path}", json=given, headers=named) for client in (one, other) * 2)
            )
            forget_answers(program.live.database)
            answers.append(await one.post(f"/cases/{case_id}/{path}", json=given, headers=named))
            assert len({answer.text for answer in answers}) == 1 and answers[0].status_code == 200, answers[0].text
        forget_answers(program.live.database)
        again = await one.post(f"/cases/{case_id}/extend", json=longer, headers=headers)
        assert again.json()["position"] > answers[0].json()["position"], "under another key it is another act"
    types = program.live.types(case_id)
    assert (types.count(EventType.STAGE_EXTENDED), types.count(EventType.REMINDER_SENT)) == (2, 1)
    program.live.assert_whole(case_id)


async def test_a_case_that_has_not_changed_need_not_be_read_again(program: Program) -> None:
    case_id = await submitted(program)
    async with program.of(OFFICE) as client:
        first = await client.get(f"/cases/{case_id}")
        tag = first.headers["etag"]
        unchanged = await client.get(f"/cases/{case_id}", headers={"If-None-Match": f'"x", {tag}'})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        held = await client.post(f"/cases/{case_id}/hold", json=WHY, headers={"If-Match": tag})
        assert held.json()["status"] == "on_hold"
        late = await client.post(f"/cases/{case_id}/resume", json=WHY, headers={"If-Match": tag})
        assert code_of(late) == (412, "case_changed")
        fresh = await client.get(f"/cases/{case_id}", headers={"If-None-Match": tag})
        assert fresh.status_code == 200 and fresh.headers["etag"] != tag


async def test_no_act_is_done_on_a_case_that_has_changed(program: Program) -> None:
    case_id = await submitted(program)
    [task] = program.live.tasks(case_id)
    acts: dict[str, dict[str, Any]] = {
        f"/cases/{case_id}/nudge": {},
        f"/cases/{case_id}/confirm": {"act_id": "a-x"},
        f"/tasks/{task.task_id}/reassign": {"to": ADMIN},
        f"/tasks/{task.task_id}/annul": WHY,
        f"/tasks/{task.task_id}/decision": {"verdict": "approve"},
        f"/tasks/{task.task_id}/claim": {},
        f"/tasks/{task.task_id}/return": {},
        f"/tasks/{task.task_id}/delegate": {"to": ADMIN},
        f"/tasks/{task.task_id}/advice-requests": {"adviser": ROSA},
        f"/tasks/{task.task_id}/advice": {"text": "Well."},
    }
    async with program.of(OFFICE) as client, program.of(ROSA) as stranger:
        for path, given in acts.items():
            stale = {"If-Match": '"1-0000000000000000-000000000000"'}
            assert code_of(await client.post(path, json=given, headers=stale)) == (412, "case_changed"), path
            for tag in ("*", stale["If-Match"]):
                unseen = await stranger.post(path, json=given, headers={"If-Match": tag})
                assert code_of(unseen) == (404, "case_unseen"), path
        tag = (await client.get(f"/cases/{case_id}")).headers["etag"]
        done = await client.post(
            f"/tasks/{task.task_id}/reassign", json={"to": ADMIN} | WHY, headers={"If-Match": f'"x", {tag}'}
        )
        assert done.status_code == 200, done.text
    assert program.live.tasks(case_id)[0].assignee == ADMIN


async def test_the_tag_tells_of_all_that_is_shown_and_an_act_minds_only_acts(program: Program) -> None:
    case_id = await submitted(program)
    incident = {"incident_id": "i-x", "case_id": case_id, "kind": "mail_bounced", "detail": "gone", "opened_at": START}
    with program.live.database.write() as connection:
        connection.execute(IncidentRow.__table__.insert().values(**incident))  # type: ignore[attr-defined]
    async with program.of(OFFICE) as client:
        first = await client.get(f"/cases/{case_id}")
        with program.live.database.write() as connection:
            # What the office closes is an act of its own in the ledger; this one is over without one.
            connection.execute(IncidentRow.__table__.update().values(resolved_at=START))  # type: ignore[attr-defined]
        old = {"If-None-Match": first.headers["etag"]}
        assert (await client.get(f"/cases/{case_id}", headers=old)).json()["incidents"] == []
        held = await client.post(f"/cases/{case_id}/hold", json=WHY, headers={"If-Match": first.headers["etag"]})
        assert held.status_code == 200
    async with program.of(SECOND) as other:
        assert (await other.get(f"/cases/{case_id}", headers=old)).status_code == 200, "it says what is another's to do"


async def test_an_answer_of_before_is_not_given_to_a_key_that_is_no_longer_good(program: Program) -> None:
    case_id, key = await submitted(program), program.key(OFFICE)
    async with program.anonymous() as client:
        client.headers.update({"Authorization": f"Bearer {key}", "Idempotency-Key": "nudge"})
        assert (await client.post(f"/cases/{case_id}/nudge", json={})).status_code == 200
        revoke_key(program.live.database, key.partition(".")[0], START)
        assert code_of(await client.post(f"/cases/{case_id}/nudge", json={})) == (401, "key_invalid")


async def test_a_stream_ends_with_the_key_that_asked_for_it(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "LOOK_EVERY_SECONDS", 0)
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    known = len(event_types(sqlite_database, play.case_id))
    key = make_key(sqlite_database, "x", OFFICE, ["read"], START)[1]
    may_go_on = cases.still_good(sqlite_database, key, play.case_id)
    stream = cases.stream(sqlite_database, play.case_id, known - 1, may_go_on)
    assert (await anext(stream))["id"] == str(known)
    revoke_key(sqlite_database, key.partition(".")[0], START)
    play.decide("proposal", fit=4, no_duplication=3)
    assert [event async for event in stream] == []
    quiet = cases.stream(sqlite_database, play.case_id, 1_000, may_go_on)
    assert [event async for event in quiet] == [], "nor does one go on that has nothing to tell"
