"""Stamps: proofs by an RFC 3161 server of the time by which a digest existed.

A stamp is the server's signed answer, kept in the ledger's folder of proofs in a file named after
its digest. A digest that its owner keeps proves an order; a stamp proves a time as well, by someone
who does not know the ledger. ``forecasts verify`` compares the chain with each stamp's digest, once
the signature of the stamp holds.

The digest itself is stamped, so other tools check the file too:
``openssl ts -verify -in FILE.tsr -data DIGEST.txt -CAfile ROOTS``.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from sqlmodel import Session

from forecasts.common.errors import BadInput, CaptureError
from forecasts.common.extras import missing
from forecasts.common.private_files import create_private_folder
from forecasts.common.settings import data_folder
from forecasts.common.times import utc
from forecasts.common.web import post
from forecasts.folder.drafts import drafted_file
from forecasts.ledger.chain import read_digest
from forecasts.ledger.receipts import ledger_id
from forecasts.ledger.urls import sqlite_path

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

EVERY = timedelta(days=1)  # between two stamps of scheduled runs
_MOST_BYTES = 100_000  # of a server's answer
_SUFFIX = ".tsr"


@dataclass(frozen=True)
class Stamp:
    """A digest with the time that a server signed, and the server's name in its certificate.

    ``fault``: why the stamp proves nothing; blank if it holds. Then it has no time.
    """

    digest: str
    file: Path
    at: datetime | None = None
    authority: str = ""
    fault: str = ""


def folder_of_proofs(session: Session, chosen: Path | None = None) -> Path:
    """Return the folder for stamps: the chosen one, or beside the file, or in the data folder."""
    if chosen is not None:
        return chosen
    file = sqlite_path(session.get_bind().engine)
    if file is not None:
        return beside(file)
    return data_folder() / "proofs" / ledger_id(session)[:12]


def beside(file: Path) -> Path:
    """Return the folder for the stamps of a ledger in a file."""
    return Path(f"{file.absolute()}.proofs")


def stamp(
    digest: str,
    server: str,
    folder: Path,
    *,
    roots: Path | None = None,
    allow_private: bool = False,
) -> Stamp:
    """Return the server's stamp of a digest, which is kept; a digest is stamped once.

    CaptureError if the server cannot be reached, or does not answer with a stamp of this digest.
    """
    file = folder / f"{digest}{_SUFFIX}"
    trusted = _roots(roots)
    if file.exists() and not (known := _read(file, trusted)).fault:
        return known
    client = _client()
    request = client.TimestampRequestBuilder(digest.encode(), client.HashAlgorithm.SHA256).build()
    answer = post(
        server,
        request.as_bytes(),
        content_type="application/timestamp-query",
        max_bytes=_MOST_BYTES,
        allow_private=allow_private,
    )
    made = _checked(file, answer, trusted, nonce=request.nonce)
    if made.fault:
        raise CaptureError(
            f"The server's answer is not a valid stamp: {made.fault}.",
            remedy="Check FORECASTS_STAMP_URL, and set FORECASTS_STAMP_ROOTS to a PEM file with "
            "the server's root certificate.",
        )
    _keep(file, answer)
    return made


def stamps(folder: Path, *, roots: Path | None = None) -> list[Stamp]:
    """Return the stamps in a folder of proofs, by the places of their digests."""
    files = _files(folder)
    trusted = _roots(roots) if files else []
    return [_read(file, trusted) for file in files]


def later_than(folder: Path, place: int) -> int:
    """Return the number of stamps of digests after that place of the chain."""
    return sum(_place(file) > place for file in _files(folder))


def is_due(folder: Path, digest: str, *, now: datetime, roots: Path | None = None) -> bool:
    """Return whether a run stamps the digest.

    It does if the newest stamp is a day old and of another digest, or proves nothing.
    """
    files = _files(folder)
    if not files:
        return True
    newest = _read(files[-1], _roots(roots))
    return newest.at is None or (now - newest.at >= EVERY and newest.digest != digest)


def _files(folder: Path) -> list[Path]:
    return sorted((one for one in folder.glob(f"*{_SUFFIX}") if one.is_file()), key=_place)


def _place(file: Path) -> int:
    """Return the place of the digest that a stamp is named after; -1 if it is not a digest."""
    place = file.name.partition("-")[0]
    return int(place) if place.isdecimal() else -1


def _read(file: Path, roots: Sequence[Certificate]) -> Stamp:
    digest = file.name.removesuffix(_SUFFIX)
    try:
        read_digest(digest)
    except BadInput:
        return Stamp("", file, fault="its name is not a digest")
    return _checked(file, file.read_bytes(), roots)


def _checked(
    file: Path, answer: bytes, roots: Sequence[Certificate], *, nonce: int | None = None
) -> Stamp:
    """Return the stamp of the file's digest in a server's answer, or why there is no such stamp."""
    client = _client()
    digest = file.name.removesuffix(_SUFFIX)
    builder = client.VerifierBuilder(roots=list(roots), nonce=nonce)
    try:
        response = client.decode_timestamp_response(answer)
        if response.status not in (0, 1):
            said = "; ".join(response.status_string) or f"status {response.status}"
            return Stamp(digest, file, fault=f"the server refused it ({said[:200]})")
        builder.build().verify(response, hashlib.sha256(digest.encode()).digest())
        return Stamp(digest, file, utc(response.tst_info.gen_time), _authority(response))
    except (client.VerificationError, ValueError, TypeError) as error:
        said = str(error).rstrip(".") or type(error).__name__
        if said.startswith("Error while verifying certificates"):  # with an address in OpenSSL
            said = "its signature is not by an authority that a trusted root certifies"
        return Stamp(digest, file, fault=said)


def _authority(response: TimeStampResponse) -> str:
    """Return the name in the certificate of the stamp's signer."""
    from cryptography.x509 import load_der_x509_certificate
    from cryptography.x509.oid import NameOID

    [signer] = response.signed_data.signer_infos
    for der in response.signed_data.certificates:
        certificate = load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return str(names[0].value) if names else certificate.subject.rfc4514_string()
    return ""


def _roots(file: Path | None) -> list[Certificate]:
    """Return the root certificates of a PEM file, by default those that web addresses need."""
    _client()  # its remedy, where the libraries are missing
    from cryptography import x509

    if file is None:
        trusted = httpx.create_ssl_context().get_ca_certs(binary_form=True)
        with warnings.catch_warnings():  # of old roots with a serial number of 0
            warnings.simplefilter("ignore")
            return [x509.load_der_x509_certificate(one) for one in trusted]
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it has no certificate in PEM"
        raise BadInput(
            f"The roots in {str(file)!r} cannot be read: {said}.",
            remedy="Set FORECASTS_STAMP_ROOTS to a PEM file with the server's root certificate.",
        ) from None


def _keep(file: Path, answer: bytes) -> None:
    """Write a stamp whole or not at all, and wait until it is on disk."""
    try:
        create_private_folder(file.parent)
        with drafted_file(file) as draft:
            draft.write(answer)
            draft.flush()
            os.fsync(draft.fileno())
    except OSError as error:
        raise BadInput(f"{str(file)!r} cannot be written: {error.strerror or error}.") from None


def _client() -> Any:
    """Return the library for stamps, an extra; BadInput with the remedy without it."""
    try:
        import rfc3161_client
    except ImportError:
        raise missing("A stamp", "api") from None
    return rfc3161_client
