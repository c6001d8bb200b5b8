"""An OpenID Connect provider on loopback, by a library of its own; it lets in whom it is told to; for tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CLIENT_ID, CLIENT_SECRET = "imprimatur", "a-secret-of-the-client-with-many-characters"
USER = "diana"
_ROOM = "idpyoidc.server"


@dataclass
class Op:
    """``claims`` is what is known of the user who is let in; ``seen`` are the requests, path and query or body."""

    issuer: str
    server: Any
    claims: dict[str, Any]
    seen: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def answer(self, name: str, request: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        endpoint = self.server.get_endpoint(name)
        http_info = {"headers": headers, "url": f"{self.issuer}/{name}", "method": "GET"}
        parsed = endpoint.parse_request(request, http_info=http_info)
        if "error" in parsed:
            return 400, parsed.to_json(), {}
        args = endpoint.process_request(parsed, http_info=http_info)
        if "error" in args:
            return 400, json.dumps({"error": args["error"]}), {}
        told = endpoint.do_response(**{"request": parsed} | dict(args))
        text = told["response"]
        if name == "authorization":
            return 303, "", {"Location": text}
        return 200, text if isinstance(text, str) else json.dumps(text), {}


_SECRETS = {
    "kwargs": {"keys": {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": kid} for kid in ("password", "salt")]}}
}
_SIGNING = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]


def _configuration(issuer: str, claims: dict[str, Any]) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "entity_id": issuer,
        "httpc_params": {"verify": False, "timeout": 4},
        "subject_types_supported": ["public"],
        "key_conf": {
            "key_defs": [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}],
            "uri_path": "jwks.json",
        },
        "endpoint": {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": f"{_ROOM}.oidc.provider_config.ProviderConfiguration",
                "kwargs": {"client_authn_method": None},
            },
            "authorization": {
                "path": "authorization",
                "class": f"{_ROOM}.oidc.authorization.Authorization",
                "kwargs": {"client_authn_method": None, "response_types_supported": ["code"]},
            },
            "token": {
                "path": "token",
                "class": f"{_ROOM}.oidc.token.Token",
                "kwargs": {"client_authn_method": ["client_secret_basic", "client_secret_post"]},
            },
            "userinfo": {
                "path": "userinfo",
                "class": f"{_ROOM}.oidc.userinfo.UserInfo",
                "kwargs": {"client_authn_method": ["bearer_header"]},
            },
        },
        "userinfo": {"class": f"{_ROOM}.user_info.UserInfo", "kwargs": {"db": {USER: claims}}},
        "authentication": {
            "anon": {
                "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
                "class": f"{_ROOM}.user_authn.user.NoAuthn",
                "kwargs": {"user": USER},
            }
        },
        "authz": {
            "class": f"{_ROOM}.authz.AuthzHandling",
            "kwargs": {
                "grant_config": {
                    "usage_rules": {
                        "authorization_code": {
                            "supports_minting": ["access_token", "id_token"],
                            "max_usage": 1,
                            "expires_in": 120,
                        },
                        "access_token": {"expires_in": 600},
                    },
                    "expires_in": 43200,
                }
            },
        },
        "token_handler_args": {
            "key_conf": {"key_defs": [{"type": "oct", "bytes": 24, "use": ["enc"], "kid": "code"}]},
            "code": {"lifetime": 600, "kwargs": {"crypt_conf": _SECRETS}},
            "token": {"class": f"{_ROOM}.token.jwt_token.JWTToken", "kwargs": {"lifetime": 600}},
            "id_token": {"class": f"{_ROOM}.token.id_token.IDToken", "kwargs": {"lifetime": 600}},
        },
        "session_params": {"encrypter": _SECRETS},
        "add_ons": {
            "pkce": {
                "function": f"{_ROOM}.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True},
            }
        },
    }


@contextmanager
def provider(folder: Path, redirect_uri: str, claims: dict[str, Any]) -> Iterator[Op]:
    from idpyoidc.server import Server
    from idpyoidc.server.configure import OPConfiguration

    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    issuer = f"http://127.0.0.1:{http.server_address[1]}"
    server = Server(OPConfiguration(conf=_configuration(issuer, claims), base_path=str(folder)), cwd=str(folder))
    context = server.context
    context.cdb[CLIENT_ID] = {
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [(redirect_uri, None)],
        "response_types_supported": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "allowed_scopes": ["openid", "email"],
    }
    context.keyjar.add_symmetric(CLIENT_ID, CLIENT_SECRET)
    # The library has made a copy of what it was given.
    op = Op(issuer, server, context.userinfo.db[USER])
    http.RequestHandlerClass = _handler(op)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield op
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(op: Op) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._answer(parts.path, parts.query)

        def do_POST(self) -> None:
            self._answer(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, path: str, request: str) -> None:
            op.seen.append((path, request))
            headers: dict[str, str] = {}
            if op.broken:
                status, text = 500, "broken"
            elif path.endswith("jwks.json"):
                status, text = 200, op.server.keyjar.export_jwks_as_json()
            else:
                name = {"openid-configuration": "provider_config"}.get(path.rpartition("/")[2], path.strip("/"))
                sent = {key.lower(): value for key, value in self.headers.items()}
                status, text, headers = op.answer(name, request, sent)
            self.send_response(status)
            for key, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler
