"""Identifiers. Those derived from content let a repeated act find what the first one did."""

import base64
import hashlib
import secrets
from collections.abc import Sequence


def _short(data: bytes, length: int) -> str:
    return base64.b32encode(data).decode("ascii").lower().rstrip("=")[:length]


def _derived(prefix: str, *parts: object) -> str:
    text = "\x1f".join(str(part) for part in parts)
    return prefix + _short(hashlib.sha256(text.encode()).digest(), 16)


def new_case_id() -> str:
    return "mc-" + _short(secrets.token_bytes(8), 12)


def imported_case_id(framework_id: str, record_key: str) -> str:
    """The same record imported twice under one framework names the same case."""
    return _derived("mc-", "import", framework_id, record_key)


def review_case_id(case_id: str, number: int) -> str:
    """The case of the numbered review of a published micro-credential."""
    return f"{case_id}-r{number}"


def handover_case_id(case_id: str, number: int) -> str:
    """The case of the numbered hand-over of a published micro-credential."""
    return f"{case_id}-h{number}"


def replacement_case_id(review_case: str) -> str:
    """The case of the new version that a review asked for."""
    return _derived("mc-", "replacement", review_case)


def review_mail_id(case_id: str, next_on: str, person: str) -> str:
    """One for each person and review that is coming."""
    return _derived("m-", "review", case_id, next_on, person)


def drafted_case_id(draft: str) -> str:
    """A draft that is submitted twice is one case."""
    return _derived("mc-", "draft", draft)


def new_webhook_id() -> str:
    return "wh-" + _short(secrets.token_bytes(8), 12)


def keyed_case_id(caller: str, key: str) -> str:
    """The same request made twice by a program names the same case."""
    return _derived("mc-", "request", caller, key)


def keyed_act_id(caller: str, key: str, request_digest: str) -> str:
    """The same request made twice by a program is one act of a case."""
    return _derived("u-", caller, key, request_digest)


def task_id(case_id: str, stage_id: str, round_number: int, assignee: str, attempt: int = 1) -> str:
    """``attempt`` counts how often the same person is asked in one round: anew after a decision was annulled."""
    again = (attempt,) if attempt > 1 else ()
    return _derived("t-", case_id, stage_id, round_number, assignee, *again)


def act_id(case_id: str, act: str, stage_id: str, round_number: int, actor: str, reason: str) -> str:
    """An act proposed twice in the same words is one."""
    return _derived("a-", case_id, act, stage_id, round_number, actor, reason)


def advice_id(task: str, adviser: str, seq: int) -> str:
    return _derived("v-", task, adviser, seq)


def decision_id(
    task: str, actor: str, verdict: str, comment: str, scores: dict[str, int], also: Sequence[str] = ()
) -> str:
    """The same answer given twice is one decision; a different answer is another."""
    return _derived("d-", task, actor, verdict, comment, sorted(scores.items()), *also)


def condition_id(task: str, number: int, content: str) -> str:
    """``number`` counts the conditions of one answer: the same text can be asked for twice."""
    return _derived("c-", task, number, content)


def bulk_id(operation: str, number: int) -> str:
    """``number`` counts how often the same operation came to its end before."""
    return _derived("b-", operation, number)


def new_badge_id() -> str:
    """Long enough that nobody finds another's by guessing."""
    return "ob-" + _short(secrets.token_bytes(17), 26)


def workflow_id(case_id: str) -> str:
    return f"case:{case_id}"


def case_of_workflow(workflow: str) -> str:
    return workflow.removeprefix("case:")


def mail_id(case_id: str, seq: int, position: int) -> str:
    return _derived("m-", case_id, seq, position)


def webhook_delivery_id(webhook: str, case_id: str, position: int) -> str:
    return _derived("w-", webhook, case_id, position)


def new_publication_run_id() -> str:
    return "p-" + _short(secrets.token_bytes(10), 16)


def publication_workflow_id(run_id: str) -> str:
    return f"publication:{run_id}"


def handover_workflow_id(handover_case: str, attempt: int) -> str:
    return f"handover:{handover_case}:{attempt}"


def publication_mail_id(run_id: str, number: int) -> str:
    return _derived("m-", "publication", run_id, number)


def public_mail_id(case_id: str) -> str:
    """What tells the proposer that a record has become public, once."""
    return _derived("m-", "public", case_id)


def incident_id(case_id: str, stage_id: str, round_number: int, kind: str) -> str:
    return _derived("i-", case_id, stage_id, round_number, kind)


def random_id(prefix: str) -> str:
    return prefix + _short(secrets.token_bytes(10), 16)


def carrier_id(mail_ids: Sequence[str]) -> str:
    """The message that several mails became."""
    return _derived("m-", "carrier", *mail_ids)


def digest_id(person: str, day: str) -> str:
    """One for each person and day."""
    return _derived("m-", "digest", person, day)


def agenda_id(committee: str, day: str, person: str, edition: int) -> str:
    return _derived("m-", "agenda", committee, day, person, edition)


def thread_id(*of: str) -> str:
    """A name for a thread that does not tell whose it is."""
    return _derived("", "thread", *of)
