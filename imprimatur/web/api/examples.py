"""What is sent to each address, shown by one example; OpenAPI tells it beside the schema."""

from typing import Any

PROPOSAL = {
    "title": "Circular Procurement",
    "credential_kind": "non_credit",
    "unit": "Student Success",
    "summary": "How to buy what can be used again.",
}
WHY = {"reason": "The sponsor asked for time until the pilot has ended."}
OF_STAGE = WHY | {"stage": "quality"}
RECORDS = '{"id": "spring-17", "title": "Circular Procurement", "credential_kind": "non_credit"}\n'
CASE, TASK, CONDITION = "/cases/{case_id}", "/tasks/{task_id}", "/conditions/{condition_id}"
FRAMEWORK = """\
id: short-courses
version: "2"
name: Short courses
"""

EXAMPLES: dict[str, Any] = {
    "/cases": {"proposal": PROPOSAL, "framework": "non-credit"},
    f"{CASE}/versions": PROPOSAL,
    f"{CASE}/withdraw": WHY,
    f"{CASE}/hold": WHY,
    f"{CASE}/resume": WHY,
    f"{CASE}/extend": OF_STAGE | {"by": {"business_days": 5}},
    f"{CASE}/nudge": {"stage": "quality"},
    f"{CASE}/override": OF_STAGE | {"outcome": "approved"},
    f"{CASE}/skip": OF_STAGE,
    f"{CASE}/confirm": {"act_id": "a-4xk2m7qd5t3hz6wb"},
    f"{CASE}/send-back": OF_STAGE,
    f"{CASE}/handovers": WHY,
    f"{CASE}/move-item": WHY | {"stage": "board", "on": "2026-12-09"},
    f"{TASK}/decision": {
        "verdict": "approve",
        "comment": "Fits what employers ask for.",
        "scores": {"fit": 4},
        "conditions": [{"text": "Name the assessor.", "due": {"business_days": 10}}],
    },
    f"{TASK}/draft": {"typed": {"verdict": "approve", "comment": "Fits what", "score.fit": "4"}},
    f"{TASK}/return": {"reason": "Not my field."},
    f"{TASK}/delegate": {"to": "rosa.reviewer@example.edu", "reason": "on leave"},
    f"{TASK}/advice-requests": {"adviser": "ivo.adviser@example.org", "question": "Is the workload plausible?"},
    f"{TASK}/advice": {"text": "Two weeks are too few for the project."},
    f"{TASK}/reassign": {"to": "rosa.reviewer@example.edu"} | WHY,
    f"{TASK}/annul": WHY,
    f"{CONDITION}/fulfil": {"evidence": "Version 2, page 3."},
    f"{CONDITION}/judge": {"act": "accept"},
    "/bulk-acts": WHY | {"act": "extend", "stage": "quality", "by": {"business_days": 5}, "preview": True},
    "/frameworks/{framework_id}/migrate": WHY | {"to": "2", "at": "next_round", "preview": True},
    "/imports/jsonl": RECORDS,
    "/imports/csv": "title,credential_kind,ects\nCircular Procurement,non_credit,3\n",
    "/people/import": "email,name,roles,units\nnora@example.edu,Nora Lind,proposer,Student Success\n",
    "/people/leave": {"person": "nora@example.edu", "to": "rosa.reviewer@example.edu"},
    "/people/preferences": {"person": "nora@example.edu", "quiet_hours": "20:00-07:00 weekends", "digest": "daily"},
    "/interests": {"person": "rosa.reviewer@example.edu", "partner": "Harbour Software", "reason": "sits on its board"},
    "/interests/remove": {"person": "rosa.reviewer@example.edu", "partner": "Harbour Software"},
    "/absences": {"person": "rosa.reviewer@example.edu", "first_on": "2026-12-21", "last_on": "2027-01-08"},
    "/absences/end": {"person": "rosa.reviewer@example.edu", "on": "2027-01-04"},
    "/delegations": {
        "person": "rosa.reviewer@example.edu",
        "deputy": "sam.reviewer@example.edu",
        "first_on": "2026-12-21",
        "last_on": "2027-01-08",
        "unit": "School of Health",
    },
    "/committees/sittings": {
        "record": {
            "committee": "curriculum-board",
            "held_on": "2026-12-09",
            "present": ["Dora Keller", "Sam Okafor"],
            "items": [{"case": "mc-heresheresher", "verdict": "approve", "votes": {"in_favour": 2}}],
        },
        "preview": True,
    },
    "/indicators": {
        "source": "student-system",
        "lines": [{"case": "mc-heresheresher", "indicator": "enrolment", "period": "2026-S1", "value": 42}],
    },
    "/indicators/csv": "case,indicator,period,value\nmc-heresheresher,enrolment,2026-S1,42\n",
    f"{CASE}/retract": WHY,
    f"{CASE}/schedule-publication": WHY | {"on": "2027-02-01"},
    f"{CASE}/call-review": WHY,
    f"{CASE}/move-review": WHY | {"on": "2027-02-01"},
    "/incidents/{incident_id}/resolve": WHY,
    "/incidents/{incident_id}/reroute": {"to": "rosa.reviewer@example.edu", "reason": "The address is gone."},
    "/frameworks": FRAMEWORK,
    "/frameworks/check": FRAMEWORK,
    "/pathways/{pathway_id}": {
        "id": "ba-design",
        "title": "Bachelor of Design",
        "kind": "degree",
        "credits": 180,
        "credit_system": "ects",
        "most_stacked": 60,
    },
    "/similar": {"proposal": PROPOSAL},
    "/drafts": {"framework": "non-credit", "proposal": PROPOSAL},
    "/drafts/{draft_id}": PROPOSAL,
    "/drafts/{draft_id}/files": "a file",
    "/drafts/{draft_id}/submit": {"anyway": False},
    "/views": {"name": "Mine, overdue", "filters": {"need": "overdue"}},
    "/views/{view_id}": {"name": "Overdue here", "shared": True},
    "/skills/import": "preferredLabel,conceptUri\nbuy what can be used again,https://skills.example.org/1\n",
    "/catalogue/{slug}/badges": {"learners": [{"email": "lee@example.edu", "name": "Lee Park"}]},
    "/catalogue/{slug}/endorsements": {
        "token": "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl",
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    },
    "/badges/{badge_id}/revoke": {"reason": "Awarded to the wrong person."},
    "/webhooks": {"url": "https://lms.example.edu/hook", "events": ["stage_opened"], "units": ["Student Success"]},
    "/webhooks/{webhook_id}": {"events": []},
}


def show(path: str, operation: dict[str, Any]) -> None:
    """Into the description of an operation that takes something."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if path in EXAMPLES:
            content["example"] = EXAMPLES[path]
