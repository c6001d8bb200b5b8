"""Whether a person may still decide in a case: looked up at the moment of the act, never when a task was assigned."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, literal, select, union_all

from imprimatur.errors import ImprimaturError, NotAllowed, Refused
from imprimatur.rules.standing import Interest, Matter
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from models.conditions import ConditionEvent, ConditionJudged
from models.events import Act, ActConfirmed, ActProposed, Claimed, Migration, PassedOn
from models.tables import CaseRow, InterestRow, PersonRow
from models.vocabulary import InterestKind, Verdict

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_INTEREST = InterestRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
INACTIVE = "inactive"
_AGAINST = union_all(
    select(literal(INACTIVE).label("kind"), _PERSON.c.email.label("subject")).where(
        _PERSON.c.email == bindparam("person"), _PERSON.c.active.is_(False)
    ),
    select(_INTEREST.c.kind, _INTEREST.c.subject).where(_INTEREST.c.person == bindparam("person")),
)


@dataclass(frozen=True)
class Authority:
    """``conflict`` is the end of a sentence about the person: which interest touches the proposal."""

    person: str
    inactive: bool = False
    conflict: str | None = None

    def refusal(self, verdict: Verdict | None = None) -> ImprimaturError | None:
        """Why the person cannot decide; whoever has an interest can still stand aside."""
        if self.inactive:
            return Refused(
                "person_inactive",
                f"{self.person} is no longer active.",
                "The task is given to someone else; ask the governance office if this is a mistake.",
            )
        if self.conflict is not None and verdict is not Verdict.RECUSE:
            return NotAllowed(
                "conflict_of_interest",
                f"{self.person} {self.conflict}, and so cannot decide about this proposal.",
                "Stand aside with the verdict recuse, or ask the governance office to choose someone else.",
            )
        return None


def authority(connection: Connection, case_id: str, person: str) -> Authority:
    """What stands against a person in a case; one query for those against whom nothing does."""
    rows = connection.execute(_AGAINST, {"person": person}).all()
    interests = [Interest(InterestKind(kind), subject) for kind, subject in rows if kind != INACTIVE]
    inactive = len(interests) < len(rows)
    if not interests:
        return Authority(person, inactive)
    case = connection.execute(select(_CASE.c.proposer, _CASE.c.digest).where(_CASE.c.case_id == case_id)).first()
    if case is None:
        return Authority(person, inactive)
    matter = Matter.of(case.proposer, proposal_by_digest(connection, case.digest))
    return Authority(person, inactive, matter.conflict(interests))


def authority_in(database: Database, case_id: str, person: str) -> Authority:
    with database.read() as connection:
        return authority(connection, case_id, person)


def check_act(database: Database, case_id: str, event: Act | ConditionEvent | Migration) -> None:
    """Nobody takes over, claims, judges a condition or decides in others' place where they have an interest.

    Raises Refused ``person_inactive`` or NotAllowed ``conflict_of_interest``.
    """
    match event:
        case PassedOn():
            person = event.to
        case Claimed() | ActProposed() | ActConfirmed() | ConditionJudged():
            person = event.actor
        case _:
            return
    refused = authority_in(database, case_id, person).refusal()
    if refused is not None:
        raise refused
