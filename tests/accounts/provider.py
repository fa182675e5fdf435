"""A small OpenID Connect provider, which checks what a real one checks."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "backfile-test", "secret of the client"


@dataclass
class Provider:
    """State of a provider; tests change it to make it lie.

    Attributes:
        user: Claims about the user who is logged in at the provider.
        changed: Claims of the ID token that replace the right ones; None leaves one out.
        key: Key that signs ID tokens.
        algorithm: Algorithm of the signature.
        refuses: Whether it refuses the login.
    """

    issuer: str = ""
    user: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    public: Any = None
    algorithm: str = "RS256"
    refuses: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.public = self.public or self.key

    def metadata(self) -> dict[str, str]:
        """Return the addresses."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent: the user is logged in already."""
        self.asked.append(query)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        if self.refuses:
            answer = {"error": "access_denied", "state": query["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = query
            answer = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return the tokens; None if the request is wrong."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        query = self.codes.pop(form.get("code", ""), None)  # each code counts once
        if authorization not in (f"Basic {expected}", f"Basic {_quoted()}") or query is None:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same_address = form.get("redirect_uri") == query["redirect_uri"]
        if challenge != query["code_challenge"] or not same_address:
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": query.get("nonce", ""),
            **self.user,
            **self.changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "1"}
        signed = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": signed}

    def keys(self) -> Any:
        """Return the public keys."""
        return KeySet([self.public]).as_dict(private=False)


def _quoted() -> str:
    from urllib.parse import quote

    return base64.b64encode(f"{quote(CLIENT)}:{quote(SECRET)}".encode()).decode()


def shared_key() -> Any:
    """Return a key made of the client's secret, with which anybody who knows it could sign."""
    return OctKey.import_key(SECRET * 3, {"kid": "1"})


@contextmanager
def run_provider() -> Iterator[Provider]:
    """Run a provider on this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("location", provider.authorize(dict(parse_qsl(parts.query))))
                self.end_headers()
                return
            known = {
                "/.well-known/openid-configuration": provider.metadata,
                "/keys": provider.keys,
                "/userinfo": lambda: {"sub": provider.user["sub"], "groups": ["newsroom"]},
            }
            self.answer(known[parts.path]())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            found = provider.token(dict(parse_qsl(body)), self.headers.get("authorization", ""))
            self.answer(found or {"error": "invalid_grant"}, 200 if found else 400)

        def answer(self, value: Any, status: int = 200) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
