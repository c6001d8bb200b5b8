"""Public documents for machines: readable from everywhere, and not sent again to whoever has them unchanged."""

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

LOOKING = ["GET", "HEAD"]
# Less is not worth it: it fits into one packet either way.
COMPRESSED_FROM_BYTES = 1024
COMPRESSED_TYPES = ("text/", "application/", "image/svg")
Content = dict[str, Any] | str | bytes


def document(
    request: Request, content: Content | Callable[[], Content], media_type: str, *, state: str = "", kept: str = ""
) -> Response:
    """JSON, text or bytes; 304 for whoever has it already.

    Where ``state`` is known to change with the content, whoever has it costs no making of it. ``kept`` is how long it
    may be served without asking again, as a Cache-Control; none unless given.
    """
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": kept or "no-cache", "Vary": "Accept"}
    made = None if state else _bytes(content)
    headers["ETag"] = tag = f'"{hashlib.sha256(made if made is not None else state.encode()).hexdigest()[:32]}"'
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return compressed(request, _bytes(content) if made is None else made, media_type, headers)


def is_known(request: Request, tag: str) -> bool:
    known = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    # Compressed it has other bytes, and so a name of its own.
    return bool({tag, f'{tag[:-1]}-gzip"', "*"}.intersection(known))


def compressed(request: Request, body: bytes, media_type: str, headers: dict[str, str], status: int = 200) -> Response:
    """Never for what holds a secret beside something that the visitor chose: its length would tell of the secret."""
    headers = {**headers, "Vary": ", ".join(filter(None, [headers.get("Vary"), "Accept-Encoding"]))}
    worth = len(body) >= COMPRESSED_FROM_BYTES and media_type.startswith(COMPRESSED_TYPES)
    if worth and _takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        if "ETag" in headers:
            headers["ETag"] = f'{headers["ETag"][:-1]}-gzip"'
        body = gzip.compress(body, 6, mtime=0)
    return Response(body, status, headers, media_type)


def _takes_gzip(request: Request) -> bool:
    for item in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = item.strip().partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _bytes(content: Content | Callable[[], Content]) -> bytes:
    found = content() if callable(content) else content
    text = json.dumps(found, ensure_ascii=False) if isinstance(found, dict) else found
    return text.encode() if isinstance(text, str) else text
