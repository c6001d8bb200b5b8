"""Every message of the corpus is understood as its writer meant it, or asked back."""

import pytest

from imprimatur.mail.replies.grammar import Answer, Unclear
from tests.corpus import FOLDER, Sample, samples, understood


def test_the_corpus_is_whole() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.eml")) == sorted(sample.name for sample in samples())
    assert len(samples()) >= 80


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_message_says_what_its_writer_meant(sample: Sample) -> None:
    letter, said = understood(sample.raw)
    assert letter.kind == sample.says["kind"]
    match said:
        case Answer():
            found = {"verdict": str(said.verdict), "comment": said.comment, "scores": said.scores}
            assert found == {"verdict": sample.verdict, "comment": sample.says.get("comment", ""),
                             "scores": sample.says.get("scores", {})}  # fmt: skip
        case Unclear():
            assert (str(said.doubt), sample.verdict) == (sample.says.get("doubt"), None), said
        case None:
            assert sample.verdict is None
    if "attachments" in sample.says:
        assert [attachment.name for attachment in letter.attachments] == sample.says["attachments"]
