"""All verbs of keys, records and badges, as the governance office runs them; for tests."""

from imprimatur.embedded.home import Home
from tests.people_commands import Terminal


async def play_records(terminal: Terminal) -> None:
    """The embedded stack has made its secret when it started."""
    Home(terminal.home).secret()
    assert "nothing is signed" in await terminal.run("keys list")
    await terminal.ask("keys generate")
    rotated = await terminal.ask("keys rotate")
    await terminal.ask("keys list")
    await terminal.ask(f"keys retire {rotated['kid']}")
    await terminal.run("keys generate --alg RS256")
