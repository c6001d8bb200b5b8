"""A site as a folder: the next one grows beside it and takes its place in one step, or not at all."""

import contextlib
import ctypes
import fcntl
import filecmp
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imprimatur.errors import InputError, Refused

# Tells a site that was exported here from any other folder, and what should be in it.
MANIFEST = "site.json"
_AT_CURRENT_FOLDER, _EXCHANGE = -100, 2


class Growing:
    """The next site, in ``folder``; nobody sees it yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self.size_bytes = 0

    def write(self, path: str, content: bytes | str) -> None:
        """``path`` is relative, with slashes."""
        body = content.encode() if isinstance(content, str) else content
        with self.open(path) as file:
            file.write(body)

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator["Digested"]:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            digested = Digested(file)
            yield digested
        self.files[path] = digested.digest.hexdigest()
        self.size_bytes += digested.size_bytes

    def restart(self) -> None:
        for child in self.folder.iterdir():
            shutil.rmtree(child) if child.is_dir() else child.unlink()
        self.files, self.size_bytes = {}, 0


class Digested:
    """A file that knows what went into it."""

    def __init__(self, file: object) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, body: bytes) -> None:
        self._file.write(body)  # type: ignore[attr-defined]
        self.digest.update(body)
        self.size_bytes += len(body)


@contextlib.contextmanager
def growing(target: Path) -> Iterator[Growing]:
    """A folder beside ``target``, gone when the block ends. Removes what runs that were killed have left.

    Raises Refused ``folder_not_a_site``, InputError ``folder_unusable``.
    """
    _check(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}.next-"
    for left in target.parent.glob(f"{prefix}*"):
        _remove_if_left(left)
    folder, handle = _held(target.parent, prefix)
    try:
        folder.chmod(0o755)
        yield Growing(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _held(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder and a lock on it, which is held as long as this process lives, however it ends."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Before it was locked another run may have taken it for one that was left.
        if folder.is_dir():
            return folder, handle
        os.close(handle)


def put_in_place(grown: Growing, target: Path) -> bool:
    """False where the site is there already, byte for byte: then nothing is touched."""
    content = json.dumps({"format": 1, "files": dict(sorted(grown.files.items()))}, ensure_ascii=False, indent=0)
    grown.write(MANIFEST, content + "\n")
    if target.is_dir() and _same(grown, target):
        return False
    # A power cut must not leave a new name with nothing behind it.
    os.sync()
    if not target.exists():
        grown.folder.rename(target)
    elif not _exchanged(grown.folder, target):
        # Where the file system cannot exchange two folders there is a moment without either.
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.next-", dir=target.parent))
        target.rename(old)
        grown.folder.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    return True


def _check(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InputError("folder_unusable", f"{target} is no folder.", "Name a folder of its own for the site.")
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise Refused(
            "folder_not_a_site",
            f"{target} holds something other than an exported site.",
            "Name an empty folder, or one that does not exist yet: everything in it is replaced.",
        )


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(handle)


def _same(grown: Growing, target: Path) -> bool:
    there = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    return there == grown.files.keys() and all(
        filecmp.cmp(grown.folder / path, target / path, shallow=False) for path in grown.files
    )


def _exchanged(folder: Path, target: Path) -> bool:
    """Both names change places in one step of the system (Linux: renameat2)."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = (os.fsencode(folder), os.fsencode(target))
    return bool(exchange(_AT_CURRENT_FOLDER, names[0], _AT_CURRENT_FOLDER, names[1], _EXCHANGE) == 0)
