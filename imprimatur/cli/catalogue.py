"""Verbs of the catalogue: exporting it as a site of files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from imprimatur.cli.cases import Json
from imprimatur.cli.context import Environment, open_database
from imprimatur.cli.output import show
from imprimatur.errors import InputError

app = typer.Typer(help="The public catalogue.", no_args_is_help=True)


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where the site is put; what is in it is replaced.")],
    as_json: Json = False,
) -> None:
    """Put the whole catalogue into a folder, as a site that needs no server. Again it changes what has changed."""
    # Other commands do not wait for templates and drawings to load.
    from imprimatur.web.site.export import export as exported

    environment = Environment.current()
    if environment.base_url is None:
        raise InputError("base_url_missing", "IMPRIMATUR_BASE_URL is not set.", "Set it to the pages' public address.")
    console = Console(stderr=True)
    with (
        open_database(environment) as database,
        Progress(console=console, disable=as_json or not console.is_terminal, transient=True) as progress,
    ):
        bar = progress.add_task("export", total=None)
        found = exported(
            database,
            environment.base_url,
            folder,
            lambda done, of: progress.update(bar, completed=done, total=of),
        )
    document = {
        "folder": found.folder,
        "credentials": found.credentials,
        "files": found.files,
        "size_bytes": found.size_bytes,
        "changed": found.changed,
    }
    told = (
        f"{found.credentials} credentials in {found.files} files, {found.size_bytes / 2**20:.1f} MiB: {found.folder}."
    )
    show(document, as_json, told if found.changed else f"Nothing has changed. {told}")
