"""Exports in formats other than the ledger folder, and every format packed for download."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from forecasts.exporting import question_files
from forecasts.exporting.export import exported, write_export
from forecasts.folder.archive import pack
from forecasts.ledger.models import Member
from forecasts.platforms.formats import writer
from forecasts.platforms.written import Written


def export_as(
    session: Session,
    name: str,
    path: Path,
    *,
    member: Member | None,
    now: datetime,
    overwrite: bool = False,
) -> Written:
    """Return the files of an export in another format, which are written to ``path``.

    BadInput if there is no format with this name. Refused if ``path`` exists, unless ``overwrite``.
    """
    if name == question_files.FORMAT:
        return question_files.write_question_files(
            session, path, member=member, now=now, overwrite=overwrite
        )
    format_ = writer(name)
    frames, _ = exported(session, member=member, now=now)
    return format_.write(frames, path, overwrite=overwrite)


@dataclass(frozen=True)
class Packed:
    """An export as one file: its name, its data, and its omissions (see ``Written``)."""

    name: str
    data: bytes
    left_out: Sequence[str]


def packed_as(session: Session, name: str, *, member: Member | None, now: datetime) -> Packed:
    """Return an export in another format: its only file, or an archive of its folder."""
    with tempfile.TemporaryDirectory(prefix="export-") as aside:
        path = Path(aside) / name
        written = export_as(session, name, path, member=member, now=now)
        if len(written.files) == 1:
            [file] = written.files
            return Packed(file.name, file.read_bytes(), written.left_out)
        return Packed(f"{name}.zip", pack(written.files, below=path), written.left_out)


def packed_folder(session: Session, *, member: Member | None, now: datetime) -> bytes:
    """Return an archive of the ledger folder that ``write_export`` writes."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as aside:
        files, _ = write_export(session, Path(aside) / "ledger", member=member, now=now)
        return pack(files)
