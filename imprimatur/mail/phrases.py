"""Sentences of the rules and of refusals that mails repeat, by their form.

They are worded where they arise and recorded in English; a mail in another language tells them anew. What is not listed
here is told as it was recorded. A test compares the forms with what the rules really say.
"""

import re

from imprimatur.rules.wording import closed_because
from models.vocabulary import TaskClosure

OUTCOMES = (
    "published",
    "rejected",
    "withdrawn",
    "approved",
    "the case was %(status)s",
    "every stage passed",
    "every target has the record",
    "decided by the casting vote of the escalation",
    "a reviewer with a veto rejected",
    "exactly half approved, and the vote of the %(role)s decided",
    "%(approvals)s approved (%(needed)s needed), %(rejections)s rejected, %(changes)s requested changes",
    "%(approvals)s endorsed (%(needed)s needed), %(rejections)s rejected, %(changes)s requested changes",
    "%(approvals)s approved by weight (%(needed)s needed), %(rejections)s rejected, %(changes)s requested changes",
    "%(approvals)s endorsed by weight (%(needed)s needed), %(rejections)s rejected, %(changes)s requested changes",
)
# What a stage came to, where no outcome of a case is called the same.
STAGE_OUTCOMES = ("endorsed", "refused", "skipped")
# Why a review began or ended so, where no person said why.
REVIEWS = (
    "the time that the framework gives between reviews is over",
    "the stage %(name)s recommended to %(option)s",
    "no stage recommended anything, so it goes on as it is",
)
MISSING = (
    "is missing",
    "needs at least 1 entry, has %(has)s",
    "needs at least %(number)s entries, has %(has)s",
    "may have at most 1 entry, has %(has)s",
    "may have at most %(number)s entries, has %(has)s",
    "may have at most 1 word, has %(has)s",
    "may have at most %(number)s words, has %(has)s",
    "must be at least %(number)s, is %(has)s",
    "may be at most %(number)s, is %(has)s",
    "must be one of %(words)s, not %(value)s",
    "may not contain the word %(word)s",
    "%(problem)s, in entry %(number)s",
)
REFUSALS = (
    "This task closed: %(why)s.",
    "%(closure)s, by the decision of %(person)s",
    "%(closure)s, after the decision of %(person)s",
    "%(closure)s, as noted by %(person)s",
    "%(closure)s, namely %(person)s",
    "%(closure)s by %(person)s",
    "Nothing is asked of you any more.",
    "You have answered this task already: %(verdict)s.",
    "The first answer stands; ask the governance office if it was a mistake.",
    "This task is on offer to several people, and nobody has claimed it yet.",
    "Claim it first: the first to do so has it.",
    "The case is closed: it was %(status)s.",
    "Submit a new proposal instead.",
    "The case is on hold, so nothing is decided now.",
    "Your task stays yours; answer it when the governance office has resumed the case.",
    "The committee meets on this at %(time)s, and has decided nothing before.",
    "Record its decision after the sitting.",
    "Nobody decides about a proposal of their own.",
    "This stage does not offer the verdict %(verdict)s.",
    "Choose one of: %(verdicts)s.",
    "say why, the proposer needs it",
    "%(criterion)s must be scored",
    "this stage has no criterion %(criterion)s",
    "%(criterion)s is scored from %(minimum)s to %(maximum)s, not %(score)s",
    "Nothing was recorded; complete the answer and send it again.",
)
REPLIES = (
    "The reply holds nothing above the mail that it quotes.",
    "The first line is no answer that is offered.",
    'The first line is no answer that is offered: "%(line)s".',
    "The reply holds more than one answer.",
    'The reply holds more than one answer: "%(line)s".',
    "The reply says one thing in its plain text and another in its formatted text.",
    "The mail that was answered cannot be told from what was written.",
    'The mail that was answered cannot be told from what was written: "%(line)s".',
    "A score is not clear.",
    'A score is not clear: "%(line)s".',
    "The reply is encrypted, or sealed by its signature, and cannot be read.",
    "The reply cannot be read.",
    "Delete everything below your own words and send it again.",
    "Give each score once, as a whole number.",
    "Send it again without encryption.",
    "Write one word alone on the first line.",
    "The reply address is not the one of this task.",
    "The message is built so that it is not safe to read.",
    "The message came from %(sender)s.",
    "Nothing shows that the message came from where it says it does.",
    "Reply to the newest mail about the task, or use its link.",
    "Use the link in the mail instead.",
)
# What a placeholder may stand for: a text of somebody that only looks alike is left as it is.
FORMS = {
    "closure": "|".join(re.escape(closed_because(closure)) for closure in TaskClosure),
    "why": r".+",
    "problem": r".+",
    "person": r"\S+@\S+",
    "sender": r"\S+@\S+|an unclear sender",
    "line": r".+",
    "role": r"[\w ]+",
    "name": r"[a-z][a-z0-9_-]*",
    "option": r"continue|revise|pause|retire",
    "words": r".+",
    "value": r".+",
    "word": r"'.+'",
    "status": r"\w+",
    "verdict": r"'?\w+'?",
    "verdicts": r"\w+(?:, \w+)*",
    "criterion": r"'?[a-z][a-z0-9_]*'?",
    "time": r"\d{4}-\d\d-\d\d \d\d:\d\d UTC",
}
NUMBER = r"-?\d[\d.,]*"
PHRASES = (*OUTCOMES, *STAGE_OUTCOMES, *REVIEWS, *MISSING, *REFUSALS, *REPLIES)
