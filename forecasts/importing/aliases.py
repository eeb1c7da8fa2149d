"""Aliases of anonymised accounts.

Metaculus anonymises an account as the SHA-256 of its number, without a salt. The numbers are small,
so anyone can try them all and undo it. An alias is the HMAC-SHA-256 of that id, with a secret salt:
nobody can find the account from the alias without the salt.

The salt belongs to the ledger. At each import the same account then gets the same alias, and the
same one does not appear in other ledgers. It is a table in the database, so that a backup and a
move keep it, and no export, report or page reads it. It is not sealed by the chain: nothing that
was recorded depends on it.

Rejected: a setting or a file beside the database, which a restored ledger would lack; the list of
ids with their aliases, which would store the ids after all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import cache

from sqlmodel import Session, select

from forecasts.ledger.append import written
from forecasts.ledger.models import AliasSalt

_BYTES = 16  # of the salt
_DIGITS = 12  # of an alias, in hexadecimal: two of a million accounts share one with 1 in 500


def aliases(session: Session, *, now: datetime | None) -> Callable[[str], str]:
    """Return the function from an anonymised id to the handle of its account in this ledger.

    The salt is written if the ledger has none. ``now`` is None where nothing may be written: then
    the handles are not those of a later import.
    """
    salt = session.exec(select(AliasSalt.salt)).first()
    if salt is None:
        salt = secrets.token_hex(_BYTES)
        if now is not None:
            written(session, AliasSalt(salt=salt, recorded_at=now))
    key = salt.encode()

    @cache
    def alias(id_: str) -> str:
        return f"anonymous-{hmac.new(key, id_.encode(), hashlib.sha256).hexdigest()[:_DIGITS]}"

    return alias
