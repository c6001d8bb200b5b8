"""Requests that are made again: the first answer stands, under the key that the caller chose (Idempotency-Key).

After draft-ietf-httpapi-idempotency-key-header. An answer is kept when it has been given; what comes again before that,
or after a failure on our side, waits for the first within a process, and is one act of its case: the key names it
(``act_id``, or the number of a case that is submitted).
"""

import datetime as dt
import hashlib
import re
from asyncio import Lock
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from imprimatur import ids
from imprimatur.errors import InputError
from imprimatur.store.api_answers import KeptAnswer, keep_answer, kept_answer
from imprimatur.store.engine import Database
from imprimatur.web.api.guard import has_good_key
from imprimatur.web.api.problems import problem

HEADER = "idempotency-key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
Next = Callable[[Request], Awaitable[Response]]


def key_digest(request: Request) -> str:
    """What stands for the caller's key, which is never written down."""
    return hashlib.sha256(request.headers.get("authorization", "").encode()).hexdigest()


def act_id(request: Request) -> str | None:
    """Under which a case knows the act of a request that brings a key of its own; None for one without."""
    found: str | None = getattr(request.state, "act_id", None)
    return found


def _address(request: Request) -> str:
    """With what it asks for: to preview is not to do."""
    return f"{request.url.path}?{request.url.query}".rstrip("?")


def repeated_once(database: Database, base_url: str) -> Callable[[Request, Next], Awaitable[Response]]:
    turns: WeakValueDictionary[tuple[str, str], Lock] = WeakValueDictionary()

    async def answer(request: Request, call_next: Next) -> Response:
        given = request.headers.get(HEADER)
        if given is None or request.method != "POST":
            return await call_next(request)
        if not _KEY.fullmatch(given):
            error = InputError(
                "idempotency_key_invalid", "The Idempotency-Key cannot be used.", "Use up to 200 visible characters."
            )
            return problem(error, base_url)
        body = await request.body()
        said = hashlib.sha256(b"\0".join((_address(request).encode(), body))).hexdigest()
        caller = key_digest(request)
        request.state.act_id = ids.keyed_act_id(caller, given, said)
        async with turns.setdefault((caller, given), Lock()):
            return await _once(request, call_next, caller, given, said)

    async def _once(request: Request, call_next: Next, caller: str, given: str, said: str) -> Response:
        known = await run_in_threadpool(kept_answer, database, caller, given)
        # Whose key is no longer good gets no answer of before: the routes tell them so.
        if known is not None and await run_in_threadpool(has_good_key, request):
            if known.request_digest != said:
                error = InputError(
                    "idempotency_key_reused",
                    "This Idempotency-Key was used for another request.",
                    "Choose a new one for each act.",
                )
                return problem(error, base_url)
            headers = {"Idempotency-Replayed": "true"}
            return Response(known.body, known.status, media_type=known.media_type, headers=headers)
        response = await call_next(request)
        content = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
        # What failed on our side, or for want of a key, is tried anew.
        if response.status_code < 500 and response.status_code not in (401, 429):
            kept = KeptAnswer(said, response.status_code, response.headers.get("content-type", ""), content.decode())
            await run_in_threadpool(keep_answer, database, caller, given, kept, dt.datetime.now(dt.UTC))
        return Response(content, response.status_code, dict(response.headers))

    return answer
