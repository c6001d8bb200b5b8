"""What a process writes down: one line an event, for people on a terminal and as JSON elsewhere."""

import sys

import structlog


def configure_logs(*, of_a_command: bool = False) -> None:
    """Called by composition roots. Tracebacks come without the values of variables: those are people's comments,
    addresses and links.

    ``of_a_command``: standard output is for its answer, so the log goes to standard error.
    """
    to_a_person = (sys.stderr if of_a_command else sys.stdout).isatty()
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if to_a_person:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if to_a_person else [structlog.processors.format_exc_info]),
            renderer,
        ],
        logger_factory=(lambda *_: structlog.PrintLogger(sys.stderr))
        if of_a_command
        else structlog.PrintLoggerFactory(),
    )
