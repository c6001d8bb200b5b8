"""Who signs in: links, sessions, keys, and the record of it all. Times are real."""

import datetime as dt

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, maybe_instant


class SignInLinkRow(SQLModel, table=True):
    """A link that signs in once. The link itself is signed: whoever reads this row cannot make it."""

    __tablename__ = "sign_in_link"
    link_id: str = Field(primary_key=True)
    email: str
    return_to: str
    asked_at: dt.datetime = instant()
    expires_at: dt.datetime = instant()
    used_at: dt.datetime | None = maybe_instant()


class SessionRow(SQLModel, table=True):
    """``token_digest`` is the SHA-256 of what the browser holds; ``expires_at`` is the end whatever happens."""

    __tablename__ = "web_session"
    session_id: str = Field(primary_key=True)
    token_digest: str = Field(unique=True)
    email: str = Field(index=True)
    strength: str
    client: str
    browser: str
    began_at: dt.datetime = instant()
    expires_at: dt.datetime = instant()
    ended_at: dt.datetime | None = maybe_instant()


class SignInRecordRow(SQLModel, table=True):
    """Rows are only ever added. ``client`` is a network address; ``detail`` a code, or what the event was about."""

    __tablename__ = "sign_in_record"
    __table_args__ = (
        Index("ix_sign_in_record_email_at", "email", "at"),
        Index("ix_sign_in_record_client_at", "client", "at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: dt.datetime = instant()
    event: str
    email: str
    client: str
    detail: str


class ApiKeyRow(SQLModel, table=True):
    """A key acts in the name of ``email``; ``secret_digest`` is the SHA-256 of what was shown once."""

    __tablename__ = "api_key"
    key_id: str = Field(primary_key=True)
    name: str
    email: str = Field(index=True)
    scopes: list[str] = json_value()
    secret_digest: str
    made_at: dt.datetime = instant()
    revoked_at: dt.datetime | None = maybe_instant()


class ApiAnswerRow(SQLModel, table=True):
    """The first answer to a request that its caller may make again. ``caller`` is the SHA-256 of their key."""

    __tablename__ = "api_answer"
    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_digest: str
    status: int
    media_type: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: dt.datetime = instant(index=True)
