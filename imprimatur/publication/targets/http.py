"""One request to a target, and what its answer means."""

from collections.abc import Mapping

import httpx

from imprimatur.publication.targets.target import TargetRefused, TargetUnreachable

# Too early, too many, or out of its own time: all of them ask to come again.
COME_AGAIN = frozenset({408, 425, 429})
PATIENCE_SECONDS = 30.0
LONGEST_ANSWER = 1_000_000


async def ask(
    method: str, url: str, body: str | None, headers: Mapping[str, str], *, also: tuple[int, ...] = ()
) -> tuple[int, str]:
    """Status and text of the answer, which is a success or one of ``also``. Redirects are not followed.

    Raises TargetRefused, TargetUnreachable.
    """
    try:
        async with (
            httpx.AsyncClient(timeout=PATIENCE_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, content=body, headers=dict(headers)) as answer,
        ):
            text = b""
            async for part in answer.aiter_bytes():
                text += part
                if len(text) > LONGEST_ANSWER:
                    break
    except httpx.InvalidURL as error:
        raise TargetRefused(f"{url} is no address: {error}") from error
    except httpx.HTTPError as error:
        raise TargetUnreachable(f"{type(error).__name__}: {error}".removesuffix(": ")) from error
    code = answer.status_code
    if code in also or 200 <= code < 300:
        return code, text[:LONGEST_ANSWER].decode("utf-8", "replace")
    told = f"{code} {answer.reason_phrase}".strip()
    if code in COME_AGAIN or code >= 500:
        raise TargetUnreachable(told)
    raise TargetRefused(told)
