"""The institution's own sign-in, by OpenID Connect: authorisation code with PKCE, state and nonce."""

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from imprimatur.errors import ImprimaturError, InputError, NotAllowed, Unavailable
from imprimatur.settings import Settings

SCOPE = "openid email"
# What is signed with a shared secret or with nothing proves little.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
TIMEOUT_SECONDS = 10
CLOCK_LEEWAY_SECONDS = 60
DISCOVERED_FOR_SECONDS = 3600
Document = dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """What one sign-in must get back; the browser keeps it, signed."""

    state: str
    nonce: str
    verifier: str
    return_to: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class Provider:
    """``redirect_uri`` is ours, and must be registered there. ``transport`` takes the place of the network."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._transport = transport
        self._discovered: tuple[float, Document] | None = None

    @classmethod
    def from_settings(cls, settings: Settings, base_url: str) -> "Provider | None":
        """None where none is set. Raises InputError ``oidc_settings_incomplete``."""
        if settings.oidc_issuer is None and settings.oidc_client_id is None:
            return None
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            raise InputError(
                "oidc_settings_incomplete",
                "Of OIDC_ISSUER and OIDC_CLIENT_ID only one is set.",
                "Set both, and register the address /sign-in/oidc/answer there.",
            )
        secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        return cls(settings.oidc_issuer, settings.oidc_client_id, secret, f"{base_url}/sign-in/oidc/answer")

    async def begin(self, return_to: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what it must bring back. Raises Unavailable ``oidc_unavailable``."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        attempt = Attempt(state, nonce, verifier, return_to)
        async with self._http() as http:
            found = await self._discover(http)
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return add_params_to_uri(found["authorization_endpoint"], list(asked.items())), attempt

    async def finish(self, code: str, attempt: Attempt) -> str:
        """The verified address of whoever has signed in there.

        Raises NotAllowed ``oidc_refused`` or ``oidc_email_unverified``, Unavailable ``oidc_unavailable``.
        """
        async with self._http() as http:
            found = await self._discover(http)
            answer = await self._redeem(http, found, code, attempt)
            keys = await self._ask(http, "GET", found["jwks_uri"])
            claims = self._claims(answer, keys, attempt)
            if "email" not in claims and "userinfo_endpoint" in found:
                claims |= await self._told(http, found["userinfo_endpoint"], answer, claims["sub"])
        email, verified = claims.get("email"), claims.get("email_verified")
        if not isinstance(email, str) or verified not in (True, "true"):
            raise NotAllowed(
                "oidc_email_unverified",
                "Your institution's sign-in does not vouch for a mail address of yours.",
                "Sign in by a link in a mail, or ask those who run that sign-in.",
            )
        return email.strip().lower()

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=self._transport)

    async def _discover(self, http: httpx.AsyncClient) -> Document:
        if self._discovered and time.monotonic() - self._discovered[0] < DISCOVERED_FOR_SECONDS:
            return self._discovered[1]
        found = await self._ask(http, "GET", f"{self.issuer}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        # OpenID Connect Discovery 1.0, 4.3: whoever answers for an issuer must be that issuer.
        if str(found.get("issuer", "")).rstrip("/") != self.issuer or any(name not in found for name in needed):
            raise _unavailable()
        self._discovered = (time.monotonic(), found)
        return found

    async def _redeem(self, http: httpx.AsyncClient, found: Document, code: str, attempt: Attempt) -> Document:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
        }
        if self._client_secret is None:
            return await self._ask(http, "POST", found["token_endpoint"], data=form | {"client_id": self._client_id})
        # RFC 8414 (2): this method where the server names none.
        if "client_secret_basic" in found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            basic = httpx.BasicAuth(self._client_id, self._client_secret)
            return await self._ask(http, "POST", found["token_endpoint"], data=form, auth=basic)
        form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        return await self._ask(http, "POST", found["token_endpoint"], data=form)

    def _claims(self, answer: Document, keys: Document, attempt: Attempt) -> Document:
        try:
            token = jwt.decode(str(answer["id_token"]), KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={"aud": {"essential": True, "value": self._client_id}},
                params={"nonce": attempt.nonce, "client_id": self._client_id},
            )
            claims.validate(leeway=CLOCK_LEEWAY_SECONDS)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused() from error
        if str(claims["iss"]).rstrip("/") != self.issuer or claims.get("nonce") != attempt.nonce:
            raise _refused()
        return dict(claims)

    async def _told(self, http: httpx.AsyncClient, endpoint: str, answer: Document, subject: str) -> Document:
        """OpenID Connect Core 1.0, 5.3.2: what is told about somebody else does not count."""
        headers = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
        found = await self._ask(http, "GET", endpoint, headers=headers)
        if found.get("sub") != subject:
            raise _refused()
        return {name: found[name] for name in ("email", "email_verified") if name in found}

    async def _ask(self, http: httpx.AsyncClient, method: str, url: str, **options: Any) -> Document:
        try:
            answer = await http.request(method, url, **options)
            document = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _unavailable() from error
        if answer.is_client_error and method == "POST":
            raise _refused()
        if not answer.is_success or not isinstance(document, dict):
            raise _unavailable()
        return document


def _refused() -> ImprimaturError:
    return NotAllowed(
        "oidc_refused",
        "Your institution's sign-in did not confirm who you are.",
        "Begin again; it may have taken too long.",
    )


def _unavailable() -> ImprimaturError:
    return Unavailable(
        "oidc_unavailable",
        "Your institution's sign-in does not answer as it should.",
        "Try again later, or sign in by a link in a mail.",
    )
