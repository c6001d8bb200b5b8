"""Why an answer by mail was not understood, in words for whoever wrote it."""

from imprimatur.errors import Refused
from imprimatur.mail.replies.grammar import Doubt, Unclear

_WHY = {
    Doubt.EMPTY: "The reply holds nothing above the mail that it quotes.",
    Doubt.NO_VERDICT: "The first line is no answer that is offered",
    Doubt.SEVERAL_VERDICTS: "The reply holds more than one answer",
    Doubt.FORMS_DIFFER: "The reply says one thing in its plain text and another in its formatted text.",
    Doubt.QUOTE_LEFT: "The mail that was answered cannot be told from what was written",
    Doubt.SCORE_UNCLEAR: "A score is not clear",
    Doubt.SEALED: "The reply is encrypted, or sealed by its signature, and cannot be read.",
    Doubt.UNREADABLE: "The reply cannot be read.",
}
_WHAT_TO_DO = {
    Doubt.QUOTE_LEFT: "Delete everything below your own words and send it again.",
    Doubt.SCORE_UNCLEAR: "Give each score once, as a whole number.",
    Doubt.SEALED: "Send it again without encryption.",
}


def unclear(said: Unclear) -> Refused:
    """The error of an answer that is asked back."""
    why = _WHY[said.doubt]
    if not why.endswith("."):
        why += f': "{said.line}".' if said.line else "."
    return Refused("reply_unclear", why, _WHAT_TO_DO.get(said.doubt, "Write one word alone on the first line."))
