"""Several mails that come to one person at about the same time become one message."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imprimatur import ids
from imprimatur.mail.context import MailContext, Readable
from imprimatur.store.outbox import NEVER_COMBINED, Mail

# The folder of its templates.
COMBINED = "combined"


@dataclass(frozen=True)
class Combined:
    """At least two mails to one person, in the order in which they came."""

    carrier: str
    contexts: tuple[MailContext, ...]

    @property
    def mails(self) -> tuple[Mail, ...]:
        return tuple(context.mail for context in self.contexts)

    @property
    def mail(self) -> Mail:
        """The first, on which relays report for all."""
        return self.contexts[0].mail

    @property
    def name(self) -> str:
        return self.contexts[0].name

    @property
    def language(self) -> str:
        return self.contexts[0].language


Letter = Readable | Combined


def combined(contexts: Sequence[Readable], *, combine: bool) -> list[Letter]:
    """What goes out together. What was on its way together before, and did not arrive, stays as it was."""
    groups: dict[tuple[str, str], list[MailContext]] = {}
    found: list[Letter | tuple[str, str]] = []
    for context in contexts:
        mail = context.mail
        together = mail.carried_by or (combine and not mail.tried and mail.kind not in NEVER_COMBINED)
        if not isinstance(context, MailContext) or not together:
            found.append(context)
            continue
        key = (mail.recipient, mail.carried_by or "")
        if key not in groups:
            found.append(key)
        groups.setdefault(key, []).append(context)
    return [_letter(groups[item]) if isinstance(item, tuple) else item for item in found]


def _letter(group: Sequence[MailContext]) -> Letter:
    if len(group) == 1:
        return group[0]
    # The same mails make the same message; where some are left out, it is another one, and nobody takes it for a copy.
    return Combined(ids.carrier_id(sorted(context.mail.mail_id for context in group)), tuple(group))


def bindings(letters: Iterable[Letter]) -> Iterator[tuple[str, str | None]]:
    """Mails whose carrier is not yet written down, with it; None for one that goes out alone after all."""
    for letter in letters:
        carrier = letter.carrier if isinstance(letter, Combined) else None
        mails = letter.mails if isinstance(letter, Combined) else (letter.mail,)
        yield from ((mail.mail_id, carrier) for mail in mails if mail.carried_by != carrier)
