"""ZIP archives of ledger folders, packed, and unpacked within limits.

An archive cannot fill the disk, write outside the folder it is unpacked into, or create anything
but plain files there. Its directory is checked before anything is unpacked, and the bytes are
counted while unpacking.
"""

from __future__ import annotations

import gzip
import io
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from forecasts.common import limits
from forecasts.common.errors import BadInput, Remedy
from forecasts.common.limits import format_bytes, too_much

_CHUNK = 1 << 20
_UNREADABLE = (
    zipfile.BadZipFile,
    NotImplementedError,  # an unknown compression
    RuntimeError,  # encrypted
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    OSError,
)


def pack(files: Iterable[Path], *, below: Path | None = None) -> bytes:
    """Return an archive of these files; equal files make equal archives.

    They are in one folder, or in the folders in which they are ``below`` a folder.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            name = file.name if below is None else file.relative_to(below).as_posix()
            entry = zipfile.ZipInfo(name)  # without the file's modification time
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, file.stat().st_size
            with file.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, _CHUNK)
    return made.getvalue()


@contextmanager
def open_archive(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive to read. BadInput if the list of its entries is too long to be read."""
    with _Bounded(archive) as file, zipfile.ZipFile(file) as opened:
        yield opened


class _Bounded(io.FileIO):
    """A file read in pieces of at most ``_CHUNK``, as ``zipfile`` reads the directory at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _CHUNK:
            raise too_much(
                Path(str(self.name)).name,
                f"a list of entries of {format_bytes(size)}",
                format_bytes(_CHUNK),
                "Pack only the files of the ledger folder.",
            )
        return super().read(size) or b""


def unpack(archive: Path, into: Path, *, most_bytes: int = limits.FILE_BYTES) -> Path:
    """Return the folder with the archive's files, which are written below ``into``.

    At most ``most_bytes`` are unpacked. The folder is ``into`` or the only folder in it, since
    folders are packed both ways. Hidden files and those that macOS adds are left out. BadInput if
    it is not an archive, exceeds the limits, or has entries that are encrypted, links, duplicates,
    or outside the folder.
    """
    limits.require_file(archive, limits.FILE_BYTES)
    try:
        with open_archive(archive) as opened:
            entries = _entries(archive, opened, most_bytes)
            written = 0
            for path, entry in entries.items():
                target = into / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source:
                    more = f"{entry.filename} unpacks to more than it states"
                    written += _copy(source, target, more, most_bytes - written)
    except _UNREADABLE as error:
        raise BadInput(
            f"{archive.name} cannot be unpacked: {error}.",
            remedy="Unpack it yourself and name the folder.",
        ) from None
    tops = list(into.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else into


def unpack_gzip(packed: Path, into: Path, *, most_bytes: int = limits.FILE_BYTES) -> Path:
    """Return the file in a gzip file, written into a folder under its name without ``.gz``.

    BadInput if it cannot be unpacked or exceeds the limits (see ``unpack``).
    """
    target, size = into / packed.name[: -len(".gz")], packed.stat().st_size
    most = min(most_bytes, max(limits.UNCHECKED_BYTES, limits.MAX_EXPANSION * size))
    try:
        with gzip.open(packed) as source:
            _copy(source, target, f"{packed.name} unpacks to more", most)
    except _UNREADABLE as error:
        raise BadInput(
            f"{packed.name} cannot be unpacked: {error}.", remedy="Unpack it yourself."
        ) from None
    return target


def _entries(
    archive: Path, opened: zipfile.ZipFile, most_bytes: int
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the files to unpack by their paths, after checking every entry."""
    entries = opened.infolist()
    if len(entries) > limits.ARCHIVE_ENTRIES:
        raise too_much(
            archive.name,
            f"{len(entries):,} entries",
            f"{limits.ARCHIVE_ENTRIES:,}",
            "Pack only the files of the ledger folder.",
        )
    whole, packed = sum(entry.file_size for entry in entries), archive.stat().st_size
    most = min(most_bytes, max(limits.UNCHECKED_BYTES, limits.MAX_EXPANSION * packed))
    if whole > most:
        size = f"{format_bytes(whole)} out of {format_bytes(packed)}"
        raise _too_large(f"{archive.name} unpacks to {size}", most)
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        fault = remedy = ""
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename or not path.parts:
            fault, remedy = "an entry outside the folder", "Do not trust it."
        elif stat.S_ISLNK(entry.external_attr >> 16):
            fault, remedy = "a link instead of a file", "Pack the file itself."
        if fault:
            raise BadInput(f"{archive.name} has {fault}: {entry.filename!r}.", remedy=remedy)
        if entry.is_dir() or any(part.startswith((".", "__MACOSX")) for part in path.parts):
            continue
        if path in found:
            raise BadInput(f"{archive.name} has {entry.filename!r} twice.")
        found[path] = entry
    return found


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, too_many: str, most: int) -> int:
    """Return the number of bytes copied into a new file; BadInput beyond ``most``."""
    written = 0
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > most:
                raise _too_large(too_many, most)
            file.write(chunk)
    return written


def _too_large(size: str, most: int) -> BadInput:
    return BadInput(
        f"{size}; the limit is {format_bytes(most)}.",
        remedy=Remedy(
            "Divide it; or, if you trust it, unpack it and import the folder: {}",
            "import",
            "FOLDER",
        ),
    )
