"""Whether whoever decides is known surely enough for what a stage asks. Pure."""

from imprimatur.errors import ImprimaturError, NotAllowed
from models.framework import StageDef
from models.vocabulary import Channel, Strength

# What a way in says by itself; mail says nothing, for its sender can be known in several ways.
KNOWN_BY_CHANNEL = {Channel.COMMAND_LINE: Strength.OPERATOR, Channel.LINK: Strength.LINK}


def sign_in_refusal(stage: StageDef, strength: Strength | None) -> ImprimaturError | None:
    """To raise where a stage wants its deciders signed in and this one is not, whatever the way in."""
    if not stage.wants_sign_in or (strength is not None and strength.is_sign_in):
        return None
    return NotAllowed(
        "stage_wants_sign_in",
        "This stage is decided only by whoever is signed in, on its page.",
        "Open the link of the task, sign in as yourself, and answer there.",
    )
