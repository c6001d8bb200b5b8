"""Whether a framework can work: what a schema cannot say. Every problem, with its place."""

import datetime as dt
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from imprimatur.errors import InputError, Problem
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import Place, model_in, parse, read_text, spelled, validate
from imprimatur.rules.business_time import add_business_time, subtract_business_time
from models.framework import BusinessDuration, Framework, ReviewerRule, Sla, StageDef
from models.proposal import Proposal
from models.vocabulary import StageKind

Found = Iterator[tuple[Place, str, str, str]]

# Any day in the middle of a working year serves to try a calendar out.
_A_MONDAY = dt.datetime(2026, 6, 15, 10, 0, tzinfo=dt.UTC)


def check_file(path: Path) -> tuple[Framework | None, list[Problem]]:
    """The framework (None when it cannot be read as one) and its problems with file and line."""
    document = parse(read_text(path), path)
    framework, problems = validate(document, Framework, path.name)
    if framework is None:
        return None, problems
    return framework, [
        Problem(spelled(place), problem, expected, path.name, document.line_of(place), code)
        for place, code, problem, expected in _all_problems(framework)
    ]


def check_framework(framework: Framework) -> list[Problem]:
    """Problems of a framework that did not come from a file."""
    return [
        Problem(spelled(place), problem, expected, code=code)
        for place, code, problem, expected in _all_problems(framework)
    ]


def _all_problems(framework: Framework) -> Found:
    yield from _calendar_problems(framework)
    yield from _field_problems(framework)
    yield from _graph_problems(framework)
    for index, stage in enumerate(framework.stages):
        yield from _stage_problems(framework, stage, ("stages", index))
    yield from _publication_problems(framework)


def _calendar_problems(framework: Framework) -> Found:
    for name, definition in framework.calendars.items():
        try:
            calendar = work_calendar(definition, name)
            add_business_time(_A_MONDAY, BusinessDuration(business_days=1), calendar)
        except InputError as error:
            yield ("calendars", name), "calendar_invalid", error.message, error.hint
        except ValueError as error:
            yield ("calendars", name), "calendar_never_open", str(error), "a calendar with working days"
    known = ", ".join(framework.calendars)
    if framework.speed_to_market.calendar not in framework.calendars:
        yield (
            ("speed_to_market", "calendar"),
            "calendar_unknown",
            _no("calendar", framework.speed_to_market.calendar),
            known,
        )


def _no(what: str, name: str) -> str:
    return f"there is no {what} {name!r} in this framework"


def _field_problems(framework: Framework) -> Found:
    seen = set()
    for index, rule in enumerate(framework.proposal.fields):
        place: Place = ("proposal", "fields", index, "field")
        if not is_proposal_field(rule.field):
            yield place, "field_unknown", f"a proposal has no field {rule.field!r}", "a field of a proposal"
        if rule.field in seen:
            yield place, "field_repeated", f"the field {rule.field!r} has two rules", "one rule a field"
        seen.add(rule.field)


def is_proposal_field(path: str) -> bool:
    """Whether a dotted path such as ``workload.hours`` names something that a proposal can state."""
    head, _, tail = path.partition(".")
    info = Proposal.model_fields.get(head)
    if info is None:
        return False
    if not tail:
        return True
    part = model_in(info.annotation)
    is_list = str(info.annotation).startswith("tuple")
    return part is not None and not is_list and tail in part.model_fields


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
    for stage_id in sorted(set(ids) - _reachable(graph)):
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
            yield (
                (*place, "criteria", index, "id"),
                "criterion_repeated",
                f"two criteria are called {criterion_id!r}",
                "one id a criterion",
            )
    for index, field in enumerate(stage.material or ()):
        if not is_proposal_field(field):
            yield (
                (*place, "material", index),
                "field_unknown",
                f"a proposal has no field {field!r}",
                "a field of a proposal",
            )
    if stage.reviewers:
        yield from _review_problems(stage, place)
    elif stage.kind is StageKind.REVIEW:
        yield (*place, "reviewers"), "reviewers_missing", "nobody is named to review this stage", "at least one rule"
    elif stage.voting is not None or stage.sla is not None:
        yield place, "automatic_stage", "a stage without reviewers takes no votes and no time", "reviewers, or neither"
    if stage.sla is not None:
        yield from _sla_problems(framework, stage.sla, (*place, "sla"))


def _review_problems(stage: StageDef, place: Place) -> Found:
    for key, value in (("voting", stage.voting), ("sla", stage.sla)):
        if value is None:
            yield (*place, key), f"{key}_missing", f"a reviewed stage needs {key!r}", f"the key {key}"
    if stage.optional and not all(rule.partners or rule.unit for rule in stage.reviewers):
        yield (
            (*place, "optional"),
            "optional_never_empty",
            "only a stage whose reviewers come from the proposal (partners, unit) can be optional",
            "reviewers by partners or unit",
        )
    if stage.voting is None:
        return
    most = most_reviewers(stage.reviewers)
    for key, number in (("quorum", stage.voting.quorum), ("threshold", stage.voting.threshold)):
        if most is not None and number > most:
            yield (
                (*place, "voting", key),
                f"{key}_out_of_reach",
                f"the {key} is {number}, but at most {most} reviewers are named",
                f"at most {most}",
            )
    roles = {rule.role for rule in stage.reviewers} | ({"industry_partner"} if _asks_partners(stage) else set())
    for index, role in enumerate(stage.voting.veto):
        if role not in roles:
            yield (
                (*place, "voting", "veto", index),
                "veto_unheld",
                f"no reviewer of this stage holds the role {role!r}",
                ", ".join(sorted(filter(None, roles))) or "a role among the reviewers",
            )


def _asks_partners(stage: StageDef) -> bool:
    return any(rule.partners for rule in stage.reviewers)


def most_reviewers(rules: tuple[ReviewerRule, ...]) -> int | None:
    """The most people that these rules can name; None when there is no upper bound."""
    total = 0
    for rule in rules:
        if rule.addresses:
            number = len({address.lower() for address in rule.addresses})
            total += number if rule.count is None else min(rule.count, number)
        elif rule.partners == "lead":
            total += 1
        elif rule.count is not None:
            total += rule.count
        else:
            return None
    return total


def _sla_problems(framework: Framework, sla: Sla, place: Place) -> Found:
    if sla.calendar not in framework.calendars:
        known = ", ".join(framework.calendars)
        yield (*place, "calendar"), "calendar_unknown", _no("calendar", sla.calendar), known
        return
    try:
        calendar = work_calendar(framework.calendars[sla.calendar], sla.calendar)
        due_at = add_business_time(_A_MONDAY, sla.within, calendar).due_at
        for index, before in enumerate(sla.remind_before):
            if subtract_business_time(due_at, before, calendar) <= _A_MONDAY:
                yield (
                    (*place, "remind_before", index),
                    "reminder_too_early",
                    "this reminder would be due before the task is assigned",
                    "less than the time promised",
                )
    except (InputError, ValueError):
        # The calendar itself is reported where it stands.
        return


def _publication_problems(framework: Framework) -> Found:
    indexes = [i for i, stage in enumerate(framework.stages) if stage.kind is StageKind.PUBLICATION]
    if len(indexes) != 1:
        yield (
            ("stages",),
            "publication_not_single",
            f"{len(indexes)} stages publish",
            "exactly one stage of kind publication",
        )
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
