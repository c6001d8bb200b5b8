"""docs/mail.md against the grammar: every word, and its example."""

import re

from imprimatur.inbound.receiving import ANSWERS_A_DAY, WARNINGS_A_DAY
from imprimatur.mail.replies.cutting import own_words
from imprimatur.mail.replies.grammar import WORDS, Answer, parse
from imprimatur.rules.answers import NEEDS_COMMENT
from models.vocabulary import Verdict
from tests.markdown import DOCS, code_blocks, code_spans, section, text_of

MAIL = DOCS / "mail.md"


def test_every_word_is_told_and_none_that_is_not_understood() -> None:
    rows = section(MAIL, "Words").rows
    told = {
        code_spans(row["verdict"])[0]: [word for cell in list(row.values())[1:] for word in code_spans(cell)]
        for row in rows
    }
    assert {verdict: sorted(words) for verdict, words in told.items()} == {
        str(verdict): sorted(words) for verdict, words in WORDS.items()
    }


def test_the_example_is_understood() -> None:
    [example] = code_blocks(section(MAIL, "How to answer").body, "")
    said = parse(own_words(example))
    assert isinstance(said, Answer)
    assert (said.verdict, said.scores) == (Verdict.REQUEST_CHANGES, {"outcomes": 3, "assessment": 2})
    assert said.comment.startswith("The second outcome")


def test_who_needs_a_comment_and_how_often_is_answered_is_told() -> None:
    text = text_of(MAIL)
    needing = re.search(r"((?:`\w+`, )+`\w+` and `\w+`) need one", text)
    assert needing and set(code_spans(needing[1])) == {WORDS[verdict][0] for verdict in NEEDS_COMMENT}
    assert f"At most {ANSWERS_A_DAY} replies" in text
    assert WARNINGS_A_DAY == 3 and "at most three a day" in text
