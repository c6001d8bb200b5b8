"""Public documents for machines: readable from everywhere, and not sent again to whoever has them unchanged."""

import hashlib
import json
from typing import Any

from fastapi import Request, Response

LOOKING = ["GET", "HEAD"]


def document(request: Request, content: dict[str, Any] | str | bytes, media_type: str) -> Response:
    """JSON, text or bytes; 304 for whoever has it already."""
    text = json.dumps(content, ensure_ascii=False) if isinstance(content, dict) else content
    body = text.encode() if isinstance(text, str) else text
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache", "Vary": "Accept"}
    known = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
