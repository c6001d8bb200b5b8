"""A reply by mail on the real engine: recorded once, answered in its thread, kept as it came."""

import hashlib
from dataclasses import replace

import pytest

from imprimatur.errors import Unavailable
from imprimatur.inbound.receiving import ANSWERS_A_DAY, Identity
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import render
from imprimatur.store import inbound, outbox
from imprimatur.store.reading import TaskView
from models.messages import DecisionReceipt
from models.vocabulary import InboundKind
from tests.engine import Engine
from tests.mails import LATER, LINKS, Read, read
from tests.replying import DOMAIN, Post, address_of, message, passed


async def asked(live: Engine, stage: str = "proposal") -> tuple[Post, str, TaskView]:
    """A case whose stage waits for an answer."""
    case_id = (await live.submit("industry-credit", case_id=live.case_id("mail"))).case_id
    if stage != "proposal":
        await live.decide(case_id, "proposal")
    return Post(live), case_id, live.tasks(case_id, stage)[0]


def sent(post: Post) -> Read:
    """The answer to a reply as its reader gets it."""
    found = load(post.database, outbox.claim(post.database, 100, LATER))
    [context] = [item for item in found if isinstance(item, MailContext) and item.mail.kind.startswith("reply_")]
    return read(render(context, LINKS, Sender("Office <office@example.edu>", DOMAIN, True)).content)


async def test_a_reply_is_recorded_with_its_comment_and_scores(live: Engine) -> None:
    post, case_id, task = await asked(live)
    quoted = "On 2 March 2026 at 09:01, O <o@example.edu> wrote:\n> reject"
    text = f"approve\nfit: 4\nno duplication: 3\n\nFits well.\n\n{quoted}"
    outcome = await post.reply(task, text, message_id="<one@mail.example.edu>")
    assert (outcome.result, outcome.task_id, outcome.repeated) == ("recorded", task.task_id, False)
    [decision] = post.decisions(case_id)
    assert (decision["actor"], decision["verdict"], decision["channel"]) == (task.assignee, "approve", "mail")
    assert (decision["comment"], decision["scores"]) == ("Fits well.", {"fit": 4, "no_duplication": 3})
    [row] = post.came_in()
    assert (row["kind"], row["result"], row["attested_by"], row["answered"]) == ("reply", "recorded", "dmarc", True)
    kept = inbound.content(live.database, row["digest"])
    assert kept is not None and hashlib.sha256(kept).hexdigest() == row["digest"]
    assert post.traces() == []
    await live.assert_agrees(case_id)


async def test_what_was_recorded_is_told_in_the_same_thread(live: Engine) -> None:
    post, _, task = await asked(live)
    await post.reply(task, "approve\nfit: 4\nno_duplication: 3\n\nFits well.", message_id="<two@mail.example.edu>")
    mail = sent(post)
    assert mail.header("Subject") == "Re: Your review"
    assert mail.header("In-Reply-To") == "<two@mail.example.edu>"
    assert mail.header("References").endswith(" <two@mail.example.edu>")
    assert mail.header("Auto-Submitted") == "auto-replied"
    assert mail.message["Reply-To"] is None
    for text in (mail.text, mail.html):
        assert "is recorded" in text and "Approve" in text and "no duplication: 3" in text and "Fits well." in text


async def test_the_same_message_again_changes_nothing(live: Engine) -> None:
    post, case_id, task = await asked(live)
    to = address_of(task.task_id, task.assignee)
    raw = message(task.assignee, "approve\nfit: 4\nno_duplication: 3", to=to, headers=[passed(task.assignee)])
    first = await post.receiver.receive(raw, to)
    again = await post.receiver.receive(b"Received: from elsewhere\r\n" + raw, f"<{to.upper()}>")
    assert (first.repeated, again.repeated, again.result) == (False, True, "recorded")
    assert (len(post.came_in()), len(post.answers()), len(post.decisions(case_id))) == (1, 1, 1)


async def test_a_message_whose_writing_was_cut_short_is_recorded_once(live: Engine) -> None:
    """The decision was committed and the process died before it had kept the message: the relay sends it again."""
    post, case_id, task = await asked(live)
    await live.gateway.decide(
        task_id=task.task_id, verdict="approve", actor=task.assignee, scores={"fit": 4, "no_duplication": 3}
    )
    outcome = await post.reply(task, "approve\nfit: 4\nno_duplication: 3")
    assert outcome.result == "recorded"
    assert len(post.decisions(case_id)) == 1 and len(post.answers()) == 1


async def test_what_is_not_clear_is_asked_back_and_can_be_answered_again(live: Engine) -> None:
    post, case_id, task = await asked(live)
    outcome = await post.reply(task, "Looks fine to me", subject="AW: Re: Your review: Größe")
    assert outcome.result == "reply_unclear"
    assert post.traces() == [("reply_unclear", task.assignee, "mail")]
    assert post.decisions(case_id) == []
    mail = sent(post)
    assert mail.header("Subject") == "Re: Your review: Größe"
    assert mail.header("Reply-To") == address_of(task.task_id, task.assignee)
    words = " ".join(mail.text.split())
    assert 'The first line is no answer that is offered: "Looks fine to me".' in words
    assert "one word alone on the first line (approve, reject, changes" in words
    assert LINKS.task_url(task.task_id, task.assignee).rsplit(".", 2)[0] in mail.text
    assert (await post.reply(task, "approve\nfit: 4\nno_duplication: 3")).result == "recorded"


REFUSED = [
    ("endorse", "verdict_not_offered"),
    ("reject\nfit: 4\nno_duplication: 3", "comment_required"),
    ("approve\nfit: 9\nno_duplication: 3", "score_out_of_range"),
    ("approve\nfit: 4\nno_duplication: 3\nbeauty: 3", "criterion_unknown"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
async def test_what_the_stage_does_not_take_is_told_and_traced_once(live: Engine, text: str, code: str) -> None:
    post, case_id, task = await asked(live)
    assert (await post.reply(task, text)).result == code
    assert [trace[0] for trace in post.traces()] == [code]
    assert post.decisions(case_id) == []
    [answer] = post.answers()
    assert (answer["kind"], answer["data"]["code"], answer["recipient"]) == ("reply_not_recorded", code, task.assignee)


MACHINES = [
    ("Auto-Submitted: auto-replied", InboundKind.AUTOMATIC, "ignored"),
    ("List-Id: <reviewers.example.edu>", InboundKind.LIST, "ignored"),
    ("Return-Path: <>\r\nX-Failed-Recipients: someone@example.edu", InboundKind.BOUNCE, "bounce_mail_unknown"),
]


@pytest.mark.parametrize(("header", "kind", "result"), MACHINES)
async def test_a_machine_neither_decides_nor_is_answered(
    live: Engine, header: str, kind: InboundKind, result: str
) -> None:
    post, case_id, task = await asked(live)
    outcome = await post.reply(task, "approve\nfit: 4\nno_duplication: 3", headers=[header, passed(task.assignee)])
    assert (outcome.result, outcome.kind) == (result, kind)
    assert (post.decisions(case_id), post.answers()) == ([], [])
    assert [trace[0] for trace in post.traces()] == [code for code in (result,) if code != "ignored"]
    assert [row["kind"] for row in post.came_in()] == [kind]


async def test_two_machines_do_not_talk_to_each_other_for_ever(live: Engine) -> None:
    post, _, task = await asked(live)
    for _ in range(ANSWERS_A_DAY + 3):
        await post.reply(task, "I am away.")
    assert len(post.answers()) == ANSWERS_A_DAY
    assert len(post.came_in()) == len(post.traces()) == ANSWERS_A_DAY + 3


async def test_a_late_answer_is_told_why_it_came_too_late(live: Engine) -> None:
    post, _, task = await asked(live)
    await post.reply(task, "approve\nfit: 4\nno_duplication: 3")
    assert (await post.reply(task, "reject\nfit: 1\nno_duplication: 1\n\nOn second thoughts.")).result == (
        "already_decided"
    )
    [late] = [answer for answer in post.answers() if answer["kind"] == "reply_not_recorded"]
    assert late["data"]["known"] is True


async def test_attachments_are_listed(live: Engine) -> None:
    post, _, task = await asked(live)
    to = address_of(task.task_id, task.assignee)
    raw = (
        f"{passed(task.assignee)}\r\nFrom: {task.assignee}\r\nMessage-ID: <att@x.example>\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\napprove\r\nfit: 4\r\nno_duplication: 3\r\n'
        '--b\r\nContent-Type: application/pdf; name="n.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg=='
        "\r\n--b--"
    ).encode()
    assert (await post.receiver.receive(raw, to)).result == "recorded"
    [row] = post.came_in()
    digest = hashlib.sha256(b"%PDF").hexdigest()
    assert row["attachments"] == [{"name": "n.pdf", "media_type": "application/pdf", "size": 4, "digest": digest}]


async def test_where_nothing_has_to_be_attested_that_is_written_down(live: Engine) -> None:
    post, _, task = await asked(live)
    waived = replace(post, identity=Identity(DOMAIN, attestation_waived=True))
    assert (await waived.reply(task, "approve\nfit: 4\nno_duplication: 3", headers=[])).result == "recorded"
    assert [row["attested_by"] for row in post.came_in()] == ["waived"]


class Silent:
    """A gateway whose cases do not answer."""

    async def decide(self, **given: object) -> DecisionReceipt:
        raise Unavailable("temporal_unavailable", "The workflow service does not answer.")


async def test_what_cannot_be_recorded_now_leaves_nothing_and_comes_again(live: Engine) -> None:
    post, _, task = await asked(live)
    receiver = post.receiver
    receiver._decider = Silent()
    to = address_of(task.task_id, task.assignee)
    raw = message(task.assignee, "approve\nfit: 4\nno_duplication: 3", to=to, headers=[passed(task.assignee)])
    with pytest.raises(Unavailable):
        await receiver.receive(raw, to)
    assert (post.came_in(), post.answers(), post.traces()) == ([], [], [])
    assert (await post.receiver.receive(raw, to)).result == "recorded"
