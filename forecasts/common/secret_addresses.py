"""Secrets in web addresses: a user name and password, or a parameter such as ``token=…``."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

# A token_id, max_tokens or a secretary is not a secret.
_SECRET = re.compile(
    r"(?:^|[-_.]|api|access|auth|account|private)key$|token(?!s$|[-_]?(?:ids?|count)$|i[sz])"
    r"|secret(?!ar)|passw|signature|^(?:auth|jwt|pass|pwd|sig)$",
    re.IGNORECASE,
)
# An address with its scheme, or without one: x.org/map?token=…
_ADDRESS = re.compile(r"://|\w\.[a-z]{2,24}[^\s?&;#]{0,200}[?&;#]", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/?#\s]*@")
_PARAMETER = re.compile(r"(?<=[?&;#])([\w.~%[\]-]+)=([\"']?[^&;#\s\"'<>)\]]+)")
_MASK = "…"


def keys_in(address: str) -> list[str]:
    """Return the query parameters of a web address whose names look secret.

    >>> keys_in("https://example.org/rain?keyword=storm&api_key=x")
    ['api_key']
    """
    is_page = address.lower().startswith(("http://", "https://"))
    query = urlsplit(address).query if is_page else ""
    return [name for name, _ in parse_qsl(query, keep_blank_values=True) if _SECRET.search(name)]


def without_secrets(text: str) -> str:
    """Return a text in which no address has a user name, a password or a secret parameter.

    >>> without_secrets("See https://kate:pw@example.org/map?id=3&token=abc.")
    'See https://example.org/map?id=3&token=…'
    >>> without_secrets("kate@example.org, https://example.org/@kate?monkey=1")
    'kate@example.org, https://example.org/@kate?monkey=1'
    """
    if _ADDRESS.search(text) is None:
        return text
    return _PARAMETER.sub(_masked, _LOGIN.sub("", text))


def holds_secrets(text: str) -> bool:
    """Return whether an address in the text has a secret."""
    return without_secrets(text) != text


def _masked(parameter: re.Match[str]) -> str:
    name = parameter[1]
    return f"{name}={_MASK}" if _SECRET.search(name) else parameter[0]
