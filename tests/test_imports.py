"""Imports on the pages: foreseen, begun, watched, told line by line; and going on after whatever stopped them."""

import asyncio
import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from imprimatur.errors import InputError, NotFound, Unavailable
from imprimatur.importing import import_proposals
from imprimatur.imports import ImportRunner, prepare
from imprimatur.records import records_of
from imprimatur.store import import_jobs
from imprimatur.store.engine import Database
from imprimatur.web.imports import as_csv
from models.messages import CaseAnswer
from models.proposal import Proposal
from models.vocabulary import LineResult
from tests.facts import OFFICE, PROPOSER, everything, furnish
from tests.pages import PEOPLE
from tests.proposing import PlayedCases, Populated
from tests.web import Site, form_token

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
COMPLETE = {
    "summary": "Learn to fish.", "provider": "Example University", "outcomes": ["Casts a net."], "ects": 3, "hours": 78,
    "language": "en", "unit": "School of Business", "field": "Fisheries",
}  # fmt: skip
FRAMEWORK = "coursework-credit"


def line(title: str, **change: Any) -> str:
    said = COMPLETE | {"title": title, "id": title} | change
    return json.dumps({name: value for name, value in said.items() if value is not None})


MIXED = "\n".join(
    [line("Fishing"), line("Sewing", outcomes=None), "{not json", line("Baking", hours="many"), line("Fishing")]
)
MEANT = ["accepted", "returned", "rejected", "rejected", "skipped"]


@pytest.fixture(scope="module")
def populated_once(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Populated:
    return Populated(migrated_file, tmp_path_factory.mktemp("populated"))


@pytest.fixture
def site(populated_once: Populated, tmp_path: Path) -> Iterator[Site]:
    with populated_once.copy(tmp_path) as site:
        yield site


def results(database: Database, import_id: str) -> list[str | None]:
    return [found.result and str(found.result) for found in import_jobs.lines_of(database, import_id)]


def foreseen(database: Database, import_id: str) -> list[str]:
    return [str(found.foreseen) for found in import_jobs.lines_of(database, import_id)]


async def uploaded(visitor: httpx.AsyncClient, content: str, name: str = "many.jsonl") -> httpx.Response:
    token = form_token((await visitor.get("/imports")).text)
    form = {"form_token": token, "framework": FRAMEWORK}
    return await visitor.post("/imports", data=form, files={"file": (name, content.encode())})


async def test_an_import_is_foreseen_begun_and_told_line_by_line(site: Site) -> None:
    runner = ImportRunner(site.cases, site.play.database)
    async with site.signed_in(PROPOSER) as visitor:
        path = (await uploaded(visitor, MIXED)).headers["location"]
        page = (await visitor.get(path)).text
        assert "Nothing is imported yet" in page and "is not a number" in page
        assert not await runner.run_next()
        assert site.cases.submitted == []
        await visitor.post(path, data={"form_token": form_token(page), "act": "begin"})
        page = (await visitor.get(path)).text
        assert "0 of 5 lines" in page and f'hx-get="{path}/progress"' in page and 'http-equiv="refresh"' in page
        assert await runner.run_next()
        assert not await runner.run_next()
        page = (await visitor.get(path)).text
        import_id = path.rpartition("/")[2]
        assert results(site.play.database, import_id) == foreseen(site.play.database, import_id) == MEANT
        cases = re.findall(r'href="/cases/(mc-\w+)"', page)
        assert len(set(cases)) == 2 and all(case in site.cases.plays for case in cases)
        assert "the other lines are not imported twice" in page and "Learning outcomes is missing" in page
        only = (await visitor.get(f"{path}?only=rejected")).text
        assert "Baking" in only and "Sewing" not in only.partition("Line by line")[2]
        progress = await visitor.get(f"{path}/progress")
        assert progress.headers["hx-refresh"] == "true" and "5 of 5" in progress.text
        rows = list(csv.reader(io.StringIO((await visitor.get(f"{path}/report.csv")).text)))
        assert [row[3] for row in rows[1:]] == MEANT
        assert "many.jsonl" in (await visitor.get("/imports")).text
        refused = await visitor.post(path, data={"form_token": form_token(page), "act": "forget"})
        assert refused.status_code == 409 and "import_begun" in refused.text


async def test_an_import_that_was_killed_goes_on_and_does_nothing_twice(site: Site) -> None:
    database = site.play.database
    titles = [f"Fishing {number}" for number in range(12)]
    import_id = prepare(database, PROPOSER, FRAMEWORK, "many.jsonl", "\n".join(map(line, titles)).encode(), NOW)
    import_jobs.begin(database, PROPOSER, import_id, NOW)
    stopped = asyncio.Event()

    class Killed(PlayedCases):
        async def submit(
            self, proposal: Proposal, *, proposer: str, framework_id: str | None = None, case_id: str | None = None
        ) -> CaseAnswer:
            assert case_id is not None
            answer = self._submit(proposal, proposer, framework_id, case_id)
            if len(self.submitted) >= 5:
                # The case is made, and the process dies before it writes that down.
                stopped.set()
                await asyncio.Event().wait()
            return answer

    first = Killed(database, site.play.published_dir)
    running = asyncio.create_task(ImportRunner(first, database).run_next())
    await stopped.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    done = results(database, import_id)
    assert None in done
    second = PlayedCases(database, site.play.published_dir, first.plays)
    runner = ImportRunner(second, database)
    # Nobody takes what another process may still be at.
    assert not await runner.run_next()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE import SET leased_until = '2026-03-02 09:00:00'")
    assert await runner.run_next()
    assert results(database, import_id) == ["accepted"] * 12
    assert set(first.submitted) | set(second.submitted) == set(second.plays)
    assert not set(first.submitted) & set(second.submitted)
    assert len(second.plays) == 12


async def test_what_the_command_imported_is_not_imported_again(site: Site) -> None:
    database = site.play.database
    records = records_of(line("Fishing").encode(), "one.jsonl")
    await import_proposals(site.cases, database, records, PROPOSER, None, lambda: None)
    import_id = prepare(database, PROPOSER, FRAMEWORK, "many.jsonl", MIXED.encode(), NOW)
    assert foreseen(database, import_id)[0] == "skipped"
    import_jobs.begin(database, PROPOSER, import_id, NOW)
    await ImportRunner(site.cases, database).run_next()
    assert results(database, import_id)[0] == "skipped"
    assert len(site.cases.submitted) == len(set(site.cases.submitted))


async def test_a_case_that_somebody_else_imported_is_linked_for_those_who_see_it(site: Site) -> None:
    database, owner = site.play.database, PEOPLE["reviewer"]
    records = records_of(line("Fishing").encode(), "one.jsonl")
    await import_proposals(site.cases, database, records, PROPOSER, None, lambda: None)
    for person, links in ((owner, []), (PROPOSER, site.cases.submitted)):
        import_id = prepare(database, person, FRAMEWORK, "many.jsonl", line("Fishing").encode(), NOW)
        import_jobs.begin(database, person, import_id, NOW)
        await ImportRunner(site.cases, database).run_next()
        assert results(database, import_id) == ["skipped"]
        async with site.signed_in(person) as visitor:
            report = (await visitor.get(f"/imports/{import_id}")).text.partition("Line by line")[2]
        assert "Fishing" in report and re.findall(r'href="/cases/(mc-\w+)"', report) == links


async def test_a_line_that_is_complete_now_is_the_next_version_of_its_case(site: Site) -> None:
    database = site.play.database
    for content, meant in ((line("Sewing", outcomes=None), "returned"), (line("Sewing"), "accepted")):
        import_id = prepare(database, PROPOSER, FRAMEWORK, "many.jsonl", content.encode(), NOW)
        import_jobs.begin(database, PROPOSER, import_id, NOW)
        await ImportRunner(site.cases, database).run_next()
        assert results(database, import_id) == [meant]
    assert len(site.cases.revised) == 1


async def test_what_is_away_for_a_while_is_waited_for(site: Site) -> None:
    database = site.play.database
    import_id = prepare(database, PROPOSER, FRAMEWORK, "many.jsonl", line("Fishing").encode(), NOW)
    import_jobs.begin(database, PROPOSER, import_id, NOW)
    site.cases.trouble = Unavailable("temporal_unavailable", "The workflow service does not answer.")
    runner = ImportRunner(site.cases, database)
    with pytest.raises(Unavailable):
        await runner.run_next()
    assert await runner.run_next()
    assert results(database, import_id) == ["accepted"]


async def test_what_would_fail_for_every_line_stops_it_until_it_is_begun_again(site: Site) -> None:
    database = site.play.database
    async with site.signed_in(PROPOSER) as visitor:
        path = (await uploaded(visitor, line("Fishing"))).headers["location"]
        form = {"form_token": form_token((await visitor.get(path)).text), "act": "begin"}
        await visitor.post(path, data=form)
        site.cases.trouble = NotFound("person_unknown", "There is nobody of that address.", "Add them.")
        runner = ImportRunner(site.cases, database)
        assert await runner.run_next()
        page = (await visitor.get(path)).text
        assert "person_unknown" in page and "Go on with the rest" in page
        assert not await runner.run_next()
        await visitor.post(path, data=form)
        assert await runner.run_next()
        assert "become" not in (await visitor.get(path)).text.partition("<main")[2].partition("Done")[0]
    assert results(database, path.rpartition("/")[2]) == ["accepted"]


async def test_whoever_waits_is_woken(site: Site) -> None:
    runner = ImportRunner(site.cases, site.play.database)
    working = asyncio.create_task(runner.run_forever())
    import_id = prepare(site.play.database, PROPOSER, FRAMEWORK, "a.jsonl", line("Fishing").encode(), NOW)
    import_jobs.begin(site.play.database, PROPOSER, import_id, NOW)
    async with asyncio.timeout(60):
        while results(site.play.database, import_id) != ["accepted"]:
            runner.wake.set()
            await asyncio.sleep(0.01)
    working.cancel()


async def test_an_import_is_its_owner_s_alone(site: Site) -> None:
    import_id = prepare(site.play.database, PROPOSER, FRAMEWORK, "a.jsonl", line("Fishing").encode(), NOW)
    before = everything(site.play.database)
    for name in ("office", "admin", "reviewer", "auditor"):
        async with site.signed_in(PEOPLE[name]) as visitor:
            token = form_token((await visitor.get("/account")).text)
            denied = 403 if name == "auditor" else 404
            for end in ("", "/progress", "/report.csv"):
                assert (await visitor.get(f"/imports/{import_id}{end}")).status_code == denied
            for act in ("begin", "forget"):
                answer = await visitor.post(f"/imports/{import_id}", data={"form_token": token, "act": act})
                assert answer.status_code == denied
    assert everything(site.play.database)["import"] == before["import"]


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        ("", "many.jsonl", "import_empty"),
        ("title\n", "many.csv", "import_empty"),
        ("title,title\na,b\n", "many.csv", "import_columns_repeated"),
        ("x", "many.xlsx", "import_format_unknown"),
    ],
)
async def test_a_file_that_cannot_be_read_is_told(site: Site, content: str, name: str, code: str) -> None:
    async with site.signed_in(OFFICE) as visitor:
        answer = await uploaded(visitor, content, name)
        assert answer.status_code == 422 and code in answer.text
    assert everything(site.play.database)["import"] == []


async def test_a_file_is_forgotten_before_it_is_begun(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = (await uploaded(visitor, MIXED)).headers["location"]
        form = {"form_token": form_token((await visitor.get(path)).text), "act": "forget"}
        assert (await visitor.post(path, data=form)).headers["location"] == "/imports"
        assert (await visitor.get(path)).status_code == 404
    rows = everything(site.play.database)
    assert rows["import"] == rows["import_line"] == []


def test_of_two_processes_one_takes_an_import(database: Database) -> None:
    furnish(database)
    import_id = prepare(database, PROPOSER, FRAMEWORK, "a.jsonl", MIXED.encode(), NOW)
    assert import_jobs.claim(database, NOW) is None
    import_jobs.begin(database, PROPOSER, import_id, NOW)
    taken = import_jobs.claim(database, NOW)
    assert taken is not None and taken.import_id == import_id
    assert import_jobs.claim(database, NOW + import_jobs.LEASE / 2) is None
    import_jobs.go_on(database, import_id, NOW + import_jobs.LEASE / 2)
    assert import_jobs.claim(database, NOW + import_jobs.LEASE) is None
    assert import_jobs.claim(database, NOW + import_jobs.LEASE * 2) is not None
    import_jobs.end(database, import_id, NOW)
    assert import_jobs.claim(database, NOW + import_jobs.LEASE * 9) is None
    [(job, lines, done)] = import_jobs.jobs_of(database, PROPOSER)
    assert (job.import_id, lines, done) == (import_id, 5, 0)
    _, count = import_jobs.job(database, PROPOSER, import_id)
    assert count.foreseen == {"accepted": 1, "returned": 1, "rejected": 2, "skipped": 1}


def test_a_report_holds_no_formula() -> None:
    found = import_jobs.ImportLine(
        number=1, line=1, key="", title="=cmd()", record={}, case_id="", foreseen=LineResult.REJECTED
    )
    assert "'=cmd()" in as_csv([found])


def test_an_unknown_framework_is_told(database: Database) -> None:
    furnish(database)
    with pytest.raises((NotFound, InputError)) as refused:
        prepare(database, PROPOSER, "nothing", "a.jsonl", MIXED.encode(), NOW)
    assert refused.value.code == "framework_unknown"
