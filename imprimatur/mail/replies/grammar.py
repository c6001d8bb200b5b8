"""The grammar of an answer by mail: a verdict alone on the first line, scores and a comment below it.

A wrong verdict would be the worst that can happen. So nothing is guessed: what does not follow the grammar is asked
back, with the reason.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from imprimatur.mail.replies.cutting import own_words
from imprimatur.mail.replies.letter import Letter
from models.vocabulary import Verdict

# In English, German, French, Spanish and Japanese; the first one is what our own mails propose.
WORDS: dict[Verdict, tuple[str, ...]] = {
    Verdict.APPROVE: ("approve", "genehmigen", "approuver", "aprobar", "承認"),
    Verdict.REJECT: ("reject", "ablehnen", "rejeter", "rechazar", "却下"),
    Verdict.REQUEST_CHANGES: (
        "changes", "request changes", "request_changes", "änderungen", "modifications", "cambios", "修正",
    ),
    Verdict.ABSTAIN: ("abstain", "enthaltung", "abstention", "abstención", "棄権"),
    Verdict.RECUSE: ("recuse", "recuse myself", "befangen", "récusation", "recusación", "忌避"),
    Verdict.ENDORSE: ("endorse", "befürworten", "soutenir", "respaldar", "支持"),
    Verdict.ACKNOWLEDGE: ("acknowledge", "kenntnisnahme", "pris connaissance", "enterado", "了承"),
    Verdict.OBJECT: ("object", "einspruch", "objection", "objeción", "異議"),
    Verdict.CONTINUE: ("continue", "fortführen", "poursuivre", "continuar", "継続"),
    Verdict.REVISE: ("revise", "überarbeiten", "réviser", "revisar", "改訂"),
    Verdict.PAUSE: ("pause", "aussetzen", "suspendre", "suspender", "休止"),
    Verdict.RETIRE: ("retire", "einstellen", "retirer", "retirar", "廃止"),
    Verdict.TAKE_UP: ("taken", "taken up", "take up", "take_up", "übernommen", "pris en charge", "asumido", "受領"),
    Verdict.SEND_BACK: ("returned", "send back", "send_back", "zurückgeben", "renvoyer", "devolver", "差し戻し"),
}  # fmt: skip
# Where a language's word stands among those of a verdict; several are English.
_PLACES = {"de": -4, "fr": -3, "es": -2, "ja": -1}
_MEANING = {word: verdict for verdict, words in WORDS.items() for word in words}
_AROUND = " *_\"'“”„«»‘’「」『』`#"
_AFTER = re.compile(r"[.!。]$")
_SCORE = re.compile(r"[\s*•-]{0,6}(?P<name>[^\W\d][\w -]{0,60}?)\s*\*?\s*[:：=]\s*\*?\s*(?P<value>[+-]?\d\S*)\s*\*?\s*")
# An identifier of up to three words.
_NAME = re.compile(r"[^\W\d]+(_[^\W\d]+){0,2}")
_WHOLE = re.compile(r"[+-]?\d{1,6}")
_LINK = re.compile(r"https?://\S{0,300}/t/\S{20,}|\breview\+[\w.-]+@|Sent by Imprimatur for|Opening it decides nothing")
_SHOWN = 80


class Doubt(StrEnum):
    """Why an answer is not understood."""

    EMPTY = "empty"
    NO_VERDICT = "no_verdict"
    SEVERAL_VERDICTS = "several_verdicts"
    FORMS_DIFFER = "forms_differ"
    QUOTE_LEFT = "quote_left"
    SCORE_UNCLEAR = "score_unclear"
    SEALED = "sealed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Answer:
    """``scores`` are as written; whether a stage asks for them is the stage's to say."""

    verdict: Verdict
    comment: str = ""
    scores: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Unclear:
    """``line`` is the line that was not understood, shortened; empty when it is none in particular.

    ``verdict`` is what the first line says, where the doubt is about something else.
    """

    doubt: Doubt
    line: str = ""
    verdict: Verdict | None = None


def proposed(verdict: Verdict, language: str) -> str:
    """The word that a mail in this language proposes; the English one where the language has none."""
    return WORDS[verdict][_PLACES.get(language.partition("-")[0], 0)]


def read_answer(letter: Letter, criteria: Collection[str] = ()) -> Answer | Unclear:
    """What a letter answers. Where it says it in two forms, such as plain and formatted text, both must say the same:
    a word that is struck out in the one may stand untouched in the other."""
    readings = [parse(own_words(text), criteria) for text in letter.texts]
    if not readings:
        return Unclear(Doubt.SEALED if letter.sealed else Doubt.EMPTY)
    answers = [reading for reading in readings if isinstance(reading, Answer)]
    if answers and len({reading.verdict for reading in readings}) > 1:
        return Unclear(Doubt.FORMS_DIFFER)
    if any(answer.scores != answers[0].scores for answer in answers):
        return Unclear(Doubt.SCORE_UNCLEAR)
    doubt = next((reading for reading in readings if getattr(reading, "doubt", None) is Doubt.SCORE_UNCLEAR), None)
    return doubt or (answers[0] if answers else readings[0])


def parse(text: str, criteria: Collection[str] = ()) -> Answer | Unclear:
    """``text`` is the sender's own: quotes and signature are cut already."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return Unclear(Doubt.EMPTY)
    verdict = meaning(lines[first])
    if verdict is None:
        return Unclear(Doubt.NO_VERDICT, _shortened(lines[first]))
    rest = lines[first + 1 :]
    other = next((line for line in rest if meaning(line) not in (None, verdict)), None)
    if other is not None:
        return Unclear(Doubt.SEVERAL_VERDICTS, _shortened(other))
    if (left := next((line for line in rest if _LINK.search(line)), None)) is not None:
        # It would show others a link that is the sender's alone.
        return Unclear(Doubt.QUOTE_LEFT, _shortened(left), verdict)
    return _with_scores(verdict, rest, {_key(name): name for name in criteria})


def meaning(line: str) -> Verdict | None:
    """The verdict that a line says and nothing else, in any case and script width. One mark may end it."""
    if len(line) > _SHOWN:
        return None
    words = unicodedata.normalize("NFKC", line).strip(_AROUND)
    return _MEANING.get(" ".join(_AFTER.sub("", words).strip(_AROUND).casefold().split()))


def _with_scores(verdict: Verdict, lines: Iterable[str], known: dict[str, str]) -> Answer | Unclear:
    scores: dict[str, int] = {}
    comment: list[str] = []
    for line in lines:
        if (found := _score(line, known)) is None:
            comment.append(line)
            continue
        name, value = found
        if not _WHOLE.fullmatch(value) or scores.setdefault(name, int(value)) != int(value):
            return Unclear(Doubt.SCORE_UNCLEAR, _shortened(line), verdict)
    return Answer(verdict, re.sub(r"\n{3,}", "\n\n", "\n".join(comment)).strip(), scores)


def _score(line: str, known: dict[str, str]) -> tuple[str, str] | None:
    """A criterion and what stands behind it; of a name that is not known only what can be nothing but a score."""
    found = _SCORE.fullmatch(unicodedata.normalize("NFKC", line)) if len(line) <= _SHOWN * 2 else None
    if found is None:
        return None
    key, value = _key(found["name"]), found["value"].rstrip(".,;")
    if key in known:
        return known[key], value
    # Times, dates and places of meetings look much the same.
    return (key, value) if _WHOLE.fullmatch(value) and _NAME.fullmatch(key) else None


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def _shortened(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
