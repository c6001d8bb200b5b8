"""All verbs of webhooks, for the tests of their documentation."""

import json

from tests.people_commands import Terminal


async def play_webhooks(terminal: Terminal) -> None:
    """Nobody delivers anything meanwhile."""
    added = await terminal.ask("webhook add https://lms.example.edu/hook --event case_closed --unit Design")
    webhook = added["webhook_id"]
    assert added["secret"].startswith("whsec_")
    assert (await terminal.ask(f"webhook rotate {webhook}"))["secret"] != added["secret"]
    trial = await terminal.ask(f"webhook test {webhook}")
    assert webhook in await terminal.run("webhook list")
    await terminal.ask("webhook list")
    assert trial["delivery_id"] in await terminal.run(f"webhook deliveries --webhook {webhook} --status queued")
    await terminal.ask("webhook deliveries")
    await terminal.ask(f"webhook redeliver {trial['delivery_id']}")
    assert (await terminal.ask(f"webhook remove {webhook}"))["given_up"] == 1
    for line, code, status in (
        (f"webhook rotate {webhook}", "webhook_ended", 1),
        ("webhook deliveries --status lost", "status_unknown", 2),
        ("webhook add http://lms.example.edu/", "webhook_url_invalid", 2),
    ):
        assert json.loads(await terminal.run(f"{line} --json", status))["error"]["code"] == code
