"""Deliver a message by Apprise, and check the addresses that may be used.

Apprise connects through many libraries and resolves names by itself. So private addresses are
refused at Python's audit event ``socket.connect`` in the sending thread, which sees the final IP
address of every connection; captures refuse the same addresses (``common.web``).

A message is delivered in a thread of its own, which is abandoned after ``SECONDS``. It is then
unknown whether the message has arrived (``Delivery.unknown``), and it is not sent again by itself.
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
from urllib.parse import unquote, urlsplit

from forecasts.common.errors import BadInput, Refused
from forecasts.common.ip_addresses import is_private_host, is_public

SECONDS = 20.0  # for one message
_CONNECTING = 8.0  # seconds to connect to a service, before anything is sent
# Schemes that write to the machine of the run instead of a service.
_LOCAL_SCHEMES = frozenset(
    {"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"}
)
# Options that name a file on the machine of the run.
_FILE_OPTION = re.compile(r"template|pgp\w*|\w*file|file_url", re.IGNORECASE)
_ALLOW = "If it is your own network's, set FORECASTS_ALLOW_PRIVATE_ADDRESSES=true."
_SENDING = threading.local()


class Delivery(StrEnum):
    """The result of a delivery; ``unknown``: it may have arrived or not."""

    sent = "sent"
    failed = "failed"
    unknown = "unknown"


def scheme_of(address: str) -> str:
    """Return the scheme of the address, the only part that may be shown."""
    return address.strip().partition("://")[0].lower()


def service_of(address: str) -> str:
    """Return the scheme and host of an address: channels that share them fail together."""
    with suppress(ValueError):
        return f"{scheme_of(address)}://{urlsplit(address.strip()).hostname or ''}"
    return scheme_of(address)


def check(address: str, *, allow_private: bool, shared: bool) -> None:
    """Refuse an address that Apprise cannot read, or that is not allowed; no error repeats it.

    ``shared``: others use the ledger too, so addresses that write to the machine of the run, or
    read its files, are refused as well.
    """
    if not unquote(unquote(address)).strip().isprintable():  # Apprise may decode it twice
        raise BadInput(
            "The address contains a control character, such as the end of a line.",
            remedy="Remove it: in a mail's header, what follows would be a header of its own.",
        )
    check_scheme(address, shared=shared)
    host = str(getattr(_plugin(address), "host", None) or "")
    if not allow_private and host and is_private_host(host.strip("[]")):
        raise Refused(
            "The address leads into this machine or its network, which is not allowed.",
            remedy=_ALLOW,
        )


def check_scheme(address: str, *, shared: bool) -> None:
    """Refuse an address that is not allowed in a shared ledger."""
    if not shared:
        return
    # Imported here: Apprise takes long to import. It parses the address as when it sends.
    from apprise.plugins import url_to_dict

    _listen()
    parsed = url_to_dict(address.strip()) or {}  # type: ignore[no-untyped-call]
    scheme = str(parsed.get("schema", ""))
    if scheme in _LOCAL_SCHEMES:
        raise Refused(
            f"{scheme}:// writes to the machine of the run, but this ledger is shared.",
            remedy="Use another service: mailto://, ntfy://, tgram://, slack:// …",
        )
    for name in parsed.get("qsd", {}):
        if _FILE_OPTION.fullmatch(name.lstrip("+-:")):
            raise Refused(
                f"The option {name!r} names a file on the machine of the run, but this ledger is "
                "shared.",
                remedy="Leave it out.",
            )


def deliver(address: str, title: str, body: str, *, allow_private: bool) -> tuple[Delivery, str]:
    """Return the result and its reason in a sentence, which contains nothing of the address."""
    results: list[tuple[Delivery, str]] = []

    def act() -> None:
        results.append(_delivered(address, title, body, allow_private))

    _guard_connections()
    thread = threading.Thread(target=act, daemon=True, name="apprise")
    thread.start()
    thread.join(SECONDS)
    unknown = Delivery.unknown, f"the service did not answer within {SECONDS:g} seconds"
    return results[0] if results else unknown


def _delivered(address: str, title: str, body: str, allow_private: bool) -> tuple[Delivery, str]:
    from apprise import NotifyFormat, NotifyType  # here, since Apprise takes long to import

    _SENDING.refused, _SENDING.guarded, _SENDING.warnings = False, not allow_private, []
    try:
        plugin = _plugin(address)
        plugin.socket_connect_timeout = _CONNECTING
        # Longer than ``SECONDS``: a service that does not answer may have taken the message.
        plugin.socket_read_timeout = 10 * SECONDS
        done = plugin.notify(
            title=title, body=body, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT
        )
    except Refused as error:
        return Delivery.failed, str(error)
    except Exception as error:  # any of Apprise's plugins may raise anything
        return Delivery.failed, f"Apprise failed ({type(error).__name__})"
    finally:
        _SENDING.guarded = False
    if done:
        return Delivery.sent, ""
    if _SENDING.refused:
        return Delivery.failed, f"the address leads into this machine or its network. {_ALLOW}"
    codes = [found[1] for line in _SENDING.warnings if (found := re.search(r"error=(\d{3})", line))]
    return Delivery.failed, (
        f"the service answered with status {codes[-1]}" if codes else "the service was not reached"
    )


def _plugin(address: str) -> Any:
    """Return Apprise's plugin for the address; BadInput, without the address, if there is none.

    It stores nothing on disk, generates no keys, and follows no redirects.
    """
    import apprise  # here, since it takes long

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
            "The address cannot be read: the service is unknown to Apprise, or a part is missing.",
            remedy="See https://github.com/caronc/apprise/wiki; for mail use "
            "mailto://USER:PASSWORD@HOST?to=YOU@EXAMPLE.ORG.",
        )
    return plugin


class _Listener(logging.Handler):
    """Keeps Apprise's warnings of a sending thread out of the logs: they may contain secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning for the thread that it comes from."""
        warnings = getattr(_SENDING, "warnings", None)
        if warnings is not None:
            warnings.append(record.getMessage())


@cache
def _listen() -> None:
    logger = logging.getLogger("apprise")
    logger.addHandler(_Listener(logging.WARNING))
    logger.propagate = False


@cache
def _guard_connections() -> None:
    """Refuse private addresses to sending threads, from now on in this process."""

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto") and getattr(_SENDING, "guarded", False):
            target = arguments[1]
            host = target[0] if isinstance(target, tuple) and target else ""
            try:
                refused = not is_public(ipaddress.ip_address(str(host).partition("%")[0]))
            except ValueError:  # a local socket, or a name
                refused = True
            if refused:
                _SENDING.refused = True
                raise PermissionError("a private address")

    sys.addaudithook(guard)
