"""The verbs on who gets in, run once each; for the test of the command line's description."""

from typing import Any


async def play_access(office: Any) -> None:
    await office.ask("people sign-out omar.office@example.edu")
    made = await office.ask("key add --name Catalogue --as omar.office@example.edu --scope read")
    await office.ask("key list")
    await office.ask(f"key revoke {made['key']['key_id']}")
