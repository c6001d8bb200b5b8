"""The embedded stack as a process: two commands, real mail, real pages; and what stops, starts and dies around it."""

import json
from pathlib import Path

import httpx

from tests.command import Command
from tests.stack import (
    EXAMPLES,
    OFFICE,
    PROPOSER,
    SENDER,
    Stack,
    approval,
    decided,
    record,
    submitted,
    task_link,
)

PARTS = ["temporal", "sink", "web", "worker", "replies"]


def test_what_up_prints_is_usable(stack: Stack) -> None:
    said = dict(line.strip().split(" ", 1) for line in stack.lines)
    assert said["ready"] == stack.base_url
    assert httpx.get(f"{said['ready']}/healthz").json() == {"status": "alive"}
    assert httpx.get(f"{said['ready']}/readyz").json() == {"status": "ready"}
    assert httpx.get(said["inbox"]).status_code == 200
    assert said["home"] == str(stack.home)


def test_a_case_goes_from_proposal_to_publication_by_commands(office: Command, stack: Stack) -> None:
    answer = office.json("submit", EXAMPLES / "coursework-credit.yaml", "--as", PROPOSER)
    case_id = answer["case_id"]
    assert answer["status"] == "in_review"
    assert [stage["stage"] for stage in answer["stages"]] == ["proposal", "quality", "industry", "publication"]
    decided(office, case_id, "proposal", comment="Fits.")
    for stage in ("quality", "quality", "industry"):
        decided(office, case_id, stage)
    shown = office.json("show", case_id)
    assert (shown["status"], shown["tasks"]) == ("published", [])
    assert case_id in [case["case_id"] for case in office.json("list", "--status", "published")["cases"]]
    assert office.json("verify", case_id)["ok"] is True
    published = stack.home / "published" / shown["slug"] / "achievement.json"
    assert json.loads(published.read_text(encoding="utf-8"))["achievementType"] == "MicroCredential"


def test_every_task_is_mailed_with_a_link_that_opens_and_decides(office: Command, stack: Stack) -> None:
    case_id = submitted(office)
    [task] = office.json("tasks", "--case", case_id)["tasks"]
    mail = stack.mail(case_id, "Your review", task["assignee"])
    for _ in range(3):
        assert "Record my decision" in httpx.get(task_link(mail)).text
    assert office.json("show", case_id)["tasks"] == [task]
    form = approval("coursework-credit", "proposal")
    assert "your decision is recorded" in httpx.post(task_link(mail), data=form).text
    assert httpx.post(task_link(mail), data=form).status_code == 200
    assert [item["stage"] for item in office.json("tasks", "--case", case_id)["tasks"]].count("proposal") == 0
    quality = [item for item in office.json("tasks", "--case", case_id)["tasks"] if item["stage"] == "quality"]
    for item in quality:
        headers = dict(stack.mail(case_id, "Your review", item["assignee"]).headers)
        assert headers["Auto-Submitted"] == "auto-generated"
        assert headers["Reply-To"].startswith("review+")
        assert headers["Message-ID"].startswith("<m-")


def test_settings_of_the_folder_that_up_is_called_in_hold_for_every_part(office: Command, stack: Stack) -> None:
    """And yet no mail of the embedded stack goes to a relay that somebody has set for another purpose."""
    assert stack.mail(submitted(office), "Your review").sender == SENDER


def test_a_proposal_is_revised_and_only_what_it_touches_lapses(office: Command, stack: Stack) -> None:
    case_id = submitted(office, "industry-credit")
    decided(office, case_id, "proposal")
    decided(office, case_id, "industry")
    for _ in range(2):
        decided(office, case_id, "quality", "request_changes", "Say how research ethics is assured.")
    assert "research ethics" in stack.mail(case_id, "Changes requested", PROPOSER).text
    refused = office("revise", case_id, EXAMPLES / "industry-credit.yaml", "--as", PROPOSER)
    assert (refused.status, refused.code) == (1, "proposal_unchanged")
    answer = office.json("revise", case_id, EXAMPLES / "industry-credit.revised.yaml", "--as", PROPOSER)
    assert (answer["version"], answer["kept"], answer["lapsed"]) == (2, ["proposal"], ["industry"])
    assert "learning_outcomes" in answer["changed"]
    assert answer["digest"] != office.json("history", case_id)["events"][0]["data"]["digest"]


def test_a_case_is_withdrawn_by_its_proposer_or_the_office_and_by_nobody_else(office: Command, stack: Stack) -> None:
    case_id = submitted(office)
    stranger = office("withdraw", case_id, "--as", "rosa.reviewer@example.edu", "--reason", "Mine.")
    assert (stranger.status, stranger.code) == (1, "not_the_proposer")
    assert office.json("withdraw", case_id, "--as", OFFICE, "--reason", "Not now.")["status"] == "withdrawn"
    again = office("withdraw", case_id, "--as", PROPOSER, "--reason", "Twice.")
    assert (again.status, again.code) == (1, "case_closed")
    assert office.json("show", case_id)["closing_reason"] == "Not now."
    [link] = {task_link(mail) for mail in stack.mails(case_id, "Your review")} or {""}
    assert not link or "withdrawn" in httpx.get(link).text


def test_a_decision_is_refused_in_the_words_of_the_rules(office: Command) -> None:
    case_id = submitted(office)
    [task] = office.json("tasks", "--case", case_id)["tasks"]
    decide = ["decide", task["task_id"], "--as", task["assignee"], "--verdict"]
    for arguments, status, code in [
        ([*decide, "maybe"], 2, "verdict_not_offered"),
        ([*decide, "reject"], 2, "comment_required"),
        ([*decide, "approve", "--score", "approved_coursework=9"], 2, "score_out_of_range"),
        (["decide", task["task_id"], "--as", PROPOSER, "--verdict", "abstain"], 1, "not_your_task"),
        (["decide", "t-aaaaaaaaaaaaaaaa", "--as", OFFICE, "--verdict", "abstain"], 1, "task_unknown"),
    ]:
        refused = office(*arguments, "--json")
        assert (refused.status, refused.code) == (status, code)
    assert office.json("show", case_id)["tasks"] == [task]


def test_an_incomplete_proposal_is_kept_and_returned_with_all_that_is_missing(office: Command, tmp_path: Path) -> None:
    (tmp_path / "thin.yaml").write_text("title: Thin\ncredential_kind: industry_credit\n", encoding="utf-8")
    answer = office("submit", tmp_path / "thin.yaml", "--as", PROPOSER, "--json")
    assert (answer.status, answer.code) == (1, "proposal_incomplete")
    assert {"learning_outcomes", "assessment"} <= {item["field"].split(".")[0] for item in answer.document["problems"]}
    assert answer.document["status"] == office.json("show", answer.document["case_id"])["status"] == "incomplete"


def test_an_import_is_told_line_by_line_and_not_done_twice(office: Command, tmp_path: Path) -> None:
    lines = [record(f"Record {number}") for number in range(3)]
    file = tmp_path / "records.jsonl"
    file.write_text("\n".join([*lines, "{not json", '{"title": 7}', "[]"]) + "\n", encoding="utf-8")
    first = office.json("import", file, "--as", PROPOSER)
    assert (first["accepted"], first["skipped"]) == (3, 0)
    assert {item["line"] for item in first["rejected"]} >= {4, 5, 6}
    again = office.json("import", file, "--as", PROPOSER)
    assert (again["accepted"], again["skipped"]) == (0, 3)
    assert office("import", file, "--as", PROPOSER).status == 0


def test_an_import_tells_each_line_that_is_no_table(office: Command, tmp_path: Path) -> None:
    (tmp_path / "unclosed.csv").write_text('title\n"never closed\n' + "x" * 200_000, encoding="utf-8")
    rejected = office.json("import", tmp_path / "unclosed.csv", "--as", PROPOSER)["rejected"]
    assert (2, "is not readable as CSV") in [(item["line"], item["problem"].split(":")[0]) for item in rejected]


def test_time_moves_for_one_case_only(office: Command) -> None:
    late, other = submitted(office, "non-credit"), submitted(office, "non-credit")
    decided(office, late, "proposal")
    now = office.json("forward", late, "9d")["now"]
    assert now > office.json("show", late)["stages"][1]["due_at"]
    events = [event["type"] for event in office.json("history", late)["events"]]
    assert events.count("sla_breached") == 1
    assert "sla_breached" not in [event["type"] for event in office.json("history", other)["events"]]
    unknown = office("forward", "mc-x", "1d")
    assert (unknown.status, unknown.code) == (1, "case_unknown")


def test_doctor_finds_a_running_stack_in_order(office: Command) -> None:
    checks = office.json("doctor")["checks"]
    assert [check["name"] for check in checks if not check["ok"]] == []
    assert {check["name"] for check in checks} >= {"database", "temporal", "mail", "keys", "calendars", "clock"}
