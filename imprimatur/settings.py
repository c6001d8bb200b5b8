"""Settings from the environment (and `.env`), each described in docs/operations.md; a test fails on one that is not."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Unset addresses are taken from the running embedded stack of ``IMPRIMATUR_HOME``."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True)

    home: Path = Field(default=Path("imprimatur-home"), alias="IMPRIMATUR_HOME")
    base_url: str | None = Field(default=None, alias="IMPRIMATUR_BASE_URL")
    secret_keys: SecretStr | None = Field(default=None, alias="IMPRIMATUR_SECRET_KEYS")
    database_url: str | None = Field(default=None, alias="DATABASE_URL")
    temporal_address: str | None = Field(default=None, alias="TEMPORAL_ADDRESS")
    temporal_namespace: str = Field(default="default", alias="TEMPORAL_NAMESPACE")
    smtp_url: SecretStr | None = Field(default=None, alias="SMTP_URL")
    mail_from: str = Field(default="Imprimatur <imprimatur@localhost>", alias="MAIL_FROM")
    mail_reply_domain: str = Field(default="localhost", alias="MAIL_REPLY_DOMAIN")
    payload_keys: SecretStr | None = Field(default=None, alias="PAYLOAD_KEYS")

    @field_validator(
        "base_url", "secret_keys", "database_url", "temporal_address", "smtp_url", "payload_keys", mode="before"
    )
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("base_url")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value
