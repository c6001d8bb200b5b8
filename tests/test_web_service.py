"""What the pages offer around the work: health for machines, and the inbox of the embedded stack."""

import asyncio
import re
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from imprimatur.cli.website import SinkMailbox
from imprimatur.embedded.sink import Sink, find_mails, read_mail
from imprimatur.store.engine import Database
from imprimatur.web.inbox import FRAME_POLICY
from tests.facts import Play
from tests.web import Site


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return Site(Play(sqlite_database, tmp_path))


async def test_health_tells_that_the_process_lives_whatever_else_is_down(site: Site) -> None:
    site.problems = {"database": "gone"}
    async with site.visitor() as visitor:
        answer = await visitor.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_readiness_names_every_part_that_is_missing(site: Site) -> None:
    async with site.visitor() as visitor:
        assert (await visitor.get("/readyz")).json() == {"status": "ready"}
        site.problems = {"database": "gone", "worker": "no worker is polling"}
        answer = await visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "problems": site.problems}


async def test_the_inbox_lists_and_shows_mail(site: Site) -> None:
    async with site.visitor() as visitor:
        listed = await visitor.get("/inbox")
        assert "Your review: &lt;b&gt;bold&lt;/b&gt;" in listed.text
        assert '<a href="/inbox/1-a.eml">' in listed.text
        assert "No mail yet" in (await visitor.get("/inbox", params={"to": "nobody"})).text
        shown = await visitor.get("/inbox/1-a.eml")
        assert "Plain text with &lt;script&gt;" in shown.text
        assert "X-Odd: &lt;i&gt;" in shown.text
        assert '<a href="http://x/t/y">http://x/t/y</a>' in shown.text
        assert "/inbox/1-a.eml/html" in shown.text


async def test_a_mail_s_own_page_can_run_nothing_and_fetch_nothing(site: Site) -> None:
    async with site.visitor() as visitor:
        frame = await visitor.get("/inbox/1-a.eml/html")
        outer = await visitor.get("/inbox/1-a.eml")
    policy = frame.headers["content-security-policy"]
    assert policy.startswith(FRAME_POLICY)
    assert "default-src 'none'" in policy and "sandbox" in policy and "allow-scripts" not in policy
    assert "frame-ancestors 'self'" in policy
    [sandbox] = re.findall(r'<iframe[^>]*sandbox="([^"]*)"', outer.text)
    assert set(sandbox.split()) == {"allow-top-navigation-by-user-activation", "allow-popups"}
    assert '<base target="_top">' in frame.text


async def test_there_is_no_inbox_outside_the_embedded_stack(sqlite_database: Database, tmp_path: Path) -> None:
    async with Site(Play(sqlite_database, tmp_path), embedded=False).visitor() as visitor:
        for path in ("/inbox", "/inbox/1-a.eml", "/inbox/1-a.eml/html"):
            assert (await visitor.get(path)).status_code == 404
        assert "inbox" not in (await visitor.get("/")).text.lower()


def keep(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


MAIL = (
    b"From: Imprimatur <imprimatur@localhost>\r\nTo: =?utf-8?q?J=C3=BCrgen?= <j@example.edu>\r\n"
    b"Subject: =?utf-8?q?Pr=C3=BCfung?=\r\nDate: Mon, 02 Mar 2026 09:00:00 +0000\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSee http://a.example/t/x and (http://b.example/y).\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hallo</p>\r\n--b--\r\n"
)


def test_a_stored_mail_is_decoded_for_reading(tmp_path: Path) -> None:
    keep(tmp_path, "01-a.eml", MAIL)
    [mail] = find_mails(tmp_path, to="j@example.edu", subject="prüfung")
    assert (mail.subject, mail.to, mail.date) == ("Prüfung", "Jürgen <j@example.edu>", "2026-03-02 09:00:00 UTC")
    assert mail.links == ["http://a.example/t/x", "http://b.example/y"]
    assert "<p>Hallo</p>" in mail.html
    assert find_mails(tmp_path, to="somebody@else.example") == []


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff" * 100, b"Subject: only a header", b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff",
     b"Content-Type: multipart/mixed\r\n\r\nno parts", b"Date: yesterday\r\nSubject: =?x?q?y?=\r\n\r\n"],
)  # fmt: skip
def test_an_odd_mail_can_be_listed_too(tmp_path: Path, content: bytes) -> None:
    keep(tmp_path, "01-a.eml", content)
    keep(tmp_path, "02-b.eml", MAIL)
    assert len(find_mails(tmp_path)) == 2


@pytest.mark.parametrize(
    "name", ["../secret.key", "..", "/etc/passwd", "01-a.eml/", "x.eml", "refuse.txt", "", "a\x00b"]
)
def test_no_name_reads_anything_but_a_mail(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    keep(folder, "01-a.eml", MAIL)
    keep(folder, "refuse.txt", b"j@example.edu\n")
    keep(tmp_path, "secret.key", b"secret")
    assert read_mail(folder, name) is None
    assert SinkMailbox(folder).one(name) is None


async def test_the_sink_refuses_whom_it_was_told_to_refuse(tmp_path: Path) -> None:
    sink, envelope = Sink(tmp_path / "mail"), Envelope()
    server, session = SMTP(sink), Session(asyncio.get_running_loop())
    (tmp_path / "mail" / "refuse.txt").write_text("Gone@Example.edu\n\n", encoding="utf-8")
    refused = await sink.handle_RCPT(server, session, envelope, "gone@example.EDU", [])
    taken = await sink.handle_RCPT(server, session, envelope, "here@example.edu", [])
    assert (refused[:3], taken[:3], envelope.rcpt_tos) == ("550", "250", ["here@example.edu"])
    envelope.content = MAIL
    for _ in range(2):
        assert (await sink.handle_DATA(server, session, envelope)).startswith("250")
    assert len(find_mails(tmp_path / "mail")) == 2


async def test_stylesheet_and_scripts_are_compressed(site: Site) -> None:
    async with site.visitor() as visitor:
        for path in ("/static/style.css", "/static/htmx.min.js"):
            answer = await visitor.get(path, headers={"Accept-Encoding": "gzip"})
            assert (answer.status_code, answer.headers.get("content-encoding")) == (200, "gzip"), path
            whole = await visitor.get(path, headers={"Accept-Encoding": "identity"})
            assert whole.content == answer.content and "content-encoding" not in whole.headers
            assert int(whole.headers["content-length"]) > 3 * answer.num_bytes_downloaded
