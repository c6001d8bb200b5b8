"""The governance office's command line: `python starter.py VERB`, also installed as `imprimatur`."""

import sys

from imprimatur.cli.main import run
from imprimatur.cli.output import leave


def main() -> None:
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
