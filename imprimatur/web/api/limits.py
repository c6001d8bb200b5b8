"""How much the programming interface takes: bytes of a request, requests of a key, failures of a client.

Requests are counted in the memory of each process, so reading costs no write: where several processes serve, a key has
its quota with each. RateLimit and RateLimit-Policy are those of draft-ietf-httpapi-ratelimit-headers.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imprimatur.errors import InputError, Refused
from imprimatur.web.api.guard import has_good_key
from imprimatur.web.api.problems import problem
from imprimatur.web.forms import read_body

BODY_LIMIT_BYTES = 2 * 1024 * 1024
WINDOW_SECONDS = 60
REQUESTS_PER_MINUTE, FAILURES_PER_MINUTE = 1200, 30
MOST_REMEMBERED = 10_000


class _TooLarge(InputError):
    http_status = 413


class _TooMany(Refused):
    http_status = 429


class BodyLimit:
    """Reads a request to its end before anybody else does, and refuses one that is too long (413).

    ``larger`` are ends of paths at which more is taken, in bytes, of whoever has a good key.
    """

    def __init__(self, app: ASGIApp, base_url: str, larger: Mapping[str, int]) -> None:
        self.app, self.base_url, self._larger = app, base_url, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        limit = await self._limit(request)
        told = f"The request has more than {limit // 1_048_576} MiB."
        too_large = _TooLarge("request_too_large", told, "Part it into several.")
        try:
            body = await read_body(request, limit, too_large)
        except InputError as error:
            await problem(error, self.base_url)(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, again, send)

    async def _limit(self, request: Request) -> int:
        more = next((limit for end, limit in self._larger.items() if request.url.path.endswith(end)), 0)
        if more > BODY_LIMIT_BYTES and await run_in_threadpool(has_good_key, request):
            return more
        return BODY_LIMIT_BYTES


@dataclass
class Bucket:
    """``left`` requests at the instant ``at``; it fills evenly."""

    left: float
    at: float


class Quota:
    """So many a minute, all at once or evenly; of those that were not heard of for long nothing is remembered."""

    def __init__(self, name: str, per_minute: int, clock: Callable[[], float]) -> None:
        self.policy = f'"{name}";q={per_minute};w={WINDOW_SECONDS}'
        self._name, self._most, self._clock = name, per_minute, clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def left(self, who: str) -> float:
        """How many requests somebody has now."""
        return self._filled(who).left

    def take(self, who: str) -> None:
        found = self._filled(who)
        found.left = max(found.left - 1, 0)
        self._buckets[who] = found
        self._buckets.move_to_end(who)
        if len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)

    def seconds_to_one(self, who: str) -> int:
        missing = max(1 - self._filled(who).left, 0)
        return max(math.ceil(missing * WINDOW_SECONDS / self._most), 1)

    def told(self, who: str) -> str:
        """For the header RateLimit: what is left, and in how many seconds all of it is there again."""
        left = self._filled(who).left
        return f'"{self._name}";r={math.floor(left)};t={math.ceil((self._most - left) * WINDOW_SECONDS / self._most)}'

    def _filled(self, who: str) -> Bucket:
        now = self._clock()
        known = self._buckets.get(who)
        if known is None:
            return Bucket(self._most, now)
        gained = max(now - known.at, 0) * self._most / WINDOW_SECONDS
        return Bucket(min(known.left + gained, self._most), now)


@dataclass(frozen=True)
class Rates:
    """Requests a minute: of a key, and of a client without a good one."""

    requests: int = REQUESTS_PER_MINUTE
    failures: int = FAILURES_PER_MINUTE


RATES = Rates()


class RateLimit:
    """Counts each key's requests, and each client's without a good key.

    A key that was good before is not held back by what others at its address try.
    """

    def __init__(self, app: ASGIApp, base_url: str, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self.app, self.base_url = app, base_url
        self._keys = Quota("key", rates.requests, clock)
        self._clients = Quota("client", rates.failures, clock)
        self._good: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Whom a key stands for is noted there by whoever looks it up.
        state, request = scope.setdefault("state", {}), Request(scope)
        key = hashlib.sha256(request.headers.get("authorization", "").encode()).hexdigest()
        client = request.client.host if request.client else ""
        known = key in self._good
        quota, who = (self._keys, key) if known else (self._clients, client)
        if quota.left(who) < 1:
            await self._refuse(quota, who, scope, receive, send)
            return
        if known:
            quota.take(who)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                good = "holder" in state or (known and message["status"] != 401)
                self._note(key, client, known=known, good=good)
                _tell(message, *((self._keys, key) if good else (self._clients, client)))
            await send(message)

        await self.app(scope, receive, told)

    def _note(self, key: str, client: str, *, known: bool, good: bool) -> None:
        if not good:
            self._good.pop(key, None)
            self._clients.take(client)
        elif not known:
            self._keys.take(key)
            self._good[key] = None
            if len(self._good) > MOST_REMEMBERED:
                self._good.popitem(last=False)

    async def _refuse(self, quota: Quota, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        wait = quota.seconds_to_one(who)
        error = _TooMany("too_many_requests", "There were too many requests.", f"Ask again in {wait} s.")
        answer = problem(error, self.base_url)
        answer.headers["Retry-After"] = str(wait)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(message, quota, who)
            await send(message)

        await answer(scope, receive, told)


def _tell(message: Message, quota: Quota, who: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["RateLimit-Policy"], headers["RateLimit"] = quota.policy, quota.told(who)
