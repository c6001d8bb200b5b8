"""Writes docs/patterns.md anew: `python -m tests.patterns`."""

from tests.patterns.catalogue import DOCUMENT, declared, page

if __name__ == "__main__":
    patterns = declared()
    DOCUMENT.write_text(page(patterns), encoding="utf-8")
    print(f"{DOCUMENT.name}: {len(patterns)} patterns")
