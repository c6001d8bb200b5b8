"""How an institution's mail looks: its logo, its colours, and its last lines."""

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imprimatur.mail.branding import DARK, LIGHT, contrast, contrast_problems
from imprimatur.mail.checking import sender_of
from imprimatur.mail.examples import LINKS, examples
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import render, text_of
from imprimatur.settings import Settings
from tests.houses import BRANDING, folder_of, in_language
from tests.mails import read


@pytest.fixture
def branded(tmp_path: Path) -> Sender:
    Image.new("RGB", (240, 60), "#7a143c").save(folder_of(tmp_path, **{"branding.yaml": BRANDING}) / "logo.png")
    settings_ = Settings(MAIL_TEMPLATES=tmp_path, MAIL_FROM="Office <office@example.edu>", _env_file=None)
    return sender_of(settings_)


def test_a_logo_goes_with_the_mail_and_nothing_is_fetched(branded: Sender) -> None:
    message = read(render(examples()[0].context, LINKS, branded).content).message
    assert message["From"] == "Northern Institute <credentials@northern.example>"
    body, _ = message.iter_parts()
    plain, related = body.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert related.get_param("type") == "text/html"
    html, logo = related.iter_parts()
    assert logo.get_content_type() == "image/png" and logo.get_content_disposition() == "inline"
    written_html = html.get_content()
    assert f'src="cid:{logo["Content-ID"].strip("<>")}"' in written_html
    assert 'alt="The &lt;Northern&gt; Institute" width="120" height="30"' in written_html
    addresses = re.findall(r'(?:src|href)="([^"]+)"', written_html)
    assert all(address.startswith((LINKS.base_url, "cid:")) for address in addresses)


def test_name_colours_and_last_lines_are_the_institutions(branded: Sender) -> None:
    for tag, last in (("en", "Harbour Road 1"), ("de", "Hafenstraße 1"), ("fr", "Harbour Road 1")):
        _, text, html = text_of(in_language(examples()[0], tag), LINKS, branded)
        assert last in text and last in html and "Northern Institute" in text
        assert "#7a143c" in html and "#f0a3bd" in html and LIGHT.accent not in html


def test_a_sender_is_changed_only_in_what_the_branding_names(tmp_path: Path) -> None:
    folder_of(tmp_path, **{"branding.yaml": "sender: {name: Northern}\n"})
    settings_ = Settings(MAIL_TEMPLATES=tmp_path, MAIL_FROM="Office <office@example.edu>", _env_file=None)
    assert sender_of(settings_).mail_from == "Northern <office@example.edu>"


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_shipped_colours_can_be_read(palette: Any) -> None:
    assert contrast_problems(palette, "x") == []


@pytest.mark.parametrize(
    ("one", "other", "found"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1.0)]
)
def test_contrast_is_as_the_guidelines_define_it(one: str, other: str, found: float) -> None:
    assert round(contrast(one, other), 2) == round(contrast(other, one), 2) == found
