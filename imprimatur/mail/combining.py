"""Several mails that come to one person at about the same time become one message."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jinja2 import Template

from imprimatur import ids
from imprimatur.mail.context import MailContext
from imprimatur.mail.links import Links
from imprimatur.mail.regular import RegularContext
from imprimatur.mail.rendering import (
    Message,
    Sender,
    Written,
    compose,
    entries,
    reply_address,
    templates,
    values_of,
    words,
)
from imprimatur.store.outbox import NEVER_COMBINED, Mail

SIGNATURE_MARK = "\n-- \n"


@dataclass(frozen=True)
class Combined:
    """At least two mails to one person, in the order in which they came."""

    carrier: str
    contexts: tuple[MailContext, ...]

    @property
    def mails(self) -> tuple[Mail, ...]:
        return tuple(context.mail for context in self.contexts)


Letter = MailContext | RegularContext | Combined


def combined(contexts: Sequence[MailContext | RegularContext], *, combine: bool) -> list[Letter]:
    """What goes out together. What was on its way together before, and did not arrive, stays as it was."""
    groups: dict[tuple[str, str], list[MailContext]] = {}
    found: list[Letter | tuple[str, str]] = []
    for context in contexts:
        mail = context.mail
        together = mail.carried_by or (combine and not mail.tried and mail.kind not in NEVER_COMBINED)
        if isinstance(context, RegularContext) or not together:
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


def render_combined(letter: Combined, links: Links, sender: Sender, now: dt.datetime | None = None) -> Message:
    """Each mail whole, with its own link and its own reply address: a reply to the message can answer only one task.

    Raises Undeliverable.
    """
    sections = [_section(context, links, sender) for context in letter.contexts]
    first, cases = letter.contexts[0], {context.mail.case_id for context in letter.contexts}
    issuers = dict.fromkeys(context.framework.publication.issuer_name for context in letter.contexts)
    replies = any(section["mailto"] for section in sections)
    values = {"name": first.name, "sections": sections, "issuers": list(issuers), "replies": replies}
    subject, text, html = (template.render(values) for template in templates("combined"))
    written = Written(
        subject,
        text,
        html,
        # Of several cases no thread is the right one.
        thread=f"case.{first.mail.case_id}" if len(cases) == 1 else "",
        case_id=first.mail.case_id if len(cases) == 1 else "",
        reply_to=_asks_back(letter, links, sender) if replies else None,
        entries=tuple(entry for context in letter.contexts for entry in entries(context, sender, subject)),
    )
    return compose(written, letter.carrier, first.name, first.mail.recipient, sender, now)


def _asks_back(letter: Combined, links: Links, sender: Sender) -> str:
    """A reply to the message as a whole comes to an address that asks which of its tasks is meant."""
    return f"review+{links.reply_secret(letter.carrier, letter.mails[0].recipient)}@{sender.reply_domain}"


def _section(context: MailContext, links: Links, sender: Sender) -> dict[str, Any]:
    values = values_of(context, links) | {"by_reply": (), "name": ""}
    subject, text, html = templates(context.mail.kind)
    offered = words(context) if sender.takes_replies else ()
    reply_to = reply_address(context, links, sender) if offered else None
    title = _one_line(subject.render(values))
    heading, content = _blocks(html, values)
    return {
        "subject": title,
        "heading": heading,
        "html": content,
        "text": re.sub(r"\n{3,}", "\n\n", text.render(values).partition(SIGNATURE_MARK)[0]).strip(),
        "reply_to": reply_to,
        "mailto": _mailto(reply_to, title) if reply_to else None,
        "words": offered,
        "criteria": context.stage.criteria if context.stage and reply_to else (),
        "case_id": context.mail.case_id,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _mailto(address: str, title: str) -> str:
    """Some programs read a plus as a blank, so it is percent-encoded: RFC 6068, 2."""
    return f"mailto:{quote(address, safe='@')}?subject={quote(f'Re: {title}'[:200], safe='')}"


def _blocks(template: Template, values: dict[str, Any]) -> tuple[Any, Any]:
    """Heading and content of a mail's page, as markup, without the page around them."""
    context = template.new_context(values)
    # What a template imports is known to its blocks only once it has run.
    for _ in template.root_render_func(context):
        pass
    markup = template.environment.filters["safe"]
    heading, content = ("".join(context.blocks[name][0](context)) for name in ("heading", "content"))
    return markup(heading), markup(content)
