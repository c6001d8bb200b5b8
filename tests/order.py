"""The order of the tests: whoever begins with what takes longest waits for nobody at the end."""

from pathlib import Path

# Each takes more than half a minute, for it starts processes or browsers; the longest first.
LONGEST = (
    "test_faults.py",
    "test_stack_processes.py",
    "test_acts_browser.py",
    "test_proposing_browser.py",
    "test_status_browser.py",
    "test_demo.py",
    "test_browser.py",
    "test_pages_browser.py",
    "test_publishing_killed.py",
    "test_cli_processes.py",
    "test_admin_browser.py",
    "test_every_page_browser.py",
    "test_catalogue_browser.py",
    "test_scanners.py",
    "test_api_schema.py",
    "test_reply_by_mail.py",
    "test_stack.py",
)


def place(file: Path) -> int:
    """Where a file comes; those that are not named keep their order."""
    return LONGEST.index(file.name) if file.name in LONGEST else len(LONGEST)
