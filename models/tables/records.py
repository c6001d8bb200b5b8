"""What is published, by which keys, and what is awarded from it."""

import datetime as dt
from typing import Any

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant
from models.vocabulary import RecordStatus


class PublicationRow(SQLModel, table=True):
    """A published micro-credential: its record as Open Badges 3.0 Achievement, and what the catalogue shows.

    ``status`` is a :class:`~models.vocabulary.RecordStatus`, since ``status_at``, or since the publication where that
    is None. ``replaces`` and ``replaced_by`` are slugs.
    """

    __tablename__ = "publication"
    slug: str = Field(primary_key=True)
    case_id: str = Field(unique=True)
    version: int
    title: str
    digest: str
    achievement: dict[str, Any] = json_value()
    page: dict[str, Any] = json_value()
    published_at: dt.datetime = instant(index=True)
    status: str = Field(default=RecordStatus.OFFERED, sa_column_kwargs={"server_default": "offered"})
    status_at: dt.datetime | None = maybe_instant()
    status_reason: str | None = Field(default=None, sa_column=Column(Text))
    replaces: str | None = None
    replaced_by: str | None = None


class SigningKeyRow(SQLModel, table=True):
    """A key that signs records; ``kid`` is its thumbprint (RFC 7638), ``owner`` is ``issuer`` or an organisation.

    ``sealed`` is its private part, encrypted; a retired key has none. One that is not ``held`` never had it here: its
    owner keeps it, and the key is not served as one of ours. Times are real.
    """

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True)
    owner: str = Field(index=True)
    alg: str
    public: dict[str, Any] = json_value()
    sealed: str | None = Field(default=None, sa_column=Column(Text))
    held: bool
    created_at: dt.datetime = instant()
    retired_at: dt.datetime | None = maybe_instant()


class EndorsementRow(SQLModel, table=True):
    """What an organisation says of a published micro-credential, as a signed token; ``number`` names it.

    ``by_partner``: the partner signed it with a key of its own; else it is issued in its name. Times are real.
    """

    __tablename__ = "endorsement"
    __table_args__ = (UniqueConstraint("slug", "organisation"),)
    slug: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    organisation: str
    by_partner: bool
    kid: str
    token: str = long_text()
    issued_at: dt.datetime = instant()


class BadgeRow(SQLModel, table=True):
    """A badge of one learner. Of the learner nothing is kept but ``learner``, a keyed digest, and what is in the badge.

    ``position`` counts the badges of a micro-credential from 0, and leads to the entry in its status list.
    """

    __tablename__ = "badge"
    __table_args__ = (UniqueConstraint("slug", "learner"), UniqueConstraint("slug", "position"))
    badge_id: str = Field(primary_key=True)
    slug: str
    position: int
    learner: str
    token: str = long_text()
    issued_at: dt.datetime = instant()
    revoked_at: dt.datetime | None = maybe_instant()
    reason: str = long_text()


class StatusListRow(SQLModel, table=True):
    """Which badges of a micro-credential are revoked, as a signed token; ``number`` counts its lists from 1."""

    __tablename__ = "status_list"
    slug: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    token: str = long_text()
    updated_at: dt.datetime = instant()
