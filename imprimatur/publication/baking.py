"""Badges inside pictures, as the Open Badges specification has it: a chunk of a PNG, an element of an SVG."""

import re
import struct
import zlib
from collections.abc import Iterator

from imprimatur.errors import InputError

PNG = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_SVG_TAG = re.compile(r"<svg\b[^>]*>")
_BAKED = re.compile(rb"<(\w+:)?credential\b[^<>]*?\bverify=[\"']([A-Za-z0-9_.\-]+)[\"']")


def bake_png(picture: bytes, token: str) -> bytes:
    """The picture with the token in an uncompressed iTXt chunk, in the place of one that it had."""
    baked = [PNG]
    for kind, data in _chunks(picture):
        if not _is_badge(kind, data):
            baked.append(_chunk(kind, data))
        if kind == b"IHDR":
            baked.append(_chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + token.encode()))
    return b"".join(baked)


def bake_svg(picture: str, token: str) -> str:
    element = f'<openbadges:credential xmlns:openbadges="{NAMESPACE}" verify="{token}"></openbadges:credential>'
    return _SVG_TAG.sub(lambda found: found[0] + element, picture, count=1)


def unbaked(content: bytes) -> str:
    """The token in a baked picture, or the content as text. Raises InputError ``badge_unreadable``."""
    if content.startswith(PNG):
        found = [data for kind, data in _chunks(content) if _is_badge(kind, data)]
        if not found:
            raise _unreadable("The picture holds no Open Badge 3.0.")
        return found[0].split(b"\0", 5)[-1].decode("utf-8", "replace")
    if b"<svg" in content[:4096]:
        if (baked := _BAKED.search(content)) is None:
            raise _unreadable("The picture holds no Open Badge 3.0.")
        return baked[2].decode("ascii")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable("This is neither a picture nor a text.") from error


def _unreadable(message: str) -> InputError:
    return InputError("badge_unreadable", message, "Give a badge as PNG, as SVG or as the text of its token.")


def _is_badge(kind: bytes, data: bytes) -> bool:
    return kind == b"iTXt" and data.startswith(KEYWORD + b"\0\0\0") and data.count(b"\0") >= 5


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(PNG)
    while place + 12 <= len(picture):
        length = int(struct.unpack(">I", picture[place : place + 4])[0])
        end = place + 12 + length
        if end > len(picture):
            raise _unreadable("The picture was cut off.")
        yield picture[place + 4 : place + 8], picture[place + 8 : end - 4]
        place = end


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
