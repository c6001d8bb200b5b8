"""Who belongs to the governance office."""

from sqlalchemy import Connection, select

from imprimatur.errors import NotAllowed
from models.tables import PersonRoleRow, PersonRow
from models.vocabulary import OFFICE_ROLES

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_ROLE = PersonRoleRow.__table__  # type: ignore[attr-defined]


def belongs_to_office(connection: Connection, email: str) -> bool:
    """Whether somebody holds a role of the office and is active; ``email`` as the directory spells it."""
    query = select(_ROLE.c.email).join(_PERSON, _PERSON.c.email == _ROLE.c.email)
    query = query.where(_ROLE.c.email == email, _ROLE.c.role.in_(sorted(OFFICE_ROLES)), _PERSON.c.active)
    return connection.execute(query.limit(1)).first() is not None


def check_office(connection: Connection, email: str) -> None:
    """Raises NotAllowed ``not_the_office``."""
    if not belongs_to_office(connection, email):
        raise not_the_office(email)


def not_the_office(email: str) -> NotAllowed:
    return NotAllowed(
        "not_the_office",
        f"{email} does not belong to the governance office.",
        "Only the governance office can do this.",
    )
