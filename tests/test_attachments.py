"""Files that belong to proposals: kept by digest, handed to whoever sees the case, and never run."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.store.attachments import file_of, forget_unused, hold, keep_file
from imprimatur.store.engine import Database
from imprimatur.web.uploads import USUAL_TYPES, Upload, download
from models.proposal import Attachment
from tests.facts import PROPOSER, everything
from tests.pages import PEOPLE
from tests.proposing import Populated
from tests.test_drafts import begun, filled, hidden
from tests.web import Site, form_token

LETTER = b"%PDF-1.4 a letter of support"
DIGEST = hashlib.sha256(LETTER).hexdigest()
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
UNIT = "School of Digital Design"


@pytest.fixture(scope="module")
def populated_once(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Populated:
    return Populated(migrated_file, tmp_path_factory.mktemp("populated"))


@pytest.fixture
def site(populated_once: Populated, tmp_path: Path) -> Iterator[Site]:
    with populated_once.copy(tmp_path) as site:
        yield site


async def attached(
    visitor: httpx.AsyncClient, path: str, name: str, content: bytes, said: dict[str, str] | None = None
) -> httpx.Response:
    form = hidden((await visitor.get(path)).text) | (said or {}) | {"act": "attach"}
    return await visitor.post(path, data=form, files={"file": (name, content)})


async def handed_in(site: Site) -> str:
    """A case with the letter; its id."""
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        await attached(visitor, path, "Letter.pdf", LETTER, filled("industry-credit") | {"unit": UNIT})
        form = {"form_token": form_token((await visitor.get(f"{path}/review")).text)}
        answer = await visitor.post(f"{path}/submit", data=form)
    return answer.headers["location"].rpartition("/")[2]


async def test_a_file_is_attached_with_all_that_was_typed_and_removed(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        answer = await attached(visitor, path, r"C:\My letters\Letter.pdf", LETTER, {"title": "Kept with it"})
        assert answer.headers["location"].endswith("#attachments")
        page = (await visitor.get(path)).text
        assert ">Letter.pdf</a>" in page and 'value="Kept with it"' in page
        file = await visitor.get(f"{path}/files/{DIGEST}")
        assert file.content == LETTER
        await visitor.post(path, data=hidden(page) | {"act": f"detach:{DIGEST}"})
        assert "Letter.pdf" not in (await visitor.get(path)).text
        assert (await visitor.get(f"{path}/files/{DIGEST}")).status_code == 404
    assert everything(site.play.database)["attachment"] == []


async def test_a_file_that_is_not_taken_is_told_in_place_and_nothing_typed_is_lost(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        large = await attached(visitor, path, "Large.pdf", b"x" * (10 * 1024 * 1024 + 1), {"title": "Typed before"})
        assert (
            large.status_code == 422 and "attachment_too_large" in large.text and 'value="Typed before"' in large.text
        )
        strange = await attached(visitor, path, "run.exe", b"MZ")
        assert strange.status_code == 422 and "attachment_type" in strange.text
        nothing = await attached(visitor, path, "", b"")
        assert nothing.status_code == 422 and "attachment_unchosen" in nothing.text
        huge = await attached(visitor, path, "Huge.pdf", b"x" * (15 * 1024 * 1024))
        assert huge.status_code == 413 and "upload_too_large" in huge.text
    assert everything(site.play.database)["attachment"] == []


async def test_whoever_sees_the_case_gets_its_files_and_nobody_else(site: Site) -> None:
    case_id = await handed_in(site)
    sees = {"proposer", "office", "admin", "auditor", "office of the unit", "auditor of the unit"}
    for name, person in PEOPLE.items():
        async with site.signed_in(person) as visitor:
            page, file = [await visitor.get(f"/cases/{case_id}{end}") for end in ("", f"/files/{DIGEST}")]
            asked = page.status_code == 200
            assert (file.status_code == 200) == asked, name
            assert asked or name not in sees
            if asked:
                assert f'href="/cases/{case_id}/files/{DIGEST}"' in page.text
                assert file.content == LETTER
    async with site.visitor() as visitor:
        assert (await visitor.get(f"/cases/{case_id}/files/{DIGEST}")).status_code == 303


async def test_the_page_of_a_task_leads_to_the_files_without_a_sign_in(site: Site) -> None:
    case_id = await handed_in(site)
    [task, *_] = site.cases.plays[case_id].state.open_tasks("proposal")
    link = f"/t/{site.links.token(task.id, task.assignee)}"
    async with site.visitor() as visitor:
        assert f'href="{link}/files/{DIGEST}"' in (await visitor.get(link)).text
        file = await visitor.get(f"{link}/files/{DIGEST}")
        assert file.content == LETTER
        assert (await visitor.get(f"{link}/files/{'0' * 64}")).status_code == 404
        # Another case's reviewer has no way to it.
        other = site.link("quality")
        assert (await visitor.get(f"{other}/files/{DIGEST}")).status_code == 404


async def test_nobody_gets_at_bytes_by_knowing_their_digest(site: Site) -> None:
    await handed_in(site)
    stolen = f"title: Mine\nattachments: [{{name: x.pdf, sha256: {DIGEST}}}]\n".encode()
    async with site.signed_in(PEOPLE["nobody in particular"]) as visitor:
        token = form_token((await visitor.get("/proposals/new")).text)
        form = {"form_token": token, "framework": "industry-credit", "from": "file"}
        begin = await visitor.post("/proposals/new", data=form, files={"file": ("mine.yaml", stolen)})
        path = begin.headers["location"]
        assert "named by its digest; not kept here" in (await visitor.get(path)).text
        assert (await visitor.get(f"{path}/files/{DIGEST}")).status_code == 404
        review = (await visitor.get(f"{path}/review")).text
        answer = await visitor.post(f"{path}/submit", data={"form_token": form_token(review)})
        assert (await visitor.get(f"{answer.headers['location']}/files/{DIGEST}")).status_code == 404


async def test_the_version_that_is_approved_names_the_file(site: Site) -> None:
    case_id = await handed_in(site)
    [version] = [row for row in everything(site.play.database)["proposal_version"] if row["case_id"] == case_id]
    [body] = [row["body"] for row in everything(site.play.database)["document"] if row["digest"] == version["digest"]]
    assert DIGEST in body and hashlib.sha256(body.encode()).hexdigest() == version["digest"]


async def test_a_copy_brings_the_files_along(site: Site) -> None:
    case_id = await handed_in(site)
    async with site.signed_in(PEOPLE["office"]) as visitor:
        path = await begun(visitor, **{"from": "copy", "copy": case_id})
        assert (await visitor.get(f"{path}/files/{DIGEST}")).content == LETTER


async def test_a_logo_is_added_to_a_partner_and_taken_away(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        said = {"partners.0.organisation": "Harbour", "act": "picture:partners.0.logo"}
        page = (await visitor.get(path)).text
        file = {"file.partners.0.logo": ("logo.png", b"\x89PNG\r\n\x1a\nx")}
        assert (await visitor.post(path, data=hidden(page) | said, files=file)).status_code == 303
        page = (await visitor.get(path)).text
        assert 'src="data:image/png;base64,' in page
        await visitor.post(path, data=hidden(page) | said | {"act": "save"})
        page = (await visitor.get(path)).text
        assert 'src="data:image/png;base64,' in page
        await visitor.post(path, data=hidden(page) | said | {"act": "no-picture:partners.0.logo"})
        page = (await visitor.get(path)).text
        assert "data:image" not in page.partition("<main")[2]
        bad = {"file.partners.0.logo": ("logo.svg", b"<svg onload=alert(1)>")}
        refused = await visitor.post(path, data=hidden(page) | said, files=bad)
        assert refused.status_code == 422 and "picture_not_taken" in refused.text


def test_a_file_is_kept_once_and_forgotten_when_nobody_needs_it(database: Database) -> None:
    assert keep_file(database, LETTER, "a@x.org", NOW) == keep_file(database, LETTER, "a@x.org", NOW) == DIGEST
    hold(database, [Attachment(name="x", sha256=DIGEST)], "b@x.org", "a@x.org")
    hold(database, [Attachment(name="x", sha256=DIGEST)], "c@x.org", "d@x.org")
    assert file_of(database, DIGEST, "b@x.org") == LETTER
    assert len(everything(database)["attachment"]) == 1
    assert {row["person"] for row in everything(database)["attachment_holder"]} == {"a@x.org", "b@x.org"}
    assert not forget_unused(database, DIGEST, "a@x.org")
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM attachment_holder WHERE person = 'b@x.org'")
    assert forget_unused(database, DIGEST, "a@x.org")
    assert everything(database)["attachment"] == []


@given(
    st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable()),
    st.sampled_from([*USUAL_TYPES, "text/html", None]),
)
def test_a_download_is_saved_and_never_shown(name: str, media_type: str | None) -> None:
    answer = download(b"x", name, media_type)
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="') and "\n" not in disposition and "\r" not in disposition
    assert disposition.count('"') == 2
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-type"].partition(";")[0] in {*USUAL_TYPES, "application/octet-stream"}


def test_the_kind_of_a_file_follows_from_its_name() -> None:
    assert Upload("a.PDF", b"").media_type == "application/pdf"
    assert Upload("a.docx", b"").media_type.endswith("wordprocessingml.document")
    assert Upload("a", b"").media_type == "application/octet-stream"
