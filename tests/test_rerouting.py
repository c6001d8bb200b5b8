"""A task whose mail does not arrive, on the real engine: its deputy has it, or the office puts it right."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.incidents import Incidents
from imprimatur.leaving import Leaving
from imprimatur.rerouting import Rerouting
from imprimatur.store import leave
from imprimatur.store.deliveries import Report, apply_report, list_mails
from imprimatur.store.incidents import list_incidents
from imprimatur.store.interests import add_interest, list_interests, subject_of
from imprimatur.store.leave import Scope
from imprimatur.store.people import import_people, list_people
from imprimatur.store.seen import mark_seen
from models.messages import CaseAnswer
from models.vocabulary import EventType, ReportAction
from tests.engine import Engine
from tests.facts import OFFICE, ledger_rows
from tests.relay import Post, Script, posting
from tests.returning import SENDER

QUINN, ROSA, DORA, EVA = (
    "quinn.reviewer@example.edu", "rosa.reviewer@example.edu", "dora.director@example.edu", "eva.admin@example.edu",
)  # fmt: skip
NEW = "quinn.abara@example.edu"
FAILED = Report(ReportAction.FAILED, "5.1.1", "550 5.1.1 no such mailbox")


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def stand_in(live: Engine, deputy: str, person: str = QUINN) -> None:
    today = now().date()
    days = dt.timedelta(days=2)
    leave.add_delegation(live.database, person, deputy, today - days, today + days, Scope(), now())


async def asked(live: Engine) -> str:
    """A case in quality review, of which all mail is on its way."""
    case_id = (await live.submit("industry-credit", case_id=live.case_id("reroute"))).case_id
    await live.decide(case_id, "proposal")
    return case_id


async def bounced(live: Engine, script: Script | None = None) -> Post:
    """The relay knows nobody of Quinn's address."""
    async with posting(live.database, script or Script(to={QUINN: ["550 5.1.1 gone"]}), sender=SENDER) as post:
        await post.run()
    return post


def assignees(live: Engine, case_id: str) -> set[str]:
    return {task.assignee for task in live.tasks(case_id, "quality")}


def told(live: Engine, case_id: str) -> list[tuple[str, str]]:
    return [(kind, to) for kind, to in live.mail(case_id) if kind == "incident"]


def people(live: Engine, folder: Path, *lines: str) -> None:
    file = folder / "corrected.csv"
    file.write_text("\n".join(["email,name,formerly", *lines]), encoding="utf-8")
    assert import_people(live.database, file).rejected == []


async def test_a_task_whose_mail_bounces_goes_to_the_standing_deputy(live: Engine) -> None:
    case_id = await asked(live)
    assert QUINN in assignees(live, case_id)
    stand_in(live, EVA)
    await bounced(live)
    assert told(live, case_id) == [], "the deputy comes first"
    assert await Rerouting(live.gateway, live.database).reroute() == 1
    assert EVA in assignees(live, case_id) and QUINN not in assignees(live, case_id)
    [event] = [row for row in ledger_rows(live.database, case_id) if row["type"] == EventType.TASK_PASSED_ON]
    assert (event["actor"], event["data"]["from"], event["data"]["to"]) == ("system", QUINN, EVA)
    assert f"mail (task) to {QUINN} could not be delivered: 550 5.1.1" in event["data"]["reason"]
    assert list_incidents(live.database, case_id=case_id) == []
    assert ("task", EVA) in live.mail(case_id)
    assert ("task_closed", QUINN) not in live.mail(case_id), "nothing more is sent where nothing arrives"
    assert await Rerouting(live.gateway, live.database).reroute() == 0
    await live.assert_agrees(case_id)


async def test_a_bounce_that_comes_later_is_passed_on_as_well(live: Engine) -> None:
    case_id = await asked(live)
    await bounced(live, Script())
    [mail] = list_mails(live.database, recipient=QUINN)
    assert mail.state == "sent"
    # The office declares the deputy only now.
    stand_in(live, EVA)
    with live.database.write() as connection:
        apply_report(connection, mail.mail_id, FAILED, now())
    assert await Rerouting(live.gateway, live.database).reroute() == 1
    assert EVA in assignees(live, case_id)


async def test_a_deputy_who_cannot_take_over_is_told_to_the_office(live: Engine) -> None:
    case_id = await asked(live)
    stand_in(live, ROSA)
    await bounced(live)
    assert ROSA in assignees(live, case_id), "she is asked herself"
    assert await Rerouting(live.gateway, live.database).reroute() == 0
    assert QUINN in assignees(live, case_id)
    [incident] = list_incidents(live.database, case_id=case_id)
    assert f"{ROSA} cannot take over: {ROSA} has been asked in this stage already." in incident.detail
    assert len(told(live, case_id)) == 2
    await Rerouting(live.gateway, live.database).reroute()
    assert len(told(live, case_id)) == 2, "told once"


class Away:
    async def act(self, case_id: str, event: object, update_id: str | None = None) -> CaseAnswer:
        raise Unavailable("temporal_unavailable", "The workflow service does not answer.")


async def test_a_case_that_does_not_answer_is_asked_again_later(live: Engine) -> None:
    case_id = await asked(live)
    stand_in(live, EVA)
    await bounced(live)
    with pytest.raises(Unavailable):
        await Rerouting(Away(), live.database).reroute()
    assert (told(live, case_id), len(list_incidents(live.database, case_id=case_id))) == ([], 1)
    assert await Rerouting(live.gateway, live.database).reroute() == 1
    assert EVA in assignees(live, case_id)


async def test_what_runs_beside_the_mailer_passes_tasks_on(live: Engine) -> None:
    case_id = await asked(live)
    stand_in(live, EVA)
    script = Script(to={QUINN: ["550 5.1.1 no such mailbox"]})
    async with posting(live.database, script, beside=Rerouting(live.gateway, live.database).watch) as post:
        await post.run(until=lambda: EVA in assignees(live, case_id))
    assert (post.row(QUINN)["status"], told(live, case_id)) == ("bounced", [])


async def test_a_corrected_address_gets_the_task_when_the_office_sends_again(live: Engine, tmp_path: Path) -> None:
    case_id = await asked(live)
    await bounced(live)
    [incident] = list_incidents(live.database, case_id=case_id)
    assert len(told(live, case_id)) == 2
    people(live, tmp_path, f"{NEW},Quinn Abara,{QUINN}")
    resent = await Incidents(live.database).resend(incident.incident_id, live.gateway, actor=OFFICE)
    assert (resent.recipient, resent.passed_on) == (NEW, True)
    assert NEW in assignees(live, case_id) and QUINN not in assignees(live, case_id)
    script = Script()
    await bounced(live, script)
    assert NEW in script.recipients
    assert list_incidents(live.database, case_id=case_id) == []
    await live.decide(case_id, "quality")
    await live.assert_agrees(case_id)


async def test_an_address_that_is_corrected_before_the_bounce_is_taken_at_once(live: Engine, tmp_path: Path) -> None:
    case_id = await asked(live)
    people(live, tmp_path, f"{NEW},Quinn Abara,{QUINN}")
    await bounced(live)
    assert await Rerouting(live.gateway, live.database).reroute() == 1
    assert NEW in assignees(live, case_id)


async def test_the_sweep_gives_work_to_the_new_address_of_whoever_had_it(live: Engine, tmp_path: Path) -> None:
    case_id = await asked(live)
    people(live, tmp_path, f"{NEW},Quinn Abara,{QUINN}")
    [handed] = await Leaving(live.gateway, live.database).sweep()
    assert (handed.to, handed.problem) == ([NEW], "")
    [event] = [row for row in ledger_rows(live.database, case_id) if row["type"] == EventType.TASK_PASSED_ON]
    assert event["data"]["reason"] == f"{QUINN} is reached at another address"


async def test_a_mail_is_sent_again_as_it_was_and_closes_its_incident(live: Engine) -> None:
    case_id = await asked(live)
    script = Script(to={QUINN: ["550 5.2.1 disabled"]})
    await bounced(live, script)
    [incident] = list_incidents(live.database, case_id=case_id)
    incidents = Incidents(live.database)
    resent = await incidents.resend(incident.incident_id, live.gateway, actor=OFFICE)
    assert (resent.mail_id, resent.recipient, resent.passed_on) == (incident.mail_id, QUINN, False)
    assert await code_of_resending(live, incident.incident_id) == "mail_not_bounced"
    script.to.clear()
    await bounced(live, script)
    assert QUINN in script.recipients
    [closed] = list_incidents(live.database, case_id=case_id, closed=True)
    assert (closed.resolution, closed.resolved_by) == ("the relay took the mail", "system")
    assert await code_of_resending(live, incident.incident_id) == "incident_resolved"


async def test_a_mail_that_bounces_again_is_told_again(live: Engine) -> None:
    case_id = await asked(live)
    await bounced(live)
    [incident] = list_incidents(live.database, case_id=case_id)
    await Incidents(live.database).resend(incident.incident_id, live.gateway, actor=OFFICE)
    await bounced(live)
    assert [found.incident_id for found in list_incidents(live.database, case_id=case_id)] == [incident.incident_id]
    assert len(told(live, case_id)) == 4


async def code_of_resending(live: Engine, incident_id: str, actor: str = OFFICE) -> str:
    with pytest.raises(ImprimaturError) as refused:
        await Incidents(live.database).resend(incident_id, live.gateway, actor=actor)
    return refused.value.code


async def test_the_office_closes_an_incident_for_a_reason(live: Engine) -> None:
    case_id = await asked(live)
    await bounced(live)
    [incident] = list_incidents(live.database, case_id=case_id)
    incidents, codes = Incidents(live.database), []
    tries = [(incident.incident_id, QUINN, "x"), (incident.incident_id, OFFICE, " "), ("i-none", OFFICE, "x")]
    for incident_id, actor, reason in tries:
        with pytest.raises(ImprimaturError) as refused:
            incidents.resolve(incident_id, actor=actor, reason=reason)
        codes.append(refused.value.code)
    assert codes == ["not_the_office", "reason_required", "incident_unknown"]
    closed = incidents.resolve(incident.incident_id, actor=OFFICE, reason="He was told by telephone.")
    assert (closed.resolved_by, closed.resolution) == (OFFICE, "He was told by telephone.")
    assert closed.resolved_at is not None
    with pytest.raises(ImprimaturError) as again:
        incidents.resolve(incident.incident_id, actor=OFFICE, reason="Another reason.")
    assert (again.value.code, "by telephone" in again.value.message) == ("incident_resolved", True)
    assert live.show(case_id).incidents == []
    assert await code_of_resending(live, incident.incident_id, QUINN) == "not_the_office"


async def test_whoever_acts_on_the_task_has_no_need_of_the_mail(live: Engine) -> None:
    case_id = await asked(live)
    post = await bounced(live)
    task = next(row["task_id"] for row in post.rows() if row["recipient"] == QUINN)
    mark_seen(live.database, task, QUINN)
    [closed] = list_incidents(live.database, case_id=case_id, closed=True)
    assert closed.resolution == f"{QUINN} has acted on the task"


async def test_a_stage_that_closes_closes_the_incidents_of_its_mail(live: Engine) -> None:
    case_id = await asked(live)
    await bounced(live)
    assert len(list_incidents(live.database, case_id=case_id)) == 1
    while live.tasks(case_id, "quality"):
        await live.decide(case_id, "quality")
    assert list_incidents(live.database, case_id=case_id) == []


async def test_what_was_declared_under_a_former_address_holds_under_the_new_one(live: Engine, tmp_path: Path) -> None:
    add_interest(live.database, QUINN, subject_of(None, "School of Engineering", None), "head", now())
    stand_in(live, EVA)
    people(live, tmp_path, f"{NEW},Quinn Abara,{QUINN}")
    people(live, tmp_path, f"{NEW},Quinn Abara,{QUINN}")
    assert [entry.subject for entry in list_interests(live.database, NEW)] == ["School of Engineering"]
    assert [entry.deputy for entry in leave.list_delegations(live.database, NEW)] == [EVA]
    by_email = {person.email: person for person in list_people(live.database)}
    assert (by_email[NEW].roles, by_email[NEW].active, by_email[QUINN].active) == (["quality_reviewer"], True, False)
