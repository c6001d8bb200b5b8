"""One form, one act: pressed twice it is done once, and the same holds when the first answer was lost on the way.

A form carries a one-time value and the state of the case that its reader saw. The first time it is sent, the case must
still be that one. From then on it is known by its value: the engine gets the same update id, and when it has answered,
the answer is kept.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence

from imprimatur.errors import InputError, Refused
from imprimatur.store.api_answers import KeptAnswer, keep_answer, kept_answer
from imprimatur.store.engine import Database
from imprimatur.store.sent_forms import first_sent, sent_before, take_back
from imprimatur.web.acts.forms import Field
from imprimatur.web.once import TRY_AGAIN

_CALLER = "a form"


def digest_of(address: str, person: str, said: Mapping[str, str]) -> str:
    """Of what a form says, whatever hidden values it carries."""
    return hashlib.sha256(repr((address, person, sorted(said.items()))).encode()).hexdigest()


class SentForm:
    """``form_id`` is its one-time value, ``subject`` what it is about, ``digest`` what it says."""

    def __init__(self, database: Database, form_id: str, subject: str, digest: str) -> None:
        self._database = database
        self.form_id = form_id
        self._subject = subject
        self._digest = digest

    @property
    def update_id(self) -> str:
        return f"form-{self.form_id}"

    def answered(self) -> str | None:
        """Where the first sending led to. Raises Refused ``form_sent_before`` when that said something else."""
        kept = kept_answer(self._database, _CALLER, self.form_id)
        if kept is None:
            return None
        if kept.request_digest != self._digest:
            raise _said_otherwise()
        return kept.body

    def was_begun(self) -> bool:
        """It was sent before, in the same words, and passed. Raises Refused ``form_sent_before`` for other words."""
        found = sent_before(self._database, self.form_id)
        if found is not None and found != self._digest:
            raise _said_otherwise()
        return found is not None

    def begin(self) -> None:
        if first_sent(self._database, self.form_id, self._subject, self._digest) != self._digest:
            raise _said_otherwise()

    def refused(self) -> None:
        take_back(self._database, self.form_id)

    def done(self, led_to: str) -> None:
        answer = KeptAnswer(self._digest, 303, "text/plain", led_to)
        keep_answer(self._database, _CALLER, self.form_id, answer, dt.datetime.now(dt.UTC))


def _said_otherwise() -> Refused:
    return Refused("form_sent_before", "This form was sent before, with other words.", TRY_AGAIN)


def check_choices(form: Sequence[Field], typed: Mapping[str, str]) -> None:
    """Raises InputError ``choice_missing``: only what the form offers can be chosen, and each choice has to be made."""
    for field in form:
        given = typed.get(field.name, "")
        if field.kind not in ("radio", "choice") or (not field.required and not given):
            continue
        if given not in {option.value for option in field.options}:
            raise InputError(
                "choice_missing",
                f"{field.label}: nothing that can be chosen now was chosen.",
                "Choose one of what the form offers.",
            )
