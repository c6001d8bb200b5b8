"""A reviewer's task page: opened from a mail link, answered by POST only."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur.desk import Desk
from imprimatur.errors import ImprimaturError, InputError, NotFound, Refused
from imprimatur.mail.links import LinkClaim, Links
from imprimatur.office import Office
from imprimatur.rules.answers import NEEDS_COMMENT
from imprimatur.rules.condition_words import condition
from imprimatur.rules.wording import VERDICT_LABELS, asked_for, closed_by
from imprimatur.store.answer_drafts import draft_of, forget_draft, keep_draft
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import package_of_handover
from imprimatur.store.overlaps import Overlaps
from imprimatur.store.reviews_reading import review_sheet
from imprimatur.store.seen import is_seen, mark_seen
from imprimatur.store.task_page import TaskPage, task_page
from imprimatur.web import once, receipts
from imprimatur.web.files import file_links
from imprimatur.web.forms import read_form
from imprimatur.web.house import Decider, House
from imprimatur.web.rendering import page, wants_json
from imprimatur.web.reviews import courses
from models.conditions import Condition
from models.vocabulary import Channel, Strength

# So many conditions can be written on the page; the command line takes more.
CONDITION_ROWS = range(1, 4)


# Address and strength of whoever is signed in; None when nobody is.
SignedIn = Callable[[Request], tuple[str, Strength] | None]


def router(house: House, decider: Decider, signed_in: SignedIn) -> APIRouter:
    """Without a desk nothing can be claimed, and no advice be asked or given; without an office nothing passed on."""
    routes, database, links = APIRouter(), house.database, house.links
    desk, office, overlaps = house.desk, house.office, house.overlaps
    routes.include_router(receipts.router(database, links))

    def files_of(token: str, found: TaskPage) -> Mapping[str, str]:
        return file_links(database, found.proposal, str(found.case["proposer"]), f"/t/{token}")

    @routes.api_route("/t/{token}", methods=["GET", "HEAD"])
    def show(request: Request, token: str) -> Response:
        claim = links.read(token)
        found = task_page(database, claim.task_id, claim.person)
        strength = _strength(signed_in(request), claim.person)
        seen = is_seen(database, claim.task_id, claim.person)
        draft = draft_of(database, claim.task_id, claim.person) if found.is_open else None
        shown = Shown(links.form_value(claim.task_id, claim.person), strength, seen=seen, files=files_of(token, found))
        if draft is not None:
            shown = replace(shown, typed=draft.typed, kept_at=draft.kept_at)
        return _task(request, overlaps, found, shown)

    @routes.api_route("/t/{token}/package.json", methods=["GET", "HEAD"])
    def package(token: str) -> Response:
        """What is handed over, for machines; to whoever has a task in the hand-over."""
        claim = links.read(token)
        case_id = str(task_page(database, claim.task_id, claim.person).case["case_id"])
        found = package_of_handover(database, case_id)
        if found is None:
            raise NotFound("handover_unknown", "Nothing is handed over here.", "The page of the task has its document.")
        return JSONResponse(found, headers={"Content-Disposition": f'attachment; filename="{case_id}.json"'})

    @routes.post("/t/{token}")
    async def answer(request: Request, token: str) -> Response:
        claim = links.read(token)
        form = await read_form(request)
        strength = _strength(await run_in_threadpool(signed_in, request), claim.person)
        try:
            if form.get("act") == "keep":
                return await run_in_threadpool(_kept, request, database, links, claim, form)
            await run_in_threadpool(once.check_form, request, database, links, claim, form)
            act = form.get("act", "")
            if desk is not None and act not in ("", "seen"):
                await _at_the_desk(desk, office, claim, form)
            if act or form.get("verdict"):
                # A form that says nothing, as a program sends it unseen, shows nothing.
                await run_in_threadpool(mark_seen, database, claim.task_id, claim.person)
            if act == "seen" or (act and desk is not None):
                return RedirectResponse(request.url.path, 303)
            receipt = await decider.decide(
                task_id=claim.task_id,
                verdict=form.get("verdict", ""),
                actor=claim.person,
                comment=form.get("comment", ""),
                scores=_scores(form),
                conditions=_conditions(form),
                statement=form.get("statement", ""),
                logo=form.get("logo") == "yes",
                teach_out_on=_day(form.get("teach_out_on", "")),
                channel=Channel.LINK,
                strength=strength,
            )
        except ImprimaturError as error:
            if wants_json(request) or error.http_status >= 500:
                raise
            found = await run_in_threadpool(task_page, database, claim.task_id, claim.person)
            shown = Shown(
                links.form_value(claim.task_id, claim.person),
                strength,
                form,
                error,
                seen=await run_in_threadpool(is_seen, database, claim.task_id, claim.person),
                files=await run_in_threadpool(files_of, token, found),
            )
            return await run_in_threadpool(_task, request, overlaps, found, shown)
        await run_in_threadpool(forget_draft, database, claim.task_id, claim.person)
        return await run_in_threadpool(receipts.shown, request, database, receipt, claim.person)

    return routes


def _strength(visitor: tuple[str, Strength] | None, person: str) -> Strength:
    """A sign-in counts for the person that the link is for, and for nobody else."""
    return visitor[1] if visitor is not None and visitor[0].strip().lower() == person else Strength.LINK


async def _at_the_desk(desk: Desk, office: Office | None, claim: LinkClaim, form: Mapping[str, str]) -> None:
    """Everything on a task page but the decision itself. Raises InputError ``form_unreadable`` for any other act."""
    task, actor = claim.task_id, claim.person
    match form["act"]:
        case "claim":
            await desk.claim(task, actor=actor)
        case "return":
            await desk.give_back(task, actor=actor, reason=form.get("reason", ""))
        case "delegate" if office is not None:
            to, reason = form.get("to", ""), form.get("delegate_reason", "").strip()
            await office.pass_on(task, to, actor=actor, reason=reason)
        case "ask-advice":
            await desk.ask_advice(task, form.get("adviser", ""), actor=actor, question=form.get("question", ""))
        case "advise":
            await desk.advise(task, actor=actor, text=form.get("text", ""))
        case _:
            raise InputError("form_unreadable", "This is not a form that we know.", "Use the forms on the task page.")


@dataclass(frozen=True)
class Shown:
    """How a page is shown: the one-time value of its forms, how surely its visitor is known, what was typed, and what
    was wrong with it; ``seen``: that they know of the task; ``kept_at``: when they left what was typed as a draft.
    """

    once: str
    strength: Strength
    typed: Mapping[str, str] = field(default_factory=dict)
    error: ImprimaturError | None = None
    seen: bool = False
    kept_at: dt.datetime | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def _task(request: Request, overlaps: Overlaps, found: TaskPage, shown: Shown) -> Response:
    error = shown.error
    case_id = str(found.case["case_id"])
    review = review_sheet(overlaps.database, case_id) if found.framework.reviews else None
    package = package_of_handover(overlaps.database, case_id) if found.framework.hands_over else None
    values = {
        "review": review,
        "package": package,
        "package_address": f"{'/'.join(request.url.path.split('/')[:3])}/package.json",
        "courses": courses(review) if review else [],
        "similar": overlaps.of(found.proposal, besides=[case_id]) if found.framework.publishes else [],
        "task": found.task,
        "case": found.case,
        "framework": found.framework,
        "stage": found.stage,
        "proposal": found.proposal,
        "unstated": found.unstated,
        "files": shown.files,
        "due_reason": found.due_reason,
        "sits_at": found.sits_at,
        "committee": found.committee,
        "decisions": found.decisions,
        "own": found.own,
        "conditions": found.conditions,
        "baseline": found.baseline,
        "takes_conditions": found.takes_conditions,
        "organisation": found.organisation,
        "condition_rows": CONDITION_ROWS,
        "is_open": found.is_open,
        "on_offer": found.on_offer,
        "advice": found.advice,
        "asked": found.asked,
        "conflict": found.conflict,
        "accepted": found.accepted,
        "wanted": asked_for(found.stage, str(found.task["reason"])),
        "labels": VERDICT_LABELS,
        "commented": [VERDICT_LABELS[verdict].lower() for verdict in found.accepted if verdict in NEEDS_COMMENT],
        "closed": closed_by(found.task["closure"], found.task["closed_by"]) if found.task["closure"] else "",
        "needs_sign_in": found.stage.wants_sign_in and not shown.strength.is_sign_in,
        "once": shown.once,
        "typed": shown.typed,
        "seen": shown.seen,
        "kept_at": shown.kept_at,
        "error": error,
        "wrong": {item["where"]: item["problem"] for item in error.details.get("problems", ())} if error else {},
        "zone": found.time_zone,
    }
    return page(request, "task.html", values, error.http_status if error else 200)


def _kept(request: Request, database: Database, links: Links, claim: LinkClaim, form: Mapping[str, str]) -> Response:
    """What is typed stays, as often as it changes: nothing is sent by it, and nobody else sees it."""
    if links.read_form_value(form.get(once.FIELD, ""), claim.task_id, claim.person) is None:
        raise Refused("form_value_stale", "The page was opened too long ago to be sent.", once.TRY_AGAIN)
    now = dt.datetime.now(dt.UTC)
    typed = {name: value for name, value in form.items() if name not in (once.FIELD, "act") and value}
    if not typed:
        forget_draft(database, claim.task_id, claim.person)
        raise InputError("draft_empty", "Nothing has been typed yet.", "Write something, then keep it.")
    kept = keep_draft(database, claim.task_id, claim.person, typed, now)
    if wants_json(request):
        return JSONResponse({"kept_at": now.isoformat() if kept else None})
    return RedirectResponse(f"{request.url.path}#answer", 303)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise InputError("date_malformed", f"{text!r} is not a date.", "Write it like 2026-12-21.") from error


def _scores(form: Mapping[str, str]) -> dict[str, int]:
    scores: dict[str, int] = {}
    for name, value in form.items():
        if name.startswith("score.") and value.strip():
            try:
                scores[name.removeprefix("score.")] = int(value)
            except ValueError as error:
                raise InputError(
                    "score_malformed", f"{value!r} is not a score.", "Choose one of the numbers offered."
                ) from error
    return scores


def _conditions(form: Mapping[str, str]) -> list[Condition]:
    """Rows of the form that say something; one with anything but a text is left for the check to find."""
    given = []
    for number in CONDITION_ROWS:
        row = {key: form.get(f"condition.{number}.{key}", "").strip() for key in ("text", "owner", "due", "blocking")}
        if any(row.values()):
            given.append(condition(row["text"], owner=row["owner"], due=row["due"], blocking=bool(row["blocking"])))
    return given
