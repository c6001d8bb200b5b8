"""All verbs, and the one place where errors become an exit status."""

import datetime as dt
import traceback
from collections.abc import Callable, Sequence

import typer

from imprimatur.cli import (
    access,
    aliases,
    badges,
    bulk,
    cases,
    catalogue,
    committees,
    conditions,
    deliveries,
    desk,
    figures,
    handover,
    improvement,
    incidents,
    keys,
    mail,
    office,
    pathways,
    people,
    publication,
    publishing,
    records,
    service,
    webhooks,
)
from imprimatur.cli.context import load_settings
from imprimatur.cli.output import show_error
from imprimatur.errors import ImprimaturError, InputError, Refused

# What is wrong with a command's words; Typer does not export this base class under a name of its own.
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[2]

TYPERS_WORD_FOR_CTRL_C = 130
INTERRUPTED = Refused(
    "interrupted",
    "The command was stopped before it had ended.",
    "Repeat it: what it had recorded is not recorded twice.",
)

app = typer.Typer(
    name="imprimatur",
    help="Approval of micro-credentials, from proposal to publication.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(records.people_app, name="people")
app.add_typer(records.framework_app, name="framework")
app.add_typer(committees.app, name="committee")
app.add_typer(mail.mail_app, name="mail")
app.add_typer(pathways.pathway_app, name="pathway")
app.add_typer(pathways.skills_app, name="skills")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(keys.app, name="keys")
app.add_typer(publishing.endorse_app, name="endorse")
app.add_typer(publication.app, name="publication")
app.add_typer(handover.app, name="handover")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(access.key_app, name="key")
app.add_typer(incidents.app, name="incident")
app.add_typer(improvement.reviews_app, name="reviews")
app.add_typer(improvement.indicators_app, name="indicators")
mail.mail_app.command("list")(deliveries.list_)
mail.mail_app.command("show")(deliveries.show_)
app.add_typer(figures.app, name="figures")
records.people_app.add_typer(people.interest_app, name="interest")
records.people_app.add_typer(aliases.alias_app, name="alias")
records.framework_app.command("migrate")(bulk.framework_migrate)
PEOPLE_VERBS: dict[str, Callable[..., int | None]] = {
    "prefer": people.prefer,
    "delegate": people.delegate,
    "delegations": people.delegations,
    "end-delegation": people.end_delegation,
    "absent": people.absent,
    "absences": people.absences,
    "back": people.back,
    "leave": people.leave_,
    "sign-out": access.sign_out,
}
for verb, function in PEOPLE_VERBS.items():
    records.people_app.command(verb)(function)
VERBS: dict[str, Callable[..., int | None]] = {
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
    "hold": office.hold,
    "resume": office.resume,
    "extend": office.extend,
    "override": office.override,
    "skip": office.skip,
    "confirm": office.confirm,
    "send-back": office.send_back,
    "reassign": office.reassign,
    "delegate": office.delegate,
    "nudge": office.nudge,
    "annul": office.annul,
    "bulk": bulk.bulk,
    "claim": desk.claim,
    "return": desk.return_,
    "ask-advice": desk.ask_advice,
    "advise": desk.advise,
    "conditions": conditions.conditions,
    "fulfil": conditions.fulfil,
    "accept": conditions.accept,
    "reopen": conditions.reopen,
    "waive": conditions.waive,
    "history": records.history_,
    "verify": records.verify,
    "similar": pathways.similar,
    "record": publishing.record,
    "award": badges.award,
    "revoke-badge": badges.revoke,
    "forward": cases.forward,
    "migrate": service.migrate_,
    "web": service.web,
}
for verb, function in VERBS.items():
    app.command(verb)(function)


def run(arguments: Sequence[str]) -> int:
    """The exit status: 0 done, 1 refused by a rule, 2 unusable input. No traceback reaches a user."""
    as_json = "--json" in arguments
    try:
        _check_text(arguments)
        status = app(list(arguments), standalone_mode=False)
        if status == TYPERS_WORD_FOR_CTRL_C:
            raise KeyboardInterrupt
        return status if isinstance(status, int) else 0
    except typer.Exit as leaving:
        return leaving.exit_code
    except (typer.Abort, KeyboardInterrupt):
        show_error(INTERRUPTED, as_json)
        return INTERRUPTED.exit_status
    except ImprimaturError as error:
        show_error(error, as_json)
        return error.exit_status
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        show_error(InputError("file_unusable", f"{named}.", "Check the path and its permissions."), as_json)
        return 2
    except USAGE_ERROR as error:
        show_error(InputError("usage", _usage(error), "See --help."), as_json)
        return 2
    except Exception as error:  # noqa: BLE001  (the last resort: no traceback reaches a user)
        show_error(_fault(error), as_json)
        return 1


def _check_text(arguments: Sequence[str]) -> None:
    """Bytes that are no UTF-8 reach us as halves of characters, which nothing can store or send."""
    for argument in arguments:
        if not argument.isascii() and argument != argument.encode("utf-8", "replace").decode("utf-8"):
            shown = argument.encode("utf-8", "replace").decode("utf-8")
            raise InputError("argument_not_text", f"{shown!r} is not UTF-8 text.", "Write it in UTF-8.")


def _usage(error: Exception) -> str:
    # Where no verb was named the message is the help, which stands above already.
    told = str(error.format_message() if hasattr(error, "format_message") else error)
    return told.rstrip(".") + "." if told else "No verb was named."


def _fault(error: Exception) -> ImprimaturError:
    """Our own mistake: the traceback goes to a file, the user is told where."""
    message = f"Something failed that should not have: {type(error).__name__}."
    try:
        path = load_settings().home / "logs" / "faults.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{dt.datetime.now(dt.UTC).isoformat()}\n{''.join(traceback.format_exception(error))}\n")
    except (OSError, ImprimaturError):
        return ImprimaturError("fault", message, "Please report it.")
    return ImprimaturError("fault", message, f"Please report it with the last entry of {path}.")
