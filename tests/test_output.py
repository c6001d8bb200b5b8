"""How a command's answer looks to the person who reads it."""

import io

import pytest
from rich.console import Console

from imprimatur.cli.output import table


@pytest.mark.parametrize("heading", ["case", "task", "open task", "email"])
def test_what_is_copied_into_the_next_command_stays_in_one_piece(heading: str) -> None:
    value = "t-abcdefghijklmnop"
    screen = io.StringIO()
    words = "more-than-a-narrow-terminal-has-room-for"
    Console(file=screen, width=60).print(table([heading, "title", "who", "due"], [(value, words, words, words)]))
    assert value in screen.getvalue()
