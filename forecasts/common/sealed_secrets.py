"""Secrets as a database holds them: encrypted with a key that is kept outside it.

The key is FORECASTS_SECRET_KEY. Without it, a ledger in a file has a key in the user's data folder,
made with the first secret: a copy of the database alone then holds no secret. A ledger on a server
is used from several machines, each with a folder of its own: without the setting its secrets are
stored as they are, and ``forecasts check`` says so. A secret without its key is entered again.

Rejected: the system's keyring, which a scheduled run cannot open.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from forecasts.common.errors import Refused
from forecasts.common.private_files import create_private
from forecasts.common.settings import current_settings, data_folder

MARK = "fernet:"  # how an encrypted secret begins


def key_file() -> Path:
    """Return the path of the key of this user; it may not exist yet."""
    return data_folder() / "secret.key"


def seal(secret: str, *, in_a_file: bool) -> str:
    """Return the secret as it is stored; the key's file may be made. ``in_a_file``: the ledger."""
    if not can_seal(in_a_file=in_a_file):
        return secret
    if not _keys():
        file = key_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        create_private(file, secrets.token_urlsafe(32).encode())
    return MARK + _keys()[0].encrypt(secret.encode()).decode()


def unseal(stored: str) -> str:
    """Return the secret; Refused without the key that it was stored with."""
    if not stored.startswith(MARK):
        return stored
    try:
        return MultiFernet(_keys()).decrypt(stored.removeprefix(MARK)).decode()
    except (InvalidToken, ValueError):
        raise Refused(
            "The address is encrypted with another key than this machine has.",
            remedy=f"Set FORECASTS_SECRET_KEY to that key, or restore {str(key_file())!r}. If it "
            "is lost, remove the channel and add it again.",
        ) from None


def is_readable(stored: str) -> bool:
    """Return whether ``unseal`` returns the secret."""
    try:
        unseal(stored)
    except Refused:
        return False
    return True


def can_seal(*, in_a_file: bool) -> bool:
    """Return whether ``seal`` encrypts."""
    return in_a_file or current_settings().secret_key is not None


def _keys() -> list[Fernet]:
    """Return the keys that this process has, the one for new secrets first."""
    chosen, file = current_settings().secret_key, key_file()
    given = [] if chosen is None else [chosen.get_secret_value()]
    kept = file.read_text(encoding="ascii").strip() if file.exists() else ""
    digests = (hashlib.sha256(one.encode()).digest() for one in [*given, kept] if one)
    return [Fernet(base64.urlsafe_b64encode(one)) for one in digests]
