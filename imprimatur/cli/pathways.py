"""Verbs on what credentials count towards, on skills, and on what resembles what."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.tree import Tree

from imprimatur.cli.cases import Json
from imprimatur.cli.context import with_database
from imprimatur.cli.output import harmless, show, table, when
from imprimatur.errors import InputError
from imprimatur.frameworks.loader import load_pathway, load_proposal
from imprimatur.rules.overlap import Overlap
from imprimatur.store import pathways as store
from imprimatur.store import skills as skill_store
from imprimatur.store.engine import Database
from imprimatur.store.overlaps import Overlaps
from imprimatur.store.reading import latest_proposal
from models.stacking import Pathway

pathway_app = typer.Typer(help="Degrees, certificates and series that credentials count towards.", no_args_is_help=True)
skills_app = typer.Typer(help="Skills of published frameworks such as ESCO and O*NET.", no_args_is_help=True)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pathway_app.command("add")
def pathway_add(file: Path, as_json: Json = False) -> None:
    """Keep a pathway, in the place of the one with its id."""
    pathway = load_pathway(file)
    changed = with_database(lambda database: store.put_pathway(database, pathway, _now()))
    text = f"{pathway.title} ({pathway.id}) is {'kept' if changed else 'kept already, exactly so'}."
    show({"id": pathway.id, "changed": changed}, as_json, text)


@pathway_app.command("list")
def pathway_list(as_json: Json = False) -> None:
    """List pathways."""
    found = with_database(store.pathways)
    rows = [(p.id, p.title, p.kind, f"{p.credits:g} {p.credit_system}", f"{p.limit:g}") for p in found]
    headings = ["id", "title", "kind", "credits", "of which stacked at most"]
    show({"pathways": found}, as_json, table(headings, rows) if rows else "There is no pathway yet.")


@pathway_app.command("show")
def pathway_show(pathway: str, as_json: Json = False) -> None:
    """Show a pathway: what counts towards it, and what it counts towards."""

    def read(database: Database) -> tuple[Pathway, list[store.Member], dict[str, Pathway]]:
        found = store.pathway(database, pathway)
        return found, store.members(database, pathway), {other.id: other for other in store.pathways(database)}

    found, members, known = with_database(read)
    document = {"pathway": found, "members": [member._asdict() for member in members]}
    show(document, as_json, _drawn(found, members, known))


def _drawn(pathway: Pathway, members: list[store.Member], known: dict[str, Pathway]) -> Tree:
    """The larger above the smaller, as it is climbed from below."""
    size = f"{pathway.credits:g} {pathway.credit_system}, at most {pathway.limit:g} stacked"
    tree = Tree(harmless(f"{pathway.title} ({pathway.id}), {size}"))
    if pathway.counts_towards:
        larger = tree.add("counts towards")
        for link in pathway.counts_towards:
            target = known.get(link.pathway)
            named = f"{target.title} ({target.id})" if target else link.pathway
            larger.add(harmless(f"{named}, {link.credits or pathway.credits:g} credits"))
    branch = tree.add("credentials that count towards it" if members else "no published credential counts yet")
    for member in members:
        brings = f", {member.credits:g} credits" if member.credits else ""
        branch.add(harmless(f"{member.title} ({member.case_id}){brings}"))
    return tree


@pathway_app.command("remove")
def pathway_remove(pathway: str, as_json: Json = False) -> None:
    """Remove a pathway that nothing counts towards."""
    with_database(lambda database: store.remove_pathway(database, pathway))
    show({"id": pathway}, as_json, f"{pathway} is removed.")


@skills_app.command("import")
def skills_import(
    framework: Annotated[str, typer.Argument(help="The name that proposals give the framework, such as ESCO.")],
    file: Annotated[Path, typer.Argument(help="The framework's own CSV file.")],
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where the file has codes only: the address, with {code} in it.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Take a framework's skills from its CSV file, in the place of those imported before."""
    result = with_database(lambda database: skill_store.import_skills(database, framework, file, _now(), address))
    rejected = [line._asdict() for line in result.rejected]
    show(
        {"imported": result.imported, "removed": result.removed, "rejected": rejected},
        as_json,
        f"{result.imported} skills of {framework}, {result.removed} removed, {len(rejected)} lines rejected",
        *([table(["line", "problem"], [(line.line, line.problem) for line in result.rejected])] * bool(rejected)),
    )


@skills_app.command("list")
def skills_list(as_json: Json = False) -> None:
    """List the frameworks that were imported."""
    found = with_database(skill_store.skill_frameworks)
    document = [{"framework": name, "skills": number, "imported_at": at} for name, number, at in found]
    rows = [(name, number, when(at)) for name, number, at in found]
    show({"frameworks": document}, as_json, table(["framework", "skills", "imported"], rows) if rows else "None yet.")


@skills_app.command("search")
def skills_search(
    text: Annotated[str, typer.Argument(help="Words of the skill's name, or of its other names.")],
    framework: Annotated[str | None, typer.Option(help="Only skills of this framework.")] = None,
    as_json: Json = False,
) -> None:
    """Find skills to name in a proposal."""
    found = with_database(lambda database: skill_store.search_skills(database, text, framework))
    rows = [(skill.framework, skill.code or "", skill.title, skill.url or "") for skill in found]
    text_ = table(["framework", "code", "title", "address"], rows) if rows else "Nothing found."
    show({"skills": found}, as_json, text_)


def similar(
    case: Annotated[str | None, typer.Argument(help="The case; or name a file with --file.")] = None,
    file: Annotated[Path | None, typer.Option(help="A proposal that is no case yet.")] = None,
    as_json: Json = False,
) -> None:
    """Live and published cases that a proposal resembles."""
    if (case is None) == (file is None):
        raise InputError("usage", "Name a case, or a file with --file.", "See --help.")
    proposal = load_proposal(file) if file is not None else None

    def read(database: Database) -> list[Overlap]:
        compared = proposal or latest_proposal(database, case or "")
        return Overlaps(database).of(compared, besides=[case] if case else [])

    found = with_database(read)
    rows = [(o.case_id, o.title, f"{100 * o.titles:.0f} %", f"{100 * o.outcomes:.0f} %") for o in found]
    document = [{"case_id": o.case_id, "title": o.title, "titles": o.titles, "outcomes": o.outcomes} for o in found]
    headings = ["case", "title", "titles alike", "outcomes alike"]
    show({"similar": document}, as_json, table(headings, rows) if rows else "It resembles no live or published case.")
