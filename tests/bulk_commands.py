"""Acts on many cases and a move to another version, as typed beside a running engine; no list of an answer is empty."""

from typing import Any

from imprimatur.frameworks.loader import shipped_path

OMAR, WHY = "--as omar.office@example.edu", '--reason "The board said so."'


async def play_bulk(office: Any) -> None:
    """The case submitted last is reminded, and moves to another version with its next revision."""
    document = shipped_path("industry-credit").read_text(encoding="utf-8")
    version = next(line for line in document.splitlines() if line.startswith("version:"))
    (office.home / "later.yaml").write_text(document.replace(version, 'version: "1.98"'), encoding="utf-8")
    await office.run("framework add later.yaml")
    await office.ask(f"bulk nudge --case CASE {OMAR}")
    migrate = f"framework migrate industry-credit --to 1.98 --at next_round {OMAR} {WHY}"
    preview = await office.ask(f"{migrate} --preview")
    await office.run(migrate)
    assert preview["cases"][0]["stages"]["proposal"] == "goes_on"
