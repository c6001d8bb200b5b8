"""Folders of mail templates that an institution has written; for tests."""

from pathlib import Path

from imprimatur.mail.combining import Letter
from imprimatur.mail.examples import Example
from imprimatur.mail.examples import in_language as examples_in
from imprimatur.mail.message import Sender

SENDER = Sender("Example Institute <credentials@example.edu>", "mail.example.edu", takes_replies=True)
BRANDING = """name: Northern Institute
sender: {name: Northern Institute, address: credentials@northern.example}
logo: {file: logo.png, alt: The <Northern> Institute, width: 120, background: "#ffffff"}
colours:
  light: {accent: "#7a143c"}
  dark: {accent: "#f0a3bd", on_accent: "#2a0715"}
footer:
  en: Harbour Road 1, Northport.
  de: Hafenstraße 1, Nordhafen.
"""


def in_language(example: Example, tag: str) -> Letter:
    return examples_in(example.context, tag)


def folder_of(tmp_path: Path, **files: str) -> Path:
    """Files by name, with two strokes for one in a path: no name of ours has two."""
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path
