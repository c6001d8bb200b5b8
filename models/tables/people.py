"""The directory: who there is, and when somebody else is asked in their place."""

import datetime as dt

from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class PersonRow(SQLModel, table=True):
    """Of what is left open, from ``time_zone`` to ``language``, the institution's default holds.

    ``formerly`` is the address that the same person had before.
    """

    __tablename__ = "person"
    email: str = Field(primary_key=True)
    name: str
    organisation: str = ""
    active: bool = True
    time_zone: str | None = None
    quiet_hours: str | None = None
    digest: str | None = None
    receipts: bool | None = None
    language: str | None = None
    roles: list[str] = json_value()
    units: list[str] = json_value()
    formerly: str | None = Field(default=None, index=True)


class PersonRoleRow(SQLModel, table=True):
    """Directory index of who holds a role; kept in step with ``person`` by the people repository."""

    __tablename__ = "person_role"
    email: str = Field(primary_key=True, foreign_key="person.email")
    role: str = Field(primary_key=True, index=True)


class PersonUnitRow(SQLModel, table=True):
    __tablename__ = "person_unit"
    email: str = Field(primary_key=True, foreign_key="person.email")
    unit: str = Field(primary_key=True, index=True)


class PersonAliasRow(SQLModel, table=True):
    """A further address of a person, from which a reply is as good as from the first."""

    __tablename__ = "person_alias"
    alias: str = Field(primary_key=True)
    email: str = Field(foreign_key="person.email", index=True)
    recorded_by: str
    recorded_at: dt.datetime = instant()


class InterestRow(SQLModel, table=True):
    """A declared interest: ``subject`` is a partner's organisation, a unit or a person's address, as ``kind`` says."""

    __tablename__ = "interest"
    person: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    reason: str = long_text()
    declared_at: dt.datetime = instant()


class DelegationRow(SQLModel, table=True):
    """Whoever is asked between two dates, both included, is represented; empty scopes mean everywhere."""

    __tablename__ = "delegation"
    delegation_id: str = Field(primary_key=True)
    person: str = Field(index=True)
    deputy: str
    first_on: dt.date
    last_on: dt.date
    framework: str | None = None
    stage: str | None = None
    unit: str | None = None
    declared_at: dt.datetime = instant()
    ended_at: dt.datetime | None = maybe_instant()


class AbsenceRow(SQLModel, table=True):
    """Days on which a person is not asked; both included."""

    __tablename__ = "absence"
    person: str = Field(primary_key=True)
    first_on: dt.date = Field(primary_key=True)
    last_on: dt.date
    reason: str = long_text()
