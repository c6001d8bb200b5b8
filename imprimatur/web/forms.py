"""Forms that a browser posts."""

from urllib.parse import parse_qsl

from fastapi import Request

from imprimatur.errors import InputError, NotAllowed

BODY_LIMIT_BYTES = 256 * 1024
FORM = "application/x-www-form-urlencoded"


class _UnsupportedForm(InputError):
    http_status = 415


class _TooLarge(InputError):
    http_status = 413


async def read_body(request: Request, limit_bytes: int, too_large: InputError) -> bytes:
    """All that a request brings, counted while it arrives: what it says of its length beforehand proves nothing."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise too_large
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """Form fields; the first of each name counts. Raises InputError ``form_too_large`` or ``form_unreadable``."""
    if request.headers.get("content-type", "").split(";")[0].strip() != FORM:
        raise _UnsupportedForm("form_unreadable", "This is not a form that we know.", "Use the form on the task page.")
    too_large = _TooLarge(
        "form_too_large", "The answer is too long to be taken.", "Shorten the comment and send it again."
    )
    body = await read_body(request, BODY_LIMIT_BYTES, too_large)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError as error:
        raise InputError("form_unreadable", "The form could not be read.", "Open the page again and resend.") from error
    return {name: value.replace("\x00", "").replace("\r\n", "\n") for name, value in reversed(pairs)}


def check_same_site(request: Request) -> None:
    """For forms of visitors who have no session yet. Raises NotAllowed ``form_of_another_site``.

    Pages send no referrer, so browsers leave ``Origin`` empty; they tell the relation of the two sites all the same.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("form_of_another_site", "This form came from another site.", "Open the page here and send it.")
