"""Documents that a request brings, as the files that the engine reads."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Body

CsvText = Annotated[str, Body(media_type="text/csv", description="The file itself, in UTF-8.")]
JsonLines = Annotated[str, Body(media_type="application/jsonl", description="One proposal a line, in UTF-8.")]
YamlText = Annotated[
    str, Body(media_type="application/yaml", description="The document itself: YAML or JSON, in UTF-8.")
]


@contextmanager
def as_file(text: str, name: str) -> Iterator[Path]:
    """``name`` is what problems call it by. It is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="imprimatur-") as folder:
        file = Path(folder) / name
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        yield file
