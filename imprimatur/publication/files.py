"""Published records as files. The database is what counts: a file that is lost is written anew."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import structlog

from imprimatur.store.engine import Database
from imprimatur.store.task_page import publication, publication_slugs

log = structlog.get_logger()
RECORD = "achievement.json"


def write_lost_records(database: Database, published_dir: Path) -> int:
    """Writes every published record that has no file; answers how many. Done whenever a worker starts."""
    lost = [slug for slug in publication_slugs(database) if not (published_dir / slug / RECORD).is_file()]
    for slug in lost:
        keep_record(published_dir, slug, publication(database, slug).achievement)
    return len(lost)


def keep_record(published_dir: Path, slug: str, achievement: dict[str, Any]) -> None:
    """Writes a record if the disk lets it; nothing that was decided depends on it."""
    try:
        write_record(published_dir, slug, achievement)
    except OSError as error:
        log.error("record_not_written", slug=slug, reason=str(error))


def write_record(published_dir: Path, slug: str, achievement: dict[str, Any]) -> Path:
    """Writes ``<slug>/achievement.json``: whole or not at all, and again without harm."""
    folder = published_dir / slug
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / RECORD
    handle, name = tempfile.mkstemp(dir=folder, prefix=".achievement-")
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(achievement, file, ensure_ascii=False, indent=2)
            file.write("\n")
            file.flush()
            # Without this a power cut may leave the new name with nothing behind it.
            os.fsync(file.fileno())
        written.chmod(0o644)
        written.replace(target)
    finally:
        written.unlink(missing_ok=True)
    return target
