"""What a message of several mails says: each mail whole, as a section."""

import re
from typing import Any
from urllib.parse import quote

from jinja2 import Template

from imprimatur.mail.combining import Combined
from imprimatur.mail.composing import by_reply, values
from imprimatur.mail.context import MailContext
from imprimatur.mail.languages import Language
from imprimatur.mail.links import Links
from imprimatur.mail.message import Sender, one_line
from imprimatur.mail.replying import reply_address

SIGNATURE_MARK = "\n-- \n"


def combined_values(letter: Combined, links: Links, sender: Sender, language: Language) -> dict[str, Any]:
    """For the templates of the message; the sections are written by the house, in the reader's language."""
    sections = [_section(context, links, sender, language) for context in letter.contexts]
    issuers = dict.fromkeys(context.framework.publication.issuer_name for context in letter.contexts)
    return {
        "name": letter.name,
        "sections": sections,
        "issuers": list(issuers),
        "replies": any(section["mailto"] for section in sections),
    }


def asks_back(letter: Combined, links: Links, domain: str) -> str:
    """A reply to the message as a whole comes to an address that asks which of its tasks is meant."""
    return f"review+{links.reply_secret(letter.carrier, letter.mail.recipient)}@{domain}"


def _section(context: MailContext, links: Links, sender: Sender, language: Language) -> dict[str, Any]:
    found = values(context, links, language, takes_replies=False) | {"name": ""}
    subject, text, html = sender.house.templates(context.mail.kind, language)
    offered = by_reply(context, language) if sender.takes_replies else ()
    reply_to = reply_address(context, links, sender.reply_domain) if offered else None
    title = one_line(subject.render(found))
    heading, content = _blocks(html, found)
    return {
        "subject": title,
        "heading": heading,
        "html": content,
        "text": re.sub(r"\n{3,}", "\n\n", text.render(found).partition(SIGNATURE_MARK)[0]).strip(),
        "reply_to": reply_to,
        "mailto": _mailto(reply_to, title) if reply_to else None,
        "words": offered,
        "criteria": context.stage.criteria if context.stage and reply_to else (),
        "case_id": context.mail.case_id,
    }


def _mailto(address: str, title: str) -> str:
    """Some programs read a plus as a blank, so it is percent-encoded: RFC 6068, 2."""
    return f"mailto:{quote(address, safe='@')}?subject={quote(f'Re: {title}'[:200], safe='')}"


def _blocks(template: Template, found: dict[str, Any]) -> tuple[Any, Any]:
    """Heading and content of a mail's page, as markup, without the page around them."""
    context = template.new_context(found)
    # What a template imports is known to its blocks only once it has run.
    for _ in template.root_render_func(context):
        pass
    markup = template.environment.filters["safe"]
    heading, content = ("".join(context.blocks[name][0](context)) for name in ("heading", "content"))
    return markup(heading), markup(content)
