"""Failures as problem details (RFC 9457), with the codes that all ways in share."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from imprimatur.errors import ImprimaturError, InputError, NotFound
from imprimatur.web.api.documents import ProblemDetails
from imprimatur.web.faults import fault

MEDIA_TYPE = "application/problem+json"
# Every route can answer these; those that can answer more say so.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDetails, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in {
        400: "the request is no JSON",
        401: "no key, or one that is no good",
        403: "the key's person may not do this, or the key may not",
        404: "there is no such thing, or none that the key's person sees",
        405: "this address does not take that kind of request",
        406: "not to be had in that form",
        409: "a rule says no; nothing was changed",
        410: "too late: what it is about has ended",
        412: "the case has changed meanwhile",
        413: "the request is too large",
        415: "the request is no JSON",
        422: "something in the request cannot be used",
        429: "too many requests",
        503: "a part of the system does not answer; repeating is safe",
    }.items()
}


def problem(error: ImprimaturError, base_url: str, status: int | None = None) -> JSONResponse:
    body = error.as_dict()
    code, message = body.pop("code"), body.pop("message")
    status = status or error.http_status
    document = {"type": f"{base_url}/docs/errors#{code}", "title": message, "status": status, "code": code, "hint": ""}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(document | _plain(body), status, media_type=MEDIA_TYPE, headers=headers)


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """What is not JSON by itself as text; the document's own members are not overwritten."""
    own = ("type", "title", "status", "code")
    return {f"case_{name}" if name in own else name: _json(value) for name, value in details.items()}


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


async def faults_told(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        return await call_next(request)
    except Exception as error:  # noqa: BLE001  (the last resort: no bare answer, and no traceback)
        return problem(fault(request, error), request.app.state.gate.base_url)


def install(app: FastAPI, base_url: str) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, ImprimaturError)
        return problem(error, base_url)

    async def unusable(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = [
            {"where": ".".join(str(part) for part in item["loc"]), "problem": item["msg"], "code": item["type"]}
            for item in error.errors()
        ]
        told = InputError(
            "request_invalid", "The request cannot be used.", "Correct what `problems` lists.", problems=found[:100]
        )
        return problem(told, base_url)

    async def other(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        texts = {
            404: NotFound("page_unknown", "There is no such address.", "See /openapi.json."),
            405: ImprimaturError("method_not_allowed", "This address does not take that kind of request."),
        }
        found = texts.get(error.status_code) or ImprimaturError("request_refused", str(error.detail))
        answer = problem(found, base_url, error.status_code)
        answer.headers.update(getattr(error, "headers", None) or {})
        return answer

    app.middleware("http")(faults_told)
    app.add_exception_handler(ImprimaturError, refused)
    app.add_exception_handler(RequestValidationError, unusable)
    app.add_exception_handler(HTTPException, other)
