"""How a team signs in: environment variables ``FORECASTS_OIDC_*``, and nothing else.

Without any of them nobody signs in: the ledger belongs to one local member, and is served on this
machine only. With some of them but not all nothing is served: what is missing or cannot be is
named. No secret stands in a message, in a representation or in a file.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from forecasts.common.errors import BadInput, Problem, Refused

PREFIX = "FORECASTS_OIDC_"
LOOPBACK = "127.0.0.1"
ANY_DOMAIN = "*"
_CALLBACK = "/oauth2callback"  # where Streamlit takes up what the provider says
_SHORTEST_SECRET = 32
_PAGE = "docs/operating.md, 'Sign-in', has an example."
_NEEDED = ("issuer", "client_id", "client_secret", "redirect_uri", "cookie_secret")


class SignIn(BaseSettings):
    """The provider that says who somebody is, and who of those it knows may come in."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    issuer: str = Field(default="", description="the provider, as it calls itself")
    client_id: str = Field(default="", description="the name by which it knows this app")
    client_secret: SecretStr = Field(default=SecretStr(""), description="what this app proves with")
    redirect_uri: str = Field(default="", description="the app's address, and /oauth2callback")
    cookie_secret: SecretStr = Field(default=SecretStr(""), description="signs the cookies")
    allowed_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="whose verified e-mail is in one of these may come in"
    )
    required_group: str = Field(default="", description="who is in this group may come in")
    groups_claim: str = Field(default="groups", description="where the provider names the groups")
    scopes: str = Field(default="openid email profile", description="what the provider is asked")

    @field_validator("allowed_domains", mode="before")
    @classmethod
    def _between_commas(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = (part.strip().removeprefix("@").casefold() for part in value.split(","))
        return tuple(part for part in parts if part)

    @property
    def base(self) -> str:
        """The address at which people open the app."""
        return self.redirect_uri.removesuffix(_CALLBACK)

    @property
    def host(self) -> str:
        """The host of that address."""
        return urlsplit(self.redirect_uri).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Whether that address is reached by HTTPS."""
        return urlsplit(self.redirect_uri).scheme == "https"

    def for_streamlit(self) -> dict[str, Any]:
        """Return what ``st.login`` looks for under the name auth."""
        return {
            "redirect_uri": self.redirect_uri,
            "cookie_secret": self.cookie_secret.get_secret_value(),
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "server_metadata_url": f"{self.issuer.rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {"scope": self.scopes},
        }


def configured_sign_in() -> SignIn | None:
    """Return how this server's people sign in; None where nothing was set.

    BadInput, which names each, where a setting is missing or cannot be.
    """
    given = SignIn()
    if not given.model_fields_set:
        return None
    problems = _problems(given)
    if problems:
        raise BadInput(
            "Sign-in is configured by halves, so nothing is served.",
            problems=problems,
            remedy=f"Set these, or none of {PREFIX}*. {_PAGE}",
        )
    return given


def _problems(given: SignIn) -> list[Problem]:
    found = [
        Problem(_name(field), "", "is not set") for field in _NEEDED if not _text(given, field)
    ]
    for field in ("issuer", "redirect_uri"):
        value = _text(given, field)
        if value and not _is_safe_address(value):
            rule = "must begin with https:// (http:// on this machine only)"
            found.append(Problem(_name(field), value, rule))
    if given.redirect_uri and not given.redirect_uri.endswith(_CALLBACK):
        rule = f"must be the app's address followed by {_CALLBACK}"
        found.append(Problem(_name("redirect_uri"), given.redirect_uri, rule))
    secret = given.cookie_secret.get_secret_value()
    if 0 < len(secret) < _SHORTEST_SECRET:
        rule = f"needs at least {_SHORTEST_SECRET} signs, as of: openssl rand -hex 32"
        found.append(Problem(_name("cookie_secret"), "…", rule))
    if not given.allowed_domains and not given.required_group:
        rule = (
            f"is not set, nor is {_name('required_group')}: one of them must say who may come in "
            f"({ANY_DOMAIN} is whomever the provider knows)"
        )
        found.append(Problem(_name("allowed_domains"), "", rule))
    if "openid" not in given.scopes.split():
        found.append(Problem(_name("scopes"), given.scopes, "must have openid in it"))
    return found


def _name(field: str) -> str:
    return PREFIX + field.upper()


def _text(given: SignIn, field: str) -> str:
    value = getattr(given, field)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _is_safe_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches ``host``: an address, or localhost."""
    if host.casefold().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_safe_address(address: str | None, sign_in: SignIn | None) -> None:
    """Raise Refused unless the app may listen on ``address``; None stands for every one.

    Without sign-in whoever reaches the app acts as the local member.
    """
    if sign_in is not None or (address is not None and is_loopback(address)):
        return
    where = "every address of this machine" if address is None else f"the address {address}"
    raise Refused(
        f"The app does not listen on {where} without sign-in: whoever reached it could read the "
        "ledger and forecast as its local member.",
        remedy=f"Serve it on {LOOPBACK}, as forecasts app does by itself (streamlit run: "
        f"--server.address {LOOPBACK}), or let people sign in: set {PREFIX}*. {_PAGE}",
    )
