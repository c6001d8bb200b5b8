"""Verbs of badges: awarding them to learners, one or a file of them, and revoking them."""

import datetime as dt
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from imprimatur.cli.cases import Json
from imprimatur.cli.output import show, table, when
from imprimatur.cli.publishing import Published
from imprimatur.cli.signing import opened_keyring
from imprimatur.errors import InputError
from imprimatur.frameworks.documents import read_text
from imprimatur.publication.awarding import AWARDED, PRESENT, Award, Awarder, revoke_badge
from imprimatur.publication.learners_file import LearnersFile, learner_of, read_learners

FILE_BYTES = 20 * 1024 * 1024
TOGETHER = 200


def award(
    case: Published,
    email: Annotated[str | None, typer.Option("--learner-email", metavar="EMAIL", help="The learner.")] = None,
    name: Annotated[str, typer.Option(help="The learner's name; everybody who has the badge can read it.")] = "",
    valid_until: Annotated[str, typer.Option(metavar="DATE", help="The last day on which the badge holds.")] = "",
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Many: columns email, name, valid_until.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Award anew what was revoked.")] = False,
    as_json: Json = False,
) -> int:
    """Award badges of a published micro-credential. Repeated, it awards nobody twice and goes on with the rest."""
    found = _learners(email, name, valid_until, csv)
    answers: list[tuple[int, Award]] = []
    with opened_keyring() as keyring:
        awarder = Awarder(keyring, case)
        console = Console(stderr=True)
        with Progress(console=console, disable=as_json or not console.is_terminal, transient=True) as progress:
            bar = progress.add_task("award", total=len(found.learners))
            waiting = iter(found.learners)
            while some := list(islice(waiting, TOGETHER)):
                lines = [line for line, _ in some]
                given = awarder.award([learner for _, learner in some], dt.datetime.now(dt.UTC), again=again)
                answers += zip(lines, given, strict=True)
                progress.advance(bar, len(some))
        slug = awarder.record.slug
    _tell(slug, answers, found, as_json)
    return 1 if found.rejected else 0


def _learners(email: str | None, name: str, valid_until: str, file: Path | None) -> LearnersFile:
    if (email is None) == (file is None):
        raise InputError("learners_choice", "Name one learner, or a file of them.", "Use --learner-email or --csv.")
    if file is not None:
        return read_learners(read_text(file, FILE_BYTES))
    return LearnersFile([(1, learner_of(email or "", name, valid_until))], [])


def _tell(slug: str, answers: list[tuple[int, Award]], found: LearnersFile, as_json: bool) -> None:
    results = [award.result for _, award in answers]
    rows: list[dict[str, Any]] = [
        {"line": line, "badge_id": award.badge_id, "url": award.url, "result": award.result} for line, award in answers
    ]
    document = {
        "slug": slug,
        "awarded": results.count(AWARDED),
        "present": results.count(PRESENT),
        "badges": rows,
        "rejected": found.rejected,
    }
    text: list[Any] = [table(["line", "badge", "result"], [(r["line"], r["url"], r["result"]) for r in rows])]
    text += [f"Line {item.line}: {item.problem}" for item in found.rejected]
    text.append(f"{document['awarded']} badges awarded, {document['present']} were there already.")
    show(document, as_json, *text)


def revoke(
    badge: Annotated[str, typer.Argument(help="The badge's id: it begins with ob-.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept, and not shown in public.")],
    as_json: Json = False,
) -> None:
    """Revoke a badge: the status list says so at once, and whoever verifies it is told."""
    with opened_keyring() as keyring:
        found = revoke_badge(keyring, badge, reason, dt.datetime.now(dt.UTC))
    facts = found.model_dump(mode="json", include={"badge_id", "slug", "revoked_at", "reason"})
    show(facts, as_json, f"{found.badge_id} is revoked since {when(found.revoked_at)}.")
