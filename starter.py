"""The governance office's command line: `python starter.py VERB`, also installed as `imprimatur`."""

import gc
import io
import sys

# What is imported stays: to look it through for garbage while it grows took a seventh of every command.
gc.disable()
from imprimatur.cli.main import run  # noqa: E402
from imprimatur.cli.output import leave  # noqa: E402

gc.freeze()
gc.enable()


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A character that a terminal cannot show is no reason to show nothing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
