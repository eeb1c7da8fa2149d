"""The one door to Apprise: which addresses may be used, and how one is written to.

Apprise makes connections by many libraries, follows redirects and asks the name service by itself.
So what is allowed is looked at where every connection of this process is made: Python's audit event
``socket.connect``, in the thread that sends. It sees the address in the end, whatever name stood
for it, and refuses what captures refuse (``articles.fetch``): this machine and its network.

A message is sent in a thread of its own, which is left behind when it takes too long. What became
of the message is then not known, and so it is not sent again: see ``Sent``.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import sys
import threading
from contextlib import suppress
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from forecasts.common.errors import BadInput, Refused
from forecasts.common.web import is_plainly_private, is_public

SECONDS = 20.0  # for one message
_CONNECTING = 8.0  # seconds to reach a service; nothing has been sent until then
# What writes to the machine that the run is on, and not to a service.
_OF_THIS_MACHINE = frozenset(
    {"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"}
)
# Options that name a file of the machine that the run is on.
_NAMES_A_FILE = re.compile(r"template|pgp\w*|\w*file|file_url", re.IGNORECASE)
_ALLOW = "If it is your own network's, set FORECASTS_ALLOW_PRIVATE_ADDRESSES=true."
_APART = threading.local()


class Sent(StrEnum):
    """What became of a message; ``unknown``: it may have arrived, or not."""

    sent = "sent"
    failed = "failed"
    unknown = "unknown"


def scheme_of(address: str) -> str:
    """Return the part of the address that may be shown: the service."""
    return address.strip().partition("://")[0].lower()


def service_of(address: str) -> str:
    """Return what tells apart which channels fail together: the service, and its host if named."""
    with suppress(ValueError):
        return f"{scheme_of(address)}://{urlsplit(address.strip()).hostname or ''}"
    return scheme_of(address)


def check(address: str, *, allow_private: bool, shared: bool) -> None:
    """Refuse an address that Apprise cannot read, or that must not be used; it is not repeated.

    ``shared``: the ledger is not one's own, so that what writes to the machine of the run, or reads
    its files, is refused too.
    """
    check_scheme(address, shared=shared)
    plugin = _plugin(address)
    host = str(getattr(plugin, "host", None) or "")
    if not allow_private and host and is_plainly_private(host.strip("[]")):
        raise Refused(
            "The address leads into this machine or its network; nothing is sent there.",
            remedy=_ALLOW,
        )


def check_scheme(address: str, *, shared: bool) -> None:
    """Refuse what must not be used where the ledger is not one's own."""
    if not shared:
        return
    # As Apprise reads it: what it takes for an option is one.
    from apprise.plugins import url_to_dict

    _listen()
    read = url_to_dict(address.strip()) or {}  # type: ignore[no-untyped-call]
    scheme = str(read.get("schema", ""))
    if scheme in _OF_THIS_MACHINE:
        raise Refused(
            f"{scheme}:// writes to the machine that the run is on, and this ledger is shared.",
            remedy="Name a service that you read: mailto://, ntfy://, tgram://, slack:// …",
        )
    for name in read.get("qsd", {}):
        if _NAMES_A_FILE.fullmatch(name.lstrip("+-:")):
            raise Refused(
                f"The option {name!r} names a file of the machine that the run is on, and this "
                "ledger is shared.",
                remedy="Leave it out.",
            )


def deliver(
    address: str, title: str, body: str, *, allow_private: bool, seconds: float = SECONDS
) -> tuple[Sent, str]:
    """Return what became of the message, and why in a sentence; it says nothing of the address."""
    came_to: list[tuple[Sent, str]] = []

    def act() -> None:
        came_to.append(_delivered(address, title, body, allow_private))

    _look_at_connections()
    thread = threading.Thread(target=act, daemon=True, name="apprise")
    thread.start()
    thread.join(seconds)
    if came_to:
        return came_to[0]
    return Sent.unknown, f"the service did not answer within {seconds:g} seconds"


def _delivered(address: str, title: str, body: str, allow_private: bool) -> tuple[Sent, str]:
    from apprise import NotifyFormat, NotifyType

    _APART.refused, _APART.guarded, _APART.said = False, not allow_private, []
    try:
        plugin = _plugin(address)
        plugin.socket_connect_timeout = _CONNECTING
        # Longer than is waited for here: who was reached and did not answer may have read it.
        plugin.socket_read_timeout = 10 * SECONDS
        done = plugin.notify(
            title=title, body=body, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT
        )
    except Refused as error:
        return Sent.failed, str(error)
    except Exception as error:  # Apprise has a hundred services, written by as many
        return Sent.failed, f"Apprise failed ({type(error).__name__})"
    finally:
        _APART.guarded = False
    if done:
        return Sent.sent, ""
    if _APART.refused:
        return Sent.failed, f"the address leads into this machine or its network. {_ALLOW}"
    codes = [found[1] for said in _APART.said if (found := re.search(r"error=(\d{3})", said))]
    return Sent.failed, (
        f"the service answered with status {codes[-1]}" if codes else "the service was not reached"
    )


def _plugin(address: str) -> Any:
    """Return Apprise's service for the address; Refused, without the address, where there is none.

    It keeps nothing on the disk, makes no keys, and follows no redirect.
    """
    import apprise

    _listen()
    asset = apprise.AppriseAsset(
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        app_id="Forecast Ledger",
        app_desc="Forecast Ledger",
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    plugin = None
    if "://" in address:
        plugin = apprise.Apprise.instantiate(address.strip(), asset=asset)
    if plugin is None:
        raise BadInput(
            "The address cannot be read: Apprise knows no such service, or something is missing.",
            remedy="They are described at https://github.com/caronc/apprise/wiki; a mail address "
            "is mailto://USER:PASSWORD@HOST?to=YOU@EXAMPLE.ORG.",
        )
    return plugin


class _Listener(logging.Handler):
    """Keeps what Apprise says in a thread that sends; nothing of it is written anywhere.

    It can hold parts of an address.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning of the thread that it comes from."""
        said = getattr(_APART, "said", None)
        if said is not None:
            said.append(record.getMessage())


@cache
def _listen() -> None:
    logger = logging.getLogger("apprise")
    logger.addHandler(_Listener(logging.WARNING))
    logger.propagate = False


@cache
def _look_at_connections() -> None:
    """Look at each connection of this process from here on; threads that send are refused some."""

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto") and getattr(_APART, "guarded", False):
            to = arguments[1]
            host = to[0] if isinstance(to, tuple) and to else ""
            try:
                refused = not is_public(ipaddress.ip_address(str(host).partition("%")[0]))
            except ValueError:  # a socket of this machine, or a name
                refused = True
            if refused:
                _APART.refused = True
                raise PermissionError("a private address")

    sys.addaudithook(look)
