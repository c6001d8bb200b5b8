"""The governance office's command line: `python starter.py VERB`, also installed as `imprimatur`."""

import io
import sys

from imprimatur.cli.main import run
from imprimatur.cli.output import leave


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A character that a terminal cannot show is no reason to show nothing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
