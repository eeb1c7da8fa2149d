"""Settings of sign-in with OpenID Connect: the environment variables ``FORECASTS_OIDC_*``.

Without any of them, there is no sign-in: the ledger belongs to one local member and is served on
this machine only. An incomplete or invalid set is an error that names each variable, and nothing is
served. Secrets never appear in a message, a representation or a file.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from forecasts.common.errors import BadInput, Problem, Refused
from forecasts.common.ip_addresses import is_loopback

PREFIX = "FORECASTS_OIDC_"
LOOPBACK = "127.0.0.1"
ANY_DOMAIN = "*"
_CALLBACK = "/oauth2callback"  # where Streamlit receives the provider's answer
_SHORTEST_SECRET = 32  # characters
_PAGE = "See the example in docs/operating.md, 'Sign-in'."
_NEEDED = ("issuer", "client_id", "client_secret", "redirect_uri", "cookie_secret")


class SignIn(BaseSettings):
    """The sign-in provider, and the rules for admitting the people it knows."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    issuer: str = Field(default="", description="the provider's issuer URL")
    client_id: str = Field(default="", description="this app's client ID at the provider")
    client_secret: SecretStr = Field(default=SecretStr(""), description="its client secret")
    redirect_uri: str = Field(
        default="", description="the app's address followed by /oauth2callback"
    )
    cookie_secret: SecretStr = Field(default=SecretStr(""), description="signs the cookies")
    allowed_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="admits people with a verified e-mail address in one of these"
    )
    required_group: str = Field(default="", description="admits people in this group")
    groups_claim: str = Field(default="groups", description="the claim that lists the groups")
    scopes: str = Field(default="openid email profile", description="the scopes to request")

    @field_validator("allowed_domains", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
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
    def admitted(self) -> str:
        """The people who may sign in, in words."""
        domains = ", ".join(self.allowed_domains)
        every = not domains or ANY_DOMAIN in self.allowed_domains
        whose = "all people of the provider" if every else f"people of {domains}"
        return f"{whose} in the group {self.required_group}" if self.required_group else whose

    @property
    def encrypted(self) -> bool:
        """Whether that address uses HTTPS."""
        return urlsplit(self.redirect_uri).scheme == "https"

    def for_streamlit(self) -> dict[str, Any]:
        """Return the settings that ``st.login`` reads from the section auth."""
        return {
            "redirect_uri": self.redirect_uri,
            "cookie_secret": self.cookie_secret.get_secret_value(),
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "server_metadata_url": f"{self.issuer.rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {"scope": self.scopes},
        }


def configured_sign_in() -> SignIn | None:
    """Return the settings of sign-in; None if none is set.

    BadInput lists each missing or invalid setting.
    """
    return _configured(frozenset(os.environ.items()))


@lru_cache(maxsize=8)
def _configured(_environment: object) -> SignIn | None:
    # Pages ask several times a run, and building them is as slow as a database query.
    settings = SignIn()
    unknown = list(_unknown())
    if not settings.model_fields_set and not unknown:
        return None
    problems = unknown + _problems(settings)
    if problems:
        raise BadInput(
            "Sign-in is only partly configured, so nothing is served.",
            problems=problems,
            remedy=f"Correct these, or unset every {PREFIX}*. {_PAGE}",
        )
    return settings


def _unknown() -> Iterator[Problem]:
    """Yield each setting that there is not: a misspelt rule would admit more people."""
    known = [_name(field) for field in SignIn.model_fields]
    for name in sorted(map(str.upper, os.environ)):
        if name.startswith(PREFIX) and name not in known:
            meant = difflib.get_close_matches(name, known, 1)
            rule = f"is not a setting; did you mean {meant[0]}?" if meant else "is not a setting"
            yield Problem(name, "…", rule)


def _problems(settings: SignIn) -> list[Problem]:
    found = [
        Problem(_name(field), "", "is not set") for field in _NEEDED if not _text(settings, field)
    ]
    for field in ("issuer", "redirect_uri"):
        value = _text(settings, field)
        if value and not _is_safe_address(value):
            rule = "must begin with https:// (http:// on this machine only)"
            found.append(Problem(_name(field), value, rule))
    if settings.redirect_uri and not settings.redirect_uri.endswith(_CALLBACK):
        rule = f"must be the app's address followed by {_CALLBACK}"
        found.append(Problem(_name("redirect_uri"), settings.redirect_uri, rule))
    secret = settings.cookie_secret.get_secret_value()
    if 0 < len(secret) < _SHORTEST_SECRET:
        rule = f"needs at least {_SHORTEST_SECRET} characters; make one with: openssl rand -hex 32"
        found.append(Problem(_name("cookie_secret"), "…", rule))
    if not settings.allowed_domains and not settings.required_group:
        rule = (
            f"is not set, nor is {_name('required_group')}: one of them must limit access "
            f"({ANY_DOMAIN} admits everyone the provider knows)"
        )
        found.append(Problem(_name("allowed_domains"), "", rule))
    if "openid" not in settings.scopes.split():
        found.append(Problem(_name("scopes"), settings.scopes, "must include openid"))
    return found


def _name(field: str) -> str:
    return PREFIX + field.upper()


def _text(settings: SignIn, field: str) -> str:
    value = getattr(settings, field)
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


def require_safe_address(address: str | None, sign_in: SignIn | None) -> None:
    """Refuse an address to listen on that other machines can reach without sign-in.

    Without sign-in, anyone who reaches the app acts as the local member. None means all addresses.
    """
    if sign_in is not None or (address is not None and is_loopback(address)):
        return
    where = "every address of this machine" if address is None else f"the address {address}"
    raise Refused(
        f"The app does not listen on {where} without sign-in: anyone who reached it could read the "
        "ledger and forecast as its local member.",
        remedy=f"Serve it on {LOOPBACK}, the default of forecasts app (streamlit run: "
        f"--server.address {LOOPBACK}), or set up sign-in with {PREFIX}*. {_PAGE}",
    )
