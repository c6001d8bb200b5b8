"""The verbs that look at mail before any is sent."""

import webbrowser
from pathlib import Path

import pytest
from PIL import Image

from imprimatur.mail.examples import examples
from tests.command import Command
from tests.houses import BRANDING, folder_of


@pytest.fixture
def branded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = folder_of(tmp_path / "mail", **{"branding.yaml": BRANDING})
    Image.new("RGB", (240, 60), "#7a143c").save(folder / "logo.png")
    monkeypatch.setenv("MAIL_TEMPLATES", str(folder))
    return folder


def test_every_mail_is_listed(command: Command) -> None:
    mails = command.json("mail", "preview", "--list")["mails"]
    assert [mail["name"] for mail in mails] == [example.name for example in examples()]
    assert all(mail["subject"] and mail["text"] and mail["html"] for mail in mails)
    answer = command("mail", "preview", "--list", "--language", "de")
    assert answer.status == 0 and "Ihre Begutachtung: " in answer.out and "task/objection" in answer.out


def test_a_mail_is_shown_in_the_language_that_is_wanted(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    [mail] = command.json("mail", "preview", "task", "--language", "fr")["mails"]
    assert mail["language"] == "fr" and mail["text"].startswith("Bonjour Quinn Abara,")
    monkeypatch.setenv("MAIL_LANGUAGE", "de")
    answer = command("mail", "preview", "task")
    assert answer.out.startswith("Subject: Ihre Begutachtung: ") and "Guten Tag Quinn Abara," in answer.out


def test_the_html_is_written_whole(command: Command, branded: Path, tmp_path: Path) -> None:
    answer = command("mail", "preview", "outcome", "--html", tmp_path / "outcome.html")
    assert answer.status == 0 and "outcome.html" in answer.out
    html = (tmp_path / "outcome.html").read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,' in html and "cid:" not in html and "Harbour Road 1" in html


def test_the_browser_shows_what_was_written(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert command("mail", "preview", "task", "--browser").status == 0
    [address] = opened
    assert address.startswith(tmp_path.as_uri()) and address.endswith(".html")


@pytest.mark.parametrize(
    ("words", "code"),
    [(["tsk"], "mail_unknown"), ([], "mail_unknown"), (["task", "--language", "it"], "language_unknown")],
)
def test_what_cannot_be_shown_is_told(command: Command, words: list[str], code: str) -> None:
    answer = command("mail", "preview", *words)
    assert answer.status > 0 and answer.code == code


def test_a_folder_in_order_passes(command: Command, branded: Path) -> None:
    found = command.json("mail", "check")
    assert found == {"ok": True, "folder": str(branded), "languages": ["de", "en", "fr"]}


def test_what_is_wrong_is_told_by_check_and_doctor_and_stops_the_worker(command: Command, branded: Path) -> None:
    folder_of(branded, **{"task__body.txt": "{{ nmae }}", "task__subject.txt": "a\nb"})
    answer = command("mail", "check")
    assert (answer.status, answer.code) == (2, "mail_templates_invalid")
    assert "task/body.txt:1: there is no variable 'nmae'" in answer.err
    assert "task/subject.txt:2: the subject has a line break" in answer.err
    checks = {check["name"]: check for check in command("doctor", "--json").document["checks"]}
    assert not checks["templates"]["ok"] and "task/body.txt:1" in checks["templates"]["detail"]


def test_doctor_names_the_languages(command: Command) -> None:
    checks = {check["name"]: check for check in command("doctor", "--json").document["checks"]}
    assert checks["templates"]["ok"] and checks["templates"]["detail"].startswith("the shipped ones, in de, en, fr")
