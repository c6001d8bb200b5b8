"""A proposer is reached at another address: the case is theirs under it, with all that waits for them. Pure."""

from imprimatur.rules.draft import Draft
from imprimatur.rules.refusal import Refusal, closed_case
from models.case import CaseState
from models.effects import ReaddressProposer
from models.events import ProposerReaddressed

SYSTEM = "system"


def readdressing_refusal(state: CaseState, event: ProposerReaddressed) -> Refusal | None:
    if state.is_over:
        return closed_case(state)
    if event.actor == SYSTEM or event.by_office:
        return None
    return Refusal(
        "NotAllowed",
        "not_the_office",
        f"{event.actor} does not belong to the governance office.",
        "Only the governance office can do this.",
    )


def readdress(draft: Draft, event: ProposerReaddressed) -> None:
    """Told again, nothing happens."""
    former = draft.proposer
    if event.to == former:
        return
    theirs = tuple(
        sorted(item.id for item in draft.conditions.values() if item.owner == former and not item.status.is_settled)
    )
    draft.proposer = event.to
    for condition_id in theirs:
        draft.put_condition(condition_id, owner=event.to)
    facts: dict[str, object] = {"former": former, "to": event.to, "actor": event.actor}
    draft.add(ReaddressProposer.model_validate(facts | ({"conditions": theirs} if theirs else {})))
