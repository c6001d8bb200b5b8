"""All verbs, and the one place where errors become an exit status."""

from collections.abc import Sequence

import click
import structlog
import typer

from imprimatur.cli import cases, records, service
from imprimatur.cli.output import show_error
from imprimatur.errors import ImprimaturError, InputError

log = structlog.get_logger()

app = typer.Typer(
    name="imprimatur",
    help="Approval of micro-credentials, from proposal to publication.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(records.people_app, name="people")
app.add_typer(records.framework_app, name="framework")
for verb, function in {
    "up": service.up,
    "doctor": service.doctor,
    "submit": cases.submit,
    "import": cases.import_,
    "list": cases.list_,
    "show": cases.show_,
    "tasks": cases.tasks,
    "decide": cases.decide,
    "revise": cases.revise,
    "withdraw": cases.withdraw,
    "history": records.history_,
    "verify": records.verify,
    "forward": cases.forward,
    "migrate": service.migrate_,
    "web": service.web,
}.items():
    app.command(verb)(function)


def run(arguments: Sequence[str]) -> int:
    """The exit status: 0 done, 1 refused by a rule, 2 unusable input. No traceback reaches a user."""
    as_json = "--json" in arguments
    try:
        status = app(list(arguments), standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.Abort:
        return 1
    except click.ClickException as error:
        show_error(InputError("usage", error.format_message(), "See --help."), as_json)
        return 2
    except ImprimaturError as error:
        show_error(error, as_json)
        return error.exit_status
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        show_error(InputError("file_unusable", f"{named}.", "Check the path and its permissions."), as_json)
        return 2
    except Exception as error:
        log.debug("fault", exc_info=True)
        fault = ImprimaturError("fault", f"Something failed that should not have: {type(error).__name__}.")
        show_error(fault, as_json)
        return 1
