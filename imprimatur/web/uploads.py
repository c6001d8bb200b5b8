"""Forms with files: read whole, within a limit, and files of the kinds that are taken only."""

import mimetypes
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, quote

from fastapi import Request, Response
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from imprimatur.errors import InputError
from imprimatur.web.forms import FORM

TEXT_LIMIT_BYTES = 4 * 1024 * 1024
MOST_FIELDS = 4000
MOST_FILES = 20
# Where a system knows no more than a few kinds by their names.
_KINDS = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
USUAL_TYPES = tuple(sorted(set(_KINDS.values())))


class _UploadTooLarge(InputError):
    http_status = 413


@dataclass(frozen=True)
class Upload:
    """A file as a browser sent it; its name without folders."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """By the name: what a browser says depends on the machine it runs on."""
        suffix = PurePosixPath(self.name.lower()).suffix
        return _KINDS.get(suffix) or mimetypes.guess_type(self.name)[0] or "application/octet-stream"


@dataclass(frozen=True)
class Sent:
    """``pairs`` are the fields in order; ``files`` by field, those only that were chosen."""

    pairs: list[tuple[str, str]]
    files: dict[str, Upload] = field(default_factory=dict)

    @property
    def form(self) -> dict[str, str]:
        """The first of each name."""
        return dict(reversed(self.pairs))


async def read_sent(request: Request, most_bytes: int = 0) -> Sent:
    """A form with texts, and files of ``most_bytes`` in all.

    Raises InputError ``upload_too_large`` or ``form_unreadable``.
    """
    limit = TEXT_LIMIT_BYTES + most_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _UploadTooLarge(
                "upload_too_large",
                f"More than {limit // 1_048_576} MiB were sent.",
                "Go back in your browser, and send a smaller file.",
            )
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    try:
        if kind == "multipart/form-data":
            return await _multipart(request.headers, bytes(body))
        if kind == FORM:
            text = body.decode("utf-8")
            found = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
            return Sent([(name, _clean(value)) for name, value in found])
    except (ValueError, KeyError, MultiPartException, MultipartParseError) as error:
        raise InputError("form_unreadable", "The form could not be read.", "Open the page again and resend.") from error
    raise InputError("form_unreadable", "This is not a form that we know.", "Use the form on the page.")


async def _multipart(headers: Headers, body: bytes) -> Sent:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = MultiPartParser(
        headers, whole(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=TEXT_LIMIT_BYTES
    )
    found = await parser.parse()
    pairs: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                files.setdefault(name, Upload(_base(value.filename), await value.read()))
            await value.close()
        else:
            pairs.append((name, _clean(value)))
    return Sent(pairs, files)


def _clean(value: str) -> str:
    return value.replace("\x00", "").replace("\r\n", "\n")


def _base(name: str) -> str:
    """Some browsers send the folders along."""
    return " ".join(name.replace("\\", "/").rpartition("/")[2].split())[:200] or "file"


def download(content: bytes, name: str, media_type: str | None) -> Response:
    """A file that was handed in: saved, never shown, and nothing in it runs."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\%' else "_" for sign in name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    known = media_type if media_type in USUAL_TYPES else None
    return Response(content, media_type=known or "application/octet-stream", headers=headers)
