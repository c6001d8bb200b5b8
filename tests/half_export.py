"""Exports a catalogue and stands still in the middle of it, until it is killed: started by a test."""

import sys
import time
from pathlib import Path

from imprimatur.store.engine import Database
from imprimatur.web.site.export import export


def stand_still(done: int, of: int) -> None:
    if done == of // 2:
        sys.stdout.write("half\n")
        sys.stdout.flush()
        time.sleep(600)


if __name__ == "__main__":
    export(Database(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), stand_still)
