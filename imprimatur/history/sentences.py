"""The story of a case: one readable sentence for each kind of event."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from imprimatur.rules.wording import BOUNDARIES, KNOWN_BY, closed_by
from models.vocabulary import Boundary, EventType

Data = Mapping[str, Any]


class Told(Protocol):
    @property
    def type(self) -> EventType: ...

    @property
    def data(self) -> dict[str, Any]: ...


def sentence(event: Told) -> str:
    """What happened, in one readable sentence on one line."""
    try:
        text = _SENTENCES[event.type](event.data)
        text += f" (bulk {event.data['bulk']})" if event.data.get("bulk") else ""
    except (KeyError, TypeError, ValueError, AttributeError):
        # The story goes on around an event that somebody has tampered with; `verify` is the place to judge it.
        text = f"An event ({event.type}) whose data cannot be read"
    return " ".join(text.split())


def _names(values: Sequence[str]) -> str:
    *most, last = values or ["nobody"]
    return f"{', '.join(most)} and {last}" if most else last


def _words(value: str) -> str:
    return value.replace("_", " ")


def _in(data: Data) -> str:
    return f" in {_words(data['stage'])}" if data.get("stage") else ""


def _stage(data: Data) -> str:
    return f"{_words(data['stage'])} (round {data['round']})"


def _moment(instant: str) -> str:
    return f"{instant[:10]} {instant[11:16]} UTC"


_ASKED = {
    "role": "as holder of the role {role}",
    "unit": "as a member of the unit",
    "partner": "as contact of an industry partner",
    "address": "as named by the framework",
    "escalation": "by escalation",
    "deputy": "as deputy, holding the role {role}",
    "reassignment": "in someone else's place, by the office",
    "delegation": "to whom it was passed on",
    "confirmation": "to confirm an earlier approval",
    "repetition": "once more, after an answer was annulled",
    "succession": "in the place of someone who is no longer there",
}
_DECIDED = {
    "approve": "Approved {stage}",
    "reject": "Rejected in {stage}",
    "request_changes": "Asked for changes in {stage}",
    "abstain": "Abstained in {stage}",
    "recuse": "Stood aside as biased in {stage}",
    "endorse": "Endorsed {stage}",
    "acknowledge": "Acknowledged {stage}",
    "object": "Objected in {stage}",
    "continue": "Recommended in {stage} that it continues as it is",
    "revise": "Recommended in {stage} to have it revised",
    "pause": "Recommended in {stage} to pause the intake",
    "retire": "Recommended in {stage} to retire it",
    "take_up": "Took it up in {stage}",
    "send_back": "Sent it back in {stage}",
}
_CAUSES = {
    "breach": "its time ran out",
    "no_decision": "the votes cast can no longer decide it",
    "objection": "someone objected",
    "refusal": "it was refused, which is to be upheld or overridden",
}


def _proposed(data: Data) -> str:
    what = "to skip" if data["act"] == "skip" else f"to set to {_words(data['outcome'])}"
    return f"Proposed {what} {_stage(data)}, for a second person to confirm: {data['reason']}"


def _handover_concluded(data: Data) -> str:
    what = f"The hand-over {data['handover']}"
    if data["outcome"] is None:
        return f"{what} ended without an outcome: {data['reason']}"
    told = f": {data['comment']}" if data["comment"] else ""
    return f"{what} was {_words(data['outcome'])}{told}"


def _overridden(data: Data) -> str:
    what = "Skipped" if data["act"] == "skip" else f"Set to {_words(data['outcome'])}"
    return f"{what} {_stage(data)} in the reviewers' place, proposed by {data['proposed_by']}: {data['reason']}"


def _passed_on(data: Data) -> str:
    verb = "Passed on" if data["why"] == "delegation" else "Reassigned"
    return f"{verb} the task in {_stage(data)} from {data['from']} to {data['to']}{_because(data)}"


def _because(data: Data) -> str:
    return f": {data['reason']}" if data["reason"] else ""


def _extended(data: Data) -> str:
    until = f" to {_moment(data['due_at'])}" if data["due_at"] else ""
    return f"Extended {_stage(data)}{until}: {data['reason']}"


def _sent_back(data: Data) -> str:
    others = [_words(stage) for stage in data["reopened"] if stage != data["stage"]]
    along = f", to be decided anew with {_names(others)}" if others else ""
    return f"Sent the case back to {_words(data['stage'])}{along}: {data['reason']}"


def _awaited(data: Data) -> str:
    until = f"opens at {_moment(data['opens_at'])}" if data["opens_at"] else "is not announced yet"
    return f"Put off {_stage(data)} until {data['what']}, which {until}"


def _placed(data: Data) -> str:
    verb = f"Moved {_stage(data)} to" if data.get("left") else f"Put {_stage(data)} on"
    why = _because(data) if "reason" in data else ""
    return f"{verb} the agenda of {_words(data['committee'])} for {_moment(data['sits_at'])}{why}"


def _lapsed(data: Data) -> str:
    why = f"{_names(data['changed'])} changed" if data["changed"] else "not everyone who gave it confirmed it"
    return f"The approval of {_words(data['stage'])} lapsed: {why}"


def _proved(data: Data) -> str:
    proof = [str(item["position"]) for item in data.get("decisions", ())]
    return f" (event{'s' if len(proof) > 1 else ''} {_names(proof)})" if proof else ""


def _change_scheduled(data: Data) -> str:
    if data["to"] == data["from"]:
        return f"Took back the change of the policy that waited: {data['reason']}"
    return (
        f"Scheduled the change to version {data['to']['version']} {BOUNDARIES[Boundary(data['at'])]}: {data['reason']}"
    )


def _framework_changed(data: Data) -> str:
    """Only what changes for the case is told."""
    parts = [("to be decided anew", "repeated"), ("new", "added"), ("no longer asked for", "removed")]
    told = [f"{words}: {_names([_words(stage) for stage in data[name]])}" for words, name in parts if data[name]]
    versions = f"from version {data['from']['version']} to {data['to']['version']}"
    return (
        f"Changed the policy {versions}{' (' if told else ''}{'; '.join(told)}{')' if told else ''}: {data['reason']}"
    )


def _version(data: Data) -> str:
    changed = f", changing {_names(data['changed'])}" if data["changed"] else ""
    return f"Handed in version {data['version']} of the proposal{changed}"


def _track(data: Data) -> str:
    skipped = f"; {_names([_words(stage) for stage in data['skipped']])} left out" if data["skipped"] else ""
    if data["track"] is None:
        return f"Took the usual way{skipped}{_seen(data['rules'])}"
    return f"Took the track {data['track']}, {data['why']}{skipped}{_seen(data['rules'])}"


def _value(value: Any) -> str:
    if value is None:
        return "not stated"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _seen(rules: Sequence[Data]) -> str:
    values = {name: value for rule in rules for name, value in rule["values"].items()}
    told = ", ".join(f"{name} {_value(value)}" for name, value in values.items())
    return f" ({told})" if told else ""


def _returned(data: Data) -> str:
    lacking = "; ".join(f"{item['field']} {item['problem']}" for item in data["missing"])
    return f"Returned to the proposer as incomplete: {lacking}"


def _opened(data: Data) -> str:
    due = f", due {_moment(data['due_at'])} by the calendar {data['calendar']}" if data["due_at"] else ""
    return f"Opened {_stage(data)}{due}"


def _assigned(data: Data) -> str:
    return f"Asked {data['assignee']} to review {_stage(data)}, {_reason(data)}"


def _reason(data: Data) -> str:
    reason = _ASKED[data["reason"]].format(role=_words(data.get("role") or "reviewer"))
    return f"{reason}, standing in for {data['on_behalf_of']}" if data.get("on_behalf_of") else reason


def _passed_over(data: Data) -> str:
    people = "; ".join(f"{item['person']} {_words(item['why'])}" for item in data["people"])
    return f"Passed over for {_stage(data)}: {people}"


def _drawn(data: Data) -> str:
    return f"Drew {_names(data['drawn'])} out of {len(data['pool'])} for {_stage(data)}, with the seed {data['seed']}"


def _advice_asked(data: Data) -> str:
    question = f": {data['question']}" if data["question"] else ""
    return f"Asked {data['adviser']} for advice on {_stage(data)}{question}"


def _task_closed(data: Data) -> str:
    reason = closed_by(data["closure"], data["closed_by"])
    return f"Closed the task of {data['assignee']} in {_words(data['stage'])}: {reason}"


def _condition_set(data: Data) -> str:
    due = f", by {_moment(data['due_at'])}" if data["due_at"] else ""
    holds_up = ", before anything is published" if data["blocking"] else ""
    return f"Made it a condition of {_words(data['stage'])} for {data['owner']}{due}{holds_up}: {data['text']}"


def _decision(data: Data) -> str:
    text = _DECIDED[data["verdict"]].format(stage=_stage(data))
    if data["scores"]:
        text += " with the scores " + ", ".join(f"{_words(name)} {score}" for name, score in data["scores"].items())
    if number := len(data.get("conditions", ())):
        text += f" on {number} condition{'s' if number > 1 else ''}"
    if data.get("strength"):
        text += f" ({KNOWN_BY[data['strength']]})"
    return f"{text}: {data['comment']}" if data["comment"] else text


def _record_status_changed(data: Data) -> str:
    by = f" by {data['replaced_by']}" if data.get("replaced_by") else ""
    return f"The published record is now {_words(data['status'])}{by}{_because(data)}"


def _review_concluded(data: Data) -> str:
    if data["outcome"] is None:
        return f"Ended the review of {data['of']} without an outcome{_because(data)}"
    until = f", teaching until {data['teach_out_on']}" if data["teach_out_on"] else ""
    return f"Concluded the review of {data['of']}: {data['outcome']}{until} ({data['reason']})"


def _indicators(data: Data) -> str:
    told = [f"{_words(item['indicator'])} {item['value']:g} in {item['period']}" for item in data["values"]]
    return f"Received {_names(told)}"


_SENTENCES: dict[EventType, Callable[[Data], str]] = {
    EventType.CASE_SUBMITTED: lambda d: f"Submitted “{d['title']}” under {d['framework']} {d['version']}",
    EventType.CASE_RETURNED: _returned,
    EventType.PROPOSAL_VERSION_ADDED: _version,
    EventType.TRACK_SELECTED: _track,
    EventType.PROPOSER_READDRESSED: lambda d: f"The proposer {d['from']} is reached as {d['to']} now",
    EventType.STAGE_OPENED: _opened,
    EventType.STAGE_SKIPPED: lambda d: f"Skipped {_words(d['stage'])}: {d['reason']}",
    EventType.STAGE_AWAITED: _awaited,
    EventType.APPROVAL_EXPIRED: lambda d: f"The approval of {_words(d['stage'])} held until {_moment(d['expired_at'])}",
    EventType.AGENDA_ITEM_PLACED: _placed,
    EventType.SITTING_BEGUN: lambda d: f"Began the sitting of {_words(d['committee'])} on {_stage(d)}",
    EventType.STAGE_CLOSED: lambda d: f"Closed {_stage(d)} as {_words(d['outcome'])}: {d['reason']}",
    EventType.STAGE_LAPSED: _lapsed,
    EventType.STAGE_KEPT: lambda d: (
        f"The approval of {_words(d['stage'])} stays valid: nothing material to it changed{_proved(d)}"
    ),
    EventType.CONFIRMATION_SOUGHT: lambda d: (
        f"Asked whoever approved {_words(d['stage'])} in round {d['of_round']} to confirm it{_proved(d)}"
    ),
    EventType.TASK_ASSIGNED: _assigned,
    EventType.TASK_OFFERED: lambda d: f"Offered the review of {_stage(d)} to {d['assignee']}, {_reason(d)}",
    EventType.TASK_CLAIMED: lambda d: f"Claimed the review of {_stage(d)}",
    EventType.TASK_RETURNED: lambda d: f"Gave the review of {_stage(d)} back to the pool{_because(d)}",
    EventType.TASK_CLOSED: _task_closed,
    EventType.REVIEWERS_DRAWN: _drawn,
    EventType.REVIEWERS_PASSED_OVER: _passed_over,
    EventType.ADVICE_ASKED: _advice_asked,
    EventType.ADVICE_GIVEN: lambda d: f"Gave advice on {_stage(d)}: {d['text']}",
    EventType.DECISION_RECORDED: _decision,
    EventType.REVISION_REQUESTED: lambda d: f"Asked the proposer for a revision, after {_stage(d)}",
    EventType.REMINDER_SENT: lambda d: f"Reminded {d['assignee']} of {_stage(d)}",
    EventType.SLA_BREACHED: lambda d: (
        f"Missed the due time of {_stage(d)}, {_moment(d['due_at'])}, waiting for {_names(d['waiting_for'])}"
    ),
    EventType.STAGE_ESCALATED: lambda d: f"Escalated {_stage(d)} to {_names(d['to'])}: {_CAUSES[d['cause']]}",
    EventType.REVIEWERS_SOUGHT: lambda d: (
        f"Found nobody to decide {_stage(d)}; the search goes on {_moment(d['retry_at'])}"
    ),
    EventType.CASE_SLA_BREACHED: lambda d: f"Missed the due time of the whole case, {_moment(d['due_at'])}",
    EventType.CLOCK_STARTED: lambda d: f"Set the clock going, to be published by {_moment(d['due_at'])}",
    EventType.CLOCK_PAUSED: lambda d: f"Stopped the clock with {d['remaining_seconds'] / 3600:.1f} business hours left",
    EventType.CLOCK_RESUMED: lambda d: f"Set the clock going again, to {_moment(d['due_at'])}",
    EventType.CASE_HELD: lambda d: f"Put the case on hold: {d['reason']}",
    EventType.CASE_RESUMED: lambda d: f"Resumed the case: {d['reason']}",
    EventType.STAGE_EXTENDED: _extended,
    EventType.ACT_PROPOSED: _proposed,
    EventType.STAGE_OVERRIDDEN: _overridden,
    EventType.STAGE_SENT_BACK: _sent_back,
    EventType.TASK_PASSED_ON: _passed_on,
    EventType.DECISION_ANNULLED: lambda d: f"Annulled the answer of {d['assignee']} in {_stage(d)}: {d['reason']}",
    EventType.CONDITION_SET: _condition_set,
    EventType.CONDITION_FULFILLED: lambda d: (
        f"Reported the condition {d['condition_id']} of {_words(d['stage'])} as fulfilled: {d['evidence']}"
    ),
    EventType.CONDITION_ACCEPTED: lambda d: (
        f"Accepted that the condition {d['condition_id']} of {_words(d['stage'])} is fulfilled{_because(d)}"
    ),
    EventType.CONDITION_REOPENED: lambda d: (
        f"Asked for more on the condition {d['condition_id']} of {_words(d['stage'])}{_because(d)}"
    ),
    EventType.CONDITION_WAIVED: lambda d: (
        f"Waived the condition {d['condition_id']} of {_words(d['stage'])}{_because(d)}"
    ),
    EventType.CONDITION_LAPSED: lambda d: (
        f"The condition {d['condition_id']} of {_words(d['stage'])} lapsed{_because(d)}"
    ),
    EventType.CONDITION_REMINDED: lambda d: (
        f"Reminded {d['owner']} of the condition {d['condition_id']} of {_words(d['stage'])}"
    ),
    EventType.CONDITION_BREACHED: lambda d: (
        f"Missed the due time of the condition {d['condition_id']} of {_words(d['stage'])}, {_moment(d['due_at'])},"
        f" waiting for {d['owner']}"
    ),
    EventType.FRAMEWORK_CHANGE_SCHEDULED: _change_scheduled,
    EventType.FRAMEWORK_CHANGED: _framework_changed,
    EventType.INCIDENT_OPENED: lambda d: (
        f"Opened an incident ({_words(d['kind'])}) in {_words(d['stage'])}: {d['detail']}"
    ),
    EventType.INCIDENT_RESOLVED: lambda d: f"Closed the incident ({_words(d['kind'])}){_in(d)}: {d['reason']}",
    EventType.MAIL_RESENT: lambda d: f"Had the mail {d['mail_id']}, which did not arrive, sent again to {d['to']}",
    EventType.PUBLICATION_SCHEDULED: lambda d: f"Set the publication for {d['publish_on']}{_because(d)}",
    EventType.TARGET_PUBLISHED: lambda d: f"Published at {d['target']}",
    EventType.TARGET_WITHDRAWN: lambda d: f"Withdrew the publication at {d['target']}{_because(d)}",
    EventType.TARGET_FAILED: lambda d: f"Could not reach {d['target']}{_because(d)}",
    EventType.RECORD_STATUS_CHANGED: _record_status_changed,
    EventType.CREDENTIAL_PUBLISHED: lambda d: f"Published version {d['version']} as {d['slug']}",
    EventType.REVIEW_SCHEDULED: lambda d: f"Set the next review for {d['due_at'][:10]}{_because(d)}",
    EventType.REVIEW_CALLED: lambda d: f"Called review {d['number']}, {d['review']}{_because(d)}",
    EventType.REVIEW_EVIDENCE_ADDED: lambda d: f"Added to the review {d['review']}{_because(d)}",
    EventType.REVIEW_BEGUN: lambda d: f"Began review {d['number']} of {d['of']}{_because(d)}",
    EventType.REVIEW_CONCLUDED: _review_concluded,
    EventType.REVIEW_CARRIED_OUT: lambda d: f"Carried out what the review {d['review']} came to: {d['told']}",
    EventType.REPLACEMENT_DRAFTED: lambda d: f"Opened {d['draft']} for the new version that a review asked for",
    EventType.INDICATORS_RECEIVED: _indicators,
    EventType.HANDOVER_CALLED: lambda d: f"Called hand-over {d['number']}, {d['handover']}{_because(d)}",
    EventType.HANDOVER_BEGUN: lambda d: f"Began hand-over {d['number']} of {d['of']}, package {d['package'][:16]}",
    EventType.HANDOVER_SENT: lambda d: f"Sent the package of {d['handover']} to {d['target']}",
    EventType.HANDOVER_FAILED: lambda d: f"Could not hand over to {d['target']}{_because(d)}",
    EventType.HANDOVER_CONCLUDED: _handover_concluded,
    EventType.CASE_CLOSED: lambda d: f"Closed the case as {_words(d['status'])}: {d['reason']}",
}
