"""Policies that use the framework language to the full, and cases under them; for tests."""

from pathlib import Path
from typing import Any

from imprimatur import ids
from imprimatur.frameworks.checker import check_framework
from imprimatur.frameworks.loader import shipped
from imprimatur.history.verify import verify_case
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.reading import CaseView, StageView, show_case
from models.events import ActConfirmed, ActProposed
from models.framework import Framework
from models.vocabulary import EventType, OfficeAct, StageOutcome
from tests.facts import OFFICE, SECOND, START, Play, add_people, everything, example, furnish, ledger_rows

CLAUSE = "Senate regulation 14, section 3."
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
DIRECTOR = "dora.director@example.edu"
VERA, VITO = "vera.deputy@example.edu", "vito.deputy@example.edu"
DEPUTIES = (f"{VERA},Vera,deputy,yes", f"{VITO},Vito,deputy,yes")
DAYS, HOURS = "business_days", "business_hours"
ALL_VERDICTS = ["approve", "reject", "request_changes", "abstain", "recuse"]


def review(stage_id: str = "quality", *needs: str, **change: Any) -> dict[str, Any]:
    """Three are asked and two must approve, within five business days; a value of None takes a key away."""
    document = {
        "id": stage_id,
        "name": f"{stage_id.capitalize()} review",
        "asks": "Judge it.",
        "needs": list(needs),
        "reviewers": [{"role": "quality_reviewer"}],
        "voting": {"quorum": 2, "threshold": 2},
        "verdicts": ALL_VERDICTS,
        "sla": sla(),
    }
    return {key: value for key, value in (document | change).items() if value is not None}


def sla(**change: Any) -> dict[str, Any]:
    within = {"within": {DAYS: 5}, "calendar": "campus", "remind_before": [{DAYS: 2}]}
    return within | {"escalate_to": "academic_director"} | change


def endorsement(stage_id: str = "faculty", *needs: str, **change: Any) -> dict[str, Any]:
    facts = {"kind": "endorsement", "verdicts": None, "voting": {"quorum": 1, "threshold": 1}}
    return review(stage_id, *needs, **facts | change)


def information(stage_id: str = "notice", *needs: str, **change: Any) -> dict[str, Any]:
    return review(stage_id, *needs, **{"kind": "information", "verdicts": None, "voting": None, "sla": None} | change)


def window(stage_id: str = "window", *needs: str, **change: Any) -> dict[str, Any]:
    """An objection window of five business days."""
    facts = {"kind": "objection", "verdicts": None, "voting": None, "sla": sla(policy_clause=CLAUSE)}
    return review(stage_id, *needs, **facts | change)


def framework_of(*stages: dict[str, Any], framework_id: str = "governed") -> Framework:
    """These stages, then publication; sound, or this fails."""
    publication = {"id": "publication", "name": "Publication", "asks": "Publish.", "kind": "publication"}
    document = shipped()["industry-credit"].model_dump(mode="json") | {"id": framework_id, "version": "1"}
    document["stages"] = [*stages, publication | {"needs": [stage["id"] for stage in stages]}]
    found = Framework.model_validate(document)
    assert check_framework(found) == []
    return found


def play_of(database: Database, folder: Path, *stages: dict[str, Any], case_id: str = "mc-abcdefghijkl") -> Play:
    """A case not yet submitted, under a framework of these stages, with the example directory and two deputies."""
    furnish(database)
    add_people(database, folder, *DEPUTIES)
    policy = framework_of(*stages, framework_id=f"governed-{case_id.removeprefix('mc-')}")
    add_framework(database, policy, START)
    return Play(database, folder, policy, case_id=case_id)


def submitted(database: Database, folder: Path, *stages: dict[str, Any], case_id: str = "mc-abcdefghijkl") -> Play:
    play = play_of(database, folder, *stages, case_id=case_id)
    play.submit(example("industry-credit"))
    return play


def proposed(play: Play, act: OfficeAct = OfficeAct.SKIP, outcome: str = "skipped", stage: str = "quality") -> str:
    """Proposed by one of the office; answers the id for the second."""
    round_number = play.state.stages[stage].round
    act_id = ids.act_id(play.case_id, act, stage, round_number, OFFICE, outcome)
    facts = {"act_id": act_id, "act": act, "stage": stage, "outcome": StageOutcome(outcome)}
    play.office(ActProposed, reason="The board met and said so.", **facts)
    return act_id


def confirmed(play: Play, act: OfficeAct = OfficeAct.SKIP, outcome: str = "skipped", stage: str = "quality") -> None:
    play.office(ActConfirmed, actor=SECOND, act_id=proposed(play, act, outcome, stage))


def asked(play: Play, stage: str = "quality") -> list[str]:
    return [task.assignee for task in play.state.open_tasks(stage)]


def show(play: Play) -> CaseView:
    """The case as it is shown, after proof that its ledger is whole and tells all that its rows say."""
    found = verify_case(play.database, play.case_id)
    assert found.ok, found.problems
    return show_case(play.database, play.case_id)


def stage(play: Play, stage_id: str = "quality") -> StageView:
    return next(view for view in show(play).stages if view.stage == stage_id)


def rows(play: Play, table: str, **where: Any) -> list[dict[str, Any]]:
    found = everything(play.database)[table]
    return [row for row in found if all(row[name] == value for name, value in where.items())]


def told(play: Play, type_: EventType) -> list[dict[str, Any]]:
    return [
        row["data"] | {"by": row["actor"]} for row in ledger_rows(play.database, play.case_id) if row["type"] == type_
    ]


def mails(play: Play, kind: str) -> list[str]:
    return sorted(row["recipient"] for row in rows(play, "outbox", kind=kind))
