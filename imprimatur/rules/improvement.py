"""What calls for a review of what is published, when the next one is due, and what an outcome means. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from imprimatur.rules.standing import folded
from models.improvement import ReviewDef, Threshold
from models.proposal import Partner
from models.vocabulary import Indicator, RecordStatus, ReviewOutcome, ReviewTrigger

INDICATOR_WORDS = {
    Indicator.ENROLMENT: "enrolment",
    Indicator.COMPLETION_RATE: "the completion rate",
    Indicator.LEARNER_RATING: "the rating by learners",
    Indicator.EMPLOYER_RATING: "the rating by employers",
}
# Several values in order of their period, which is written so that it sorts: 2026, 2026-S1, 2026-Q3, 2026-07.
Figures = Mapping[Indicator, Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class Evidence:
    """Something that speaks for a review. ``key`` names the very fact, so that it does so once."""

    key: str
    trigger: ReviewTrigger
    reason: str


@dataclass(frozen=True)
class Consequence:
    """What an outcome means for the published record: what it says of itself, and why, in plain words.

    ``again``: another review is to come. ``retire_on``: teaching ends on that day.
    """

    status: RecordStatus
    told: str
    again: bool = True
    retire_on: dt.date | None = None


def months_later(at: dt.datetime, months: int, zone: ZoneInfo) -> dt.datetime:
    """The same time of day so many months on, where the calendar is."""
    later = at.astimezone(zone).replace(tzinfo=None) + relativedelta(months=months)
    return later.replace(tzinfo=zone).astimezone(dt.UTC)


def day_begins(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def consequence(rule: ReviewDef, outcome: ReviewOutcome, on: dt.date, teach_out_on: dt.date | None) -> Consequence:
    """``on`` is the day of the outcome; learners of what is retired have at least until then."""
    match outcome:
        case ReviewOutcome.CONTINUE:
            return Consequence(RecordStatus.OFFERED, f"Reviewed on {on}: it continues as it is.")
        case ReviewOutcome.REVISE:
            told = f"Reviewed on {on}: it is under revision; a new version is being prepared."
            return Consequence(RecordStatus.OFFERED, told)
        case ReviewOutcome.PAUSE:
            return Consequence(RecordStatus.PAUSED, f"Reviewed on {on}: nobody new is taken in for the time being.")
    until = max(teach_out_on or on + relativedelta(months=rule.teach_out.months), on)
    told = f"Reviewed on {on}: it is retired; whoever has begun can finish until {until}."
    return Consequence(RecordStatus.TEACHING_OUT, told, again=False, retire_on=until)


# --- evidence -----------------------------------------------------------------------------------------------


def below_the_line(thresholds: Iterable[Threshold], figures: Figures) -> list[Evidence]:
    """One for each indicator whose latest periods were all below its line; a later period is another fact."""
    found = []
    for threshold in thresholds:
        latest = sorted(figures.get(threshold.indicator, ()))[-threshold.periods :]
        if len(latest) < threshold.periods or any(value >= threshold.below for _, value in latest):
            continue
        values = ", ".join(f"{value:g} in {period}" for period, value in latest)
        reason = f"{INDICATOR_WORDS[threshold.indicator]} is below {threshold.below:g}: {values}"
        found.append(Evidence(f"indicator {threshold.indicator} {latest[-1][0]}", ReviewTrigger.INDICATOR, reason))
    return found


def partners_gone(partners: Iterable[Partner], active: Mapping[str, bool], staffed: Iterable[str]) -> list[Evidence]:
    """Partners all of whose people that the directory knows have left.

    ``active`` has whether a known address is active; ``staffed`` are the organisations with somebody active.
    """
    with_people = {folded(name) for name in staffed}
    found = []
    for partner in partners:
        known = [active[email] for email, _ in partner.signers() if email in active]
        if known and not any(known) and folded(partner.organisation) not in with_people:
            reason = f"the partner {partner.organisation} has left: none of its people is active any more"
            found.append(Evidence(f"partner {folded(partner.organisation)}", ReviewTrigger.PARTNER_LEFT, reason))
    return found


def sign_offs_ending(ends: Mapping[str, dt.datetime], rule: ReviewDef, now: dt.datetime) -> list[Evidence]:
    """``ends`` has until when the approval of a stage holds, by the stage's name."""
    until = now + relativedelta(months=rule.ahead.months)
    return [
        Evidence(
            f"sign-off {stage} {end.isoformat()}",
            ReviewTrigger.SIGN_OFF_EXPIRING,
            f"the approval of {stage} {'ends' if end > now else 'ended'} on {end.date()}",
        )
        for stage, end in sorted(ends.items())
        if end <= until
    ]


def superseded(name: str, version: str, newest: str) -> list[Evidence]:
    """The framework that a micro-credential was approved under has a newer version."""
    if version == newest:
        return []
    reason = f"it was approved under version {version} of {name}, which version {newest} has superseded"
    return [Evidence(f"framework {newest}", ReviewTrigger.FRAMEWORK_SUPERSEDED, reason)]
