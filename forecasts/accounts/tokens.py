"""Tokens of accounts elsewhere: from the environment, or from the system's keyring.

The library ``keyring`` is optional: a scheduled pull has its token in the environment, and on a
machine without a desktop there is no keyring to ask. Nothing else stores a token.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from forecasts.accounts.client import Site
from forecasts.common.errors import BadInput
from forecasts.common.extras import install_command
from forecasts.common.settings import Settings

_SERVICE = "forecast-ledger"


def find(site: Site, settings: Settings) -> SecretStr:
    """Return the token of the environment, else that of the keyring; BadInput if there is none."""
    given: SecretStr | None = getattr(settings, f"{site.name}_token")
    return kept(site) if given is None else given


def kept(site: Site) -> SecretStr:
    """Return the token of the keyring; BadInput if there is none."""
    try:
        stored = _keyring(site).get_password(_SERVICE, site.name)
    except Exception:  # a keyring fails in as many ways as there are systems
        stored = None
    if not stored:
        raise BadInput(f"There is no token for {site.title}.", remedy=site.remedy)
    return SecretStr(stored)


def remember(site: Site, token: SecretStr) -> None:
    """Store the token in the keyring, and make sure that it is there."""
    keyring = _keyring(site)
    try:
        keyring.set_password(_SERVICE, site.name, token.get_secret_value())
        stored = keyring.get_password(_SERVICE, site.name)
    except keyring.errors.KeyringError as error:
        raise _unusable(site, type(error).__name__) from None
    if stored != token.get_secret_value():  # a system without a keyring can accept it all the same
        raise _unusable(site, "it keeps nothing")


def forget(site: Site) -> None:
    """Remove the token from the keyring, if it is there."""
    keyring = _keyring(site)
    try:
        if keyring.get_password(_SERVICE, site.name) is not None:
            keyring.delete_password(_SERVICE, site.name)
    except keyring.errors.KeyringError as error:
        raise _unusable(site, type(error).__name__) from None


def _keyring(site: Site) -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise BadInput(
            "The library for keyrings is not installed.",
            remedy=f"Install it with: {install_command('keyring')}. Or set {site.setting}.",
        ) from None
    return keyring


def _unusable(site: Site, why: str) -> BadInput:
    return BadInput(
        f"This system's keyring cannot be used ({why}).", remedy=f"Set {site.setting} instead."
    )
