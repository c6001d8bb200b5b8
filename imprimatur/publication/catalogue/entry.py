"""A micro-credential as the catalogue lists it: what is told of it, what it is found by, and under which headings."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError

from imprimatur.publication.catalogue.words import key_of, words
from imprimatur.publication.page import CataloguePage
from models.vocabulary import RecordStatus

MODES = {"online": "Online", "onsite": "On site", "blended": "Blended", "workplace": "At the workplace"}
# What is listed and takes in nobody.
STANDING = {RecordStatus.PAUSED: "Intake paused", RecordStatus.TEACHING_OUT: "No new intake"}
# Upper bounds, in hours of workload and in units of the currency.
HOURS = (25, 75, 150, 300)
PRICES = (200, 500, 1000, 2000)
# How much a word tells by where it stands.
TITLE, SKILL, PARTNER, FIELD, OUTCOME, SUMMARY = 12, 6, 5, 5, 3, 2
SHORT = 220


@dataclass(frozen=True, slots=True)
class Mark:
    """One value under one heading, such as the mode ``online``; ``rank`` orders those that have one."""

    facet: str
    key: str
    label: str
    rank: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """``words`` are those that it is found by, with their weight; ``price`` is in units of ``currency``.

    ``standing`` says why one cannot apply; it is empty where one can.
    """

    slug: str
    case_id: str
    title: str
    summary: str
    provider: str
    standing: str
    told: tuple[str, ...]
    hours: float | None
    price: Decimal | None
    currency: str
    published_at: dt.datetime
    marks: tuple[Mark, ...]
    words: Mapping[str, int]


def entry_of(
    slug: str,
    page: CataloguePage,
    proposal: Mapping[str, Any],
    pathways: Mapping[str, str],
    status: RecordStatus = RecordStatus.OFFERED,
) -> Entry:
    """``proposal`` is the document as it is kept; ``pathways`` are titles by id."""
    amount, _, currency = (page.price or "").partition(" ")
    price = Decimal(amount) if amount else None
    return Entry(
        slug=slug,
        case_id=page.case_id,
        title=page.title,
        summary=shortened(page.summary),
        provider=page.provider,
        standing=STANDING.get(status, ""),
        told=tuple(_told(page)),
        hours=page.hours,
        price=price,
        currency=currency,
        published_at=page.published_at,
        marks=tuple(dict.fromkeys(_marks(page, price, currency, proposal.get("stackability") or {}, pathways))),
        words=_words(page, [str(skill.get("title", "")) for skill in proposal.get("skills", ())]),
    )


def shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHORT else f"{plain[:SHORT].rsplit(' ', 1)[0].rstrip(',;:.')} …"


def _told(page: CataloguePage) -> Iterator[str]:
    if page.hours:
        yield f"{page.hours:g} hours"
    if page.credits:
        yield credits_words(page.credits, page.credit_system)
    if page.level:
        yield page.level
    if page.mode:
        yield MODES.get(page.mode, page.mode)
    if page.price:
        yield price_words(page.price)


def credits_words(number: float, system: str | None) -> str:
    return f"{number:g} {system.upper() if system and system != 'other' else 'credits'}"


def price_words(price: str) -> str:
    """``1450.00 NZD`` as people write it, and nothing asked as a word."""
    amount, _, currency = price.partition(" ")
    number = Decimal(amount)
    if not number:
        return "Free of charge"
    return f"{number:,.0f} {currency}" if number == number.to_integral() else f"{number:,.2f} {currency}"


def language_name(tag: str) -> str:
    """In English; the tag itself where it names no language that is known."""
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag


def _marks(
    page: CataloguePage, price: Decimal | None, currency: str, stacking: Mapping[str, Any], pathways: Mapping[str, str]
) -> Iterator[Mark]:
    if page.field_of_study:
        yield _mark("field", page.field_of_study)
    if page.level:
        yield Mark("level", key_of(page.level), page.level, rank=page.level)
    if page.hours:
        yield Mark("workload", *_band(Decimal(str(page.hours)), HOURS, "hours"))
    if page.mode:
        yield Mark("mode", page.mode, MODES.get(page.mode, page.mode))
    if price is not None:
        yield Mark("price", *_band(price, PRICES, currency)) if price else Mark("price", "free", "Free of charge", " ")
    if stacking:
        yield Mark(
            "stacking", *(("stackable", "Stackable") if stacking.get("stackable") else ("alone", "Stands alone"))
        )
    for claim in stacking.get("claims", ()):
        if (found := str(claim["pathway"])) in pathways:
            yield Mark("stacking", f"towards-{found}", f"Towards {pathways[found]}")
    for partner in page.partners:
        yield _mark("partner", partner)
    if page.language:
        yield Mark("language", key_of(page.language), language_name(page.language))
    yield _mark("provider", page.provider)
    if page.unit:
        yield _mark("unit", page.unit)


def _mark(facet: str, label: str) -> Mark:
    return Mark(facet, key_of(label), label)


def _band(number: Decimal, bounds: Sequence[int], unit: str) -> tuple[str, str, str]:
    """Key, label and rank. A band goes up to its upper bound and holds it."""
    upper = next((bound for bound in bounds if number <= bound), None)
    lower = max((bound for bound in bounds if bound < number), default=0)
    rank = f"{unit} {lower:06}"
    if not lower:
        return f"to-{upper}-{unit.lower()}", f"Up to {upper:,} {unit}", rank
    if upper is None:
        return f"over-{lower}-{unit.lower()}", f"Over {lower:,} {unit}", rank
    return f"{lower}-to-{upper}-{unit.lower()}", f"{lower:,} to {upper:,} {unit}", rank


def _words(page: CataloguePage, skills: Sequence[str]) -> dict[str, int]:
    """A word weighs as much as the best place it stands in."""
    found: Counter[str] = Counter()
    places = [
        (SUMMARY, page.summary),
        (SUMMARY, f"{page.provider} {page.unit or ''}"),
        (OUTCOME, " ".join(page.learning_outcomes)),
        (FIELD, page.field_of_study or ""),
        (PARTNER, " ".join(page.partners)),
        (SKILL, " ".join(skills)),
        (TITLE, page.title),
    ]
    for weight, text in places:
        for word in words(text):
            found[word] = max(found[word], weight)
    return dict(found)
