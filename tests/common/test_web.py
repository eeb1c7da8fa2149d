"""Pages are fetched within limits, and only from the public internet."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from forecasts.common import connections
from forecasts.common import web as fetching
from forecasts.common.errors import CaptureError
from forecasts.common.ip_addresses import is_public
from forecasts.common.web import Fetched, ask, checked_url, fetch

PAGE = b"<html><body><p>A page.</p></body></html>"

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Serve ``answer`` for every GET and POST on a free local port; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                answer(self)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


def sends(body: bytes = PAGE, status: int = 200, **headers: str) -> Answer:
    """Return an answer with this body; header names are written with underscores."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content_Type": "text/html"} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def posted(request: BaseHTTPRequestHandler) -> bytes:
    """Return the body of a request."""
    return request.rfile.read(int(request.headers["Content-Length"]))


def get(url: str, **limits: Any) -> Fetched:
    return fetch(url, allow_private=True, **limits)


def refused(answer: Answer, words: str | None = None, **limits: Any) -> str:
    """Fetch a page that is refused in these words; return what is said."""
    with server(answer) as url, pytest.raises(CaptureError, match=words) as caught:
        get(url, **limits)
    return str(caught.value)


def test_a_page_comes_back_with_its_address_type_and_charset() -> None:
    with server(sends(Content_Type="text/html; charset=ISO-8859-1")) as url:
        page = get(f"{url}/news#part")
    assert page == Fetched(f"{url}/news", "text/html", "ISO-8859-1", PAGE)


def test_the_host_that_was_asked_for_is_named_to_the_server() -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.headers["Host"])
        sends()(request)

    with server(answer) as url:
        get(url.replace("127.0.0.1", "localhost"))
        assert asked == [url.removeprefix("http://").replace("127.0.0.1", "localhost")]


def test_redirects_are_followed_up_to_the_limit() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        left = int(request.path.strip("/"))
        sends(status=302, Location=str(left - 1))(request) if left else sends()(request)

    with server(answer) as url:
        assert get(f"{url}/3").url == f"{url}/0"
        with pytest.raises(CaptureError, match="redirects more than 3 times"):
            get(f"{url}/4")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://example.org/", "only http and https"),
        ("http://me:secret@example.org/", "user name or a password"),
        ("http://[::1", "not a URL"),
    ],
)
def test_a_redirect_is_checked_like_an_address(target: str, message: str) -> None:
    assert "secret" not in refused(sends(status=301, Location=target), message)


@pytest.mark.parametrize("address", ["http://[::1", "http://secret\n.org", "x://secret", "http://"])
def test_an_address_with_a_secret_that_cannot_be_used_is_not_repeated(address: str) -> None:
    with pytest.raises(CaptureError, match="The address cannot be used") as caught:
        ask(address, headers={}, allow_private=True)
    assert "secret" not in str(caught.value)


def test_a_redirect_into_the_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hop counts as public here; the second is the local machine."""
    with server(sends(status=302, Location="http://127.0.0.1/admin")) as url:
        port = int(url.rsplit(":", 1)[1])
        monkeypatch.setattr(fetching, "PORTS", {80, 443, port})
        real = is_public
        first = ipaddress.ip_address("127.0.0.1")
        answers = iter([True])
        monkeypatch.setattr(
            connections, "is_public", lambda a: next(answers, False) if a == first else real(a)
        )
        with pytest.raises(CaptureError, match="not on the public internet"):
            fetch(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "0.0.0.0", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "[fe80::1]", "10.0.0.1",
        "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fd00::1]", "224.0.0.1", "[ff02::1]",
        "240.0.0.1", "255.255.255.255", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
        "[2001:0:7f00:1::]",
    ],
)  # fmt: skip
def test_addresses_inside_the_network_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(CaptureError, match="not on the public internet"):
        fetch(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST.", "app.localhost", "[::1]", "192.168.1.1"]
)
def test_a_private_address_with_a_port_is_called_private_and_the_setting_is_named(
    host: str,
) -> None:
    with pytest.raises(CaptureError, match="is a private address") as caught:
        fetch(f"http://{host}:8501/page")
    assert "port" not in caught.value.message
    assert "FORECASTS_ALLOW_PRIVATE_ADDRESSES=true" in caught.value.remedy


# The blocks of the IANA registries of special-purpose addresses, and one address of each that
# Python releases have judged differently.
SPECIAL = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32"),
    *("192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.0.192/32", "192.0.2.0/24"),
    *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32"),
    *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"),
    *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
    *("::1/128", "::/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23"),
    *("2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48"),
    *("2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28"),
    *("2001:db8::/32", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10"),
    *("fec0::/10", "ff00::/8", "::ffff:192.88.99.0/120", "64:ff9b::192.0.0.192/128"),
    *("2002:c058:6300::/40", "::192.0.2.0/120"),
]


def test_special_purpose_addresses_are_not_public_and_others_are() -> None:
    for block in SPECIAL:
        network = ipaddress.ip_network(block)
        for address in (network[0], network[network.num_addresses // 2], network[-1]):
            assert not is_public(address), block
    for public in (
        *("93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e", "::ffff:8.8.8.8"),
        *("1.1.1.1", "192.0.1.1", "192.88.98.1", "2001:4860:4860::8888", "2620:fe::fe"),
        *("2002:808:808::1", "2001:200::1", "223.255.255.254"),
    ):
        assert is_public(ipaddress.ip_address(public)), public


class Names:
    """In place of DNS: ``news.example`` has the addresses of each answer in turn."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, ...]] = []
        self.asked = 0
        self.real = socket.getaddrinfo

    def __call__(self, host: str, port: Any, *args: Any, **named: Any) -> Any:
        if host != "news.example":
            return self.real(host, port, *args, **named)
        self.asked += 1
        addresses = self.answers[min(self.asked, len(self.answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


def test_a_name_with_one_private_address_is_refused_whole(names: Names) -> None:
    names.answers = [("93.184.215.14", "10.0.0.7")]
    with pytest.raises(CaptureError, match=r"news.example \(10.0.0.7\)"):
        fetch("http://news.example/")


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(
    names: Names,
) -> None:
    """A DNS server with a different second answer cannot lead elsewhere."""
    names.answers = [("127.0.0.1",), ("10.255.255.1",)]
    with server(sends()) as url:
        assert get(url.replace("127.0.0.1", "news.example")).data == PAGE
    assert names.asked == 1


def test_where_one_address_of_a_name_refuses_the_next_is_tried(names: Names) -> None:
    names.answers = [("127.0.0.99", "127.0.0.1")]
    with server(sends()) as url:
        assert get(url.replace("127.0.0.1", "news.example")).data == PAGE


@pytest.mark.parametrize(
    "url",
    [
        "", "http://", "example.org", "javascript:alert(1)", "http://\x00", "http://xn--/",
        "http://[1::2", "http://a b:c/", "http://" + "a" * 300 + ".org/", "http://①②⑦.0.0.1/",
        "http://example.org\r\nX: y/",
    ],
)  # fmt: skip
def test_an_invalid_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(CaptureError) as caught:
        fetch(url, seconds=5)
    assert caught.value.remedy


def test_other_ports_are_for_networks_that_allow_it() -> None:
    with pytest.raises(CaptureError, match="port 22"):
        checked_url("https://example.org:22/", allow_private=False)
    assert checked_url("https://example.org:8443/", allow_private=True).port == 8443


def test_a_name_that_nobody_knows_is_an_error_of_ours() -> None:
    with pytest.raises(CaptureError, match="cannot be reached"):
        fetch("http://nowhere.invalid/")


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with server(sends()) as url:
        assert get(url).data == PAGE


# -- limits ---------------------------------------------------------------------------------


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (OK + b"Content-Type: text/html\r\n\r\n", b"x"),
        (OK, b"X-A: b\r\n"),
        (b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n", b""),
    ],
    ids=["body", "headers", "redirects"],
)
def test_an_answer_that_drips_ends_with_the_deadline(head: bytes, drop: bytes) -> None:
    release = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        if not drop:
            release.wait(0.2)
        request.wfile.write(head)
        while drop and not release.wait(0.02):
            request.wfile.write(drop)

    with server(answer) as url:
        with pytest.raises(CaptureError, match=r"within 0.3 seconds"):
            get(url, seconds=0.3)
        release.set()


@pytest.mark.parametrize("headers", [{}, {"Content_Length": "2000"}])
def test_a_body_over_the_limit_is_refused(headers: dict[str, Any]) -> None:
    with server(sends(b"x" * 2000, **headers)) as url:
        assert len(get(url, max_bytes=2000).data) == 2000
        with pytest.raises(CaptureError, match="sent more than"):
            get(url, max_bytes=1999)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(PAGE, mtime=0)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", zlib.compress(PAGE, wbits=-15)),
    ],
)
def test_compressed_pages_are_unpacked(encoding: str, packed: bytes) -> None:
    with server(sends(packed, Content_Encoding=encoding)) as url:
        assert get(url).data == PAGE


@pytest.mark.slow
def test_a_small_body_that_unpacks_to_a_large_one_is_refused() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, mtime=0)
    refused(sends(bomb, Content_Encoding="gzip"), "sent more than")


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (gzip.compress(PAGE, mtime=0)[:-9], "gzip", "breaks off"),
        (b"not packed at all", "gzip", "cannot be unpacked"),
        (b"??", "br", "compressed as 'br'"),
    ],
)
def test_a_broken_archive_is_refused(body: bytes, encoding: str, message: str) -> None:
    refused(sends(body, Content_Encoding=encoding), message)


@pytest.mark.parametrize(
    ("media", "message"),
    [("application/pdf", "a PDF"), ("image/png", "image/png"), ("application/json", "json")],
)
def test_other_types_than_html_and_text_are_refused(media: str, message: str) -> None:
    refused(sends(Content_Type=media), message)


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "to everyone"), (402, "to everyone"), (403, "to everyone"), (404, "no such page"),
     (429, "cannot answer now"), (503, "cannot answer now"), (204, "did not send"),
     (302, "did not send")],
)  # fmt: skip
def test_a_status_other_than_ok_is_told_in_words(status: int, message: str) -> None:
    refused(sends(status=status), message)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 40_000 + b"\r\nx",
    ],
    ids=["nothing", "garbage", "short", "long header", "many headers"],
)
def test_an_invalid_answer_is_our_error(wire: bytes) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(wire)

    refused(answer)


def test_a_server_that_speaks_no_tls_is_an_error_of_ours() -> None:
    with server(sends()) as url, pytest.raises(CaptureError, match="cannot be reached"):
        get(url.replace("http://", "https://"))


def test_certificates_go_by_the_name_and_not_by_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The handshake must contain the host name; this test records it."""
    named: list[str | None] = []

    def wrap(self: ssl.SSLContext, *args: Any, server_hostname: str | None = None, **_: Any) -> Any:
        named.append(server_hostname)
        raise ssl.SSLError("enough seen")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    with server(sends()) as url, pytest.raises(CaptureError, match="cannot be reached"):
        get(url.replace("http://127.0.0.1", "https://localhost"))
    assert named == ["localhost"]
