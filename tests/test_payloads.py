"""Messages to Temporal: compact, read back as they were, and unreadable for others when a key is set."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from imprimatur.errors import InputError, Unavailable
from imprimatur.frameworks.loader import shipped
from imprimatur.payloads import ENCODING, EncryptingCodec, data_converter, parse_keys
from imprimatur.rules.plan import plan_of
from models.case import CaseState, Decided, Resolution, StageState, Step, TaskState
from models.messages import CaseInput
from models.vocabulary import AssignmentReason, CaseStatus, StageStatus, Verdict

AT = dt.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=dt.UTC)
OLD, NEW, OTHER = (base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2, 3))
PLAN = plan_of(shipped()["industry-credit"])
DECIDED = Decided(decision_id="d-1", task_id="t-1", actor="quinn@example.edu", verdict=Verdict.APPROVE)
TASK = TaskState(id="t-1", stage="quality", round=2, assignee="q@example.edu", reason=AssignmentReason.ROLE)
STATE = CaseState(
    case_id="mc-1",
    status=CaseStatus.IN_REVIEW,
    stages={"quality": StageState(id="quality", status=StageStatus.OPEN, round=2, due_at=AT)},
    tasks={
        "t-1": TaskState(id="t-1", stage="quality", round=2, assignee="q@example.edu", reason=AssignmentReason.ROLE)
    },
    due_at=AT,
)
MESSAGES = [
    CaseInput(case_id="mc-1", plan=PLAN),
    CaseInput(case_id="mc-1", plan=PLAN, state=STATE),
    DECIDED,
    Resolution(position=3, ledger_digest="f" * 64, due_at=AT),
]


async def there_and_back(value: Any, writer: str | None, reader: str | None) -> Any:
    payloads = await data_converter(writer).encode([value])
    [found] = await data_converter(reader).decode(payloads, [type(value)])
    return found


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("keys", [None, NEW, f"{NEW},{OLD}"])
async def test_a_message_comes_back_as_it_was(message: Any, keys: str | None) -> None:
    assert await there_and_back(message, keys, keys) == message


@pytest.mark.parametrize("text", ["", "研究倫理 🎓", "\x00", "a" * 100_000])
async def test_any_text_comes_back_as_it_was(text: str) -> None:
    decided = DECIDED.model_copy(update={"comment": text})
    assert await there_and_back(decided, NEW, NEW) == decided


async def test_keys_can_be_rotated() -> None:
    assert await there_and_back(DECIDED, OLD, f"{NEW},{OLD}") == DECIDED, "what the old key wrote is still read"
    assert await there_and_back(DECIDED, f"{NEW},{OLD}", NEW) == DECIDED, "the first key writes"
    assert await there_and_back(DECIDED, None, NEW) == DECIDED, "what was written before there was a key is still read"


async def test_an_unknown_key_is_told_with_what_to_do() -> None:
    with pytest.raises(Unavailable) as refused:
        await there_and_back(DECIDED, OLD, f"{NEW},{OTHER}")
    assert (refused.value.code, refused.value.hint) == (
        "payload_key_missing",
        "Add the older key behind the newer one.",
    )


async def test_what_is_encrypted_shows_nothing_and_is_never_the_same_twice() -> None:
    converter = data_converter(NEW)
    first, second = [(await converter.encode([DECIDED]))[0] for _ in range(2)]
    assert first.metadata["encoding"] == ENCODING and dict(first.metadata).keys() == {"encoding"}
    for part in (b"quinn", b"approve", b"d-1", b"json"):
        assert part not in first.data
    assert first.data != second.data


@given(st.data())
async def test_an_altered_message_is_not_read(data: st.DataObject) -> None:
    codec = EncryptingCodec(parse_keys(NEW))
    [sealed] = await codec.encode([Payload(metadata={"encoding": b"json/plain"}, data=b'"approve"')])
    index = data.draw(st.integers(0, len(sealed.data) - 1))
    altered = bytearray(sealed.data)
    altered[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unavailable):
        await codec.decode([Payload(metadata=sealed.metadata, data=bytes(altered))])


@pytest.mark.parametrize("length", range(30))
async def test_a_message_that_was_cut_is_not_read(length: int) -> None:
    codec = EncryptingCodec(parse_keys(NEW))
    with pytest.raises(Unavailable):
        await codec.decode([Payload(metadata={"encoding": ENCODING}, data=bytes(length))])


async def test_what_was_not_said_is_not_written() -> None:
    [payload] = await data_converter(None).encode([DECIDED])
    assert json.loads(payload.data) == {
        "kind": "decided", "decision_id": "d-1", "task_id": "t-1", "actor": "quinn@example.edu", "verdict": "approve",
    }  # fmt: skip
    step = Step(
        event=DECIDED, at=AT, case_id="mc-1", seq=1, framework_digest="f", digest="d", status=CaseStatus.IN_REVIEW,
        round=1, version=1, effects=(),
    )  # fmt: skip
    [payload] = await data_converter(None).encode([step])
    assert b'"comment"' not in payload.data and b": " not in payload.data, "without blanks"


async def test_the_input_of_a_case_is_small() -> None:
    [payload] = await data_converter(None).encode([CaseInput(case_id="mc-abcdefghijkl", plan=PLAN)])
    assert len(payload.data) < 1000
    [sealed] = await data_converter(NEW).encode([CaseInput(case_id="mc-abcdefghijkl", plan=PLAN)])
    assert len(sealed.data) < len(payload.data) + 100


@pytest.mark.parametrize("text", [OLD, f" {NEW} , {OLD} ", f"{NEW},{OLD},"])
def test_keys_are_separated_by_commas(text: str) -> None:
    keys = parse_keys(text)
    assert len(keys) == text.count("=") and all(len(key) == 32 for key in keys)


@pytest.mark.parametrize(
    "text", ["secret", f"{NEW},short", base64.b64encode(bytes(16)).decode(), "schlüssel", ",", "==="]
)
def test_unusable_keys_are_refused_with_a_way_to_make_one(text: str) -> None:
    with pytest.raises(InputError) as refused:
        data_converter(text)
    assert refused.value.code == "payload_keys_invalid" and "os.urandom(32)" in refused.value.hint
    assert text not in refused.value.message or text == ","
