"""The one-time value of a form: a form that a program sends unseen, or that is sent twice, decides nothing.

Programs that answer by the address of a task page alone send no value, and need none: no browser and no scanner that
goes by the page sends a form without its fields. What a browser sends, it says so in headers that scripts of a page
cannot leave out, and there the value is demanded.
"""

import hashlib
from collections.abc import Mapping

from fastapi import Request

from imprimatur.errors import Refused
from imprimatur.mail.links import LinkClaim, Links
from imprimatur.store.engine import Database
from imprimatur.store.sent_forms import first_sent

FIELD = "once"
# A form with nothing to fill in asks for a tick: whoever sends it as it stands has not looked.
WANTS_TICK, TICK = "wants_tick", "tick"
_BROWSER_SAYS = ("sec-fetch-mode", "sec-fetch-site", "sec-fetch-dest", "origin", "referer", "purpose", "sec-purpose")
TRY_AGAIN = "What you wrote is still there. Look it over, and send it again."


def check_form(request: Request, database: Database, links: Links, claim: LinkClaim, form: Mapping[str, str]) -> None:
    """Raises Refused ``form_not_confirmed``, ``form_value_missing``, ``form_value_stale`` or ``form_sent_before``.

    The same form with the same words passes again, for it is answered as it was.
    """
    if form.get(WANTS_TICK) and form.get(TICK) != "yes":
        raise Refused("form_not_confirmed", "The form was sent without its tick.", "Tick it, and send it again.")
    value = form.get(FIELD, "")
    if not value:
        if any(name in request.headers for name in _BROWSER_SAYS):
            raise Refused("form_value_missing", "The form was not sent as this page holds it.", TRY_AGAIN)
        return
    form_id = links.read_form_value(value, claim.task_id, claim.person)
    if form_id is None:
        raise Refused("form_value_stale", "The page was opened too long ago to be sent.", TRY_AGAIN)
    digest = _digest(form)
    if first_sent(database, form_id, claim.task_id, digest) != digest:
        raise Refused("form_sent_before", "This form was sent before, with other words.", TRY_AGAIN)


def _digest(form: Mapping[str, str]) -> str:
    said = sorted((name, value) for name, value in form.items() if name != FIELD)
    return hashlib.sha256(repr(said).encode()).hexdigest()
