"""A ZIP archive, packed, and unpacked with limits: people hand over folders as one.

Nobody's archive can fill the disk, write outside of the folder that it is unpacked into, or put
anything but plain files there. What it says of itself is checked before anything is unpacked, and
what comes out is counted as it comes.
"""

from __future__ import annotations

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from forecasts.common import limits
from forecasts.common.errors import BadInput
from forecasts.common.limits import said, too_much

_CHUNK = 1 << 20
_NOT_READ = (
    zipfile.BadZipFile,
    NotImplementedError,  # a compression that Python does not have
    RuntimeError,  # encrypted
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    OSError,
)


def zipped(files: Iterable[Path]) -> bytes:
    """Return the archive of these files, side by side; the same files make the same archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            # Without the times at which the files were written.
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def unzip(archive: Path, into: Path) -> Path:
    """Return the folder that holds the archive's files, after they were written below ``into``.

    That is ``into``, or the one folder in it, since folders are packed both ways. Hidden files, and
    those that macOS adds, are left out. BadInput for what is no archive, for entries that are
    encrypted, links, twice there, or lead out of the folder, and beyond the limits.
    """
    limits.require_file(archive, limits.FILE_BYTES)
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _entries(archive, opened)
            written = 0
            for path, entry in entries.items():
                target = into / path
                target.parent.mkdir(parents=True, exist_ok=True)
                written += _write(opened, entry, target, limits.FILE_BYTES - written)
    except _NOT_READ as error:
        raise BadInput(
            f"{archive.name} cannot be unpacked: {error}.",
            remedy="Unpack it yourself, and name the folder.",
        ) from None
    tops = list(into.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else into


def _entries(archive: Path, opened: zipfile.ZipFile) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the files to unpack by the path each is to have, once all of them are in order."""
    entries = opened.infolist()
    if len(entries) > limits.ENTRIES_OF_ARCHIVE:
        raise too_much(
            archive.name,
            f"{len(entries):,} entries",
            f"{limits.ENTRIES_OF_ARCHIVE:,}",
            "Pack the files that are to be read, and no others.",
        )
    whole, packed = sum(entry.file_size for entry in entries), archive.stat().st_size
    if whole > limits.FILE_BYTES:
        raise _unpacks(archive.name, said(whole), said(limits.FILE_BYTES))
    if whole > max(limits.SMALL_BYTES, limits.TIMES_ITS_SIZE * packed):
        raise _unpacks(
            archive.name,
            f"{said(whole)} out of {said(packed)}",
            f"{limits.TIMES_ITS_SIZE} times its size",
        )
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename or not path.parts:
            raise BadInput(
                f"{archive.name} has an entry that leads out of the folder: {entry.filename!r}.",
                remedy="Do not trust it.",
            )
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise BadInput(
                f"{archive.name} has a link in it, {entry.filename!r}, and no file there.",
                remedy="Pack the file itself.",
            )
        if entry.is_dir() or any(part.startswith((".", "__MACOSX")) for part in path.parts):
            continue
        if path in found:
            raise BadInput(f"{archive.name} has {entry.filename!r} twice.")
        found[path] = entry
    return found


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Return how many bytes came out of the entry and were written; BadInput beyond ``most``."""
    written = 0
    with opened.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > most:
                raise _unpacks(entry.filename, "more than it says", said(limits.FILE_BYTES))
            file.write(chunk)
    return written


def _unpacks(place: str, has: str, most: str) -> BadInput:
    return BadInput(
        f"{place} unpacks to {has}; at most {most} are read.",
        remedy="Unpack it yourself if you trust it, and name the folder.",
    )
