"""The mail with a link that signs in: about a person, and no case."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from imprimatur.mail.calendar import Entry
from imprimatur.mail.languages import Language
from imprimatur.mail.links import Links
from imprimatur.store.outbox import Mail
from imprimatur.store.preferences import Preferences

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class SignInContext:
    """In no thread, and with no date for the calendar."""

    mail: Mail
    name: str
    preferences: Preferences
    now: dt.datetime
    thread: str = ""

    @property
    def language(self) -> str:
        return self.preferences.language

    @property
    def zone(self) -> ZoneInfo:
        return self.preferences.time_zone or UTC

    @property
    def expires_at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.mail.data["expires_at"])

    @property
    def stale(self) -> str | None:
        """Why the mail should not be sent any more."""
        return "the link has expired" if self.expires_at <= self.now else None

    def values(self, links: Links, language: Language) -> dict[str, Any]:
        """For the templates. The link is signed here: what is kept in the outbox signs nobody in."""
        return {
            "name": self.name,
            "link": links.sign_in_url(self.mail.data["link_id"]),
            "minutes": max(1, round((self.expires_at - self.mail.created_at).total_seconds() / 60)),
            "base_url": links.base_url,
        }

    def entries(self, domain: str) -> tuple[Entry, ...]:
        return ()
