"""All verbs of keys, records and badges, as the governance office runs them; for tests."""

import datetime as dt
import json

from imprimatur.embedded.home import Home
from imprimatur.frameworks.loader import shipped
from imprimatur.publication.endorsements import endorsement
from imprimatur.publication.reading import published_record
from imprimatur.publication.signing import Signer, new_private_key
from imprimatur.store.frameworks import add_framework
from models.framework import Framework
from tests.facts import PROPOSER, example
from tests.people_commands import Terminal


async def play_records(terminal: Terminal) -> None:
    """The embedded stack has made its secret when it started."""
    Home(terminal.home).secret()
    assert "nothing is signed" in await terminal.run("keys list")
    await terminal.ask("keys generate")
    rotated = await terminal.ask("keys rotate")
    await terminal.ask("keys list")
    await terminal.ask(f"keys retire {rotated['kid']}")
    await terminal.run("keys generate --alg RS256")
    await _tell_and_endorse(terminal)


async def _tell_and_endorse(terminal: Terminal) -> None:
    case_id = await _published(terminal)
    assert (await terminal.ask(f"endorse issue {case_id}"))["issued"] == 1
    assert "1 endorsements" not in await terminal.run("endorse issue")
    assert "Achievement" in await terminal.run(f"record {case_id}")
    await terminal.ask(f"record {case_id}")
    for form in ("ctdl", "elm", "schema-org", "issuer"):
        assert "@context" in await terminal.run(f"record {case_id} --format {form}")
    record, private = published_record(terminal.engine.database, case_id), new_private_key("EdDSA")
    token, key = terminal.home / "endorsement.jwt", terminal.home / "key.json"
    token.write_text(Signer(private, "https://harbour.example/key").sign(endorsement(record, record.sign_offs[0])))
    key.write_text(json.dumps(private), encoding="utf-8")
    assert (await terminal.ask(f"endorse upload {case_id} {token} --key {key}"))["by_partner"]
    key.write_text("[]", encoding="utf-8")
    await terminal.run(f"endorse upload {case_id} {token} --key {key}", 2)
    await _award(terminal, case_id)
    await terminal.ask(f"catalogue export {terminal.home / 'site'}")


async def _award(terminal: Terminal, case_id: str) -> None:
    learners = terminal.home / "learners.csv"
    learners.write_text("email,name\nana@example.org,Ana\nnobody,Nobody\n", encoding="utf-8")
    [given] = (await terminal.ask(f"award {case_id} --csv {learners}", 1))["badges"]
    assert "1 were there already" in await terminal.run(f"award {case_id} --learner-email ana@example.org --name Ana")
    await terminal.ask(f"revoke-badge {given['badge_id']} --reason Mistaken")


async def _published(terminal: Terminal) -> str:
    """With a statement of the partner."""
    running = terminal.engine
    document = shipped()["industry-credit"].model_dump(mode="json") | {"id": "endorsed"}
    next(stage for stage in document["stages"] if stage["id"] == "industry")["statement"] = "optional"
    add_framework(running.database, Framework.model_validate(document), dt.datetime.now(dt.UTC))
    answer = await running.gateway.submit(example("industry-credit"), proposer=PROPOSER, framework_id="endorsed")
    while tasks := running.tasks(answer.case_id):
        said = "We hire for it." if tasks[0].stage == "industry" else ""
        scores = running.scores(tasks[0])
        await running.gateway.decide(
            task_id=tasks[0].task_id, verdict="approve", actor=tasks[0].assignee, scores=scores, statement=said
        )
    return answer.case_id
