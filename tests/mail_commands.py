"""What the office does about mail that bounced, on the command line; for tests."""

from typing import Any

OMAR = "--as omar.office@example.edu"


async def play_mail(office: Any) -> None:
    """A mail of the case has bounced."""
    [mail] = (await office.ask("mail list --state bounced"))["mails"]
    await office.ask(f"mail show {mail['mail_id']}")
    [incident] = (await office.ask("incident list --kind mail_bounced"))["incidents"]
    await office.ask(f"incident resend {incident['incident_id']} {OMAR}")
    await office.ask(f"incident resolve {incident['incident_id']} {OMAR} --reason Told.")
