"""Connections to checked addresses only, each with one deadline for all it does."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from forecasts.common.ip_addresses import Address, is_public, private_address


class Network(httpcore.NetworkBackend):
    """Network backend that connects only to checked addresses, for some seconds from now."""

    def __init__(self, seconds: float, *, allow_private: bool) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._allow_private = allow_private
        self._sockets = httpcore.SyncBackend()

    def left(self) -> float:
        """Return the seconds left; raises ReadTimeout when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to one of the host's addresses; CaptureError for a private one."""
        addresses = self._resolve(host, port)
        if not self._allow_private:
            for address in addresses:
                if not is_public(address):
                    shown = str(address) if host == str(address) else f"{host[:80]} ({address})"
                    raise private_address(shown)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for tried, address in enumerate(addresses):
            # Each address gets its share of the time, in case one does not answer.
            share = self.left() / (len(addresses) - tried)
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, timeout=share, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self.left)
        raise failure

    def _resolve(self, host: str, port: int) -> list[Address]:
        found: list[Address] = []
        failed: list[Exception] = []

        def look_up() -> None:
            try:
                answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found.extend(ipaddress.ip_address(answer[4][0]) for answer in answers)
            except (OSError, ValueError) as error:
                failed.append(error)

        # A DNS lookup has no timeout of its own, so a hanging thread is abandoned.
        thread = threading.Thread(target=look_up, daemon=True)
        thread.start()
        thread.join(self.left())
        if thread.is_alive():
            raise httpcore.ConnectTimeout
        if failed:
            raise httpcore.ConnectError("the host name is unknown")
        return list(dict.fromkeys(found))


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secure = self._stream.start_tls(ssl_context, server_hostname, self._left())
        return _Stream(secure, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
