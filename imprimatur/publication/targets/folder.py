"""A folder as target: a folder of its own for each record, one file for each format."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

from imprimatur.publication.targets.target import Package, TargetUnreachable


class FolderTarget:
    """A record is there whole or not at all; whoever reads meanwhile sees the one before, or this one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def publish(self, package: Package) -> str:
        return await asyncio.to_thread(self._publish, package)

    async def withdraw(self, package: Package) -> str:
        return await asyncio.to_thread(self._withdraw, package)

    def _publish(self, package: Package) -> str:
        place = self._path / package.slug
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(dir=self._path, prefix=f".{package.slug}-"))
            try:
                for name, content in (package.records | {"status": _status(package)}).items():
                    text = json.dumps(content, ensure_ascii=False, indent=2)
                    (made / f"{name}.json").write_text(text + "\n", encoding="utf-8")
                made.chmod(0o755)
                self._put(made, place)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        except OSError as error:
            raise TargetUnreachable(f"{error.filename or self._path}: {error.strerror}") from error
        return f"written to {package.slug}"

    def _put(self, made: Path, place: Path) -> None:
        """A folder with something in it cannot be replaced in one go: the old one makes way first."""
        if place.exists():
            made_way = Path(tempfile.mkdtemp(dir=self._path, prefix=".old-"))
            try:
                place.rename(made_way / place.name)
                made.rename(place)
            finally:
                shutil.rmtree(made_way, ignore_errors=True)
        else:
            made.rename(place)

    def _withdraw(self, package: Package) -> str:
        place = self._path / package.slug
        try:
            if not place.exists():
                return "it was not there"
            going = Path(tempfile.mkdtemp(dir=self._path, prefix=".old-"))
            place.rename(going / place.name)
            shutil.rmtree(going, ignore_errors=True)
        except OSError as error:
            raise TargetUnreachable(f"{error.filename or self._path}: {error.strerror}") from error
        return f"removed {package.slug}"


def _status(package: Package) -> dict[str, object]:
    return {
        "status": str(package.status),
        "since": package.status_at.isoformat() if package.status_at else None,
        "reason": package.reason,
        "replaces": package.replaces,
        "replaced_by": package.replaced_by,
        "address": package.address,
    }
