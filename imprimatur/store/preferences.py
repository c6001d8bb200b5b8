"""How people want their mail, from time zone to language; and what holds for whoever has not said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from imprimatur.errors import InputError
from imprimatur.settings import LANGUAGE_TAG, Settings
from imprimatur.store.engine import Database
from models.quiet import QuietHours
from models.tables import PersonRow
from models.vocabulary import Digest

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
PREFERENCES = ("time_zone", "quiet_hours", "digest", "receipts", "language")
# What stands for the institution's default where a preference is given.
DEFAULT = "default"
NEVER_QUIET = QuietHours()
YES = frozenset({"", "yes", "y", "true", "1", "active", "ja", "j", "oui", "si", "sí"})
NO = frozenset({"no", "n", "false", "0", "inactive", "nein", "non"})


class Preferred(TypedDict):
    """What was said; None goes back to the institution's default."""

    time_zone: NotRequired[str | None]
    quiet_hours: NotRequired[str | None]
    digest: NotRequired[Digest | None]
    receipts: NotRequired[bool | None]
    language: NotRequired[str | None]


class PreferenceInvalid(ValueError):
    """``problem`` goes on where ``name`` began the sentence."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name, self.problem = name, problem


@dataclass(frozen=True)
class Preferences:
    """Of one person, or of the institution. Without a ``time_zone`` the calendar of what a mail is about tells it.

    ``language`` is empty for the one of ``MAIL_LANGUAGE``, which whoever writes the mail knows.
    """

    time_zone: ZoneInfo | None = None
    quiet_hours: QuietHours = NEVER_QUIET
    digest: Digest = Digest.NONE
    receipts: bool = True
    language: str = ""

    @classmethod
    def from_settings(cls, settings: Settings) -> "Preferences":
        return cls(
            time_zone=ZoneInfo(settings.mail_time_zone) if settings.mail_time_zone else None,
            quiet_hours=QuietHours.parse(settings.mail_quiet_hours),
            digest=Digest(settings.mail_digest),
            receipts=settings.mail_receipts == "yes",
        )

    def of(self, row: Mapping[str, Any]) -> "Preferences":
        """A person's own, where these are the defaults."""
        return Preferences(
            time_zone=ZoneInfo(row["time_zone"]) if row["time_zone"] else self.time_zone,
            quiet_hours=QuietHours.parse(row["quiet_hours"]) if row["quiet_hours"] else self.quiet_hours,
            digest=Digest(row["digest"]) if row["digest"] else self.digest,
            receipts=self.receipts if row["receipts"] is None else row["receipts"],
            language=row["language"] or self.language,
        )


@dataclass(frozen=True)
class Recipient:
    """``known``: in the directory and active; whoever is asked by address alone is not."""

    name: str
    known: bool
    preferences: Preferences


def recipients(connection: Connection, emails: Iterable[str], defaults: Preferences) -> dict[str, Recipient]:
    """Those of the directory, by address."""
    query = select(_PERSON).where(_PERSON.c.email.in_(list(emails)))
    return {
        row["email"]: Recipient(row["name"], row["active"], defaults.of(dict(row)))
        for row in connection.execute(query).mappings()
    }


def preferences_said(said: Mapping[str, str]) -> Preferred:
    """What cells or options say; an empty one, like ``default``, goes back to the default. Raises PreferenceInvalid."""
    found: dict[str, Any] = {}
    for name in PREFERENCES:
        if name in said:
            text = said[name].strip()
            found[name] = None if text.lower() in ("", DEFAULT) else _READERS[name](name, text)
    return cast(Preferred, found)


def _time_zone(name: str, text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (OSError, ValueError, KeyError) as error:
        raise PreferenceInvalid(name, f"{text!r} is no time zone such as Pacific/Auckland") from error


def _quiet_hours(name: str, text: str) -> str:
    try:
        return str(QuietHours.parse(text))
    except ValueError as error:
        raise PreferenceInvalid(name, str(error)) from error


def _digest(name: str, text: str) -> Digest:
    try:
        return Digest(text.lower())
    except ValueError as error:
        raise PreferenceInvalid(name, f"{text!r} is none of {', '.join(Digest)}") from error


def _receipts(name: str, text: str) -> bool:
    if text.lower() not in YES | NO:
        raise PreferenceInvalid(name, f"{text!r} is neither yes nor no")
    return text.lower() in YES


def _language(name: str, text: str) -> str:
    if not LANGUAGE_TAG.fullmatch(text):
        raise PreferenceInvalid(name, f"{text!r} is no language such as de or pt-BR")
    return text


_READERS = {
    "time_zone": _time_zone,
    "quiet_hours": _quiet_hours,
    "digest": _digest,
    "receipts": _receipts,
    "language": _language,
}


def prefer(database: Database, email: str, said: Mapping[str, str]) -> None:
    """Changes what a person of the directory prefers. Raises InputError ``preference_invalid``."""
    try:
        values = preferences_said(said)
    except PreferenceInvalid as error:
        raise InputError(
            "preference_invalid",
            f"{error.name.replace('_', ' ').capitalize()}: {error.problem}.",
            f"Say {DEFAULT!r} for what holds for everybody who has not said; docs/mail.md tells the rest.",
        ) from error
    if values:
        with database.write() as connection:
            connection.execute(_PERSON.update().where(_PERSON.c.email == email).values(**values))
