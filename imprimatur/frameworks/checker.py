"""Whether a framework can work: what a schema cannot say. Every problem, with its place."""

import datetime as dt
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from imprimatur.errors import InputError, Problem
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.documents import parse, read_text, spelled
from imprimatur.frameworks.field_checks import Found, field_problems, unknown_field
from imprimatur.frameworks.handover_checks import handover_problems
from imprimatur.frameworks.improvement_checks import review_problems, review_warnings
from imprimatur.frameworks.json_lines import Place
from imprimatur.frameworks.loader import validate
from imprimatur.frameworks.meeting_checks import meeting_problems
from imprimatur.frameworks.policy_checks import kind_problems, silence_problems, vote_problems
from imprimatur.frameworks.track_checks import track_problems
from imprimatur.rules.business_time import add_business_time, subtract_business_time
from models.calendars import BusinessDuration
from models.framework import Framework, ReviewerRule, Sla, StageDef
from models.vocabulary import StageKind

# Any day in the middle of a working year serves to try a calendar out.
_A_MONDAY = dt.datetime(2026, 6, 15, 10, 0, tzinfo=dt.UTC)
_NO_TIME = BusinessDuration(business_hours=0)
# As many as can be promised in days; hours of a calendar that opens for minutes only would reach further.
LONGEST_PROMISE_DAYS = 1000
Holders = Mapping[str, int]


def check_file(path: Path, holders: Holders | None = None) -> tuple[Framework | None, list[Problem]]:
    """The framework (None when it cannot be read as one) and its problems with file and line.

    ``holders`` says how many active people hold each role; without it nothing is said about roles.
    Raises what ``read_text`` and ``parse`` raise.
    """
    return check_text(read_text(path), path, holders)


def check_text(text: str, path: Path, holders: Holders | None = None) -> tuple[Framework | None, list[Problem]]:
    """As :func:`check_file`, of a text that came under this name. Raises what ``parse`` raises."""
    document = parse(text, path)
    framework, problems = validate(document, Framework, path.name)
    if framework is None:
        return None, problems
    problems = [
        Problem(spelled(place), problem, expected, path.name, document.line_of(place), code)
        for place, code, problem, expected in _all_problems(framework, holders)
    ]
    return framework, sorted(problems, key=lambda problem: problem.line or 0)


def check_framework(framework: Framework, holders: Holders | None = None) -> list[Problem]:
    """Problems of a framework that did not come from a file; ``holders`` as in :func:`check_file`."""
    return [
        Problem(spelled(place), problem, expected, code=code)
        for place, code, problem, expected in _all_problems(framework, holders)
    ]


def _all_problems(framework: Framework, holders: Holders | None) -> Found:
    yield from _calendar_problems(framework)
    yield from field_problems(framework)
    yield from meeting_problems(framework)
    yield from _graph_problems(framework)
    for index, stage in enumerate(framework.stages):
        yield from _stage_problems(framework, stage, ("stages", index))
        if stage.reviewers and holders is not None:
            yield from _directory_problems(stage, holders, ("stages", index))
    if framework.publishes:
        yield from _publication_problems(framework)
    yield from review_problems(framework)
    yield from handover_problems(framework)
    yield from track_problems(framework)
    yield from _track_promises(framework)
    promise = framework.speed_to_market
    yield from _promise_problems(framework, promise.within, promise.calendar, ("speed_to_market", "within"))
    if holders is not None:
        yield from review_warnings(framework)
        yield from _unheld(promise.escalate_to, holders, ("speed_to_market", "escalate_to"))


def _calendar_problems(framework: Framework) -> Found:
    for name, definition in framework.calendars.items():
        try:
            calendar = work_calendar(definition, name)
            add_business_time(_A_MONDAY, BusinessDuration(business_days=1), calendar)
        except InputError as error:
            yield ("calendars", name), "calendar_invalid", error.message, error.hint
        except ValueError as error:
            yield ("calendars", name), "calendar_never_open", str(error), "a calendar with working days"
    yield from _calendar_known(framework, framework.speed_to_market.calendar, ("speed_to_market", "calendar"))


def _calendar_known(framework: Framework, name: str, place: Place) -> Found:
    if name not in framework.calendars:
        yield place, "calendar_unknown", _no("calendar", name), ", ".join(framework.calendars)


def _no(what: str, name: str) -> str:
    return f"there is no {what} {name!r} in this framework"


def _graph_problems(framework: Framework) -> Found:
    ids = [stage.id for stage in framework.stages]
    for index, stage in enumerate(framework.stages):
        if ids.index(stage.id) != index:
            yield ("stages", index, "id"), "stage_repeated", f"two stages are called {stage.id!r}", "one id a stage"
        for number, need in enumerate(stage.needs):
            if need not in ids:
                yield ("stages", index, "needs", number), "stage_unknown", _no("stage", need), ", ".join(ids)
    graph = {stage.id: [need for need in stage.needs if need in ids] for stage in framework.stages}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        place: Place = ("stages", ids.index(cycle[0]), "needs")
        yield place, "cycle", f"stages wait for each other: {' -> '.join(cycle)}", "needs without a cycle"
    for stage_id in sorted(set(ids) - _reachable(graph), key=ids.index):
        yield (
            ("stages", ids.index(stage_id)),
            "stage_unreachable",
            f"the stage {stage_id!r} can never open",
            "needs that can all be met",
        )


def _reachable(graph: dict[str, list[str]]) -> set[str]:
    opened: set[str] = set()
    while True:
        ready = {stage for stage, needs in graph.items() if stage not in opened and opened.issuperset(needs)}
        if not ready:
            return opened
        opened |= ready


def _stage_problems(framework: Framework, stage: StageDef, place: Place) -> Found:
    criteria = [criterion.id for criterion in stage.criteria]
    for index, criterion_id in enumerate(criteria):
        if criteria.index(criterion_id) != index:
            problem = f"two criteria are called {criterion_id!r}"
            yield (*place, "criteria", index, "id"), "criterion_repeated", problem, "one id a criterion"
    for index, field in enumerate(stage.material or ()):
        yield from unknown_field(field, (*place, "material", index))
    if stage.kind is StageKind.PUBLICATION and (stage.reviewers or stage.optional):
        key = "reviewers" if stage.reviewers else "optional"
        yield (*place, key), "publication_reviewed", "a stage that publishes is automatic", "a review stage before it"
    elif stage.reviewers:
        yield from _review_problems(stage, place)
    elif stage.kind is not StageKind.PUBLICATION:
        yield (*place, "reviewers"), "reviewers_missing", "nobody is named to review this stage", "at least one rule"
    elif stage.voting is not None or stage.sla is not None or stage.criteria:
        problem = "a stage without reviewers takes no votes, no time and no scores"
        yield place, "automatic_stage", problem, "reviewers, or none of voting, sla and criteria"
    else:
        yield from kind_problems(stage, place)
    if stage.sla is not None:
        yield from _sla_problems(framework, stage.sla, (*place, "sla"))


def _review_problems(stage: StageDef, place: Place) -> Found:
    yield from kind_problems(stage, place)
    yield from silence_problems(stage, place)
    yield from vote_problems(stage, place)
    if stage.optional and not all(rule.partners or rule.unit for rule in stage.reviewers):
        yield (
            (*place, "optional"),
            "optional_never_empty",
            "only a stage whose reviewers come from the proposal (partners, unit) can be optional",
            "reviewers by partners or unit",
        )
    yield from _out_of_reach(stage, most_reviewers(stage.reviewers), "are named", place)


def _out_of_reach(stage: StageDef, most: int | None, how: str, place: Place) -> Found:
    if stage.voting is None or most is None:
        return
    heaviest = max(stage.voting.weights.values(), default=1)
    if (stage.voting.quorum or 0) > most:
        problem = f"the quorum is {stage.voting.quorum}, but at most {most} reviewers {how}"
        yield (*place, "voting", "quorum"), "quorum_out_of_reach", problem, f"at most {most}"
    if (stage.voting.threshold or 0) > most * heaviest:
        weight = f", each of a weight of {heaviest} at most," if heaviest > 1 else ""
        problem = f"the threshold is {stage.voting.threshold}, but at most {most} reviewers{weight} {how}"
        yield (*place, "voting", "threshold"), "threshold_out_of_reach", problem, f"at most {most * heaviest}"


def most_reviewers(rules: tuple[ReviewerRule, ...], holders: Holders | None = None) -> int | None:
    """The most people that these rules can name; None when there is no upper bound."""
    total = 0
    for rule in rules:
        bounds = [] if rule.most is None else [rule.most]
        if rule.addresses:
            bounds.append(len({address.lower() for address in rule.addresses}))
        if rule.partners == "lead":
            bounds.append(1)
        if rule.role is not None and holders is not None:
            bounds.append(holders.get(rule.role, 0))
        if not bounds:
            return None
        total += min(bounds)
    return total


def _directory_problems(stage: StageDef, holders: Holders, place: Place) -> Found:
    for index, rule in enumerate(stage.reviewers):
        if rule.role is not None:
            yield from _unheld(rule.role, holders, (*place, "reviewers", index, "role"))
    if stage.sla is not None:
        yield from _unheld(stage.sla.escalate_to, holders, (*place, "sla", "escalate_to"))
        for index, step in enumerate(stage.sla.then):
            yield from _unheld(step.to, holders, (*place, "sla", "then", index, "to"))
        if stage.sla.deputies is not None:
            yield from _unheld(stage.sla.deputies, holders, (*place, "sla", "deputies"))
    if stage.voting is not None and stage.voting.deputies is not None:
        yield from _unheld(stage.voting.deputies, holders, (*place, "voting", "deputies"))
    active = most_reviewers(stage.reviewers, holders)
    if active and active != most_reviewers(stage.reviewers):
        yield from _out_of_reach(stage, active, "are active in the directory", place)


def _unheld(role: str, holders: Holders, place: Place) -> Found:
    if not holders.get(role):
        held = ", ".join(sorted(name for name, number in holders.items() if number))
        problem = f"nobody active in the directory holds the role {role!r}"
        yield place, "role_unheld", problem, f"one of {held}" if held else "a directory with people who hold roles"


def _promise_problems(framework: Framework, within: BusinessDuration, calendar: str, place: Place) -> Found:
    if not within.business_days and not within.business_hours:
        yield place, "promise_empty", "a promise of no time is broken at once", "at least one hour or day"
    if _is_too_long(framework, within, calendar):
        yield from _too_long(within, place)


def _too_long(span: BusinessDuration, place: Place) -> Found:
    problem = f"{span.business_hours:g} hours are more than {LONGEST_PROMISE_DAYS} days of the calendar"
    yield place, "promise_too_long", problem, f"at most {LONGEST_PROMISE_DAYS} working days"


def _track_promises(framework: Framework) -> Found:
    slas = {stage.id: stage.sla for stage in framework.stages}
    for index, track in enumerate(framework.tracks):
        for stage_id, span in track.sla.items():
            sla = slas.get(stage_id)
            if sla is not None:
                yield from _promise_problems(framework, span, sla.calendar, ("tracks", index, "sla", stage_id))
        if track.speed_to_market is not None:
            place: Place = ("tracks", index, "speed_to_market")
            yield from _promise_problems(framework, track.speed_to_market, framework.speed_to_market.calendar, place)


def _is_too_long(framework: Framework, span: BusinessDuration, calendar: str) -> bool:
    definition = framework.calendars.get(calendar)
    if definition is None or span.business_hours is None:
        return False
    opens, closes = (dt.datetime.combine(dt.date.min, at) for at in (definition.hours.start, definition.hours.end))
    return dt.timedelta(hours=span.business_hours) > LONGEST_PROMISE_DAYS * (closes - opens)


def _sla_problems(framework: Framework, sla: Sla, place: Place) -> Found:
    yield from _promise_problems(framework, sla.within, sla.calendar, (*place, "within"))
    yield from _calendar_known(framework, sla.calendar, (*place, "calendar"))
    for index, step in enumerate(sla.then):
        if _is_too_long(framework, step.after, sla.calendar):
            yield from _too_long(step.after, (*place, "then", index, "after"))
    for index in range(1, len(sla.then)):
        if not _is_later(sla.then[index - 1].after, sla.then[index].after):
            problem = "this step would come before the one above it, or with it"
            yield (*place, "then", index, "after"), "steps_out_of_order", problem, "later than the step before"
    if sla.calendar not in framework.calendars or _is_too_long(framework, sla.within, sla.calendar):
        return
    try:
        calendar = work_calendar(framework.calendars[sla.calendar], sla.calendar)
        begin = add_business_time(_A_MONDAY, _NO_TIME, calendar).due_at
        due_at = add_business_time(begin, sla.within, calendar).due_at
        for index, before in enumerate(sla.remind_before):
            too_long = _is_too_long(framework, before, sla.calendar)
            if too_long or subtract_business_time(due_at, before, calendar) <= begin:
                yield (
                    (*place, "remind_before", index),
                    "reminder_too_early",
                    "this reminder would be due before the task is assigned, or with it",
                    "less than the time promised",
                )
    except (InputError, ValueError):
        # The calendar itself is reported where it stands.
        return


def _is_later(first: BusinessDuration, second: BusinessDuration) -> bool:
    """Days and hours cannot be told apart without a calendar and a date: only like is compared with like."""
    if first.business_days is not None and second.business_days is not None:
        return first.business_days < second.business_days
    if first.business_hours is not None and second.business_hours is not None:
        return first.business_hours < second.business_hours
    return True


def _publication_problems(framework: Framework) -> Found:
    indexes = [i for i, stage in enumerate(framework.stages) if stage.kind is StageKind.PUBLICATION]
    if len(indexes) != 1:
        problem = f"{len(indexes)} stages publish"
        yield ("stages",), "publication_not_single", problem, "exactly one stage of kind publication"
        return
    needs = {stage.id: set(stage.needs) for stage in framework.stages}
    publication = framework.stages[indexes[0]]
    before: set[str] = set()
    waiting = set(publication.needs)
    while waiting:
        stage_id = waiting.pop()
        before.add(stage_id)
        waiting |= needs.get(stage_id, set()) - before
    for stage_id in needs:
        if stage_id != publication.id and stage_id not in before:
            yield (
                ("stages", indexes[0], "needs"),
                "published_too_early",
                f"the credential could be published while the stage {stage_id!r} is still open",
                "publication that needs every other stage, directly or through others",
            )
