"""Log in at an OpenID Connect provider: code flow with PKCE, state and nonce, by Authlib.

What the browser must prove is kept in its cookie between the two requests, so any number of
processes can serve them.
"""

from __future__ import annotations

import hmac
import secrets
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import InvalidValueError, SettingsError
from rag.rights import ALL, Rights
from ui.accounts.accounts import clean_user_name
from ui.accounts.types import AccountError, check_scopes
from ui.readers import Scope

if TYPE_CHECKING:
    from rag.settings import Settings

# Signatures with the provider's public keys; never "none", nor a secret that both know.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
SECONDS = 10.0  # timeout of a request to the provider
LEEWAY = 60  # seconds by which the provider's clock may be wrong
KEYS_SECONDS = 3600  # the provider's addresses and keys are read again after this time
SCOPE = "openid profile"
GROUP_KEYS = ("scopes", "publishers", "sections", "access")


@dataclass(frozen=True, slots=True)
class Group:
    """Scopes and rights of the members of a provider's group."""

    scopes: frozenset[Scope]
    rights: Rights


@dataclass(frozen=True, slots=True)
class ExternalUser:
    """A user whom the provider names.

    Attributes:
        subject: The provider and its permanent name for them.
        name: Their name.
        scopes: What their groups may do.
        rights: What their groups may see.
    """

    subject: str
    name: str
    scopes: frozenset[Scope]
    rights: Rights


@dataclass(slots=True)
class _Provider:
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: Any = None
    read_at: float = 0.0


class OidcProvider:
    """An OpenID Connect provider.

    Args:
        issuer: Its address.
        client_id: The name by which it knows this server.
        client_secret: The secret that goes with it.
        groups: What the members of each group may do and see.
        name_claim: The claim with a user's name.
        groups_claim: The claim with the names of their groups.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        groups: Mapping[str, Group],
        *,
        name_claim: str = "preferred_username",
        groups_claim: str = "groups",
    ) -> None:
        self._issuer = issuer
        self._client_id, self._client_secret = client_id, client_secret
        self._groups = dict(groups)
        self._name_claim, self._groups_claim = name_claim, groups_claim
        self._provider = _Provider()

    @classmethod
    def of(cls, settings: Settings) -> OidcProvider | None:
        """Return the provider of the settings; None if they name none.

        Raises:
            SettingsError: A setting is missing or invalid, or Authlib isn't installed.
        """
        if not settings.oidc_issuer:
            return None
        if find_spec("authlib") is None or find_spec("joserfc") is None:
            raise SettingsError("BACKFILE_OIDC_ISSUER needs Authlib: pip install 'backfile[oidc]'")
        if not _is_safe(settings.oidc_issuer):
            raise SettingsError(
                f"BACKFILE_OIDC_ISSUER is {settings.oidc_issuer!r}: write an https address"
            )
        for name in ("oidc_client_id", "oidc_groups"):
            if not getattr(settings, name):
                raise SettingsError(f"BACKFILE_OIDC_ISSUER needs BACKFILE_{name.upper()}, too")
        return cls(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            read_groups(Path(settings.oidc_groups)),
            name_claim=settings.oidc_name_claim,
            groups_claim=settings.oidc_groups_claim,
        )

    async def begin(self, redirect_uri: str) -> tuple[str, dict[str, str]]:
        """Begin a login.

        Args:
            redirect_uri: Address to which the provider sends the browser back.

        Returns:
            Address to send the browser to, and what it must bring back in a cookie.

        Raises:
            AccountError: The provider does not answer.
        """
        flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        metadata = await self._metadata()
        async with self._client(redirect_uri) as client:
            address, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=flow["state"],
                nonce=flow["nonce"],
                code_verifier=flow["verifier"],
            )
        return str(address), flow

    async def finish(
        self, flow: Mapping[str, str], query: Mapping[str, str], redirect_uri: str
    ) -> ExternalUser:
        """Return the user who comes back from the provider.

        Args:
            flow: What the cookie says.
            query: Parameters of the address that the provider sent the browser to.
            redirect_uri: The address that `begin` was given.

        Raises:
            AccountError: The login failed, belongs to another browser, or the user is in no group
                that may do anything here.
        """
        if not self.is_answer(flow, query):
            raise AccountError(
                "The login was begun in another browser, or too long ago.",
                code="login_other_browser",
            )
        if query.get("iss", self._issuer) != self._issuer:
            raise AccountError("Another provider answered.", code="login_other_provider")
        if "code" not in query:
            raise AccountError("The provider refused the login.", code="login_refused")
        metadata = await self._metadata()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"],
                    code=query["code"],
                    code_verifier=flow.get("verifier", ""),
                )
                claims = await self._claims(str(token.get("id_token", "")), flow.get("nonce", ""))
                if self._groups_claim not in claims and "userinfo_endpoint" in metadata:
                    found = (await client.get(metadata["userinfo_endpoint"])).json()
                    if found.get("sub") == claims["sub"]:
                        claims = {**found, **claims}
        except AccountError:
            raise
        except Exception as error:  # of httpx, Authlib or joserfc, and of malformed answers
            raise AccountError(
                "The provider's answer is not valid.", code="login_bad_answer"
            ) from error
        return self._user(claims)

    def is_answer(self, flow: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Return whether parameters answer the login that this browser began; see `finish`."""
        state = flow.get("state", "")
        return bool(state) and hmac.compare_digest(state.encode(), query.get("state", "").encode())

    def _user(self, claims: Mapping[str, Any]) -> ExternalUser:
        name, listed = claims.get(self._name_claim), claims.get(self._groups_claim, [])
        names = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
        known = (self._groups.get(one) for one in names if isinstance(one, str))
        groups = [group for group in known if group is not None]
        if not isinstance(name, str) or not groups:
            raise AccountError(
                "You are in no group that may use this archive.", code="login_no_group"
            )
        scopes, rights = groups[0].scopes, groups[0].rights
        for group in groups[1:]:
            scopes, rights = scopes | group.scopes, rights.union(group.rights)
        try:
            cleaned = clean_user_name(name)
        except InvalidValueError as error:
            raise AccountError("Your name can't be used here.", code="login_bad_name") from error
        return ExternalUser(f"{self._issuer} {claims['sub']}", cleaned, scopes, rights)

    async def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token, whose signature and addressee are right."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            decoded = jwt.decode(id_token, await self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # the provider may have changed its keys
            self._provider.keys = None
            decoded = jwt.decode(id_token, await self._keys(), algorithms=ALGORITHMS)
        claims = dict(decoded.claims)
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        ).validate(claims)
        audience = claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        if (is_shared or "azp" in claims) and claims.get("azp") != self._client_id:
            raise AccountError("The login was for another server.", code="login_other_server")
        sent = str(claims.get("nonce", ""))
        if not nonce or not hmac.compare_digest(sent.encode(), nonce.encode()):
            raise AccountError(
                "The login was begun in another browser, or too long ago.",
                code="login_other_browser",
            )
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise AccountError("The provider's answer is not valid.", code="login_bad_answer")
        return claims

    async def _metadata(self) -> dict[str, Any]:
        """Return the provider's addresses.

        Raises:
            AccountError: It does not answer, or says that it is another one.
        """
        now = time.monotonic()
        if self._provider.metadata and now - self._provider.read_at < KEYS_SECONDS:
            return self._provider.metadata
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await self._read(address)
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != self._issuer or not all(
            _is_safe(str(found.get(name, ""))) for name in needed
        ):
            raise AccountError(
                f"The provider at {self._issuer} describes another one, or is incomplete.",
                code="login_wrong_provider",
                issuer=self._issuer,
            )
        self._provider = _Provider(found, None, now)
        return found

    async def _keys(self) -> Any:
        from joserfc.jwk import KeySet

        if self._provider.keys is None:
            metadata = await self._metadata()
            found: Any = await self._read(metadata["jwks_uri"])
            self._provider.keys = KeySet.import_key_set(found)
        return self._provider.keys

    async def _read(self, address: str) -> dict[str, Any]:
        try:
            async with self._client("") as client:
                response = await client.request("GET", address, withhold_token=True)
                found = response.raise_for_status().json()
        except Exception as error:  # of httpx, and of what isn't JSON
            raise AccountError("The provider does not answer.", code="login_no_answer") from error
        if not isinstance(found, dict):
            raise AccountError("The provider's answer is not valid.", code="login_bad_answer")
        return found

    def _client(self, redirect_uri: str) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            self._client_id,
            self._client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self._client_secret else "none",
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=SECONDS,
            follow_redirects=False,
        )


def read_groups(path: Path) -> dict[str, Group]:
    """Return what the members of each group may do and see, from a TOML file.

    Raises:
        SettingsError: The file is missing or malformed.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: _group(name, given) for name, given in found.items()}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"BACKFILE_OIDC_GROUPS is invalid: {path}: {error}. See docs/users.md for an example."
        ) from error


def _group(name: str, given: object) -> Group:
    """Return a group; raises InvalidValueError if a key or a value is wrong."""
    if not isinstance(given, dict):
        raise InvalidValueError(f"{name} is {given!r}: write a table, [{name}]")
    for key, value in given.items():
        if key not in GROUP_KEYS:
            known = ", ".join(GROUP_KEYS)
            raise InvalidValueError(f"unknown key {key!r} in [{name}]: choose from {known}")
        is_names = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not is_names and (key == "scopes" or value != ALL.value):
            other = "" if key == "scopes" else f', or "{ALL.value}"'
            raise InvalidValueError(f"{key} of [{name}] is {value!r}: write a list of names{other}")
    return Group(
        check_scopes(given.get("scopes", ["read"])),
        Rights.from_dict({"publishers": ALL.value, "sections": ALL.value, **given}),
    )


def _is_safe(address: str) -> bool:
    """Return whether nobody on the way can read or change what is sent to an address."""
    try:
        parts = urlsplit(address)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False
    return parts.hostname is not None and (
        parts.scheme == "https" or (parts.scheme == "http" and local)
    )
