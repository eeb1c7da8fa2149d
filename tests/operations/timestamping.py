"""A server of time stamps (RFC 3161) on this machine, with a root certificate of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.common.test_web import posted, sends, server
from tests.conftest import day

SEQUENCE, SET, INTEGER, OCTETS, OID, TIME = 0x30, 0x31, 0x02, 0x04, 0x06, 0x18
SHA256, TST_INFO = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.9.16.1.4"


def der(tag: int, *parts: bytes) -> bytes:
    """Return the parts as one DER value."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def values(data: bytes) -> list[tuple[int, bytes]]:
    """Return the tag and the body of each DER value."""
    found = []
    while data:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start])
        found.append((data[0], data[start : start + size]))
        data = data[start + size :]
    return found


def sequence(*parts: bytes) -> bytes:
    return der(SEQUENCE, *parts)


def number(value: int) -> bytes:
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    body = bytes([40 * first + second])
    for arc in rest:
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.insert(0, 128 | (arc & 127))
        body += bytes(digits)
    return der(OID, body)


def algorithm(dotted: str) -> bytes:
    return sequence(oid(dotted))


def attribute(dotted: str, value: bytes) -> bytes:
    return sequence(oid(dotted), der(SET, value))


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """A root and the signer of stamps that it has certified; what a test may set."""

    at: datetime = field(default_factory=lambda: day(3))
    status: int = 0
    http_status: int = 200
    stamps_as: bytes | None = None  # instead of what was asked
    padding: bytes = b""
    asked: int = 0

    def __post_init__(self) -> None:
        root, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        base = x509.CertificateBuilder().not_valid_before(day(-30)).not_valid_after(day(3000))
        base = base.issuer_name(named("Root of Time"))
        self.root = (
            base.subject_name(named("Root of Time"))
            .serial_number(1)
            .public_key(root.public_key())
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .sign(root, hashes.SHA256())
        )
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        self.certificate = (
            base.subject_name(named("Harbour Time"))
            .serial_number(2)
            .public_key(self.key.public_key())
            .add_extension(stamping, critical=True)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .sign(root, hashes.SHA256())
        )

    def pem(self, file: Path) -> Path:
        file.write_bytes(self.root.public_bytes(Encoding.PEM))
        return file

    def answer(self, query: bytes) -> bytes:
        """Return the answer to a request, in DER."""
        self.asked += 1
        status = sequence(sequence(number(self.status)))
        if self.status > 1:
            return status
        [(_, request)] = values(query)
        _, (_, of_message), *rest = values(request)
        imprint = self.stamps_as or values(of_message)[1][1]
        nonce = next(int.from_bytes(body) for tag, body in rest if tag == INTEGER)
        info = sequence(
            number(1),
            oid("1.2.3.4"),
            sequence(algorithm(SHA256), der(OCTETS, imprint)),
            number(self.asked),
            der(TIME, f"{self.at:%Y%m%d%H%M%SZ}".encode()),
            number(nonce),
        )
        certificate = self.certificate.public_bytes(Encoding.DER)
        of_info, of_certificate = (
            der(OCTETS, hashlib.sha256(one).digest()) for one in (info, certificate)
        )
        attributes = [
            attribute("1.2.840.113549.1.9.3", oid(TST_INFO)),
            attribute("1.2.840.113549.1.9.4", of_info),
            attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(of_certificate)))),
        ]
        signed = b"".join(sorted(attributes, key=lambda one: (len(one), one)))
        signature = self.key.sign(der(SET, signed), ec.ECDSA(hashes.SHA256()))
        signer = sequence(
            number(1),
            sequence(self.certificate.issuer.public_bytes(), number(2)),
            algorithm(SHA256),
            der(0xA0, signed),
            algorithm("1.2.840.10045.4.3.2"),
            der(OCTETS, signature),
        )
        signed_data = sequence(
            number(3),
            der(SET, algorithm(SHA256)),
            sequence(oid(TST_INFO), der(0xA0, der(OCTETS, info))),
            der(0xA0, certificate),
            der(SET, signer),
        )
        token = sequence(oid("1.2.840.113549.1.7.2"), der(0xA0, signed_data))
        return sequence(sequence(number(self.status)), token)


@contextmanager
def served(authority: Authority) -> Iterator[str]:
    """Yield the address at which the authority answers."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        assert request.headers["Content-Type"] == "application/timestamp-query"
        body = authority.answer(posted(request)) + authority.padding
        sends(body, authority.http_status, content_type="application/timestamp-reply")(request)

    with server(answer) as address:
        yield f"{address}/stamp"
