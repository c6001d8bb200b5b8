"""Programs do what people do, within what their keys' people may do, and are told in the same codes why not."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from imprimatur.access.acts import CaseAct
from imprimatur.frameworks.loader import shipped
from models.vocabulary import EventType
from tests.api import Program, code_of, proposal, submitted
from tests.engine import Engine
from tests.facts import OFFICE, PROPOSER, SECOND

DIRECTOR, QUINN, ROSA = "dora.director@example.edu", "quinn.reviewer@example.edu", "rosa.reviewer@example.edu"
ADMIN = "eva.admin@example.edu"
WHY = {"reason": "The board said so."}


@pytest.fixture
def program(live: Engine) -> Program:
    return Program(live)


async def own_task(client: httpx.AsyncClient) -> dict[str, Any]:
    [task] = (await client.get("/tasks")).json()["items"]
    found: dict[str, Any] = task
    return found


async def test_a_case_goes_from_proposal_to_decision_by_programs_alone(program: Program) -> None:
    case_id = await submitted(program)
    [opened] = program.live.tasks(case_id)
    async with program.of(opened.assignee) as client:
        task = await own_task(client)
        assert (task["case_id"], task["task_id"]) == (case_id, opened.task_id)
        answer = {"verdict": "approve", "comment": "Fits.", "scores": {"fit": 4, "no_duplication": 3}}
        receipt = await client.post(f"/tasks/{task['task_id']}/decision", json=answer)
        assert receipt.json()["stage_outcome"] == "approved"
        again = await client.post(f"/tasks/{task['task_id']}/decision", json=answer)
        assert again.json() == receipt.json()
    async with program.of(OFFICE) as client:
        events = (await client.get(f"/cases/{case_id}/history")).json()["items"]
        decided = next(event for event in events if event["type"] == "decision_recorded")
        assert (decided["data"]["channel"], decided["digest"]) == ("api", receipt.json()["digest"])
        found = (await client.get(f"/cases/{case_id}")).json()
        assert found["decisions"][0]["actor"] == opened.assignee
        assert {task["assignee"] for task in found["tasks"]} >= {QUINN, ROSA}
    program.live.assert_whole(case_id)


async def test_an_incomplete_proposal_is_kept_and_told_with_all_it_lacks(program: Program) -> None:
    async with program.of(PROPOSER) as client:
        answer = await client.post("/cases", json={"proposal": {"title": "Half", "credential_kind": "industry_credit"}})
        assert code_of(answer) == (422, "proposal_incomplete")
        body = answer.json()
        assert body["case_status"] == "incomplete" and {"learning_outcomes", "workload.hours"} & {
            item["field"] for item in body["problems"]
        }
        revised = await client.post(f"/cases/{body['case_id']}/versions", json=proposal())
        assert (revised.json()["version"], revised.json()["status"]) == (2, "in_review")
        withdrawn = await client.post(f"/cases/{body['case_id']}/withdraw", json=WHY)
        assert withdrawn.json()["status"] == "withdrawn"


async def test_every_act_of_the_office_can_be_done_by_a_program(program: Program) -> None:
    case_id = await submitted(program)

    async def done(client: httpx.AsyncClient, path: str, **given: Any) -> dict[str, Any]:
        answer = await client.post(path, json=given)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    of_case = f"/cases/{case_id}"
    async with program.of(OFFICE) as client, program.of(SECOND) as second, program.of(ADMIN) as deputy:
        await done(client, f"{of_case}/nudge")
        await done(client, f"{of_case}/hold", **WHY)
        await done(client, f"{of_case}/resume", **WHY)
        await done(client, f"{of_case}/extend", stage="proposal", by={"business_days": 2}, **WHY)
        [task] = program.live.tasks(case_id, "proposal")
        await done(client, f"/tasks/{task.task_id}/reassign", to=ADMIN, **WHY)
        mine = await own_task(deputy)
        await done(deputy, f"/tasks/{mine['task_id']}/delegate", to=DIRECTOR, reason="on leave")
        proposed = await done(client, f"{of_case}/override", stage="proposal", outcome="approved", **WHY)
        assert code_of(await client.post(f"{of_case}/confirm", json={"act_id": proposed["act_id"]})) == (
            403,
            "second_person_required",
        )
        await done(second, f"{of_case}/confirm", act_id=proposed["act_id"])
        async with program.of(QUINN) as reviewer:
            quality = await own_task(reviewer)
            scores = {"outcomes": 4, "assessment": 4}
            asked = await done(reviewer, f"/tasks/{quality['task_id']}/advice-requests", adviser=ROSA, question="Well?")
            assert asked["case_id"] == case_id
            await done(reviewer, f"/tasks/{quality['task_id']}/decision", verdict="approve", scores=scores)
        await done(client, f"/tasks/{quality['task_id']}/annul", **WHY)
        skipped = await done(client, f"{of_case}/skip", stage="industry", **WHY)
        await done(second, f"{of_case}/confirm", act_id=skipped["act_id"])
        await done(client, f"{of_case}/send-back", stage="proposal", **WHY)
    types = program.live.types(case_id)
    assert types.count(EventType.ACT_PROPOSED) == 2 and EventType.STAGE_SENT_BACK in types
    program.live.assert_whole(case_id)


async def test_whoever_may_not_know_names_gets_roles(program: Program) -> None:
    case_id = await submitted(program)
    [opened] = program.live.tasks(case_id)
    async with program.of(opened.assignee) as client:
        task = await own_task(client)
        answer = {"verdict": "request_changes", "comment": "Unclear.", "scores": {"fit": 1, "no_duplication": 1}}
        await client.post(f"/tasks/{task['task_id']}/decision", json=answer)
    async with program.of(PROPOSER) as client:
        whole = await client.get(f"/cases/{case_id}")
        assert opened.assignee not in whole.text and "Unclear." in whole.text
        assert "@" not in whole.json()["decisions"][0]["actor"]
        assert whole.json()["acts"]["hold"] == {
            "may": False,
            "code": "not_the_office",
            "why": "Only the governance office can do this.",
        }
        assert code_of(await client.get(f"/cases/{case_id}/history")) == (403, "names_hidden")
        assert code_of(await client.get(f"/cases/{case_id}/events")) == (403, "names_hidden")
    async with program.of(opened.assignee) as client:
        assert (await client.get(f"/cases/{case_id}")).json()["decisions"][0]["actor"] == opened.assignee


async def test_a_case_outside_the_scope_is_as_one_that_is_not_there(program: Program) -> None:
    case_id = await submitted(program)
    bodies = {
        "withdraw": WHY,
        "versions": proposal(),
        "hold": WHY,
        "resume": WHY,
        "extend": WHY | {"stage": "proposal", "by": {"business_days": 1}},
        "nudge": {},
        "override": WHY | {"stage": "proposal", "outcome": "approved"},
        "skip": WHY | {"stage": "proposal"},
        "confirm": {"act_id": "a-x"},
        "send-back": WHY | {"stage": "proposal"},
    }
    # Nobody has asked her about this case.
    async with program.of(ROSA) as client:
        for found in (case_id, "mc-nope"):
            for path in ("", "/history", "/events"):
                assert code_of(await client.get(f"/cases/{found}{path}")) == (404, "case_unseen"), path
            for path, body in bodies.items():
                assert code_of(await client.post(f"/cases/{found}/{path}", json=body)) == (404, "case_unseen"), path
        assert (await client.get("/cases")).json() == {"items": [], "next_cursor": None}
        [task] = program.live.tasks(case_id, "proposal")
        for path, body in {"reassign": {"to": ROSA}, "annul": WHY, "delegate": {"to": ROSA}}.items():
            status, _ = code_of(await client.post(f"/tasks/{task.task_id}/{path}", json=body))
            assert status == 404, path
        for path in ("/people", "/incidents"):
            assert code_of(await client.get(path)) == (403, "oversight_only")
    program.live.assert_whole(case_id)


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        (["propose"], "GET", "/cases"),
        (["read"], "POST", "/cases"),
        (["read", "propose"], "POST", "/tasks/t-x/decision"),
        (["read", "review"], "POST", "/cases/mc-x/hold"),
    ],
)
async def test_a_key_does_only_what_it_was_made_for(
    program: Program, scopes: list[str], method: str, path: str
) -> None:
    async with program.of(ADMIN, scopes) as client:
        answer = await client.request(method, path, json={} if method == "POST" else None)
    assert code_of(answer) == (403, "key_scope_missing")


async def test_nobody_gets_in_without_a_key(program: Program) -> None:
    async with program.anonymous() as client:
        document = (await client.get("https://credentials.example.edu/openapi.json")).json()
        for path, item in document["paths"].items():
            for method in item:
                answer = await client.request(method, f"https://credentials.example.edu{path}", json={})
                assert code_of(answer) == (401, "key_required"), path
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        client.headers["Authorization"] = "Bearer k-x.nonsense"
        assert code_of(await client.get("/cases")) == (401, "key_invalid")
        assert code_of(await client.get("/nothing")) == (404, "page_unknown")
        assert code_of(await client.put("/cases")) == (405, "method_not_allowed")


async def test_lists_come_in_pages(program: Program) -> None:
    cases = [await submitted(program) for _ in range(3)]
    async with program.of(OFFICE) as client:
        found: list[str] = []
        cursor: str | None = ""
        for _ in range(3):
            page = (await client.get("/cases", params={"limit": 1} | ({"cursor": cursor} if cursor else {}))).json()
            found += [case["case_id"] for case in page["items"]]
            cursor = page["next_cursor"]
        assert (sorted(found), cursor) == (sorted(cases), None)
        assert code_of(await client.get("/cases", params={"cursor": "nonsense"})) == (422, "cursor_malformed")
        assert code_of(await client.get("/cases", params={"status": "lost"})) == (422, "filter_unknown")
        assert code_of(await client.get("/cases", params={"limit": 0})) == (422, "request_invalid")
        frameworks = (await client.get("/frameworks")).json()["items"]
        assert {entry["id"] for entry in frameworks} >= set(shipped())
        one = await client.get(f"/frameworks/{frameworks[0]['id']}/{frameworks[0]['version']}")
        assert one.json()["id"] == frameworks[0]["id"]
        assert len((await client.get("/people")).json()["items"]) == 10


async def test_a_case_can_be_followed_from_where_one_stopped_until_it_ends(program: Program) -> None:
    case_id = await submitted(program)
    positions: list[int] = []
    async with program.of(OFFICE) as client:

        async def follow(after: int) -> None:
            answer = await client.get(f"/cases/{case_id}/events", headers={"Last-Event-ID": str(after)})
            for block in answer.text.replace("\r\n", "\n").strip().split("\n\n"):
                said = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                event = json.loads(said["data"])
                assert (said["event"], said["id"]) == (event["type"], str(event["position"]))
                positions.append(event["position"])

        following = asyncio.create_task(follow(2))
        await client.post(f"/cases/{case_id}/withdraw", json=WHY)
        await asyncio.wait_for(following, 30)
        wrong = await client.get(f"/cases/{case_id}/events", headers={"Last-Event-ID": "-1"})
        assert code_of(wrong) == (422, "last_event_malformed")
    assert positions == list(range(3, len(program.live.types(case_id)) + 1))


async def test_what_cannot_be_used_is_told_with_its_place(program: Program) -> None:
    async with program.of(OFFICE) as client:
        typo = await client.post("/cases", json={"proposal": proposal() | {"titel": "x"}})
        assert code_of(typo) == (422, "request_invalid")
        assert typo.json()["problems"][0]["where"] == "body.proposal.titel"
        assert code_of(await client.post("/cases", content=b"{")) == (422, "request_invalid")
        large = await client.post("/cases", content=b" " * (2 * 1024 * 1024 + 1))
        assert code_of(large) == (413, "request_too_large")
        unknown = await client.post("/tasks/t-nope/decision", json={"verdict": "approve"})
        assert code_of(unknown) == (404, "task_unknown")


def test_every_act_on_a_case_has_an_address(program: Program) -> None:
    """What the pages can do, programs can; reading and answering have addresses of other names."""
    named = {CaseAct.READ: "{case_id}", CaseAct.READ_NAMES: "history", CaseAct.ANSWER: "decision"}
    named |= {CaseAct.REVISE: "versions", CaseAct.HAND_OVER_AGAIN: "handovers", CaseAct.RETRY_HANDOVER: "retry"}
    last = {path.rsplit("/", 1)[-1] for path in program.api.openapi()["paths"]}
    assert {named.get(act, act.replace("_", "-")) for act in CaseAct} <= last
