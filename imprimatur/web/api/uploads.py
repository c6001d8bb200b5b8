"""Documents that a request brings as they are."""

from typing import Annotated

from fastapi import Body

CsvText = Annotated[str, Body(media_type="text/csv", description="The file itself, in UTF-8.")]
JsonLines = Annotated[str, Body(media_type="application/jsonl", description="One proposal a line, in UTF-8.")]
YamlText = Annotated[
    str, Body(media_type="application/yaml", description="The document itself: YAML or JSON, in UTF-8.")
]
