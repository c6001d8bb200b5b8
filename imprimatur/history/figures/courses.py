"""Figures about the course of cases: how old, how far they come, how often they go back, and whose desk they are on."""

from imprimatur.history.figures import sums
from imprimatur.history.figures.ageing import LABELS, age
from imprimatur.history.figures.asking import Asking
from imprimatur.history.figures.behind import AGEING_STATUSES
from imprimatur.history.figures.chosen import CASE_TIME
from imprimatur.history.figures.figure import Column, Figure, Line
from imprimatur.history.figures.measuring import FrameworkCalendars
from imprimatur.history.figures.quantiles import rate
from imprimatur.history.figures.times import FRAMEWORK, MEDIAN_AND_P90, STAGE, percentiles, time_columns
from imprimatur.history.records import CASE


def ageing(asking: Asking) -> Figure:
    digests = sums.frameworks_of_open(*asking.of)
    place = age(digests, FrameworkCalendars(asking.connection), asking.now)
    found = sums.ages(*asking.of, place, asking.now)
    lines = []
    for index, label in enumerate(LABELS):
        of_age = {status: counts for (known, status), counts in found.items() if known == index}
        told: dict[str, object] = {"age": label}
        for key, statuses in AGEING_STATUSES.items():
            told[key] = sum(of_age.get(str(status), (0, 0))[0] for status in statuses)
        told |= {
            "cases": sum(number for number, _ in of_age.values()),
            "late": sum(late for _, late in of_age.values()),
        }
        lines.append(Line(told, {"age": str(index)}))
    counted = (
        "Cases that are open now, whatever the period, by the business days since they were submitted. Late is a case "
        "that is past the day on which it was to be published; the desk counts one with a late stage as well."
    )
    columns = (
        Column("age", "Age"),
        Column("review", "In review", "count", "review"),
        Column("author", "With the author", "count", "author"),
        Column("hold", "On hold", "count", "hold"),
        Column("cases", "Together", "count", "all"),
        Column("late", "Late", "count", "late"),
    )
    return Figure("ageing", counted, columns, lines)


def funnel(asking: Asking) -> Figure:
    submitted = sums.submissions(asking.connection, CASE.c.framework_id, asking.chosen, asking.scope)
    ended, begun = sums.stages_ended(*asking.of), sums.stages_begun(*asking.of)
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for key in {*ended, *begun}:
        came_to_end, passed = ended.get(key, (0, 0))
        counts[key] = (came_to_end + begun.get(key, 0), passed)
    lines = []
    for framework in sorted(submitted, key=asking.names.framework):
        whole, name = submitted[framework], asking.names.framework(framework)
        start = {
            "framework": name,
            "stage": "Submitted",
            "reached": whole,
            "passed": whole,
            "share": rate(whole, whole),
        }
        lines.append(Line(start, None))
        stages = asking.names.in_order(framework, [stage for known, stage in counts if known == framework])
        for stage in stages:
            reached, passed = counts[framework, stage]
            told = {"reached": reached, "passed": passed, "share": rate(passed, whole)}
            lines.append(Line(asking.named(framework, stage) | told, asking.about(framework, stage)))
    counted = (
        "Cases that were submitted in the period: how many of them have reached each stage until now, and how many "
        "have passed it, in any round."
    )
    columns = (
        FRAMEWORK,
        STAGE,
        Column("reached", "Reached", "count", "reached"),
        Column("passed", "Passed", "count", "passed"),
        Column("share", "Passed, of all submitted", "percent"),
    )
    return Figure("funnel", counted, columns, lines)


def rework(asking: Asking) -> Figure:
    cases = sums.cases_by(asking.connection, CASE_TIME.c.framework_id, asking.chosen, asking.scope)
    lines = []
    for framework in sorted(cases, key=asking.names.framework):
        found = cases[framework]
        if number := found.kept.number:
            told = {
                "framework": asking.names.framework(framework),
                "cases": number,
                "repeated": found.repeated,
                "share": rate(found.repeated, number),
                "rounds": round(found.rounds / number, 2),
                "changes": found.changes,
                "lapsed": found.lapsed,
            }
            lines.append(Line(told, {"framework": framework}))
    counted = (
        "Cases that were decided in the period: how many of them took more than one round, and how often changes were "
        "requested of them and approvals lapsed."
    )
    columns = (
        FRAMEWORK,
        Column("cases", "Cases", "count", "all"),
        Column("repeated", "More than one round", "count", "repeated"),
        Column("share", "Share of them", "percent"),
        Column("rounds", "Rounds a case", "ratio"),
        Column("changes", "Changes requested", "count", "changes"),
        Column("lapsed", "Approvals lapsed", "count", "lapsed"),
    )
    return Figure("rework", counted, columns, lines)


def changes(asking: Asking) -> Figure:
    stages: dict[tuple[str, str], tuple[int, int]] = {}
    for (framework, stage, _), (kept, requested) in sums.stages_kept(*asking.of).items():
        number, before = stages.get((framework, stage), (0, 0))
        stages[framework, stage] = (number + kept.number, before + requested)
    lines = []
    for framework, stage, (number, requested) in asking.by_stage(stages, {}):
        told = {"decided": number, "changes": requested, "rate": rate(requested, number)}
        lines.append(Line(asking.named(framework, stage) | told, asking.about(framework, stage)))
    counted = "Of the decisions that stages came to in the period: how many asked for changes."
    columns = (
        FRAMEWORK,
        STAGE,
        Column("decided", "Decided", "count", "all"),
        Column("changes", "Asked for changes", "count", "changes"),
        Column("rate", "Share", "percent"),
    )
    return Figure("changes", counted, columns, lines)


def workload(asking: Asking) -> Figure:
    waiting, given = sums.waiting(*asking.of, asking.now), sums.answers(*asking.of)
    lines = []
    for reviewer in sorted({*waiting, *given}, key=lambda person: (-waiting.get(person, (0, 0))[0], person)):
        tasks, late = waiting.get(reviewer, (0, 0))
        seconds = given.get(reviewer, [])
        told = {"reviewer": reviewer, "open": tasks, "late": late, "answered": len(seconds)}
        lines.append(Line(told | percentiles(seconds, MEDIAN_AND_P90), {"reviewer": reviewer}))
    counted = (
        "Tasks that wait now and those of them that are late, whatever the period; answers given in the period, and "
        "the business time from when the task was in the reviewer's hands until the answer."
    )
    columns = (
        Column("reviewer", "Reviewer"),
        Column("open", "Waiting", "count", "open"),
        Column("late", "Late", "count", "late"),
        Column("answered", "Answered", "count", "answered"),
        *time_columns(MEDIAN_AND_P90),
    )
    return Figure("workload", counted, columns, lines)
