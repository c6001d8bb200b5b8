"""Settings from the environment (and `.env`), each described in docs/operations.md; a test fails on one that is not."""

import ipaddress
import re
from contextlib import suppress
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.quiet import QuietHours
from models.vocabulary import Digest

LONGEST_WAIT_SECONDS = 3600
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_MEDIA_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]+")

# As the directory, catalogues and settings write it: BCP 47, the language in small letters.
LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


class Settings(BaseSettings):
    """Unset addresses are taken from the running embedded stack of ``IMPRIMATUR_HOME``."""

    # No setting is read by its field's name: HOME is somebody else's variable.
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    home: Path = Field(default=Path("imprimatur-home"), alias="IMPRIMATUR_HOME")
    base_url: str | None = Field(default=None, alias="IMPRIMATUR_BASE_URL")
    secret_keys: SecretStr | None = Field(default=None, alias="IMPRIMATUR_SECRET_KEYS")
    database_url: str | None = Field(default=None, alias="DATABASE_URL")
    temporal_address: str | None = Field(default=None, alias="TEMPORAL_ADDRESS")
    temporal_namespace: str = Field(default="default", alias="TEMPORAL_NAMESPACE")
    temporal_ui_url: str | None = Field(default=None, alias="TEMPORAL_UI_URL")
    smtp_url: SecretStr | None = Field(default=None, alias="SMTP_URL")
    smtp_mails_per_minute: str | None = Field(default=None, alias="SMTP_MAILS_PER_MINUTE")
    imap_url: SecretStr | None = Field(default=None, alias="IMAP_URL")
    imap_poll_seconds: str = Field(default="30", alias="IMAP_POLL_SECONDS")
    imap_processed_folder: str | None = Field(default=None, alias="IMAP_PROCESSED_FOLDER")
    mail_ca_file: Path | None = Field(default=None, alias="MAIL_CA_FILE")
    mail_oauth_token_url: str | None = Field(default=None, alias="MAIL_OAUTH_TOKEN_URL")
    mail_oauth_client_id: str | None = Field(default=None, alias="MAIL_OAUTH_CLIENT_ID")
    mail_oauth_client_secret: SecretStr | None = Field(default=None, alias="MAIL_OAUTH_CLIENT_SECRET")
    mail_oauth_scope: str | None = Field(default=None, alias="MAIL_OAUTH_SCOPE")
    mail_oauth_refresh_token: SecretStr | None = Field(default=None, alias="MAIL_OAUTH_REFRESH_TOKEN")
    mail_from: str = Field(default="Imprimatur <imprimatur@localhost>", alias="MAIL_FROM")
    mail_reply_domain: str = Field(default="localhost", alias="MAIL_REPLY_DOMAIN")
    mail_authserv_id: str | None = Field(default=None, alias="MAIL_AUTHSERV_ID")
    mail_attestation: str = Field(default="required", alias="MAIL_ATTESTATION")
    mail_templates: Path | None = Field(default=None, alias="MAIL_TEMPLATES")
    mail_language: str = Field(default="en", alias="MAIL_LANGUAGE")
    oidc_issuer: str | None = Field(default=None, alias="OIDC_ISSUER")
    oidc_client_id: str | None = Field(default=None, alias="OIDC_CLIENT_ID")
    oidc_client_secret: SecretStr | None = Field(default=None, alias="OIDC_CLIENT_SECRET")
    mail_unnamed_results: str | None = Field(default=None, alias="MAIL_UNNAMED_RESULTS")
    mail_verify_dkim: str = Field(default="no", alias="MAIL_VERIFY_DKIM")
    mail_time_zone: str | None = Field(default=None, alias="MAIL_TIME_ZONE")
    mail_quiet_hours: str = Field(default="none", alias="MAIL_QUIET_HOURS")
    mail_digest: str = Field(default="none", alias="MAIL_DIGEST")
    mail_receipts: str = Field(default="yes", alias="MAIL_RECEIPTS")
    mail_combine_seconds: str = Field(default="0", alias="MAIL_COMBINE_SECONDS")
    attachment_mebibytes: str = Field(default="10", alias="ATTACHMENT_MEBIBYTES")
    attachment_types: str | None = Field(default=None, alias="ATTACHMENT_TYPES")
    api_requests_per_minute: str = Field(default="1200", alias="API_REQUESTS_PER_MINUTE")
    api_failures_per_minute: str = Field(default="30", alias="API_FAILURES_PER_MINUTE")
    payload_keys: SecretStr | None = Field(default=None, alias="PAYLOAD_KEYS")
    publication_targets: Path | None = Field(default=None, alias="PUBLICATION_TARGETS")
    publication_retry_hours: str = Field(default="24", alias="PUBLICATION_RETRY_HOURS")
    credential_registry_api_key: SecretStr | None = Field(default=None, alias="CREDENTIAL_REGISTRY_API_KEY")

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if not isinstance(value, str) or value.strip()}

    @field_validator("base_url", "oidc_issuer", "temporal_ui_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not an address such as https://credentials.example.edu")
        return value.rstrip("/")

    @field_validator("temporal_address")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch(r"\S+:\d{1,5}", value):
            return value
        raise ValueError("not an address such as temporal.example.edu:7233")

    @field_validator("smtp_mails_per_minute", "imap_poll_seconds", "api_requests_per_minute", "api_failures_per_minute")
    @classmethod
    def _number(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[1-9]\d{0,5}", value):
            raise ValueError("not a whole number from 1 to 999999")
        return value

    @field_validator("publication_retry_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        if not re.fullmatch(r"[1-9]\d{0,2}", value):
            raise ValueError("not a whole number of hours from 1 to 999")
        return value

    @field_validator("attachment_mebibytes")
    @classmethod
    def _mebibytes(cls, value: str) -> str:
        if not re.fullmatch(r"[1-9]\d?", value):
            raise ValueError("not a whole number from 1 to 99")
        return value

    @field_validator("attachment_types")
    @classmethod
    def _media_types(cls, value: str | None) -> str | None:
        if value is not None and not all(_MEDIA_TYPE.fullmatch(word) for word in value.split()):
            raise ValueError("not media types such as application/pdf image/png")
        return value

    @field_validator("mail_oauth_token_url")
    @classmethod
    def _secret_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://unset")
        if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
            return value
        raise ValueError("not an address such as https://login.example.edu/token")

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1]:
            raise ValueError("no sender such as Credentials <credentials@example.edu>")
        return value

    @field_validator("mail_reply_domain")
    @classmethod
    def _domain(cls, value: str) -> str:
        if not _DOMAIN.fullmatch(value):
            raise ValueError("not a domain such as reply.example.edu")
        return value

    @field_validator("mail_authserv_id")
    @classmethod
    def _one_word(cls, value: str | None) -> str | None:
        if value is not None and not _DOMAIN.fullmatch(value):
            raise ValueError("not the name of a relay such as mx.example.edu")
        return value

    @field_validator("mail_attestation")
    @classmethod
    def _known_attestation(cls, value: str) -> str:
        if value not in ("required", "waived"):
            raise ValueError("neither required nor waived")
        return value

    @field_validator("mail_language")
    @classmethod
    def _language_code(cls, value: str) -> str:
        if not LANGUAGE_TAG.fullmatch(value):
            raise ValueError("no language such as en or pt-BR")
        return value

    @field_validator("mail_unnamed_results")
    @classmethod
    def _few(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[0-9]", value):
            raise ValueError("not a number of Received headers from 0 to 9")
        return value

    @field_validator("mail_time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError("not a time zone such as Pacific/Auckland")
        return value

    @field_validator("mail_quiet_hours")
    @classmethod
    def _quiet_hours(cls, value: str) -> str:
        try:
            return str(QuietHours.parse(value))
        except ValueError as error:
            raise ValueError("not hours such as 20:00-07:00 weekends") from error

    @field_validator("mail_digest")
    @classmethod
    def _known_digest(cls, value: str) -> str:
        if value not in list(Digest):
            raise ValueError(f"none of {', '.join(Digest)}")
        return value

    @field_validator("mail_verify_dkim", "mail_receipts")
    @classmethod
    def _yes_or_no(cls, value: str) -> str:
        if value not in ("yes", "no"):
            raise ValueError("neither yes nor no")
        return value

    @field_validator("mail_combine_seconds")
    @classmethod
    def _seconds(cls, value: str) -> str:
        if not re.fullmatch(r"\d{1,4}", value) or int(value) > LONGEST_WAIT_SECONDS:
            raise ValueError(f"not a whole number of seconds, at most {LONGEST_WAIT_SECONDS}")
        return value

    @property
    def vouches(self) -> bool:
        """Whether anything could show who sent a reply."""
        named = self.mail_authserv_id is not None or self.mail_unnamed_results is not None
        return named or self.mail_verify_dkim == "yes"

    @property
    def takes_replies(self) -> bool:
        """Whether anybody's reply could be recorded: something vouches for senders, or nothing has to."""
        return self.vouches or self.mail_attestation == "waived"

    def given(self) -> dict[str, str]:
        """What was set, by the names of the environment: for processes that are started with the same settings."""
        values = {str(type(self).model_fields[name].alias): getattr(self, name) for name in self.model_fields_set}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
        }
