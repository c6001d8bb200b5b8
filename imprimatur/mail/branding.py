"""How an institution's mails look: name, colours, logo, sender and a last line, from ``branding.yaml``."""

import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated

import yaml
from PIL import Image, UnidentifiedImageError
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints, ValidationError

from imprimatur.mail.languages import Finding

FILE = "branding.yaml"
LOGO_LIMIT_BYTES = 200_000
# Web Content Accessibility Guidelines 2.2, 1.4.3.
LEAST_CONTRAST = 4.5
LOGO_TYPES = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif"}
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _one_line(text: str) -> str:
    if _BREAK.search(text):
        raise ValueError("must be one line, without control characters")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_one_line)]
Colour = Annotated[str, StringConstraints(pattern=_COLOUR.pattern, to_lower=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Palette(_Part):
    """``page`` lies around ``sheet``, which is written on; links are ``accent``, buttons ``on_accent`` on it."""

    page: Colour
    sheet: Colour
    panel: Colour
    text: Colour
    quiet: Colour
    line: Colour
    accent: Colour
    on_accent: Colour

    def pairs(self) -> list[tuple[str, str]]:
        """What is written in which colour upon which."""
        inks, grounds = ("text", "quiet", "accent"), ("sheet", "panel")
        return [(ink, ground) for ground in grounds for ink in inks] + [("quiet", "page"), ("on_accent", "accent")]


LIGHT = Palette(
    page="#f2f3f0",
    sheet="#ffffff",
    panel="#f5f7fa",
    text="#1c2430",
    quiet="#566072",
    line="#dce1e8",
    accent="#1f4e79",
    on_accent="#ffffff",
)
DARK = Palette(
    page="#14171c",
    sheet="#1c2027",
    panel="#242a33",
    text="#e7e9ec",
    quiet="#a9b2bf",
    line="#39414d",
    accent="#8fbde8",
    on_accent="#0f1620",
)


class Colours(_Part):
    light: Palette = LIGHT
    dark: Palette = DARK


class Sender(_Part):
    name: Line = ""
    address: EmailStr | None = None


class Logo(_Part):
    """``width`` in pixels of the screen; ``background`` lies beneath a logo that a dark sheet would swallow."""

    file: Line
    alt: Line
    width: Annotated[int, Field(ge=16, le=560)] = 160
    background: Colour | None = None


class Branding(_Part):
    """``footer`` holds the last lines of every mail, by language."""

    name: Line = "Imprimatur"
    colours: Colours = Colours()
    logo: Logo | None = None
    sender: Sender = Sender()
    footer: dict[str, Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]] = {}

    def sender_of(self, mail_from: str) -> str:
        """The sender of all mail: what is said here outweighs the setting ``mail_from``."""
        name, address = parseaddr(mail_from)
        return formataddr((self.sender.name or name, self.sender.address or address))

    def footer_in(self, *languages: str) -> str:
        return next((self.footer[language] for language in languages if language in self.footer), "")


@dataclass(frozen=True)
class Picture:
    """A logo that was read: what goes into the mail."""

    content: bytes
    subtype: str
    alt: str
    width: int
    height: int
    background: str | None = None

    @cached_property
    def content_id(self) -> str:
        """The same in every mail, and of this picture alone."""
        return f"logo.{hashlib.sha256(self.content).hexdigest()[:24]}@imprimatur"

    @property
    def source(self) -> str:
        return f"cid:{self.content_id}"


def read_branding(folder: Path) -> tuple[Branding, Picture | None, list[Finding]]:
    """The branding of a folder of templates, the shipped one where it has none, and everything that is wrong."""
    path = folder / FILE
    if not path.is_file():
        return Branding(), None, []
    try:
        text = path.read_text(encoding="utf-8")
        said = yaml.safe_load(text)
        branding = Branding.model_validate(_with_defaults(said if said is not None else {}))
    except (UnicodeDecodeError, OSError) as error:
        return Branding(), None, [Finding(FILE, None, f"cannot be read: {error}")]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "is not YAML"
        return Branding(), None, [Finding(FILE, mark.line + 1 if mark else None, f"is not YAML: {problem}")]
    except ValidationError as error:
        return Branding(), None, [_invalid(found["loc"], found["msg"], text) for found in error.errors()]
    findings = [
        Finding(FILE, _line_of(text, (shade,)), problem)
        for shade, palette in (("light", branding.colours.light), ("dark", branding.colours.dark))
        for problem in contrast_problems(palette, shade)
    ]
    picture, problem = (None, "") if branding.logo is None else _picture(folder, branding.logo)
    if problem:
        findings.append(Finding(FILE, _line_of(text, ("logo",)), problem))
    return branding, picture, findings


def _with_defaults(said: object) -> object:
    """Colours that are not named stay the shipped ones."""
    colours = said.get("colours") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(colours, dict):
        return said
    shades = {"light": LIGHT.model_dump(), "dark": DARK.model_dump()}
    filled = {
        name: shades[name] | value if name in shades and isinstance(value, dict) else value
        for name, value in colours.items()
    }
    return said | {"colours": filled}


def _invalid(place: tuple[int | str, ...], message: str, text: str) -> Finding:
    return Finding(FILE, _line_of(text, place), f"{'.'.join(map(str, place)) or 'the document'}: {message}")


def _line_of(text: str, place: tuple[int | str, ...]) -> int | None:
    """The line of the innermost key of a place that is written in the document."""
    node, line = yaml.compose(text, yaml.SafeLoader), None
    for key in place:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        # A shade is named without the mapping that holds it.
        pairs = [*pairs, *(inner for _, value in pairs if isinstance(value, yaml.MappingNode) for inner in value.value)]
        found = next(((name, value) for name, value in pairs if name.value == key), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def contrast(one: str, other: str) -> float:
    """Between 1 and 21, as the accessibility guidelines define it."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_problems(palette: Palette, shade: str) -> list[str]:
    return [
        f"{shade}: {ink} ({getattr(palette, ink)}) on {ground} ({getattr(palette, ground)}) has a contrast of "
        f"{contrast(getattr(palette, ink), getattr(palette, ground)):.1f}, at least {LEAST_CONTRAST} is needed"
        for ink, ground in palette.pairs()
        if contrast(getattr(palette, ink), getattr(palette, ground)) < LEAST_CONTRAST
    ]


def _picture(folder: Path, logo: Logo) -> tuple[Picture | None, str]:
    path = (folder / logo.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        return None, f"the logo {logo.file} lies outside the folder of templates"
    if not path.is_file():
        return None, f"there is no logo {logo.file}"
    content = path.read_bytes()
    if len(content) > LOGO_LIMIT_BYTES:
        return None, f"the logo {logo.file} has {len(content)} bytes, at most {LOGO_LIMIT_BYTES} go into every mail"
    try:
        with (
            warnings.catch_warnings(action="error"),
            Image.open(io.BytesIO(content), formats=tuple(LOGO_TYPES)) as image,
        ):
            image.load()
            width, height, kind = image.width, image.height, str(image.format)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Warning, Image.DecompressionBombError):
        return None, f"the logo {logo.file} is no picture in PNG, JPEG or GIF"
    shown = max(1, round(logo.width * height / width))
    return Picture(content, LOGO_TYPES[kind], logo.alt, logo.width, shown, logo.background), ""
